"""What strangers send to a live server: nothing of it is a crash, a header, a metric or another caller's budget."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from tests.conftest import Rolecall
from tests.server.replica import replica
from tests.server.wire import Wire, code

pytestmark = pytest.mark.usefixtures("nothing_reached")

DEEP = b'{"a":[' + b",".join([b"[" * 30 + b"]" * 30] * 140_000) + b"]}"


# documents are read after the proof


def test_a_document_is_not_read_before_its_sender_was_proven(wire: Wire) -> None:
    """It holds what would be refused; a stranger is told of the signature alone."""
    for body in (b"{", b'{"a":NaN}', b'{"UserName":"a","UserName":"b"}', DEEP):
        headers = wire.headers(b"another")
        assert code(wire.post(body, headers)) == "AuthFailure.SignatureFailure"
        assert code(wire.post(body)) in ("InvalidParameter", "RequestSizeLimitExceeded")
    multipart = wire.headers() | {"Content-Type": "multipart/form-data; boundary=b"}
    assert code(wire.post(b"garbage", multipart)) == "AuthFailure.SignatureFailure"


def test_a_large_body_without_a_signature_is_refused_unread(wire: Wire) -> None:
    headers = {key: value for key, value in wire.headers().items() if key != "Authorization"}
    assert code(wire.post(b" " * 2**17, headers)) == "RequestSizeLimitExceeded"
    assert (
        wire.client.post("/", content=b" " * 2**17, headers={"Content-Type": "text/plain"}).status_code == 400
    )


# texts


NUL, HALF = "a\\u0000b", "a\\ud800b"


@pytest.fixture(scope="module")
def token(wire: Wire) -> str:
    stack = wire.rolecall.ready["openstack"]
    user = {"name": stack["username"], "domain": {"id": "default"}, "password": stack["password"]}
    body = {"auth": {"identity": {"methods": ["password"], "password": {"user": user}}}}
    return str(wire.client.post("/v3/auth/tokens", json=body).headers["x-subject-token"])


@pytest.mark.parametrize("text", [NUL, HALF])
def test_openstack_takes_no_text_that_no_server_can_hold(wire: Wire, token: str, text: str) -> None:
    """They ended in tracebacks and 500s (A21)."""
    stack = wire.rolecall.ready["openstack"]
    place = f"/v1.0/{stack['tenant_id']}/instances/{stack['instance_id']}"
    shown = {"X-Auth-Token": token, "Content-Type": "application/json"}
    bodies = {
        "/users": f'{{"users":[{{"name":"{text}","password":"Test_password1"}}]}}',
        "/databases": f'{{"databases":[{{"name":"{text}"}}]}}',
        "": f'{{"instance":{{"name":"{text}"}}}}',
    }
    for path, body in bodies.items():
        method = "POST" if path else "PUT"
        assert (
            wire.client.request(method, place + path, content=body.encode(), headers=shown).status_code == 400
        )
    for field in ("name", "password"):
        user = '{"name":"a","password":"b"}'.replace('"a"' if field == "name" else '"b"', f'"{text}"')
        v3 = f'{{"auth":{{"identity":{{"methods":["password"],"password":{{"user":{user}}}}}}}}}'
        v2 = f'{{"auth":{{"passwordCredentials":{user.replace("name", "username", 1)}}}}}'
        for path, body in (("/v3/auth/tokens", v3), ("/v2.0/tokens", v2)):
            sent = wire.client.post(path, content=body.encode(), headers={"Content-Type": "application/json"})
            assert sent.status_code == 400


@pytest.mark.parametrize("name", ["%00", "a%00b"])
def test_openstack_takes_no_nul_in_a_path_or_query(wire: Wire, token: str, name: str) -> None:
    stack = wire.rolecall.ready["openstack"]
    shown = {"X-Auth-Token": token}
    place = f"/v1.0/{stack['tenant_id']}/instances"
    for path in (
        f"{place}/{name}",
        f"{place}/{stack['instance_id']}/users/{name}",
        f"{place}/{stack['instance_id']}/databases/{name}",
        f"{place}/{stack['instance_id']}/users?marker={name}",
    ):
        for method in ("GET", "DELETE"):
            answer = wire.client.request(method, path, headers=shown)
            assert answer.status_code in (400, 404, 405)


def test_two_tokens_are_none(wire: Wire, token: str) -> None:
    stack = wire.rolecall.ready["openstack"]
    place = f"/v1.0/{stack['tenant_id']}/flavors"
    same = wire.client.get(place, headers=[("X-Auth-Token", token), ("X-Auth-Token", token)])
    assert same.status_code == 200
    other = wire.client.get(place, headers=[("X-Auth-Token", token), ("X-Auth-Token", "another")])
    assert (other.status_code, "x-auth-token" in other.text) == (400, True)


# trailers


@pytest.mark.parametrize("name", ["X-TC-Action", "Authorization", "X-Auth-Token", "Host", "Cookie"])
def test_a_trailer_takes_no_headers_place(wire: Wire, name: str) -> None:
    headers = wire.headers(action="DescribeRegions")
    value = headers.pop(name, "x")
    head = "".join(f"{key}: {one}\r\n" for key, one in headers.items())
    chunks = f"Transfer-Encoding: chunked\r\n\r\n2\r\n{{}}\r\n0\r\n{name}: {value}\r\n\r\n"
    answer = wire.raw(f"POST / HTTP/1.1\r\n{head}{chunks}".encode())
    if name in wire.headers():
        assert b'"Error"' in answer
    else:
        assert b'"RegionSet"' in answer


# metrics


def test_strangers_make_no_metric_of_their_own(wire: Wire) -> None:
    """Names of parameters, paths, regions, methods, codes: none of a caller's texts is a label (A10)."""
    made = secrets.token_hex(8)
    wire.client.get(f"/?Action=CreateAccount&Version=2016-01-01&AccessKeyId=x&{made}=%00")
    wire.client.get(f"/?Action={made}&Version={made}&AccessKeyId=x")
    wire.client.get(f"/{made}")
    wire.client.get(f"/oidc/{made}")
    wire.client.get(f"/oidc/{'0' * 32}/{made}")
    wire.client.get(f"/console/{made}")
    wire.client.get(f"/v1.0/{made}/instances", headers={"X-Auth-Token": made})
    wire.client.put(f"/v3/{made}")
    wire.post(b"{}", wire.headers(action=made))
    wire.post(b"{}", region=made)
    wire.form(f"Action={made}&SecretId={made}&Version={made}")
    shown = wire.client.get("/metrics").text
    assert made not in shown
    assert "InvalidAction" in shown


# addresses


@pytest.fixture(scope="module")
def guarded(rolecall: Rolecall, until: Callable[[Callable[[], bool]], None]) -> Iterator[Rolecall]:
    """A replica that believes the proxy on this machine, with room for 20 such requests a minute."""
    with replica(rolecall, until, stranger_rate="20", trusted_proxies='["127.0.0.1"]') as running:
        yield running


def test_an_address_that_proves_nobody_is_not_looked_at_for_long(guarded: Rolecall) -> None:
    with httpx.Client(base_url=guarded.endpoint, trust_env=False) as client:
        wire = Wire(guarded, client)

        def sent(address: str, **changes: Any) -> str:
            headers = wire.headers(action="DescribeRegions", **changes) | {"X-Forwarded-For": address}
            answer: dict[str, Any] = client.post("/", content=b"{}", headers=headers).json()["Response"]
            return str(answer.get("Error", {}).get("Code", "ok"))

        assert sent("203.0.113.1") == "ok"
        codes = [
            sent(address, key_id="AKIDnobody")
            for address in ("203.0.113.1", "203.0.113.2")
            for _ in range(30)
        ]
        assert set(codes) == {"AuthFailure.SecretIdNotFound", "RequestLimitExceeded"}
        assert codes[:20] == ["AuthFailure.SecretIdNotFound"] * 20
        assert sent("203.0.113.1") == "ok", "a key that was proven from there before"
        assert sent("203.0.113.2") == "RequestLimitExceeded"
        assert sent("203.0.113.3") == "ok"
