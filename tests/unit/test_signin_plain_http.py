"""By plain HTTP, where TLS is required, providers tell what is public; of signing in nothing else is answered."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest
from tests.unit.signin_desk import Desk

from rolecall.console.pages import PREFIX
from rolecall.signin import metadata
from rolecall.values import Reply, Request


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    one = Desk(require_tls=True)
    yield one
    one.passwords.close()


async def asked(desk: Desk, path: str, method: str = "GET", *, secure: bool = False) -> Reply:
    headers = (("host", "accounts.example"),)
    return await desk.router_of(path).answer(
        Request(method, path, "", headers, b"", "192.0.2.1", secure, 0.0)
    )


def provider(desk: Desk, path: str) -> str:
    return f"/oidc/{desk.issuer.rpartition('/')[2]}{path}"


@pytest.mark.parametrize("path", sorted(metadata.FOR_PROGRAMS))
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_programs_are_refused_in_json(desk: Desk, path: str, method: str) -> None:
    reply = await asked(desk, provider(desk, path), method)
    assert (reply.status, json.loads(reply.body)["error"]) == (403, "invalid_request")
    assert "HTTPS" in json.loads(reply.body)["error_description"]


@pytest.mark.parametrize("path", sorted(metadata.PATHS - metadata.FOR_PROGRAMS - metadata.PUBLIC))
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_pages_are_refused_by_a_page(desk: Desk, path: str, method: str) -> None:
    reply = await asked(desk, provider(desk, path), method)
    assert (reply.status, reply.code, b"HTTPS" in reply.body) == (403, "tls_required", True)
    assert not any(name == "set-cookie" for name, _ in reply.headers)


@pytest.mark.parametrize("path", ["", "/", "/password", "/sign-out", "/nothing"])
async def test_so_is_the_console(desk: Desk, path: str) -> None:
    reply = await asked(desk, PREFIX + path)
    assert (reply.status, reply.code) == (403, "tls_required")


@pytest.mark.parametrize("path", sorted(metadata.PUBLIC))
async def test_what_a_provider_tells_the_public_is_told(desk: Desk, path: str) -> None:
    assert (await asked(desk, provider(desk, path))).status == 200


async def test_over_tls_all_is_as_ever(desk: Desk) -> None:
    assert (await asked(desk, PREFIX, secure=True)).status in (200, 303)
    assert (await asked(desk, provider(desk, metadata.TOKEN), "POST", secure=True)).status == 400
