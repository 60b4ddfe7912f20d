"""The Aliyun dialect: every shape of request it reads, every malformed one it refuses, every answer it gives."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import quote, urlencode
from xml.etree import ElementTree as ET

import pytest
from alibabacloud_tea_openapi import exceptions as tea_errors
from alibabacloud_tea_openapi.client import Client
from alibabacloud_tea_openapi.models import Config, OpenApiRequest, Params
from aliyunsdkcore.acs_exception.exceptions import ServerException
from aliyunsdkcore.client import AcsClient
from aliyunsdkcore.request import CommonRequest
from aliyunsdkpetadata.request.v20160101.CreateAccountRequest import CreateAccountRequest
from darabonba.runtime import RuntimeOptions
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from rolecall.contracts.model import Action, Contract, ErrorRow, Field, Kind, Shape
from rolecall.dialects.aliyun import Aliyun
from rolecall.dialects.aliyun.documents import etag, xml_document
from rolecall.dialects.aliyun.refusals import COMMON
from rolecall.dialects.tencent import Tencent
from rolecall.domain.reasons import Reason, Refused
from rolecall.signing import acs1, acs3
from rolecall.values import Call, Envelope, Reply, Request, Secret

ID, KEY = "testid", Secret("testsecret")
NOW = 1704164645  # 2024-01-02T03:04:05Z
TIMESTAMP = "2024-01-02T03:04:05Z"
HOST = "127.0.0.1:7653"
FORM = "application/x-www-form-urlencoded"

_MISSING_DATABASE = ErrorRow("InvalidDBInfo.Malformed", "not valid or db not exist", status=400)
PETADATA = Contract(
    "aliyun",
    "petadata",
    "2016-01-01",
    {
        "CreateAccount": Action(
            Shape(
                "CreateAccount",
                (
                    Field("AccountPassword", Kind.SECRET),
                    Field("DBInfo", Kind.JSON),
                    Field("DBName", Kind.STRING),
                ),
                object,
            ),
            "test",
            errors={(Reason.DATABASE_MISSING, "DBInfo"): _MISSING_DATABASE},
        ),
        "CreateInstance": Action(Shape("CreateInstance", (Field("RegionId", Kind.STRING),), object), "test"),
    },
    {
        Reason.DATABASE_MISSING: ErrorRow("InvalidDBName.NotFound", "does not exist", status=404),
        Reason.PASSWORD_CONTENT: ErrorRow("Invalid{field}.Malformed", 'bad "{field}": {value}', status=400),
    },
)
OTHER = Contract(
    "tencent", "cam", "2019-01-16", {"AddUser": Action(Shape("AddUser", (), object), "test")}, {}
)
ALIYUN = Aliyun([PETADATA, OTHER])
TENCENT = Tencent([OTHER])


def request(
    method: str = "POST", query: str = "", body: bytes = b"", path: str = "/", **headers: str
) -> Request:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Request(method, path, query, tuple({"host": HOST, **named}.items()), body, "127.0.0.1", False, NOW)


COMMON_V2 = {
    "Action": "CreateAccount",
    "Version": "2016-01-01",
    "AccessKeyId": ID,
    "SignatureMethod": "HMAC-SHA1",
    "SignatureVersion": "1.0",
    "SignatureNonce": "n-1",
    "SignatureType": "",
    "Timestamp": TIMESTAMP,
}
OWN = {"AccountName": "a b", "AccountPassword": "P~w*1 +/=中'()!", "AccountDescription": ""}

Place = Callable[[str, dict[str, str]], Request]


def in_query(method: str, named: dict[str, str]) -> Request:
    """aliyun-python-sdk-core: all in the URL, also of a POST."""
    return request(method, urlencode(named), content_length="0")


def in_body(method: str, named: dict[str, str]) -> Request:
    """pop-core with ``{method: 'POST'}``."""
    return request(method, "", urlencode(named).encode(), content_type=FORM)


def in_both(method: str, named: dict[str, str]) -> Request:
    """A CommonRequest with body parameters; node clients leave ``()!*`` as they are."""
    query = {name: value for name, value in named.items() if not name.startswith("Account")}
    body = "&".join(
        f"{name}={quote(value, safe='()!*')}" for name, value in named.items() if name not in query
    )
    return request(method, urlencode(query), body.encode(), content_type=f"{FORM}; charset=UTF-8")


def v2_request(
    place: Place = in_query, method: str = "POST", own: Mapping[str, str] = OWN, drop: str = "", **common: str
) -> Request:
    named = {**COMMON_V2, **common, **own}
    named.pop(drop, None)
    algorithm = named.get("SignatureMethod", "")
    known = algorithm if algorithm in acs1.METHODS else "HMAC-SHA1"
    if drop != "Signature":
        named["Signature"] = acs1.sign(method, named.items(), KEY, known)
    return place(method, named)


def v3_request(
    own: Mapping[str, str] = OWN, body: bytes = b"", drop: str = "", method: str = "POST", **changes: str
) -> Request:
    """A signed ACS3 request, as alibabacloud-tea-openapi sends it; `changes` come after signing."""
    headers = {
        "accept": "application/json",
        "host": HOST,
        "x-acs-action": "CreateAccount",
        "x-acs-version": "2016-01-01",
        "x-acs-date": TIMESTAMP,
        "x-acs-signature-nonce": "n-1",
        "x-acs-content-sha256": hashlib.sha256(body).hexdigest(),
    }
    if body:
        headers["content-type"] = changes.pop("content_type", FORM)
    signed = acs3.Signed(method, tuple(own.items()), headers, body)
    headers["authorization"] = str(acs3.sign(signed, ID, KEY, tuple(sorted(headers))))
    headers |= {name.replace("_", "-"): value for name, value in changes.items()}
    headers.pop(drop, None)
    wire = request(method, urlencode(own), body)
    return structs.replace(wire, headers=tuple(headers.items()))


def parse(wire: Request, dialect: Aliyun = ALIYUN) -> Call:
    """Parse and prove."""
    call = dialect.parse(dialect.open(wire))
    call.claim.prove(KEY, NOW)
    return call


def refusal(wire: Request, dialect: Aliyun = ALIYUN) -> tuple[Reason, str]:
    with pytest.raises(Refused) as refused:
        dialect.parse(dialect.open(wire)).params.read()
    return refused.value.reason, refused.value.field


def fields(reply: Reply) -> dict[str, Any]:
    """The fields of an answer in either format."""
    kind = dict(reply.headers)["content-type"]
    if kind == "application/json;charset=utf-8":
        document: dict[str, Any] = json.loads(reply.body)
        return document
    assert kind == "text/xml;charset=utf-8"
    return {child.tag: child.text for child in ET.fromstring(reply.body)}


# --- opening


def test_a_request_id_is_an_upper_case_uuid4() -> None:
    made = ALIYUN.open(request()).request_id
    assert str(uuid.UUID(made)).upper() == made
    assert uuid.UUID(made).version == 4


@pytest.mark.parametrize(
    ("wire", "ours"),
    [
        (v2_request(), True),
        (v2_request(method="GET"), True),
        (v2_request(in_body), True),
        (v2_request(in_both), True),
        (v3_request(), True),
        (request("GET", "Action=CreateAccount&Version=2016-01-01"), True),
        (request("GET", "Action=X&AccessKeyId=k"), True),
        (request("GET", "Action=X&Version=2014-08-15&SignatureNonce=n"), True),
        (request(host="petadata.aliyuncs.com"), True),
        (request(host="petadata.ap-southeast-2.aliyuncs.com:443"), True),
        (request(authorization="ACS3-RSA-SHA256 x"), True),
        (request(x_acs_action="X"), True),
        (request(), False),
        (request("GET", "Action=X&Version=2019-01-16"), False),
        (request("GET", "Action=X&Version=2016-01-01&SecretId=k&Nonce=1"), False),
        (request(body=b"Action=X&Version=2016-01-01&SecretId=k", content_type=FORM), False),
        (request(x_tc_action="X", x_acs_action="X"), False),
        (request("GET", "Action=X&AccessKeyId=k", authorization="TC3-HMAC-SHA256 x"), False),
        (request(body=b'{"Action=X&AccessKeyId=":1}', content_type="application/json"), False),
        (request("GET", path="/v1.0/1/instances", x_auth_token="t"), False),
    ],
)
def test_it_recognizes_its_own_and_never_another_vendors(wire: Request, ours: bool) -> None:
    assert (ALIYUN.mark(wire) > TENCENT.mark(wire)) is ours


# --- reading


@pytest.mark.parametrize(
    ("place", "method"), [(in_query, "GET"), (in_query, "POST"), (in_body, "POST"), (in_both, "POST")]
)
@pytest.mark.parametrize("algorithm", ["HMAC-SHA1", "HMAC-SHA256"])
def test_a_v2_call_is_understood_wherever_its_parameters_are(
    place: Place, method: str, algorithm: str
) -> None:
    """Blank values are signed; of the action's own ones they mean the default."""
    call = parse(v2_request(place, method, SignatureMethod=algorithm, RegionId="cn-hangzhou"))
    assert (call.dialect, call.service, call.version, call.action) == (
        "aliyun", "petadata", "2016-01-01", "CreateAccount",
    )  # fmt: skip
    assert (call.region, call.flat, call.claim.access_key_id) == ("cn-hangzhou", True, ID)
    assert call.params.read() == {"AccountName": "a b", "AccountPassword": "P~w*1 +/=中'()!"}
    assert call.claim.token is None
    assert "P~w" not in repr(call)


def test_a_v3_call_is_understood_with_its_parameters_in_the_query() -> None:
    call = parse(v3_request())
    assert (call.action, call.version, call.claim.access_key_id) == ("CreateAccount", "2016-01-01", ID)
    assert call.params.read() == {"AccountName": "a b", "AccountPassword": "P~w*1 +/=中'()!"}


def test_a_v3_call_is_understood_with_a_form() -> None:
    call = parse(v3_request({"DBName": "d"}, urlencode({"AccountName": "a b"}).encode()))
    assert call.params.read() == {"DBName": "d", "AccountName": "a b"}


def test_a_v3_call_is_understood_with_json() -> None:
    body = b'{"AccountName":"a","DBInfo":{"ReadOnly":["x"]},"N":2,"B":true,"Left":null}'
    call = parse(v3_request({}, body, content_type="application/json; charset=utf-8"))
    assert call.params.read() == {"AccountName": "a", "DBInfo": '{"ReadOnly":["x"]}', "N": "2", "B": "true"}


def test_the_body_of_a_get_is_not_looked_at() -> None:
    wire = structs.replace(v2_request(method="GET"), body=b"AccountName=other")
    assert parse(wire).params.read()["AccountName"] == "a b"


def test_an_action_may_own_a_common_parameter() -> None:
    call = parse(v2_request(own={}, Action="CreateInstance", RegionId="cn-beijing"))
    assert call.params.read() == {"RegionId": "cn-beijing"}


@pytest.mark.parametrize(
    "wire", [v2_request(SecurityToken="tok"), v3_request(x_acs_security_token="tok")], ids=["v2", "v3"]
)
def test_a_temporary_token_is_kept_as_a_secret(wire: Request) -> None:
    token = ALIYUN.parse(ALIYUN.open(wire)).claim.token
    assert token is not None
    assert (token.reveal(), repr(token)) == ("tok", "***")


@pytest.mark.parametrize("wire", [v2_request(), v3_request()], ids=["v2", "v3"])
def test_a_claim_has_a_nonce(wire: Request) -> None:
    assert ALIYUN.parse(ALIYUN.open(wire)).claim.nonce == "n-1"  # type: ignore[attr-defined]


def test_unsigned_headers_of_v2_do_not_choose_the_action() -> None:
    wire = v2_request()
    lying = structs.replace(wire, headers=(*wire.headers, ("x-acs-action", "DeleteAccount")))
    assert parse(lying).action == "CreateAccount"


# --- what is refused


@pytest.mark.parametrize("name", [name for name in COMMON_V2 if name != "SignatureType"] + ["Signature"])
def test_a_missing_common_parameter_is_named(name: str) -> None:
    assert refusal(v2_request(drop=name)) == (Reason.PARAMETER_MISSING, name)


@pytest.mark.parametrize(
    ("wire", "field"),
    [
        (v3_request(drop="x-acs-action"), "Action"),
        (v3_request(drop="x-acs-version"), "Version"),
        (v3_request(drop="x-acs-date"), "Timestamp"),
        (v3_request(drop="x-acs-signature-nonce"), "SignatureNonce"),
        (v3_request(drop="authorization"), "AccessKeyId"),
        (request("GET"), "Version"),
    ],
)
def test_a_missing_header_is_named_as_the_parameter(wire: Request, field: str) -> None:
    assert refusal(wire) == (Reason.PARAMETER_MISSING, field)


MALFORMED = Reason.MALFORMED_REQUEST


@pytest.mark.parametrize(
    ("wire", "reason", "field"),
    [
        (request("PUT"), Reason.METHOD_UNSUPPORTED, ""),
        (request("HEAD"), Reason.METHOD_UNSUPPORTED, ""),
        (request(path="/v2"), Reason.ROUTE_UNKNOWN, ""),
        (request(query="a=%zz"), MALFORMED, "query"),
        (request(query="a=%ff"), MALFORMED, "query"),
        (request(query="=a"), MALFORMED, "query"),
        (request(query="a\u00e9=1"), MALFORMED, "query"),
        (request(query="a%00=1"), MALFORMED, "query"),
        (request(query="a=%00"), Reason.PARAMETER_CHARACTERS, "a"),
        (request(query="a=1&a=2"), MALFORMED, "duplicate"),
        (request(query="a=1", body=b"a=1", content_type=FORM), MALFORMED, "duplicate"),
        (request(body=b"\xff=1", content_type=FORM), MALFORMED, "form"),
        (request(body=b"<xml/>", content_type="text/xml"), MALFORMED, "Content-Type"),
        (request(body=b"[1]", content_type="application/json"), MALFORMED, "json"),
        (request(body=b"{", content_type="application/json"), MALFORMED, "json"),
        (request(body=b"[" * 100_000, content_type="application/json"), MALFORMED, "json"),
        (request(query="&".join(["a=1"] * 1001)), Reason.TOO_LARGE, ""),
        (request(query="a" * 1024 * 1025), Reason.TOO_LARGE, ""),
        (request(body=b"a" * 1024 * 1025, content_type=FORM), Reason.TOO_LARGE, ""),
        (v2_request(Version="2014-08-15"), Reason.VERSION_UNKNOWN, "Version"),
        (v2_request(Action="createaccount"), Reason.ACTION_UNKNOWN, "Action"),
        (v2_request(Timestamp="1704164645"), Reason.PARAMETER_TYPE, "Timestamp"),
        (v2_request(SignatureMethod="SHA256withRSA"), Reason.AUTHORIZATION_MALFORMED, "SignatureMethod"),
        (v2_request(SignatureVersion="2.0"), Reason.PARAMETER_VALUE, "SignatureVersion"),
        (v2_request(SignatureType="BEARERTOKEN"), Reason.AUTHORIZATION_MALFORMED, "SignatureType"),
        (v3_request(authorization="ACS3-HMAC-SM3 x"), Reason.AUTHORIZATION_MALFORMED, "SignatureMethod"),
        (v3_request(authorization="ACS3-HMAC-SHA256 x"), Reason.AUTHORIZATION_MALFORMED, ""),
        (v3_request(x_acs_date="now"), Reason.PARAMETER_TYPE, "Timestamp"),
    ],
)
def test_a_malformed_request_is_refused(wire: Request, reason: Reason, field: str) -> None:
    assert refusal(wire) == (reason, field)


def test_a_telling_header_may_stand_once() -> None:
    wire = v3_request()
    twice = structs.replace(wire, headers=(*wire.headers, ("x-acs-action", "DeleteAccount")))
    assert refusal(twice) == (MALFORMED, "header")
    harmless = structs.replace(v2_request(), headers=(("via", "a"), ("via", "b"), ("host", HOST)))
    assert parse(harmless).action == "CreateAccount"


def test_another_product_of_the_vendor_is_unknown() -> None:
    wire = structs.replace(v2_request(Version="2014-08-15"), headers=(("host", "rds.aliyuncs.com"),))
    assert refusal(wire)[0] is Reason.SERVICE_UNKNOWN


def test_without_tls_nothing_is_answered_where_it_is_required() -> None:
    strict = Aliyun([PETADATA], require_tls=True)
    assert refusal(v2_request(), strict) == (Reason.TLS_REQUIRED, "")
    assert parse(structs.replace(v2_request(), secure=True), strict).action == "CreateAccount"


def test_an_unknown_action_is_told_before_the_lack_of_tls_and_that_before_a_missing_parameter() -> None:
    strict = Aliyun([PETADATA], require_tls=True)
    assert refusal(v2_request(Action="X"), strict)[0] is Reason.ACTION_UNKNOWN
    assert refusal(v2_request(drop="AccessKeyId"), strict)[0] is Reason.TLS_REQUIRED


@settings(max_examples=100)
@given(
    st.binary(max_size=60), st.text(alphabet="Aa=&%+2;\xff", max_size=40), st.sampled_from(["GET", "POST"])
)
def test_whatever_comes_is_understood_or_refused_and_answered(body: bytes, query: str, method: str) -> None:
    wire = request(method, query, body, content_type=FORM)
    ALIYUN.mark(wire)
    envelope = ALIYUN.open(wire)
    with pytest.raises(Refused) as refused:
        ALIYUN.parse(envelope)
    assert fields(ALIYUN.refuse(envelope, refused.value, None))["Code"]


# --- answering


def json_call() -> Call:
    return parse(v2_request(Format="JSON"))


def test_an_answer_is_xml_by_default_byte_for_byte() -> None:
    call = parse(v2_request())
    reply = ALIYUN.render(call, {})
    expected = (
        '<?xml version="1.0" encoding="UTF-8"?><CreateAccountResponse>'
        f"<RequestId>{call.request_id}</RequestId></CreateAccountResponse>"
    )
    assert (reply.status, reply.code, reply.body) == (200, "", expected.encode())


def test_the_headers_of_an_answer_are_the_gateways() -> None:
    call = parse(v2_request())
    reply = ALIYUN.render(call, {})
    named = dict(reply.headers)
    assert len(named) == len(reply.headers)
    assert named.pop("x-acs-trace-id") == uuid.UUID(call.request_id).hex
    assert named == {
        "content-type": "text/xml;charset=utf-8",
        "x-acs-request-id": call.request_id,
        "access-control-allow-origin": "*",
        "access-control-expose-headers": "*",
        "etag": etag(reply.body),
    }


def test_an_etag_is_as_the_gateway_makes_it() -> None:
    assert etag(b'{"RequestId":"7F75E7B4-4636-53B4-A8DE-5FC4A9E1F876"}') == "5TMxmkRtXpXAdkf/r7rDdEA2"


@pytest.mark.parametrize(
    ("wire", "json_"),
    [
        (v2_request(Format="JSON"), True),
        (v2_request(Format="json"), True),
        (v2_request(in_body, Format="JSON"), True),
        (v2_request(Format="XML"), False),
        (v2_request(Format="None"), False),
        (v2_request(Format=""), False),
        (structs.replace(v2_request(), headers=(("accept", "application/json"),)), False),
        (v3_request(), True),
        (v3_request(accept="application/xml"), False),
        (v3_request(accept="*/*"), False),
        (v3_request({**OWN, "Format": "xml"}), False),
    ],
)
def test_the_format_is_the_callers_and_xml_otherwise(wire: Request, json_: bool) -> None:
    envelope = ALIYUN.open(wire)
    reply = ALIYUN.refuse(envelope, Refused(Reason.INTERNAL), None)
    kind = "application/json;charset=utf-8" if json_ else "text/xml;charset=utf-8"
    assert dict(reply.headers)["content-type"] == kind


ANSWER: dict[str, object] = {
    "TotalCount": 2,
    "Tasks": {"Task": []},
    "AccountList": {
        "Account": [
            {"AccountName": "a", "AccountDescription": ""},
            {"AccountName": '<&>"\x01\ud800中', "VpcEnabled": True, "DBInfo": {"IsFinance": False}},
        ]
    },
}


def test_xml_wraps_lists_and_escapes() -> None:
    assert xml_document("R", ANSWER).decode() == (
        '<?xml version="1.0" encoding="UTF-8"?><R><TotalCount>2</TotalCount><Tasks></Tasks><AccountList>'
        "<Account><AccountName>a</AccountName><AccountDescription></AccountDescription></Account>"
        '<Account><AccountName>&lt;&amp;&gt;"\ufffd\ufffd中</AccountName><VpcEnabled>true</VpcEnabled>'
        "<DBInfo><IsFinance>false</IsFinance></DBInfo></Account></AccountList></R>"
    )


def test_json_keeps_both_levels_and_native_types() -> None:
    answer = {"TotalCount": 2, "Tasks": {"Task": []}, "Yes": True}
    call = json_call()
    assert json.loads(ALIYUN.render(call, answer).body) == {"RequestId": call.request_id, **answer}


def refuse(
    reason: Reason, field: str = "", call: Call | None = None, **facts: object
) -> tuple[Reply, dict[str, Any]]:
    envelope = call.envelope if call else ALIYUN.open(request())
    reply = ALIYUN.refuse(envelope, Refused(reason, field, facts=facts), call)
    return reply, fields(reply)


@pytest.mark.parametrize("format_", ["XML", "JSON"])
def test_an_error_has_the_five_fields_in_either_format(format_: str) -> None:
    envelope = ALIYUN.open(v2_request(Format=format_))
    reply = ALIYUN.refuse(envelope, Refused(Reason.KEY_UNKNOWN, facts={"value": "k"}), None)
    assert (reply.status, reply.code) == (404, "InvalidAccessKeyId.NotFound")
    assert fields(reply) == {
        "RequestId": envelope.request_id,
        "HostId": HOST,
        "Code": "InvalidAccessKeyId.NotFound",
        "Message": "Specified access key is not found.",
        "Recommend": "https://error-center.aliyun.com/status/search?Keyword=InvalidAccessKeyId.NotFound&source=PopGw",
    }
    named = dict(reply.headers)
    assert "etag" not in named
    assert named["x-acs-request-id"] == envelope.request_id


def test_the_root_of_an_error_is_error_and_the_host_has_no_scheme() -> None:
    wire = request(host="http://127.0.0.1:80/x")
    reply = ALIYUN.refuse(ALIYUN.open(wire), Refused(Reason.INTERNAL), None)
    root = ET.fromstring(reply.body)
    assert (root.tag, root.findtext("HostId")) == ("Error", "127.0.0.1:80")


# Code, status and message of the vendor's list, in its order.
GATEWAY = [
    (
        Reason.SERVICE_UNKNOWN,
        "",
        "InvalidProduct.NotFound",
        404,
        "Cannot find product according to your specified domain.",
    ),
    (
        Reason.ACTION_UNKNOWN,
        "Action",
        "InvalidAction.NotFound",
        404,
        "Specified api is not found, please check your url and method.",
    ),
    (
        Reason.ROUTE_UNKNOWN,
        "",
        "InvalidAction.NotFound",
        404,
        "Specified api is not found, please check your url and method.",
    ),
    (Reason.VERSION_UNKNOWN, "Version", "InvalidVersion", 400, "Specified parameter Version is not valid."),
    (
        Reason.TLS_REQUIRED,
        "",
        "InvalidProtocol.NeedSsl",
        400,
        "Your request is denied as lack of ssl protect.",
    ),
    (
        Reason.PARAMETER_MISSING,
        "AccessKeyId",
        "MissingAccessKeyId",
        400,
        "AccessKeyId is mandatory for this action.",
    ),
    (Reason.PARAMETER_MISSING, "Action", "MissingAction", 400, "Action is mandatory for this action."),
    (Reason.KEY_UNKNOWN, "", "InvalidAccessKeyId.NotFound", 404, "Specified access key is not found."),
    (Reason.KEY_DISABLED, "", "InvalidAccessKeyId.Inactive", 400, "Specified access key is disabled."),
    (
        Reason.PARAMETER_TYPE,
        "Timestamp",
        "InvalidTimeStamp.Format",
        400,
        "Specified time stamp or date value is not well formatted.",
    ),
    (
        Reason.SIGNATURE_EXPIRED,
        "Timestamp",
        "InvalidTimeStamp.Expired",
        400,
        "Specified time stamp or date value is expired.",
    ),
    (
        Reason.NONCE_REUSED,
        "SignatureNonce",
        "SignatureNonceUsed",
        400,
        "Specified signature nonce was used already.",
    ),
    (
        Reason.MALFORMED_REQUEST,
        "query",
        "InvalidParameter.Format",
        400,
        "Specified parameter format is not valid.",
    ),
    (
        Reason.PARAMETER_VALUE,
        "SignatureVersion",
        "InvalidSignatureVersion",
        400,
        "Specified parameter SignatureVersion is not valid.",
    ),
    (Reason.METHOD_UNSUPPORTED, "", "UnsupportedHTTPMethod", 403, "This http method not supported."),
    (
        Reason.AUTHORIZATION_MALFORMED,
        "SignatureMethod",
        "InvalidSignatureMethod",
        400,
        "Specified signature method is not valid.",
    ),
    (
        Reason.AUTHORIZATION_MALFORMED,
        "",
        "IncompleteSignature",
        400,
        "The request signature does not conform to Aliyun standards.",
    ),
    (
        Reason.SIGNATURE_MISMATCH,
        "",
        "SignatureDoesNotMatch",
        400,
        "Specified signature is not matched with our calculation.",
    ),
    (Reason.RATE_EXCEEDED, "", "Throttling.User", 400, "Request was denied due to user flow control."),
    (
        Reason.NOT_PERMITTED,
        "",
        "Forbidden.RAM",
        403,
        "The user is not authorized to operate the specified resource, or this operation does not support RAM.",
    ),
    (
        Reason.ENGINE_UNREACHABLE,
        "",
        "ServiceUnavailable",
        503,
        "The request has failed due to a temporary failure of the server.",
    ),
    (
        Reason.INTERNAL,
        "",
        "InternalError",
        500,
        "The request processing has failed due to some unknown error, exception or failure.",
    ),
]


@pytest.mark.parametrize(("reason", "field", "code", "status", "message"), GATEWAY)
def test_the_gateways_errors_are_the_vendors(
    reason: Reason, field: str, code: str, status: int, message: str
) -> None:
    reply, told = refuse(reason, field)
    assert (told["Code"], reply.status, told["Message"]) == (code, status, message)


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_has_a_row(reason: Reason) -> None:
    assert reason in COMMON
    reply, told = refuse(reason, "X")
    assert reply.status >= 400
    assert told["Code"]
    assert told["Message"]


def test_a_throttled_caller_is_told_when_to_come_again() -> None:
    reply, _ = refuse(Reason.RATE_EXCEEDED)
    assert dict(reply.headers)["x-acs-retry-after"] == "1000"


def test_codes_are_made_from_the_parameters_name_and_secrets_are_masked() -> None:
    _, told = refuse(Reason.PASSWORD_CONTENT, "AccountPassword", json_call(), value="P~w")
    assert told["Code"] == "InvalidAccountPassword.Malformed"
    assert told["Message"] == 'bad "AccountPassword": ***'


def test_a_refusal_without_a_field_blames_the_first_parameter_that_has_a_row() -> None:
    """The domain names none: a missing database is DBInfo's fault if that was sent, else DBName's."""
    by_name = parse(v2_request(own={"DBName": "d"}, Format="JSON"))
    reply, told = refuse(Reason.DATABASE_MISSING, "", by_name)
    assert (told["Code"], reply.status) == ("InvalidDBName.NotFound", 404)
    by_info = parse(v2_request(own={"DBName": "d", "DBInfo": "{}"}, Format="JSON"))
    reply, told = refuse(Reason.DATABASE_MISSING, "", by_info)
    assert (told["Code"], reply.status) == ("InvalidDBInfo.Malformed", 400)


def test_a_callers_text_is_never_a_template() -> None:
    _, told = refuse(Reason.PASSWORD_CONTENT, "DBName", json_call(), value="{field}" + "x" * 200)
    assert told["Message"].startswith('bad "DBName": {field}xxx')
    assert told["Message"].endswith("...")


def test_a_v2_mismatch_tells_the_string_to_sign_behind_its_only_colon() -> None:
    call = json_call()
    _, told = refuse(Reason.SIGNATURE_MISMATCH, "", call)
    head, own = told["Message"].split(":")
    assert head == "Specified signature is not matched with our calculation. server string to sign is"
    assert own == call.claim.signed_text()  # type: ignore[attr-defined]


def test_a_v3_mismatch_tells_both_texts() -> None:
    call = parse(v3_request())
    _, told = refuse(Reason.SIGNATURE_MISMATCH, "", call)
    text, canonical = call.claim.signed_text()  # type: ignore[attr-defined]
    assert told["Message"] == (
        "Specified signature does not match our calculation. "
        f"server StringToSign is [{text}] server CanonicalRequest is [{canonical}]"
    )


# --- the vendor's own clients


class Exchange:
    """What a loopback server received, and what it answers."""

    def __init__(self) -> None:
        self.received: Request | None = None
        self.call: Call | None = None
        self.answer: dict[str, object] = {}
        self.refusal: Refused | None = None
        self.key = KEY
        self.address = ""

    def reply(self, wire: Request) -> Reply:
        """As the pipeline does it, with the claim proven now."""
        self.received = wire
        assert ALIYUN.mark(wire)
        envelope: Envelope = ALIYUN.open(wire)
        self.call = None
        try:
            self.call = ALIYUN.parse(envelope)
            self.call.claim.prove(self.key, wire.received)
            if self.refusal:
                raise self.refusal
            return ALIYUN.render(self.call, self.answer)
        except Refused as refused:
            return ALIYUN.refuse(envelope, refused, self.call)


@pytest.fixture
def exchange(monkeypatch: pytest.MonkeyPatch) -> Iterator[Exchange]:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    shared = Exchange()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            path, _, query = self.path.partition("?")
            headers = tuple((name.lower(), value) for name, value in self.headers.items())
            wire = Request(self.command, path, query, headers, body, "127.0.0.1", False, time.time())
            reply = shared.reply(wire)
            self.send_response(reply.status)
            for name, value in (*reply.headers, ("content-length", str(len(reply.body)))):
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(reply.body)

        do_GET = do_POST  # noqa: N815

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    shared.address = f"127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    with contextlib.ExitStack() as stack:
        stack.callback(thread.join)
        stack.callback(server.server_close)
        stack.callback(server.shutdown)
        yield shared


def core_request(exchange: Exchange) -> CreateAccountRequest:
    wanted = CreateAccountRequest()
    wanted.set_endpoint(exchange.address)
    wanted.set_InstanceId("pd-abcdefg62469a0")
    wanted.set_AccountName("a_b")
    wanted.set_AccountPassword("P~w*1 +/=中'()!")
    wanted.set_DBInfo('{"ReadOnly": ["mydb", "mydb2"]}')
    return wanted


def core_client() -> AcsClient:
    return AcsClient(ID, KEY.reveal(), "cn-hangzhou")


OWN_SENT = {
    "InstanceId": "pd-abcdefg62469a0",
    "AccountName": "a_b",
    "AccountPassword": "P~w*1 +/=中'()!",
    "DBInfo": '{"ReadOnly": ["mydb", "mydb2"]}',
}


def test_the_core_sdk_is_understood_and_reads_the_answer(exchange: Exchange) -> None:
    exchange.answer = {"AccountList": {"Account": [{"AccountName": "中"}]}}
    answered = json.loads(core_client().do_action_with_exception(core_request(exchange)))
    assert exchange.call is not None
    assert exchange.call.params.read() == OWN_SENT
    assert exchange.call.region == "cn-hangzhou"
    assert answered == {"RequestId": exchange.call.request_id, **exchange.answer}


def test_the_core_sdk_without_a_format_gets_xml(exchange: Exchange) -> None:
    """Its deprecated do_action sends ``Format=None``."""
    with pytest.warns(DeprecationWarning, match="do_action"):
        text = core_client().do_action(core_request(exchange))
    assert exchange.received is not None
    assert "Format=None" in exchange.received.query
    assert ET.fromstring(text).tag == "CreateAccountResponse"


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_core_sdks_common_request_is_understood(exchange: Exchange, method: str) -> None:
    wanted = CommonRequest(domain=exchange.address, version="2016-01-01", action_name="CreateAccount")
    wanted.set_method(method)
    wanted.add_query_param("DBName", "a,b")
    if method == "POST":
        wanted.add_body_params("AccountPassword", "P~w*1 +/=中'()!")
    core_client().do_action_with_exception(wanted)
    assert exchange.call is not None
    expected = {"DBName": "a,b"}
    if method == "POST":
        expected["AccountPassword"] = "P~w*1 +/=中'()!"
    assert exchange.call.params.read() == expected


def test_the_core_sdk_raises_our_errors(exchange: Exchange) -> None:
    exchange.refusal = Refused(Reason.DATABASE_MISSING)
    with pytest.raises(ServerException) as raised:
        core_client().do_action_with_exception(core_request(exchange))
    assert raised.value.get_http_status() == 400
    assert raised.value.get_error_code() == "InvalidDBInfo.Malformed"
    assert exchange.call is not None
    assert raised.value.get_request_id() == exchange.call.request_id


def test_the_core_sdk_tells_a_wrong_secret_by_our_string_to_sign(exchange: Exchange) -> None:
    exchange.key = Secret("another")
    with pytest.raises(ServerException) as raised:
        core_client().do_action_with_exception(core_request(exchange))
    assert raised.value.get_error_code() == "InvalidAccessKeySecret"


def tea_client(exchange: Exchange, **config: object) -> Client:
    named = {"endpoint": exchange.address, **config}
    return Client(Config(access_key_id=ID, access_key_secret=KEY.reveal(), protocol="http", **named))


def tea_call(client: Client, where: str, body_type: str = "formData", method: str = "POST") -> dict[str, Any]:
    params = Params(
        action="CreateAccount",
        version="2016-01-01",
        protocol="HTTPS",
        method=method,
        auth_type="AK",
        style="RPC",
        pathname="/",
        req_body_type=body_type,
        body_type="json",
    )
    sent = OpenApiRequest(**{where: dict(OWN_SENT)})
    answered: dict[str, Any] = client.call_api(
        params, sent, RuntimeOptions(read_timeout=60_000, connect_timeout=60_000)
    )
    return answered


@pytest.mark.parametrize(
    ("where", "body_type", "method"),
    [
        ("query", "formData", "POST"),
        ("query", "formData", "GET"),
        ("body", "formData", "POST"),
        ("body", "json", "POST"),
    ],
)
def test_the_tea_sdk_is_understood_and_reads_the_answer(
    exchange: Exchange, where: str, body_type: str, method: str
) -> None:
    exchange.answer = {"AccountList": {"Account": [{"AccountName": "中"}]}}
    answered = tea_call(tea_client(exchange), where, body_type, method)
    assert exchange.call is not None
    assert isinstance(exchange.call.claim, acs3.Acs3Claim)
    assert exchange.call.params.read() == OWN_SENT
    assert answered["statusCode"] == 200
    assert answered["body"] == {"RequestId": exchange.call.request_id, **exchange.answer}
    assert answered["headers"]["x-acs-request-id"] == exchange.call.request_id


@pytest.mark.parametrize("where", ["query", "body"])
def test_the_tea_sdk_with_the_older_signature_is_understood(exchange: Exchange, where: str) -> None:
    answered = tea_call(tea_client(exchange, signature_algorithm="v2"), where)
    assert exchange.call is not None
    assert isinstance(exchange.call.claim, acs1.Acs1Claim)
    assert exchange.call.params.read() == OWN_SENT
    assert answered["body"] == {"RequestId": exchange.call.request_id}


def test_the_tea_sdk_with_a_scheme_in_its_endpoint_is_understood(exchange: Exchange) -> None:
    wire = v3_request()
    headers = dict(wire.headers) | {"host": f"http://{HOST}"}
    del headers["authorization"]
    signed = acs3.Signed("POST", tuple(OWN.items()), headers, b"")
    headers["authorization"] = str(acs3.sign(signed, ID, KEY, tuple(sorted(headers))))
    assert parse(structs.replace(wire, headers=tuple(headers.items()))).action == "CreateAccount"


@pytest.mark.parametrize(
    ("reason", "kind", "code"),
    [
        (Reason.DATABASE_MISSING, tea_errors.ClientException, "InvalidDBInfo.Malformed"),
        (Reason.ENGINE_UNREACHABLE, tea_errors.ServerException, "ServiceUnavailable"),
        (Reason.RATE_EXCEEDED, tea_errors.ThrottlingException, "Throttling.User"),
    ],
)
def test_the_tea_sdk_raises_our_errors(
    exchange: Exchange, reason: Reason, kind: type[Exception], code: str
) -> None:
    exchange.refusal = Refused(reason)
    with pytest.raises(kind) as raised:
        tea_call(tea_client(exchange), "query")
    assert raised.value.code == code  # type: ignore[attr-defined]
    assert exchange.call is not None
    assert raised.value.request_id == exchange.call.request_id  # type: ignore[attr-defined]


def test_the_md5_in_an_etag_is_of_the_body() -> None:
    assert base64.b64encode(hashlib.md5(b"x").digest()).decode()[:22] == etag(b"x")[1:-1]
