"""The two example requests of the vendor's CreateAccount page, byte by byte as printed, over a bare socket.

Source: Tencent Cloud API, CreateAccount (postgres 2017-03-12), page of 2026-04-13, section 4. `<Common request
parameters>` stands for the headers of signature TC3-HMAC-SHA256 ("Common Request Parameters").
"""

from __future__ import annotations

import json
import re
import socket
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from rolecall.signing import tc3
from rolecall.values import Secret

INSTANCE = "postgres-5cz25tr5"
HOST = "postgres.intl.tencentcloudapi.com"
PASSWORD = "Test_password1"
NORMAL = b"""{
    "DBInstanceId": "postgres-5cz25tr5",
    "UserName": "user_normal",
    "Password": "Test_password1",
    "Type": "normal",
    "Remark": "Ordinary account"
}
"""
SUPER = b"""{
    "DBInstanceId": "postgres-5cz25tr5",
    "UserName": "user_Super",
    "Password": "Test_password1",
    "Type": "tencentDBSuper",
    "Remark": "Super user"
}
"""


@pytest.fixture(scope="module")
def instance(rolecall: Any) -> Iterator[str]:
    """The page's instance: the quickstart server, registered once more under the page's id."""
    engine = rolecall.ready["engines"]["postgres"]
    url = f"postgresql://{engine['user']}@{engine['host']}:{engine['port']}/{engine['database']}"
    region = rolecall.tencent["region"]
    secret = {"ROLECALL_INSTANCE_PASSWORD": engine["password"]}
    rolecall.cli("instance", "add", url, "--id", INSTANCE, "--region", region, **secret)
    yield INSTANCE
    for user in ("user_normal", "user_Super"):
        rolecall.call("DeleteAccount", {"DBInstanceId": INSTANCE, "UserName": user})
    rolecall.cli("instance", "remove", INSTANCE)


def raw_request(rolecall: Any, body: bytes) -> bytes:
    """Request line and headers in the page's order and spelling, then the body."""
    key_id, key = rolecall.tencent["secret_id"], Secret(rolecall.tencent["secret_key"])
    now = int(time.time())
    proof = tc3.authorization(key_id, key, service="postgres", timestamp=now, host=HOST, payload=body)
    head = (
        "POST / HTTP/1.1",
        f"Host: {HOST}",
        "Content-Type: application/json",
        "X-TC-Action: CreateAccount",
        "X-TC-Version: 2017-03-12",
        f"X-TC-Region: {rolecall.tencent['region']}",
        f"X-TC-Timestamp: {now}",
        f"Authorization: {proof}",
        f"Content-Length: {len(body)}",
        "Connection: close",
    )
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


def exchange(rolecall: Any, request: bytes) -> tuple[str, dict[str, str], Any]:
    """Status line, headers by lower-case name and decoded body of the answer."""
    address = urlsplit(rolecall.endpoint)
    with socket.create_connection((address.hostname, address.port), timeout=60) as connection:
        connection.sendall(request)
        with connection.makefile("rb") as answer:
            head, _, body = answer.read().partition(b"\r\n\r\n")
    status, *lines = head.decode("ascii").split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    return status, headers, json.loads(body)


@pytest.mark.parametrize(
    ("body", "user", "is_super"), [(NORMAL, "user_normal", False), (SUPER, "user_Super", True)]
)
def test_the_pages_example_makes_the_account_it_prints(
    body: bytes, user: str, is_super: bool, instance: str, rolecall: Any, engine: Any
) -> None:
    status, headers, answer = exchange(rolecall, raw_request(rolecall, body))
    assert status == "HTTP/1.1 200 OK"
    assert headers["content-type"] == "application/json"
    assert set(answer) == {"Response"}
    assert set(answer["Response"]) == {"RequestId", "Oid"}
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", answer["Response"]["RequestId"])
    assert engine.role(user) == (answer["Response"]["Oid"], True, False)
    assert engine.is_super_account(user) is is_super
    assert engine.can_log_in(user, PASSWORD)
    listed = rolecall.call("DescribeAccounts", {"DBInstanceId": instance})["Details"]
    remarks = {row["UserName"]: row["Remark"] for row in listed}
    assert remarks[user] == json.loads(body)["Remark"]


def test_a_body_changed_on_its_way_makes_no_account(rolecall: Any, engine: Any) -> None:
    request = raw_request(rolecall, NORMAL).replace(b'"user_normal"', b'"user_forged"')
    _, _, answer = exchange(rolecall, request)
    assert answer["Response"]["Error"]["Code"] == "AuthFailure.SignatureFailure"
    assert engine.role("user_forged") is None
