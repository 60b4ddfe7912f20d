"""Whatever is wrong with a request, it is answered in the vendor's envelope, and nothing reaches an engine."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Any
from urllib.parse import quote, urlencode
from uuid import UUID

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rolecall.signing import tc1, tc3
from rolecall.values import Secret
from tests.conftest import Rolecall

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
BREAKOUTS = (
    'a"; DROP ROLE postgres; --', "a'; DROP ROLE postgres; --", "a' OR 1=1 --", 'a"', "a\\", "\\", "a\\'b", "$$", "$1",
    "%s", "%(name)s", "{}", "a/*", "a--", "a;b", "ａdmin", "аdmin", "admin\u200b", "\u202eadmin", "K\u212a", "ſelect", "é",
    "a\u0301", "\U0001f600", "..", "a.b", "@all", "+role", "/regex",
)  # fmt: skip
"""Names that try to leave their place in a statement, a pattern or a connection string; lookalikes and joiners."""


class Wire:
    """Requests as wrong as one likes, over one kept connection."""

    def __init__(self, rolecall: Rolecall, client: httpx.Client) -> None:
        self.rolecall = rolecall
        self.client = client
        self.key = Secret(rolecall.tencent["secret_key"])

    def headers(self, body: bytes = b"{}", key_id: str = "", **changes: Any) -> dict[str, str]:
        """Every header of a rightly signed CreateAccount with this body, or of a call that differs in `changes`."""
        return tc3.post_headers(
            key_id or self.rolecall.tencent["secret_id"],
            changes.pop("key", self.key),
            **{
                "service": "postgres",
                "version": "2017-03-12",
                "action": "CreateAccount",
                "region": "ap-guangzhou",
                "timestamp": int(time.time()),
                "host": self.rolecall.netloc,
                "payload": body,
            }
            | changes,
        )

    def post(self, body: bytes, headers: Mapping[str, str] | None = None, path: str = "/", **changes: Any) -> Any:
        return self.client.post(path, content=body, headers=headers or self.headers(body, **changes))

    def create(self, **params: Any) -> Any:
        """CreateAccount with these parameters over those of a good call."""
        good = {"DBInstanceId": self.rolecall.instance_id, "UserName": "somebody", "Type": "normal"}
        return self.post(json.dumps(good | params).encode())

    def query(self, text: str) -> Any:
        """A rightly signed GET with this very query."""
        proof = tc3.authorization(
            self.rolecall.tencent["secret_id"], self.key, service="postgres", timestamp=int(time.time()),
            host=self.rolecall.netloc, method="GET", query=text, content_type=FORM,
        )  # fmt: skip
        headers = self.headers() | {"Authorization": proof, "Content-Type": FORM}
        return self.client.get(httpx.URL(self.rolecall.endpoint + "/", query=text.encode()), headers=headers)

    def v1(self, action: str = "CreateAccount", without: str = "", **params: str) -> dict[str, str]:
        """The parameters of a rightly signed v1 form."""
        common = {
            "Action": action,
            "Version": "2017-03-12",
            "Region": "ap-guangzhou",
            "Timestamp": str(int(time.time())),
            "Nonce": "11886",
            "SecretId": self.rolecall.tencent["secret_id"],
            "SignatureMethod": "HmacSHA256",
        }
        own = {"DBInstanceId": self.rolecall.instance_id, "UserName": "somebody", "Type": "normal"}
        named = {k: v for k, v in (common | own | params).items() if k != without}
        signed = tc1.Signed("POST", self.rolecall.netloc, "/", tuple(named.items()))
        signature = tc1.sign(signed, self.key, "HmacSHA256")
        return named | ({} if without == "Signature" else {"Signature": signature})

    def form(self, text: str | bytes) -> Any:
        return self.client.post("/", content=text, headers={"Content-Type": FORM})

    def raw(self, data: bytes) -> bytes:
        """What comes back for these very bytes, up to the end of the first answer."""
        with self.connect() as connection:
            connection.sendall(data)
            return receive(connection)

    def connect(self) -> socket.socket:
        host, port = self.rolecall.netloc.split(":")
        return socket.create_connection((host, int(port)), timeout=10)


def receive(connection: socket.socket) -> bytes:
    """One HTTP answer with a Content-Length."""
    data = b""
    while b"\r\n\r\n" not in data:
        chunk = connection.recv(65536)
        if not chunk:
            return data
        data += chunk
    head, _, rest = data.partition(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
    while len(rest) < length:
        rest += connection.recv(65536)
    return head + b"\r\n\r\n" + rest


@pytest.fixture(scope="module", autouse=True)
def nothing_reached(unreached: Callable[[], AbstractContextManager[None]]) -> Iterator[None]:
    """No test here may lead to an operation, or change a role or a database."""
    with unreached():
        yield


@pytest.fixture(scope="module")
def wire(rolecall: Rolecall) -> Iterator[Wire]:
    with httpx.Client(base_url=rolecall.endpoint, timeout=60, trust_env=False) as client:
        yield Wire(rolecall, client)
        assert rolecall.process.poll() is None
        assert client.get("/readyz").json() == {"status": "ready"}


def error(answer: httpx.Response) -> dict[str, str]:
    """The error in an answer whose envelope is without fault."""
    assert answer.status_code == 200
    assert answer.headers["content-type"] == JSON
    response = answer.json()["Response"]
    assert response.keys() == {"Error", "RequestId"}, response
    assert UUID(response["RequestId"]).version == 4
    assert response["Error"].keys() == {"Code", "Message"}
    assert response["Error"]["Code"] != "InternalError"
    assert response["Error"]["Message"]
    return dict(response["Error"])


def code(answer: httpx.Response) -> str:
    return error(answer)["Code"]


# bodies


@pytest.mark.parametrize(
    "body",
    [
        b"[]", b"1", b'"text"', b"null", b"true", b"{", b'{"a":', b'{"a":1', b'{"a" 1}', b"{'a':1}", b"{}{}", b"{},", b"nul",
        b"\xef\xbb\xbf{}", b"\xff", b'{"UserName":"\xff"}', b'{"UserName":"\xc0\x80"}', b'{"UserName":"\xed\xa0\x80"}',
        b"{}".decode().encode("utf-16"), b'{"UserName":"a","UserName":"b"}', b'{"UserName":"a","\\u0055serName":"b"}',
        b'{"Filters":[{"Name":"a","Name":"b"}]}', b'{"a":NaN}', b'{"a":Infinity}', b'{"a":-Infinity}', b'{"OpenCam":1e999}',
        b'{"UserName":"\\ud800"}', b'{"UserName":"\\udc00\\ud800"}', b'{"\\ud800":1}', b'{"a":"\x01"}', b'{"a":"\n"}',
        b'{"a":' + b"[" * 40 + b"]" * 40 + b"}", b"[" * 100_000, b'{"a":' * 100_000, b'{"a":' + b"9" * 5000 + b"}",
        b'{"a":01}', b'{"a":.5}', b"\x00", b"{}\x00",
    ],
    ids=lambda body: repr(body[:24]),
)  # fmt: skip
def test_a_body_that_is_no_json_object_is_an_invalid_parameter(wire: Wire, body: bytes) -> None:
    assert code(wire.post(body)) == "InvalidParameter"


def test_an_empty_body_is_an_empty_object(wire: Wire) -> None:
    """The Node SDK sends one for no parameters; so the first required parameter is missing."""
    assert error(wire.post(b""))["Message"] == "The request is missing a required parameter `DBInstanceId`."


@pytest.mark.parametrize("value", [1, 1.5, True, [], {}, ["a"], {"a": "b"}, 10**400], ids=repr)
@pytest.mark.parametrize("field", ["DBInstanceId", "UserName", "Type", "Password", "Remark"])
def test_a_value_that_is_no_text_where_text_belongs(wire: Wire, field: str, value: object) -> None:
    assert error(wire.create(**{field: value})) == {
        "Code": "InvalidParameter",
        "Message": f"The value type of parameter `{field}` is not valid.",
    }


@pytest.mark.parametrize("value", ["true", "yes", "", 0, 1, 1.5, [], {}], ids=repr)
def test_a_value_that_is_no_boolean_where_one_belongs(wire: Wire, value: object) -> None:
    assert error(wire.create(OpenCam=value)) == {
        "Code": "InvalidParameter",
        "Message": "The value type of parameter `OpenCam` is not valid.",
    }


@pytest.mark.parametrize("field", ["DBInstanceId", "UserName", "Type"])
def test_null_is_absence(wire: Wire, field: str) -> None:
    assert error(wire.create(**{field: None})) == {
        "Code": "MissingParameter",
        "Message": f"The request is missing a required parameter `{field}`.",
    }


@pytest.mark.parametrize(
    "field", ["Extra", "username", "UserName ", "Action", "", ".", "UserName.0", "__class__"]
)
def test_a_parameter_the_action_does_not_have_is_unknown(wire: Wire, field: str) -> None:
    assert error(wire.create(**{field: "x"})) == {
        "Code": "UnknownParameter",
        "Message": f"The parameter `{field}` is not recognized.",
    }


def test_an_unknown_member_of_a_structure_is_named_by_its_path(wire: Wire) -> None:
    params = {"DBInstanceId": wire.rolecall.instance_id, "Filters": [{"Name": "database-name", "Extra": 1}]}
    found = error(wire.post(json.dumps(params).encode(), action="DescribeDatabases"))
    assert found["Message"] == "The parameter `Filters.0.Extra` is not recognized."


NO_CONTROLS = {
    "DBInstanceId": "InvalidParameter.ParameterCheckError",
    "UserName": "InvalidParameterValue.InvalidAccountNameFormatError",
    "Type": "InvalidParameter.ParameterCheckError",
    "Password": "InvalidParameterValue.InvalidPasswordValueError",
    "Remark": "InvalidParameterValue.ParameterCharacterError",
}


@pytest.mark.parametrize("control", ["\x01", "\n", "\r\n", "\x1b[31m", "\x7f", "\x85", "\u2028"], ids=repr)
@pytest.mark.parametrize("field", NO_CONTROLS)
def test_control_characters_are_refused_in_every_text(wire: Wire, field: str, control: str) -> None:
    good = {"Password": "Test_password1", "Type": "normal", "Remark": "note", "UserName": "some"}
    sent = good.get(field, wire.rolecall.instance_id)
    for value in (sent + control, control + sent, sent[:3] + control + sent[3:]):
        found = error(wire.create(**{field: value}))
        assert found["Code"] == NO_CONTROLS[field]
        assert control not in found["Message"] or control == "\u2028"


@pytest.mark.parametrize("field", NO_CONTROLS)
def test_a_nul_is_refused_in_every_text(wire: Wire, field: str) -> None:
    assert error(wire.create(**{field: "abc\0def"})) == {
        "Code": "InvalidParameterValue",
        "Message": f"The parameter `{field}` contains characters that are not allowed.",
    }


@pytest.mark.parametrize("value", BREAKOUTS)
def test_names_do_not_quote_their_way_out(wire: Wire, value: str) -> None:
    malformed = "InvalidParameterValue.InvalidAccountNameFormatError"
    assert code(wire.create(UserName=value)) == malformed
    assert code(wire.create(DBInstanceId=value)).startswith(("InvalidParameter.", "OperationDenied."))
    assert code(wire.create(Type=value)) == "InvalidParameter.ParameterCheckError"
    named = json.dumps({"DBInstanceId": wire.rolecall.instance_id, "UserName": value}).encode()
    for action in ("DeleteAccount", "LockAccount", "UnlockAccount"):
        assert code(wire.post(named, action=action)) == malformed


@pytest.mark.parametrize("value", [*BREAKOUTS, "host=127.0.0.1 dbname=postgres", "postgresql://127.0.0.1/postgres"])
def test_a_database_to_look_into_is_a_name_and_nothing_else(wire: Wire, value: str) -> None:
    """It would go into a connection string, which must neither lead elsewhere nor be longer than it was."""
    params = {"DBInstanceId": wire.rolecall.instance_id, "ObjectType": "schema", "DatabaseName": value}
    found = code(wire.post(json.dumps(params).encode(), action="DescribeDatabaseObjects"))
    assert found == "InvalidParameterValue"


def test_a_pattern_to_search_by_is_a_text_and_nothing_else(wire: Wire) -> None:
    for value in ("%", "_", "' or true --", "\\"):
        params = {
            "DBInstanceId": wire.rolecall.instance_id,
            "Filters": [{"Name": "database-name", "Values": [value]}],
        }
        answer = wire.post(json.dumps(params).encode(), action="DescribeDatabases")
        assert all(value in name for name in answer.json()["Response"]["Items"])


# sizes


def test_a_body_over_10_mb_is_too_large_and_one_under_is_read(wire: Wire) -> None:
    for size in (10 * 2**20 + 1, 11 * 2**20):
        assert code(wire.post(b" " * size)) == "RequestSizeLimitExceeded"
    assert code(wire.post(b'{"Remark":"' + b"a" * (10 * 2**20 - 13) + b'"}')) == "MissingParameter"


def test_too_many_values_are_too_large(wire: Wire) -> None:
    assert code(wire.post(b'{"a":[' + b"0," * 300_000 + b"0]}")) == "RequestSizeLimitExceeded"


def test_a_query_over_32_kb_is_too_large_and_one_under_is_read(wire: Wire) -> None:
    assert code(wire.query("Remark=" + "a" * 32 * 1024)) == "RequestSizeLimitExceeded"
    assert code(wire.query("Remark=" + "a" * 31 * 1024)) == "MissingParameter"


def test_a_v1_form_over_1_mb_is_told_to_use_the_newer_signature(wire: Wire) -> None:
    found = error(wire.form(urlencode(wire.v1(Remark="a" * 2**20))))
    assert found["Code"] == "AuthFailure.SignatureFailure"
    assert "because of exceeding request size limit" in found["Message"]


# queries and forms


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a", "InvalidParameter"),
        ("=b", "InvalidParameter"),
        ("a=1&&b=2", "InvalidParameter"),
        ("a=%", "InvalidParameter"),
        ("a=%2", "InvalidParameter"),
        ("a=%zz", "InvalidParameter"),
        ("a=%ff", "InvalidParameter"),
        ("a=%ed%a0%80", "InvalidParameter"),
        ("a=%c0%80", "InvalidParameter"),
        ("%00=1", "InvalidParameter"),
        ("a=%00", "InvalidParameterValue"),
        ("UserName=a&UserName=b", "InvalidParameter"),
        ("UserName=a&User%4eame=b", "InvalidParameter"),
        ("Filters=1&Filters.0=2", "InvalidParameter"),
        ("Filters.0=1&Filters.2=2", "InvalidParameter"),
        ("Filters.00=1", "UnknownParameter"),
        ("Filters.=1", "UnknownParameter"),
        (".Filters=1", "UnknownParameter"),
        (".".join("a" * 40) + "=1", "UnknownParameter"),
        ("&".join(f"a{number}=1" for number in range(2000)), "UnknownParameter"),
        ("&".join(f"{number}=" for number in range(4000)), "UnknownParameter"),
    ],
    ids=lambda text: text[:24],
)
def test_malformed_queries(wire: Wire, text: str, expected: str) -> None:
    required = f"DBInstanceId={wire.rolecall.instance_id}&UserName=somebody&Type=normal&"
    twice = "UserName" in text
    assert code(wire.query((required.replace("UserName=somebody&", "") if twice else required) + text)) == expected


@pytest.mark.parametrize("text", ["a", "=b", "a=%", "a=%zz", "a=%ff", b"a=\xff", "Action=a&Action=b"], ids=repr)
def test_malformed_forms(wire: Wire, text: str | bytes) -> None:
    assert code(wire.form(text)) == "InvalidParameter"


@pytest.mark.parametrize(
    "body",
    [
        b"", b"--x--", b"garbage", b"--b\r\n\r\nvalue\r\n--b--", b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nx',
        b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n\xff\r\n--b--\r\n',
        b'--b\r\nContent-Disposition: form-data; name="a"\r\nContent-Type: application/json\r\n\r\n{\r\n--b--\r\n',
    ],
    ids=repr,
)  # fmt: skip
def test_malformed_multipart_bodies(wire: Wire, body: bytes) -> None:
    kind = "multipart/form-data; boundary=b"
    found = code(signed_as(wire, kind, body))
    assert found in ("InvalidRequest", "InvalidParameter") if body else found == "MissingParameter"


def signed_as(wire: Wire, kind: str, body: bytes) -> Any:
    """A call rightly signed with another content type."""
    headers = wire.headers(body)
    proof = tc3.authorization(
        wire.rolecall.tencent["secret_id"], wire.key, service="postgres", timestamp=int(headers["X-TC-Timestamp"]),
        host=wire.rolecall.netloc, payload=body, content_type=kind,
    )  # fmt: skip
    return wire.post(body, headers | {"Content-Type": kind, "Authorization": proof})


@pytest.mark.parametrize(
    "kind", ["text/xml", "text/plain", "application/json-patch+json", "x", "multipart/form-data"]
)
def test_other_content_types(wire: Wire, kind: str) -> None:
    assert code(signed_as(wire, kind, b"<x/>")) in ("InvalidParameter", "InvalidRequest")


# methods, paths, common parameters


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "PROPFIND"])
def test_methods_other_than_get_and_post(wire: Wire, method: str) -> None:
    assert code(wire.client.request(method, "/")) == "UnsupportedProtocol"
    signed = wire.client.request(method, "/", content=b"{}", headers=wire.headers())
    assert code(signed) == "UnsupportedProtocol"


def test_a_head_request_is_answered_without_a_body(wire: Wire) -> None:
    answer = wire.client.head("/")
    assert (answer.status_code, answer.headers["content-type"], answer.content) == (200, JSON, b"")


@pytest.mark.parametrize("path", ["/", "/nothing", "/healthz/", "/metrics/x", "/..%2f..%2fetc", "//", "/%ff", "/%00"])
def test_an_unknown_path_is_answered_like_any_request_without_an_action(wire: Wire, path: str) -> None:
    found = error(wire.client.get(path))
    assert found == {"Code": "MissingParameter", "Message": "The request is missing a required parameter `Action`."}
    assert code(wire.client.post(path)) == "MissingParameter"
    assert code(wire.client.post(path, json={})) == "MissingParameter"


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
def test_a_telling_header_that_stands_twice_is_refused(wire: Wire, name: str) -> None:
    """Two parsers could read it in two ways."""
    headers = wire.headers()
    lines = [*headers.items(), (name, headers[name]), ("Content-Length", "2")]
    head = "".join(f"{key}: {value}\r\n" for key, value in lines)
    data = wire.raw(f"POST / HTTP/1.1\r\n{head}\r\n{{}}".encode())
    assert b'"Code":"InvalidParameter"' in data


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


# anything at all

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4), max_leaves=12
)
FIELDS = st.sampled_from(["DBInstanceId", "UserName", "Type", "Password", "Remark", "OpenCam", "Extra"])
ANYTHING = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


@ANYTHING
@given(params=st.dictionaries(FIELDS, VALUES, max_size=7))
def test_any_json_object_is_answered_in_the_envelope(wire: Wire, params: dict[str, object]) -> None:
    error(wire.post(json.dumps(params).encode("utf-8", "surrogatepass")))


@ANYTHING
@given(body=st.binary(max_size=200))
def test_any_bytes_are_answered_in_the_envelope(wire: Wire, body: bytes) -> None:
    error(wire.post(body))
    error(wire.form(body))
    error(signed_as(wire, "multipart/form-data; boundary=b", b"--b\r\n" + body))


@ANYTHING
@given(text=st.text(st.sampled_from("abDBInstanceId.0123&=%+ \x7fé;"), max_size=80))
def test_any_query_is_answered_in_the_envelope(wire: Wire, text: str) -> None:
    error(wire.query(quote(text, safe="&=%+.;")))
