"""The Tencent dialect: every shape of request it reads, every malformed one it refuses, every answer it gives."""

from __future__ import annotations

import contextlib
import json
import re
import string
import threading
import time
import uuid
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs
from tencentcloud.common import credential
from tencentcloud.common.common_client import CommonClient
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile

from rolecall.contracts.model import Action, Contract, ErrorRow, Field, Kind, ListOf, Shape
from rolecall.dialects.forms import PairDecoder
from rolecall.dialects.tencent import Tencent
from rolecall.dialects.tencent.flatten import MAX_DEPTH, flatten, unflatten
from rolecall.dialects.tencent.refusals import COMMON
from rolecall.domain.reasons import Reason, Refused
from rolecall.signing import tc1, tc3
from rolecall.values import Call, Language, Mark, Reply, Request, Secret

ID = "AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE"
KEY = Secret("Gu5t9xGARNpq86cd98joQYCN3EXAMPLE")
NOW = 1700000000
HOST = "127.0.0.1:7653"
FORM = "application/x-www-form-urlencoded"

_ACCOUNT = Shape("Account", (Field("Name", Kind.STRING), Field("Password", Kind.SECRET)), object)
POSTGRES = Contract(
    "tencent",
    "postgres",
    "2017-03-12",
    {
        "CreateAccount": Action(
            Shape(
                "CreateAccount",
                (Field("Password", Kind.SECRET), Field("Accounts", ListOf(_ACCOUNT))),
                object,
            ),
            "test",
            errors={
                (Reason.PARAMETER_VALUE, "Type"): ErrorRow("Particular", "only {value} {}", "仅 {value}"),
                Reason.ACCOUNT_TAKEN: ErrorRow("Taken", "{value} is taken"),
            },
        )
    },
    {Reason.INSTANCE_MISSING: ErrorRow("OfService", "no {field}")},
)
CAM = Contract("tencent", "cam", "2019-01-16", {"AddUser": Action(Shape("AddUser", (), object), "test")}, {})
STS = Contract(
    "tencent", "sts", "2018-08-13", {"AssumeRole": Action(Shape("AssumeRole", (), object), "test")}, {}
)
TAG = Contract("tencent", "tag", "2018-08-13", {"GetTags": Action(Shape("GetTags", (), object), "test")}, {})
TENCENT = Tencent([POSTGRES, CAM, STS, TAG])


def request(
    method: str = "POST", query: str = "", body: bytes = b"", path: str = "/", **headers: str
) -> Request:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Request(method, path, query, tuple({"host": HOST, **named}.items()), body, "127.0.0.1", False, NOW)


def tc3_request(
    body: bytes = b"{}",
    *,
    method: str = "POST",
    query: str = "",
    kind: str = "application/json",
    service: str = "postgres",
    drop: str = "",
    **headers: str,
) -> Request:
    """A signed TC3 request; `headers` replace the usual ones, underscores for hyphens."""
    host = headers.get("host", HOST)
    proof = tc3.authorization(
        ID,
        KEY,
        service=service,
        timestamp=NOW,
        host=host,
        payload=body if method == "POST" else b"",
        method=method,
        query=query if method == "GET" else "",
        content_type=kind,
    )
    usual = {
        "content_type": kind,
        "x_tc_action": "CreateAccount",
        "x_tc_version": "2017-03-12",
        "x_tc_region": "ap-guangzhou",
        "x_tc_timestamp": str(NOW),
        "authorization": proof,
    }
    named = usual | headers
    named.pop(drop, None)
    return request(method, query, body, **named)


V1_COMMON = {
    "Action": "CreateAccount",
    "Version": "2017-03-12",
    "Region": "",
    "Timestamp": str(NOW),
    "Nonce": "11886",
    "SecretId": ID,
}


def v1_request(
    params: Mapping[str, str] | None = None, *, method: str = "GET", drop: str = "", **common: str
) -> Request:
    named = {**V1_COMMON, **common, **(params or {})}
    named.pop(drop, None)
    algorithm = named.get("SignatureMethod", "HmacSHA1")
    signed = tc1.Signed(method, HOST, "/", tuple(named.items()))
    if drop != "Signature":
        named["Signature"] = tc1.sign(signed, KEY, algorithm if algorithm in tc1.DIGESTS else "HmacSHA1")
    text = urlencode(named)
    if method == "GET":
        return request("GET", text, content_type=FORM)
    return request("POST", body=text.encode(), content_type=FORM)


def parse(wire: Request) -> Call:
    """Parse and prove."""
    call = TENCENT.parse(TENCENT.open(wire))
    call.claim.prove(KEY, NOW)
    return call


def refusal(wire: Request) -> Refused:
    with pytest.raises(Refused) as refused:
        TENCENT.parse(TENCENT.open(wire)).params.read()
    return refused.value


def answer(reply: Reply) -> dict[str, Any]:
    document = json.loads(reply.body)
    assert list(document) == ["Response"]
    response: dict[str, Any] = document["Response"]
    return response


def error_for(wire: Request) -> tuple[str, str]:
    """The code and message that a request is answered with."""
    envelope = TENCENT.open(wire)
    with pytest.raises(Refused) as refused:
        TENCENT.parse(envelope).params.read()
    reply = TENCENT.refuse(envelope, refused.value, None)
    error = answer(reply)["Error"]
    assert (reply.status, reply.code) == (200, error["Code"])
    return error["Code"], error["Message"]


# --- opening


def test_a_request_id_is_a_lower_case_uuid4() -> None:
    made = TENCENT.open(request()).request_id
    assert str(uuid.UUID(made)) == made
    assert uuid.UUID(made).version == 4


@pytest.mark.parametrize(
    ("wire", "expected"),
    [
        (request(x_tc_language="zh-CN"), Language.CHINESE),
        (request(x_tc_language="en-US"), Language.ENGLISH),
        (request(x_tc_language="fr-FR"), Language.ENGLISH),
        (request(), Language.ENGLISH),
        (request("GET", "Language=zh-CN"), Language.CHINESE),
        (request("GET", "XLanguage=zh-CN"), Language.ENGLISH),
        (request(body=b"a=1&Language=zh-CN&b=2", content_type=FORM), Language.CHINESE),
        (request(body=b"\xff&Language=zh-CN", content_type=FORM), Language.CHINESE),
        (request(body=b"&Language=zh-CN", content_type="application/json"), Language.ENGLISH),
        (request("PUT", "\udcff", b"\xff"), Language.ENGLISH),
    ],
)
def test_the_language_is_the_callers_and_english_otherwise(wire: Request, expected: Language) -> None:
    assert TENCENT.open(wire).language is expected


@pytest.mark.parametrize(
    ("wire", "ours"),
    [
        (tc3_request(), True),
        (request(x_tc_action="X"), True),
        (v1_request(), True),
        (v1_request(method="POST"), True),
        (request("GET", "Action=X&AccessKeyId=k&Signature=s&Version=v"), False),
        (request("GET", "", path="/v1.0/1/instances", x_auth_token="t"), False),
        (request(), False),
    ],
)
def test_it_recognizes_its_own(wire: Request, ours: bool) -> None:
    assert (TENCENT.mark(wire) > Mark.PLACE) is ours


# --- TC3


def test_a_json_call_is_understood() -> None:
    call = parse(tc3_request(b'{"UserName":"a","Deep":{"List":[1,true,null]}}'))
    assert (call.dialect, call.service, call.version, call.action) == (
        "tencent",
        "postgres",
        "2017-03-12",
        "CreateAccount",
    )
    assert (call.region, call.flat, call.claim.access_key_id) == ("ap-guangzhou", False, ID)
    assert call.params.read() == {"UserName": "a", "Deep": {"List": [1, True, None]}}
    assert call.claim.token is None


def test_an_empty_body_is_the_empty_object() -> None:
    assert parse(tc3_request(b"")).params.read() == {}


def test_a_region_may_be_absent() -> None:
    assert parse(tc3_request(drop="x_tc_region")).region == ""


def test_a_temporary_token_is_kept_as_a_secret() -> None:
    token = parse(tc3_request(x_tc_token="tok")).claim.token
    assert token is not None
    assert (token.reveal(), repr(token)) == ("tok", "***")


@pytest.mark.parametrize("kind", ["application/json; charset=utf-8", "Application/JSON"])
def test_content_type_is_signed_as_sent(kind: str) -> None:
    assert parse(tc3_request(kind=kind)).params.read() == {}


@pytest.mark.parametrize("service", ["127", "localhost:7653", "cvm", "postgres"])
def test_the_scopes_service_does_not_route(service: str) -> None:
    assert parse(tc3_request(service=service)).service == "postgres"


@pytest.mark.parametrize("service", ["cam", "sts", "tag"])
def test_a_signature_for_another_service_of_ours_is_refused(service: str) -> None:
    """A captured call of one service would be a call of another, since nothing else that is signed names one (A5)."""
    assert error_for(tc3_request(service=service))[0] == "AuthFailure.SignatureFailure"


def test_a_signed_action_can_be_demanded() -> None:
    strict = Tencent([POSTGRES], signed_action=True)
    with pytest.raises(Refused, match="x-tc-action is not among the signed headers"):
        strict.parse(strict.open(tc3_request()))
    names = ("content-type", "host", "x-tc-action")
    headers = {"content-type": "application/json", "host": HOST, "x-tc-action": "CreateAccount"}
    signed = tc3.sign(tc3.Signed("POST", "/", "", headers, b"{}", str(NOW)), ID, KEY, "postgres", names)
    call = strict.parse(strict.open(tc3_request(authorization=str(signed))))
    call.claim.prove(KEY, NOW)


def test_the_older_signatures_can_be_switched_off() -> None:
    strict = Tencent([POSTGRES], v1=False)
    with pytest.raises(Refused, match="switched off") as refused:
        strict.parse(strict.open(v1_request()))
    assert (refused.value.reason, refused.value.field) == (Reason.AUTHORIZATION_MALFORMED, "SignatureMethod")
    assert strict.parse(strict.open(tc3_request())).action == "CreateAccount"


def test_a_get_carries_flattened_parameters() -> None:
    call = parse(tc3_request(method="GET", query="Name=a+b&Set.0.K=%E5%A4%87&Set.1.K=y", kind=FORM))
    assert call.params.read() == {"Name": "a b", "Set": [{"K": "备"}, {"K": "y"}]}
    assert call.flat


def test_an_unsigned_payload_is_believed_only_when_signed_so() -> None:
    body = b'{"A":1}'
    proof = tc3.authorization(
        ID, KEY, service="postgres", timestamp=NOW, host=HOST, payload=tc3.UNSIGNED_PAYLOAD.encode()
    )
    unsigned = tc3_request(body, authorization=proof, x_tc_content_sha256="UNSIGNED-PAYLOAD")
    assert parse(unsigned).params.read() == {"A": 1}
    call = TENCENT.parse(TENCENT.open(tc3_request(body, x_tc_content_sha256="UNSIGNED-PAYLOAD")))
    with pytest.raises(Refused):
        call.claim.prove(KEY, NOW)


def _multipart(*parts: tuple[str, str, str]) -> bytes:
    text = "".join(
        f'--B\r\nContent-Disposition: form-data; name="{name}"\r\n{extra}\r\n{value}\r\n'
        for name, extra, value in parts
    )
    return f"{text}--B--\r\n".encode()


@pytest.mark.parametrize(
    "kind", ["multipart/form-data; boundary=B", "multipart/form-data; charset=utf-8; boundary=B"]
)
def test_a_multipart_body_is_read_with_every_scalar_as_text(kind: str) -> None:
    """Java puts a charset before the boundary; Python sends lists as parts of type application/json."""
    listed = ("List", "Content-Type: application/json\r\n", '[{"A":1,"B":true,"C":null},null]')
    call = parse(tc3_request(_multipart(("Name", "", "备\r\nx"), listed), kind=kind))
    assert call.params.read() == {"Name": "备\r\nx", "List": [{"A": "1", "B": "true"}]}
    assert call.flat


def test_an_empty_multipart_body_is_the_empty_form() -> None:
    assert parse(tc3_request(b"", kind="multipart/form-data; boundary=B")).params.read() == {}


def test_under_a_path_prefix_the_signature_still_holds() -> None:
    wire = tc3_request()
    assert parse(structs.replace(wire, path="/tc")).action == "CreateAccount"


# --- signature v1


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("algorithm", ["", "HmacSHA1", "HmacSHA256"])
def test_a_v1_call_is_understood(method: str, algorithm: str) -> None:
    common = {"SignatureMethod": algorithm} if algorithm else {}
    own = {"UserName": "a b&=+备", "Set.0.K": "x", "Set.1.K": "True", "Token_": "kept"}
    call = parse(v1_request(own, method=method, Token="tok", Language="zh-CN", **common))
    assert call.params.read() == {
        "UserName": "a b&=+备",
        "Set": [{"K": "x"}, {"K": "True"}],
        "Token_": "kept",
    }
    assert (call.flat, call.region, call.service) == (True, "", "postgres")
    assert call.claim.token == Secret("tok")
    assert call.envelope.language is Language.CHINESE


def test_the_python_sdks_dotted_names_are_believed() -> None:
    named = {**V1_COMMON, "A_b": "x"}
    dotted = tuple((name.replace("_", "."), value) for name, value in named.items())
    proof = tc1.sign(tc1.Signed("GET", HOST, "/", dotted), KEY)
    assert parse(request("GET", urlencode({**named, "Signature": proof}))).params.read() == {"A_b": "x"}


def test_a_v1_trace_id_header_does_not_make_it_tc3() -> None:
    wire = v1_request()
    traced = structs.replace(wire, headers=(*wire.headers, ("x-tc-traceid", "t")))
    assert parse(traced).params.read() == {}


# --- what is refused

MISSING = [
    (tc3_request(drop="x_tc_action"), "Action"),
    (tc3_request(drop="x_tc_version"), "Version"),
    (tc3_request(drop="x_tc_timestamp"), "Timestamp"),
    (tc3_request(drop="authorization"), "Authorization"),
    (tc3_request(x_tc_action=""), "Action"),
    (request("GET"), "Action"),
    (request(), "Action"),
    (request(body=b"{}", content_type="application/json"), "Action"),
    *((v1_request(drop=name), name) for name in V1_COMMON if name != "Region"),
    (v1_request(drop="Signature"), "Signature"),
    (v1_request(method="POST", drop="Nonce"), "Nonce"),
]


@pytest.mark.parametrize(("wire", "field"), MISSING)
def test_a_missing_common_parameter_is_named(wire: Request, field: str) -> None:
    expected = ("MissingParameter", f"The request is missing a required parameter `{field}`.")
    assert error_for(wire) == expected


def _json(body: bytes) -> Request:
    return tc3_request(body)


def _get(query: str) -> Request:
    return tc3_request(method="GET", query=query, kind=FORM)


def _form(body: bytes) -> Request:
    return request(body=body, content_type=FORM)


def _parts(body: bytes, kind: str = "multipart/form-data; boundary=B") -> Request:
    return tc3_request(body, kind=kind)


BAD = "Url key and value should be splited by `=`."
DEEP = MAX_DEPTH + 1
MALFORMED: list[tuple[Request, str, str]] = [
    (_json(b"["), "InvalidParameter", "JSON"),
    (_json(b"[]"), "InvalidParameter", "JSON"),
    (_json(b"null"), "InvalidParameter", "JSON"),
    (_json(b'"x"'), "InvalidParameter", "JSON"),
    (_json(b'{"a":NaN}'), "InvalidParameter", "JSON"),
    (_json(b'{"a":-Infinity}'), "InvalidParameter", "JSON"),
    (_json(b'{"a":1e999}'), "InvalidParameter", "`a`"),
    (_json(b'{"a":' + b"9" * 5000 + b"}"), "InvalidParameter", "JSON"),
    (_json(b'{"a":"\xff"}'), "InvalidParameter", "JSON"),
    (_json(b'\xef\xbb\xbf{"a":1}'), "InvalidParameter", "JSON"),
    (_json(b'{"a":"\\ud800"}'), "InvalidParameter", "JSON"),
    (_json(b'{"\\udfff":1}'), "InvalidParameter", "JSON"),
    (_json(b'{"a":{"b":["x\\u0000"]}}'), "InvalidParameterValue", "`a.b.0`"),
    (_json(b'{"a":"\x00"}'), "InvalidParameter", "JSON"),
    (_json(b'{"a":1,"a":2}'), "InvalidParameter", "more than once"),
    (_json(b'{"a":[{"b":1,"b":1}]}'), "InvalidParameter", "more than once"),
    (_json(b'{"a":' + b"[" * DEEP + b"]" * DEEP + b"}"), "InvalidParameter", "nested"),
    (_json(b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}"), "InvalidParameter", "JSON"),
    (_json(b'{"a":1}{}'), "InvalidParameter", "JSON"),
    (_get("a"), "InvalidParameter", BAD),
    (_get("a=1&"), "InvalidParameter", BAD),
    (_get("=1"), "InvalidParameter", BAD),
    (_get("a=%"), "InvalidParameter", BAD),
    (_get("a=%zz"), "InvalidParameter", BAD),
    (_get("a=%ff"), "InvalidParameter", BAD),
    (_get("a=%ed%a0%80"), "InvalidParameter", BAD),
    (_get("%00=1"), "InvalidParameter", BAD),
    (_get("a=%00"), "InvalidParameterValue", "`a`"),
    (_get("a=备"), "InvalidParameter", BAD),
    (_get("a=1&a=1"), "InvalidParameter", "more than once"),
    (_get("a=1&%61=2"), "InvalidParameter", "more than once"),
    (_get("a=1&a.0=2"), "InvalidParameter", "`a.0`"),
    (_get("a.0=1&a=2"), "InvalidParameter", "`a`"),
    (_get("a.1=1"), "InvalidParameter", "`a`"),
    (_get("a.0=1&a.2=1"), "InvalidParameter", "`a`"),
    (_get("a.0=1&a.x=1"), "InvalidParameter", "`a`"),
    (_get("a.00=1&a.0=1"), "InvalidParameter", "`a`"),
    (_get("a.99999999999=1"), "InvalidParameter", "`a`"),
    (_get("a..b=1"), "UnknownParameter", "`a..b`"),
    (_get("." * 10_000 + "=1"), "UnknownParameter", "..."),
    (_get("a" + ".0" * DEEP + "=1"), "UnknownParameter", "`a.0"),
    (_form(b"a"), "InvalidParameter", BAD),
    (_form(b"{}"), "InvalidParameter", BAD),
    (_form(b"a=\xff"), "InvalidParameter", BAD),
    (_form(b"a=1&a=2"), "InvalidParameter", "more than once"),
    (v1_request(Timestamp="soon"), "InvalidParameter", "`Timestamp`"),
    (v1_request(Timestamp="１"), "InvalidParameter", "`Timestamp`"),
    (v1_request(Nonce="0"), "InvalidParameter", "`Nonce`"),
    (v1_request(Nonce="-1"), "InvalidParameter", "`Nonce`"),
    (v1_request(SignatureMethod="HmacMD5"), "InvalidParameterValue", "`SignatureMethod`"),
    (tc3_request(x_tc_timestamp="-1"), "InvalidParameter", "`Timestamp`"),
    (tc3_request(x_tc_timestamp="9" * 13), "InvalidParameter", "`Timestamp`"),
    (tc3_request(authorization="SKIP"), "AuthFailure.InvalidAuthorization", "Authorization"),
    (tc3_request(authorization="TC3-HMAC-SHA256 x"), "AuthFailure.InvalidAuthorization", "Authorization"),
    (tc3_request(drop="content_type"), "AuthFailure.InvalidAuthorization", "Authorization"),
    (tc3_request(b"a=1", kind=FORM), "InvalidParameter", "content-type"),
    (tc3_request(b"x", kind="application/octet-stream"), "InvalidParameter", "content-type"),
    (_parts(b"--B"), "InvalidRequest", "multipart"),
    (_parts(b"junk"), "InvalidRequest", "multipart"),
    (_parts(_multipart(("a", "", "1"))[:-5]), "InvalidRequest", "multipart"),
    (_parts(_multipart(("a", "", "1")), "multipart/form-data"), "InvalidRequest", "multipart"),
    (_parts(_multipart(("", "", "1"))), "InvalidRequest", "multipart"),
    (_parts(_multipart(("a", "", "1"), ("a", "", "1"))), "InvalidParameter", "more than once"),
    (_parts(_multipart(("a", "", "\0"))), "InvalidParameterValue", "`a`"),
    (_parts(_multipart(("a", "", "x")).replace(b"x", b"\xff")), "InvalidRequest", "multipart"),
    (
        _parts(_multipart(("a", "Content-Type: application/json\r\n", "[1"))),
        "InvalidParameter",
        "JSON",
    ),
    (
        _parts(_multipart(("a", "Content-Type: application/json\r\n", "null"))),
        "InvalidRequest",
        "multipart",
    ),
    (_json(b'{"a":[' + b"1," * 300_000 + b"1]}"), "RequestSizeLimitExceeded", "size"),
    (_parts(_multipart(*((f"n{i}", "", "") for i in range(2000)))), "RequestSizeLimitExceeded", "size"),
    (_form(b"&".join(b"n%d=" % i for i in range(20_000))), "RequestSizeLimitExceeded", "size"),
    (request("PUT"), "UnsupportedProtocol", "GET and POST"),
    (request("get"), "UnsupportedProtocol", "GET and POST"),
    (tc3_request(b" " * (10 * 1024 * 1024 + 1)), "RequestSizeLimitExceeded", "size"),
    (_get("a=" + "x" * 32 * 1024), "RequestSizeLimitExceeded", "size"),
    (_form(b"a=" + b"x" * 1024 * 1024), "AuthFailure.SignatureFailure", "`TC3-HMAC-SHA256`"),
]


@pytest.mark.parametrize(("wire", "code", "words"), MALFORMED, ids=range(len(MALFORMED)))
def test_a_malformed_request_gets_the_vendors_error(wire: Request, code: str, words: str) -> None:
    found, message = error_for(wire)
    assert found == code
    assert words in message


@pytest.mark.parametrize("name", ["host", "content-type", "authorization", "x-tc-action", "x-tc-anything"])
def test_a_header_with_meaning_may_stand_only_once(name: str) -> None:
    wire = tc3_request(x_tc_anything="1")
    twice = structs.replace(wire, headers=(*wire.headers, (name, "x")))
    assert refusal(twice).reason is Reason.MALFORMED_REQUEST
    other = structs.replace(wire, headers=(*wire.headers, ("accept", "a"), ("accept", "b")))
    assert parse(other).params.read() == {}


def test_a_refusal_of_a_body_never_quotes_it() -> None:
    refused = refusal(_json(b'{"Password":"planted'))
    assert "planted" not in f"{refused} {refused.note} {dict(refused.facts)} {refused.__cause__}"
    assert refused.__suppress_context__


# --- routing

ROUTES: list[tuple[str, str, str, Reason, Mapping[str, object]]] = [
    (HOST, "2000-01-01", "X", Reason.VERSION_UNKNOWN, {"value": "2000-01-01"}),
    ("cam.a.test", "2000-01-01", "X", Reason.VERSION_UNKNOWN, {"service": "cam"}),
    ("http://cam.a.test:1/x", "2017-03-12", "AddUser", Reason.VERSION_UNKNOWN, {"service": "cam"}),
    ("cvm.tencentcloudapi.com", "2000-01-01", "X", Reason.SERVICE_UNKNOWN, {"value": "cvm"}),
    ("cam.tencentcloudapi.com", "2000-01-01", "X", Reason.VERSION_UNKNOWN, {"service": "cam"}),
    (HOST, "2017-03-12", "AddUser", Reason.ACTION_UNKNOWN, {"service": "postgres", "value": "AddUser"}),
    (HOST, "2017-03-12", "createAccount", Reason.ACTION_UNKNOWN, {}),
    ("tag.a.test", "2018-08-13", "X", Reason.ACTION_UNKNOWN, {"service": "tag"}),
]


@pytest.mark.parametrize(("host", "version", "action", "reason", "facts"), ROUTES)
def test_an_unknown_destination_is_refused_in_the_words_that_fit(
    host: str, version: str, action: str, reason: Reason, facts: Mapping[str, object]
) -> None:
    found = refusal(tc3_request(host=host, x_tc_version=version, x_tc_action=action))
    assert found.reason is reason
    assert facts.items() <= dict(found.facts).items()


@pytest.mark.parametrize("host", ["cam.tencentcloudapi.com", "anything", "postgres.intl.tencentcloudapi.com"])
def test_the_host_never_routes(host: str) -> None:
    assert parse(tc3_request(host=host)).service == "postgres"


@pytest.mark.parametrize(("action", "service"), [("AssumeRole", "sts"), ("GetTags", "tag")])
def test_services_that_share_a_version_are_told_apart_by_action(action: str, service: str) -> None:
    wire = tc3_request(service=service, x_tc_version="2018-08-13", x_tc_action=action)
    assert parse(wire).service == service


def test_an_unknown_version_has_the_vendors_wording() -> None:
    assert error_for(tc3_request(host="cam.a.test", x_tc_version="2000-01-01")) == (
        "NoSuchVersion",
        "The specified api version=`2000-01-01` does not exist in service=`cam`.",
    )


# --- answering


def test_a_success_carries_the_answer_and_its_request_id() -> None:
    call = parse(tc3_request())
    reply = TENCENT.render(call, {"TotalCount": 1, "Details": [{"Remark": None, "Name": "备"}]})
    assert (reply.status, reply.headers, reply.code) == (200, (("content-type", "application/json"),), "")
    assert answer(reply) == {
        "TotalCount": 1,
        "Details": [{"Remark": None, "Name": "备"}],
        "RequestId": call.request_id,
    }


@pytest.mark.parametrize("reason", list(Reason))
def test_every_reason_has_a_common_row_in_both_languages(reason: Reason) -> None:
    row = COMMON[reason]
    assert row.status == 200
    assert re.fullmatch(r"[A-Za-z]+(\.[A-Za-z]+)?", row.code)
    assert re.search("[\u4e00-\u9fff]|token", row.chinese)
    assert set(re.findall(r"\{(\w+)\}", row.english)) == set(re.findall(r"\{(\w+)\}", row.chinese))


DOCUMENTED_CODES = {
    "AuthFailure.InvalidAuthorization",
    "AuthFailure.SecretIdNotFound",
    "AuthFailure.SignatureExpire",
    "AuthFailure.SignatureFailure",
    "AuthFailure.TokenFailure",
    "AuthFailure.UnauthorizedOperation",
    "FailedOperation",
    "InternalError",
    "InvalidAction",
    "InvalidParameter",
    "InvalidParameterValue",
    "InvalidRequest",
    "MissingParameter",
    "NoSuchProduct",
    "NoSuchVersion",
    "RequestLimitExceeded",
    "RequestSizeLimitExceeded",
    "ResourceInUse",
    "ResourceNotFound",
    "ResourceUnavailable",
    "ServiceUnavailable",
    "UnauthorizedOperation",
    "UnknownParameter",
    "UnsupportedOperation",
    "UnsupportedProtocol",
    "UnsupportedRegion",
}


def test_common_rows_use_documented_common_codes_only() -> None:
    assert {row.code for row in COMMON.values()} <= DOCUMENTED_CODES


@pytest.mark.parametrize("reason", list(Reason))
@pytest.mark.parametrize("language", ["zh-CN", "en-US"])
def test_every_refusal_is_answered_whether_or_not_facts_came_with_it(reason: Reason, language: str) -> None:
    envelope = TENCENT.open(tc3_request(x_tc_language=language))
    reply = TENCENT.refuse(envelope, Refused(reason), None)
    found = answer(reply)
    assert (reply.status, reply.headers) == (200, (("content-type", "application/json"),))
    assert list(found) == ["Error", "RequestId"]
    assert found["RequestId"] == envelope.request_id
    assert found["Error"]["Message"]


def _message(refused: Refused, call: Call | None = None, language: str = "en-US") -> tuple[str, str]:
    envelope = TENCENT.open(tc3_request(x_tc_language=language))
    error = answer(TENCENT.refuse(envelope, refused, call))["Error"]
    return error["Code"], error["Message"].replace(envelope.request_id, "<id>")


def test_the_documented_wordings_are_kept() -> None:
    rate = Refused(Reason.RATE_EXCEEDED, facts={"count": 11, "limit": 10})
    assert _message(rate) == (
        "RequestLimitExceeded",
        (
            "Your current request times equals to `11` in a second, which exceeds the frequency limit `10` for a "
            "second. Please reduce the frequency of calls."
        ),
    )
    facts = {"operation": "postgres:CreateAccount", "resource": "*"}
    assert _message(Refused(Reason.NOT_PERMITTED, facts=facts)) == (
        "AuthFailure.UnauthorizedOperation",
        (
            "You are not authorized to perform this operation. Check your CAM policies, and ensure that you are "
            "using the correct access keys. [[request id:<id>]you are not authorized to perform operation "
            "(postgres:CreateAccount)\nresource (*) has no permission\n]"
        ),
    )
    value = Refused(Reason.PARAMETER_VALUE, "Name", facts={"value": "x"})
    assert _message(value)[1] == "The value `x` specified in the parameter `Name` is not valid."
    assert _message(value, language="zh-CN")[1] == "参数 `Name` 的取值 `x` 不合法。"
    assert _message(Refused(Reason.SIGNATURE_MISMATCH), language="zh-CN")[1] == (
        "请求签名验证失败，请检查您的签名计算是否正确。"
    )


def test_a_contracts_row_goes_before_the_common_one() -> None:
    call = parse(tc3_request())
    particular = Refused(Reason.PARAMETER_VALUE, "Type", facts={"value": "t"})
    assert _message(particular, call) == ("Particular", "only t {}")
    assert _message(particular, call, "zh-CN") == ("Particular", "仅 t")
    assert _message(Refused(Reason.INSTANCE_MISSING, "Id"), call) == ("OfService", "no Id")
    assert _message(Refused(Reason.ACCOUNT_TAKEN, facts={"value": "a"}), call, "zh-CN")[1] == "a is taken"
    assert _message(Refused(Reason.DATABASE_MISSING), call)[0] == "ResourceNotFound"
    assert _message(particular)[0] == "InvalidParameterValue"


@pytest.mark.parametrize(
    "value", ["x" * 10_000, "\ud800", "\x00\x1b[31m\r\n", "{field}{request_id}", object(), None, b"\xff"]
)
def test_any_value_can_be_quoted(value: object) -> None:
    message = _message(Refused(Reason.PARAMETER_VALUE, "A", facts={"value": value}))[1]
    assert len(message) < 300
    assert "`A` is not valid" in message


@pytest.mark.parametrize("field", ["Password", "Accounts.0.Password"])
def test_a_secret_is_never_quoted(field: str) -> None:
    call = parse(tc3_request())
    for value in ("planted", Secret("planted")):
        refused = Refused(Reason.PARAMETER_VALUE, field, facts={"value": value})
        assert "planted" not in _message(refused, call)[1]
        assert "`***`" in _message(refused, call)[1]


# --- flattening

NAMES = st.text(string.ascii_letters + "_", min_size=1, max_size=8)
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
NESTED = st.recursive(
    TEXTS,
    lambda inner: (
        st.lists(inner, min_size=1, max_size=4) | st.dictionaries(NAMES, inner, min_size=1, max_size=4)
    ),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(NAMES, NESTED, max_size=5))
def test_flattened_parameters_come_back_as_they_were(params: dict[str, object]) -> None:
    pairs = flatten(params)
    assert unflatten(pairs) == params
    assert unflatten(PairDecoder(10_000).query(urlencode(pairs))) == params


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=60), st.sampled_from(["application/json", "multipart/form-data; boundary=B", FORM]))
def test_no_body_crashes_the_reader(body: bytes, kind: str) -> None:
    for wire in (tc3_request(body, kind=kind), request(body=body, content_type=kind)):
        with contextlib.suppress(Refused):
            TENCENT.parse(TENCENT.open(wire)).params.read()


def test_flattening_writes_what_the_sdks_write() -> None:
    params = {"A": [{"B": True, "C": None}, 1], "D": {"E": 1.5}}
    assert flatten(params) == (("A.0.B", "true"), ("A.1", "1"), ("D.E", "1.5"))


# --- the vendor's own client, over a socket


class _Loopback(BaseHTTPRequestHandler):
    """Answers with what it understood, or with the refusal."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def _answer(self) -> None:
        path, _, query = self.path.partition("?")
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        headers = tuple((name.lower(), value) for name, value in self.headers.items())
        wire = Request(self.command, path, query, headers, body, "127.0.0.1", False, time.time())
        envelope = TENCENT.open(wire)
        call = None
        try:
            call = TENCENT.parse(envelope)
            call.claim.prove(KEY, wire.received)
            seen = {
                "Params": dict(call.params.read()),
                "Host": wire.header("host"),
                "Language": envelope.language,
            }
            reply = TENCENT.render(call, seen)
        except Refused as refused:
            reply = TENCENT.refuse(envelope, refused, call)
        self._send(reply)

    def _send(self, reply: Reply) -> None:
        self.send_response(reply.status)
        for name, value in reply.headers:
            self.send_header(name, value)
        self.send_header("content-length", str(len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        pass


@pytest.fixture(scope="module")
def loopback() -> Iterator[str]:
    """The address of a server that speaks the dialect, ``127.0.0.1:port``."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Loopback)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def _call_sdk(endpoint: str, params: Mapping[str, object], **options: Any) -> dict[str, Any]:
    """One call of CreateAccount through the vendor's Python SDK."""
    http = HttpProfile(protocol="http", endpoint=endpoint, reqMethod=options.get("method", "POST"))
    profile = ClientProfile(signMethod=options.get("sign", "TC3-HMAC-SHA256"), httpProfile=http)
    profile.unsignedPayload = options.get("unsigned", False)
    profile.language = options.get("language", "zh-CN")
    keys = credential.Credential(ID, options.get("key", KEY.reveal()), options.get("token"))
    client = CommonClient("postgres", "2017-03-12", keys, "ap-guangzhou", profile)
    try:
        found: dict[str, Any] = client.call_json("CreateAccount", params, options=options.get("options"))
    finally:
        client.request.conn._session.close()
    return found["Response"]  # type: ignore[no-any-return]


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)


TYPED = {"UserName": "备 & user", "Flag": True, "Count": 3, "Set": [{"K": "x"}, {"K": "y"}]}
FLAT = {"UserName": "备 & user", "Flag": "True", "Count": "3", "Set": [{"K": "x"}, {"K": "y"}]}


@pytest.mark.filterwarnings("ignore:datetime.datetime.utcfromtimestamp:DeprecationWarning")
@pytest.mark.parametrize("endpoint", ["{}", "http://{}", "{}/tc"])
@pytest.mark.parametrize(
    ("sign", "method", "expected"),
    [
        ("TC3-HMAC-SHA256", "POST", TYPED),
        ("TC3-HMAC-SHA256", "GET", FLAT),
        ("HmacSHA1", "GET", FLAT),
        ("HmacSHA1", "POST", FLAT),
        ("HmacSHA256", "GET", FLAT),
        ("HmacSHA256", "POST", FLAT),
    ],
)
def test_the_python_sdk_is_understood(
    loopback: str, endpoint: str, sign: str, method: str, expected: dict[str, object]
) -> None:
    """Also with a URL or a path for an endpoint: the SDK then puts all of it into Host."""
    found = _call_sdk(endpoint.format(loopback), TYPED, sign=sign, method=method, token="tok")
    assert found["Params"] == expected
    assert found["Host"] == endpoint.format(loopback)
    assert found["Language"] == "zh-CN"


@pytest.mark.filterwarnings("ignore:datetime.datetime.utcfromtimestamp:DeprecationWarning")
def test_the_python_sdks_other_shapes_are_understood(loopback: str) -> None:
    assert _call_sdk(loopback, TYPED, unsigned=True)["Params"] == TYPED
    parts = {"UserName": "备", "Set": [{"K": 1}]}
    found = _call_sdk(loopback, parts, options={"IsMultipart": True})
    assert found["Params"] == {"UserName": "备", "Set": [{"K": "1"}]}
    assert _call_sdk(loopback, {}, options={"IsMultipart": True})["Params"] == {}


@pytest.mark.filterwarnings("ignore:datetime.datetime.utcfromtimestamp:DeprecationWarning")
@pytest.mark.parametrize("sign", ["TC3-HMAC-SHA256", "HmacSHA1", "HmacSHA256"])
def test_the_python_sdk_raises_our_refusal_as_the_vendors_error(loopback: str, sign: str) -> None:
    with pytest.raises(TencentCloudSDKException) as raised:
        _call_sdk(loopback, {}, sign=sign, key="wrong", language="en-US")
    assert raised.value.get_code() == "AuthFailure.SignatureFailure"
    assert raised.value.get_message() == COMMON[Reason.SIGNATURE_MISMATCH].english
    assert raised.value.get_request_id()


@pytest.mark.filterwarnings("ignore:datetime.datetime.utcfromtimestamp:DeprecationWarning")
def test_the_python_sdks_skipped_signature_is_refused(loopback: str) -> None:
    with pytest.raises(TencentCloudSDKException) as raised:
        _call_sdk(loopback, {}, options={"SkipSign": True})
    assert raised.value.get_code() == "AuthFailure.InvalidAuthorization"
