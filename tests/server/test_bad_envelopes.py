"""Methods, paths, headers, signatures and connections of every wrong kind; nothing of it reaches an engine."""

from __future__ import annotations

import json
import socket
import time
from urllib.parse import urlencode

import pytest
from tests.server.wire import Wire, code, error, receive

from rolecall.signing import tc3
from rolecall.values import Secret

PLAIN = "text/plain; charset=utf-8"

pytestmark = pytest.mark.usefixtures("nothing_reached")


# methods, paths, common parameters


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "PROPFIND"])
def test_methods_other_than_get_and_post(wire: Wire, method: str) -> None:
    signed = wire.client.request(method, "/", content=b"{}", headers=wire.headers())
    assert code(signed) == "UnsupportedProtocol"
    assert wire.client.request(method, "/").status_code == 400


def test_a_head_request_is_answered_without_a_body(wire: Wire) -> None:
    answer = wire.client.head("/")
    assert (answer.status_code, answer.headers["content-type"], answer.content) == (400, PLAIN, b"")


@pytest.mark.parametrize(
    "path",
    [
        "/nothing",
        "/healthz/",
        "/metrics/x",
        "/..%2f..%2fetc",
        "/%ff",
        "/%00",
        "/.well-known/",
        "/.well-known",
    ],
)
def test_a_path_that_no_service_knows_is_a_plain_404(wire: Wire, path: str) -> None:
    for answer in (wire.client.get(path), wire.client.post(path), wire.client.post(path, json={})):
        assert (answer.status_code, answer.headers["content-type"]) == (404, PLAIN)
        assert answer.text == "There is nothing here.\n"


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_request_with_no_mark_of_any_dialect_is_a_plain_400(wire: Wire, method: str) -> None:
    for content in ({}, {"json": {}}, {"data": {"a": "b"}}):
        answer = wire.client.request(method, "/", **content)
        assert (answer.status_code, answer.headers["content-type"]) == (400, PLAIN)
        assert answer.text == "This is not a call of any API that is served here.\n"


def test_what_the_well_known_places_do_not_hold_is_a_404_whatever_else_is_sent(wire: Wire) -> None:
    for name in ("openid-configuration", "oauth-authorization-server", "security.txt"):
        for headers in ({}, wire.headers(b""), {"Accept": "application/json"}, {"X-Auth-Token": "t"}):
            assert wire.client.get(f"/.well-known/{name}", headers=headers).status_code == 404


V1 = "Action=X&Version=2017-03-12&Timestamp=1&Nonce=1&SecretId=a&Signature=s"
RPC = (
    "Action=X&Version=2016-01-01&AccessKeyId=a&SignatureNonce=n&SignatureVersion=1.0&Signature=s&Timestamp=t"
)


@pytest.mark.parametrize("name", ["Action", "Version", "Timestamp", "Nonce", "SecretId", "Signature"])
def test_a_v1_call_that_lost_a_parameter_is_answered_in_its_dialect(wire: Wire, name: str) -> None:
    left = "&".join(pair for pair in V1.split("&") if not pair.startswith(f"{name}="))
    assert error(wire.client.get("/?" + left))
    assert error(wire.form(left))


@pytest.mark.parametrize("name", RPC.replace("=", "&").split("&")[::2])
def test_an_rpc_call_that_lost_a_parameter_is_answered_in_its_dialect(wire: Wire, name: str) -> None:
    left = "&".join(pair for pair in RPC.split("&") if not pair.startswith(f"{name}="))
    for answer in (wire.client.get("/?" + left), wire.form(left)):
        assert answer.text.startswith('<?xml version="1.0" encoding="UTF-8"?><Error><RequestId>')


@pytest.mark.parametrize("name", ["Authorization", "X-TC-Action", "X-TC-Version", "X-TC-Timestamp"])
def test_a_signed_call_that_lost_a_header_is_answered_in_its_dialect(wire: Wire, name: str) -> None:
    """Whatever parameters of the other vendor's names it has."""
    headers = {key: value for key, value in wire.headers().items() if key != name}
    assert code(wire.client.post("/?" + RPC, content=b"{}", headers=headers)) == "MissingParameter"


@pytest.mark.parametrize(
    ("header", "field"),
    [
        ("X-TC-Action", "Action"),
        ("X-TC-Version", "Version"),
        ("X-TC-Timestamp", "Timestamp"),
        ("X-TC-Region", "Region"),
        ("Authorization", "Authorization"),
    ],
)
def test_each_common_parameter_is_missed(wire: Wire, header: str, field: str) -> None:
    headers = wire.headers()
    for changed in ({k: v for k, v in headers.items() if k != header}, headers | {header: ""}):
        assert error(wire.post(b"{}", changed)) == {
            "Code": "MissingParameter",
            "Message": f"The request is missing a required parameter `{field}`.",
        }


@pytest.mark.parametrize(
    "field", ["Action", "Version", "Timestamp", "Nonce", "SecretId", "Signature", "Region", "UserName"]
)
def test_each_common_parameter_of_a_form_is_missed(wire: Wire, field: str) -> None:
    assert error(wire.form(urlencode(wire.v1(without=field)))) == {
        "Code": "MissingParameter",
        "Message": f"The request is missing a required parameter `{field}`.",
    }


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"X-TC-Version": "2017-03-13"}, "NoSuchVersion"),
        ({"X-TC-Version": "latest"}, "NoSuchVersion"),
        ({"X-TC-Action": "MakeAccount"}, "InvalidAction"),
        ({"X-TC-Action": "createaccount"}, "InvalidAction"),
        ({"X-TC-Action": "__class__"}, "InvalidAction"),
        ({"X-TC-Timestamp": "now"}, "InvalidParameter"),
        ({"X-TC-Timestamp": "-1"}, "InvalidParameter"),
        ({"X-TC-Timestamp": "1e9"}, "InvalidParameter"),
        ({"X-TC-Timestamp": "9" * 13}, "InvalidParameter"),
        ({"X-TC-Timestamp": "9" * 12}, "AuthFailure.SignatureExpire"),
        ({"X-TC-Timestamp": "0"}, "AuthFailure.SignatureExpire"),
        ({"X-TC-Token": "a-token"}, "AuthFailure.TokenFailure"),
        ({"Authorization": "SKIP"}, "AuthFailure.InvalidAuthorization"),
        ({"Authorization": "Bearer x"}, "AuthFailure.InvalidAuthorization"),
        ({"Authorization": "TC3-HMAC-SHA256 Credential=a"}, "AuthFailure.InvalidAuthorization"),
        ({"Authorization": "TC3-HMAC-SHA256 " + "a" * 30_000}, "AuthFailure.InvalidAuthorization"),
        ({"Content-Type": "application/json; charset=utf-8"}, "AuthFailure.SignatureFailure"),
        ({"Host": "postgres.tencentcloudapi.com"}, "AuthFailure.SignatureFailure"),
    ],
    ids=lambda value: str(value)[:48],
)
def test_headers_changed_after_signing(wire: Wire, changes: dict[str, str], expected: str) -> None:
    assert code(wire.post(b"{}", wire.headers() | changes)) == expected


def test_a_product_that_is_not_served(wire: Wire) -> None:
    headers = wire.headers() | {"Host": "mariadb.tencentcloudapi.com", "X-TC-Version": "2017-03-13"}
    assert code(wire.post(b"{}", headers)) == "NoSuchProduct"


@pytest.mark.parametrize("name", ["Authorization", "X-TC-Action", "X-TC-Timestamp", "Content-Type", "Host"])
def test_a_telling_header_may_stand_twice_with_one_value_and_not_with_two(wire: Wire, name: str) -> None:
    """acme.sh sends some twice; with two values two parsers could read the request in two ways."""
    headers = wire.headers(action="DescribeRegions")

    def sent(value: str) -> bytes:
        lines = [*headers.items(), (name, value), ("Content-Length", "2")]
        head = "".join(f"{key}: {value}\r\n" for key, value in lines)
        return wire.raw(f"POST / HTTP/1.1\r\n{head}\r\n{{}}".encode())

    assert b'"RegionSet"' in sent(headers[name])
    refused = sent("another")
    assert b'"Code":"InvalidParameter"' in refused
    assert f"The request header `{name.lower()}` is specified more than once".encode() in refused


# signatures


def test_a_scope_of_another_day(wire: Wire) -> None:
    now = int(time.time())
    headers = wire.headers(timestamp=now)
    date = time.strftime("%Y-%m-%d", time.gmtime(now))
    other = headers["Authorization"].replace(date, "2019-02-25")
    assert code(wire.post(b"{}", headers | {"Authorization": other})) == "AuthFailure.SignatureFailure"


@pytest.mark.parametrize("skew", [-86400, -302, 305, 86400])
def test_a_clock_that_is_more_than_five_minutes_off(wire: Wire, skew: int) -> None:
    moment = int(time.time()) + skew
    assert code(wire.post(b"{}", timestamp=moment)) == "AuthFailure.SignatureExpire"
    assert code(wire.form(urlencode(wire.v1(Timestamp=str(moment))))) == "AuthFailure.SignatureExpire"


@pytest.mark.parametrize("skew", [-290, 290])
def test_a_clock_that_is_less_than_five_minutes_off(wire: Wire, skew: int) -> None:
    answer = wire.post(b"{}", action="DescribeRegions", timestamp=int(time.time()) + skew)
    assert answer.json()["Response"]["TotalCount"]


def test_a_body_changed_after_signing(wire: Wire) -> None:
    headers = wire.headers(b'{"UserName":"a"}')
    assert code(wire.post(b'{"UserName":"b"}', headers)) == "AuthFailure.SignatureFailure"
    assert code(wire.form(urlencode(wire.v1() | {"UserName": "b"}))) == "AuthFailure.SignatureFailure"


def test_a_signed_action_changed_after_signing(wire: Wire) -> None:
    headers = wire.headers(action="DescribeRegions")
    lower = {k.lower(): v for k, v in headers.items()}
    signed = tc3.Signed("POST", "/", "", lower, b"{}", headers["X-TC-Timestamp"])
    names = ("content-type", "host", "x-tc-action")
    proof = str(tc3.sign(signed, wire.rolecall.tencent["secret_id"], wire.key, "postgres", names))
    assert "Error" not in wire.post(b"{}", headers | {"Authorization": proof}).json()["Response"]
    changed = headers | {"Authorization": proof, "X-TC-Action": "DescribeZones"}
    assert code(wire.post(b"{}", changed)) == "AuthFailure.SignatureFailure"


def test_a_key_that_is_unknown_or_signs_with_another_secret(wire: Wire) -> None:
    assert code(wire.post(b"{}", key_id="AKIDunknown")) == "AuthFailure.SecretIdNotFound"
    assert code(wire.post(b"{}", key=Secret("another"))) == "AuthFailure.SignatureFailure"


def test_a_disabled_key_is_refused_at_its_next_call(wire: Wire) -> None:
    made = json.loads(wire.rolecall.cli("key", "create", "--json").stdout)[0]
    mine = {"key_id": made["secret_id"], "key": Secret(made["secret_key"]), "action": "DescribeRegions"}
    assert "Error" not in wire.post(b"{}", **mine).json()["Response"]
    wire.rolecall.cli("key", "disable", made["secret_id"])
    assert code(wire.post(b"{}", **mine)) == "AuthFailure.SecretIdNotFound"


# below HTTP


@pytest.mark.parametrize(
    "data",
    [
        b"GARBAGE\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 40,
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: many\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nX-A: \x01\r\nContent-Length: 0\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n",
        b"CONNECT a:443 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"BREW / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /?" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
    ids=lambda data: repr(data[:40]),
)
def test_what_is_no_http_is_refused_by_the_http_parser(wire: Wire, data: bytes) -> None:
    assert wire.raw(data).startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize("line", [b"X-A: ", b""], ids=["one header", "many headers"])
def test_a_head_without_end_is_cut_off(wire: Wire, line: bytes) -> None:
    """A client could fill the memory with it before anybody knows who it is."""
    piece = b"a" * 65_536 if line else b"X-A: a\r\n" * 8192
    with wire.connect() as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: x\r\n" + line)
        with pytest.raises(ConnectionError):
            connection.sendall(piece * 512)


def test_a_head_and_a_body_that_come_together_are_told_apart(wire: Wire) -> None:
    """Over one connection: what was counted for one request is not held against the next."""
    body = b" " * 300_000 + b"{}"
    for _ in range(5):
        answer = wire.post(body, action="DescribeRegions")
        assert answer.json()["Response"]["TotalCount"]


def test_a_request_without_a_host_header_cannot_have_been_signed(wire: Wire) -> None:
    head = "".join(f"{key}: {value}\r\n" for key, value in wire.headers().items() if key != "Host")
    data = wire.raw(f"POST / HTTP/1.1\r\n{head}Content-Length: 2\r\n\r\n{{}}".encode())
    assert b'"Code":"AuthFailure.InvalidAuthorization"' in data


def test_a_slow_client_and_one_that_sends_chunks_are_answered(wire: Wire) -> None:
    headers = wire.headers(action="DescribeRegions")
    lines = "".join(f"{key}: {value}\r\n" for key, value in headers.items())
    with wire.connect() as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for piece in f"POST / HTTP/1.1\r\n{lines}Content-Length: 2\r\n\r\n{{}}":
            connection.sendall(piece.encode())
        assert b'"RegionSet"' in receive(connection)
    chunked = "Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n"
    assert b'"RegionSet"' in wire.raw(f"POST / HTTP/1.1\r\n{lines}{chunked}".encode())


def test_a_client_that_leaves_in_the_middle_of_its_body_made_no_call(wire: Wire) -> None:
    """Not even one whose signature covers no body."""
    params = {"DBInstanceId": wire.rolecall.instance_id, "UserName": "leaver", "Type": "normal"}
    body = json.dumps(params).encode()
    headers = wire.headers(b"UNSIGNED-PAYLOAD") | {"X-TC-Content-SHA256": "UNSIGNED-PAYLOAD"}
    lines = "".join(f"{key}: {value}\r\n" for key, value in headers.items())
    head = f"POST / HTTP/1.1\r\n{lines}Content-Length: {len(body) + 1}\r\n\r\n".encode()
    before = calls_counted(wire)
    for part in (head[:20], head[:-2], head, head + body[:10], head + body):
        with wire.connect() as connection:
            connection.sendall(part)
            connection.shutdown(socket.SHUT_WR)
            assert connection.recv(1000) == b""
    assert calls_counted(wire) == before


def calls_counted(wire: Wire) -> float:
    lines = wire.client.get("/metrics").text.splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith("rolecall_calls_total"))
