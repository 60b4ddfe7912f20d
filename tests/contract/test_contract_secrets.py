"""Which actions carry secrets, and that they are refused by plain HTTP where TLS is required."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.offline_application import offline_application

from rolecall.app.entry import entry
from rolecall.services import SERVICES
from rolecall.signing.token import Token, seal
from rolecall.values import Request, Secret

ANSWERS = ("Password", "SecretKey", "Credentials", "AccessKey")
"""Outputs whose name says that they are secret."""


def test_every_action_whose_answer_tells_a_secret_says_so() -> None:
    minting = {
        f"{service.contract.service}:{action.name}"
        for service in SERVICES
        for action in service.contract.actions.values()
        if action.mints_secret
    }
    assert minting == {
        "cam:AddUser",
        "cam:BuildDataFlowAuthToken",
        "cam:CreateAccessKey",
        "ciam:ResetPassword",
        "identity:IssueToken",
        "sts:AssumeRole",
        "sts:GetFederationToken",
    }
    for service in SERVICES:
        for action in service.contract.actions.values():
            assert action.mints_secret or not set(ANSWERS) & set(action.output), action.name


def test_an_action_with_a_secret_among_its_parameters_carries_one_however_deep_it_stands() -> None:
    carrying = {
        f"{service.contract.service}:{action.name}"
        for service in SERVICES
        for action in service.contract.actions.values()
        if action.carries_secret and not action.mints_secret
    }
    assert {
        "postgres:CreateAccount",
        "cam:UpdateUser",
        "database:CreateUsers",
        "database:CreateInstance",
        "petadata:CreateAccount",
        "ciam:CreateUser",
    } <= carrying
    assert "postgres:DescribeAccounts" not in carrying


def tencent(action: str, version: str) -> tuple[tuple[str, str], ...]:
    service = {"2019-01-16": "cam", "2018-08-13": "sts"}[version]
    scope = f"AKIDx/2026-01-01/{service}/tc3_request"
    return (
        ("host", "h"),
        ("content-type", "application/json"),
        ("x-tc-action", action),
        ("x-tc-version", version),
        ("x-tc-timestamp", "1767225600"),
        (
            "authorization",
            f"TC3-HMAC-SHA256 Credential={scope}, SignedHeaders=content-type;host, Signature={'0' * 64}",
        ),
    )


def post(path: str, headers: tuple[tuple[str, str], ...], body: Any, *, secure: bool) -> Request:
    return Request("POST", path, "", headers, json.dumps(body).encode(), "192.0.2.1", secure, 1767225600.0)


IDENTITY = {
    "auth": {"identity": {"methods": ["password"], "password": {"user": {"name": "a", "password": "b"}}}}
}


@pytest.mark.parametrize(
    ("path", "headers", "body"),
    [
        ("/", tencent("CreateAccessKey", "2019-01-16"), {}),
        ("/", tencent("AddUser", "2019-01-16"), {"Name": "u", "UseApi": 1}),
        ("/", tencent("AssumeRole", "2018-08-13"), {}),
        ("/", tencent("GetFederationToken", "2018-08-13"), {}),
        ("/", tencent("BuildDataFlowAuthToken", "2019-01-16"), {}),
        ("/v3/auth/tokens", (("host", "h"), ("content-type", "application/json")), IDENTITY),
    ],
    ids=[
        "CreateAccessKey",
        "AddUser",
        "AssumeRole",
        "GetFederationToken",
        "BuildDataFlowAuthToken",
        "IssueToken",
    ],
)
async def test_a_minting_action_is_refused_by_plain_http_before_anything_is_asked(
    path: str, headers: tuple[tuple[str, str], ...], body: Any
) -> None:
    async with offline_application() as application:
        request = post(path, headers, body, secure=False)
        reply = await entry(application, require_tls=True).pipeline.answer(request)
        assert b"HTTPS" in reply.body, reply.body
        assert reply.code in ("UnsupportedProtocol", "forbidden")


TOKEN = seal(Token("AKIDx", 1, 1767225600, 1767229200, bytes(16), "password"), Secret("x")).reveal()


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/v1.0/1/instances"), ("GET", "/v3/auth/tokens"), ("DELETE", "/v3/auth/tokens")],
)
async def test_a_token_that_is_shown_by_plain_http_is_refused_whatever_it_is_shown_for(
    method: str, path: str
) -> None:
    headers = (
        ("host", "h"),
        ("x-auth-token", TOKEN),
        ("x-subject-token", TOKEN),
        ("accept", "application/json"),
    )
    request = Request(method, path, "", headers, b"", "192.0.2.1", False, 1767225600.0)
    async with offline_application() as application:
        reply = await entry(application, require_tls=True).pipeline.answer(request)
        assert (reply.status, b"HTTPS" in reply.body) == (403, True), reply.body
