"""Every parser that reads what a stranger sent, each as a function of bytes that may only refuse them.

A target gives its parser whatever comes and lets everything through but refusals. `seeds` are well-formed, for a
fuzzer to begin with; `hostile` are families of inputs of about so many bytes that were once, or would be, most work.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, cast

import uvicorn
from uvicorn.server import ServerState

from rolecall.connections import Bounds, HttpProtocol
from rolecall.contracts.model import Contract
from rolecall.dialects.aliyun import Aliyun
from rolecall.dialects.openstack import OpenStack, xml_bodies
from rolecall.dialects.tencent import Tencent, bodies
from rolecall.domain import strict_json
from rolecall.domain.reasons import Refused
from rolecall.pipeline import Dialect
from rolecall.services import SERVICES
from rolecall.signing import token
from rolecall.values import Request, Secret
from rolecall.web import forms

Family = Callable[[int], bytes]


@dataclass(frozen=True)
class Target:
    run: Callable[[bytes], None]
    seeds: tuple[bytes, ...]
    hostile: Mapping[str, Family] = field(default_factory=dict)


def _contracts(dialect: str) -> list[Contract]:
    return [one.contract for one in SERVICES if one.contract.dialect == dialect]


TENCENT = Tencent(_contracts("tencent"))
ALIYUN = Aliyun(_contracts("aliyun"))
OPENSTACK = OpenStack(_contracts("openstack"), outside=True)
DIALECTS: tuple[Dialect, ...] = (TENCENT, ALIYUN, OPENSTACK)

NOW = "1700000000"
FORM = "application/x-www-form-urlencoded"
_SIGNATURE = "0" * 64
_TC3 = (
    f"TC3-HMAC-SHA256 Credential=AKID/2023-11-14/cam/tc3_request, SignedHeaders=content-type;host,"
    f" Signature={_SIGNATURE}"
)
_ACS3_NAMES = (
    "content-type;host;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version"
)
_ACS3 = f"ACS3-HMAC-SHA256 Credential=AKID,SignedHeaders={_ACS3_NAMES},Signature={_SIGNATURE}"


def request(
    method: str = "POST", path: str = "/", query: str = "", body: bytes = b"", **headers: str
) -> Request:
    named = tuple((name.replace("_", "-"), value) for name, value in {"host": "x", **headers}.items())
    return Request(method, path, query, named, body, "203.0.113.1", True, 0.0)


def before_the_proof(dialect: Dialect, wire: Request) -> None:
    """All that is done for a stranger: marks, limits, parsing, and the answer to a refusal. No document is read."""
    for one in DIALECTS:
        one.mark(wire)
        one.largest_body(wire)
    envelope = dialect.open(wire)
    try:
        call = dialect.parse(envelope)
    except Refused as refusal:
        dialect.refuse(envelope, refusal, None)
    else:
        assert not (call.params.deferred and call.params.known)


def _text(data: bytes) -> str:
    """As the server decodes what stands in a head: without line ends and NUL."""
    return data.translate(None, b"\r\n\0").decode("latin-1")


# the HTTP class


class _Transport:
    """Takes what is written and keeps none of it."""

    def __init__(self) -> None:
        self.closing = False
        self.paused = False

    def get_extra_info(self, name: str) -> Any:
        return {"sockname": ("127.0.0.1", 80), "peername": ("203.0.113.1", 1)}.get(name)

    def is_closing(self) -> bool:
        return self.closing

    def close(self) -> None:
        self.closing = True

    abort = close

    def write(self, data: bytes) -> None: ...

    def pause_reading(self) -> None:
        self.paused = True

    def resume_reading(self) -> None:
        self.paused = False


async def _swallow(scope: Any, receive: Any, send: Any) -> None: ...


_CONFIG = uvicorn.Config(_swallow, ws="none", lifespan="off", log_config=None)


class _Loop:
    """The clock and the timers that a protocol asks for; no task is begun and nothing ever happens."""

    def time(self) -> float:
        return 0.0

    def call_later(self, *_: Any) -> Any:
        return self

    def call_at(self, *_: Any) -> Any:
        return self

    def when(self) -> float:
        return 0.0

    def create_task(self, coroutine: Any) -> Any:
        coroutine.close()
        return self

    def add_done_callback(self, *_: Any) -> None: ...
    def cancel(self) -> None: ...


def http(data: bytes) -> None:
    """In pieces, as the socket has them. Trailers are no headers, and of a head no more is kept than may be."""
    protocol = HttpProtocol(_CONFIG, ServerState(), {}, cast("Any", _Loop()), bounds=Bounds())
    transport = _Transport()
    protocol.connection_made(cast("Any", transport))
    for start in range(0, len(data), 65536):
        if transport.closing or (transport.paused and protocol.pipeline):
            break
        protocol.data_received(data[start : start + 65536])
        if protocol.cycle is not None:
            protocol.cycle.body.clear()  # as the application takes it
            assert len(tuple(protocol.cycle.scope["headers"])) <= 256
    protocol.connection_lost(None)


# signed requests


def tc3(data: bytes) -> None:
    """As a body, and as the values of headers."""
    parts = data.split(b"\n", 4)
    texts = [_text(part) for part in parts[:4]] + [""] * 4
    usual = {"x_tc_action": "CreateAccessKey", "x_tc_version": "2019-01-16", "x_tc_timestamp": NOW}
    for authorization in (_TC3, texts[0]):
        for kind in ("application/json", "multipart/form-data; boundary=b", texts[1]):
            wire = request(body=data, authorization=authorization, content_type=kind, **usual)
            before_the_proof(TENCENT, wire)
    odd = {
        "x_tc_action": texts[0],
        "x_tc_version": texts[1],
        "x_tc_timestamp": texts[2],
        "x_tc_region": texts[3],
    }
    before_the_proof(TENCENT, request(body=data, authorization=_TC3, content_type="application/json", **odd))


def v1(data: bytes) -> None:
    for wire in (
        request("GET", query=_text(data)),
        request(body=data, content_type=FORM),
        request("GET", query=f"{_V1}&{_text(data)}"),
    ):
        before_the_proof(TENCENT, wire)


def rpc(data: bytes) -> None:
    for wire in (
        request("GET", query=_text(data)),
        request(body=data, content_type=FORM),
        request("POST", query=_RPC, body=data, content_type=FORM),
    ):
        before_the_proof(ALIYUN, wire)


def acs3(data: bytes) -> None:
    usual = {
        "x_acs_action": "CreateAccount",
        "x_acs_version": "2016-01-01",
        "x_acs_date": "2024-01-02T03:04:05Z",
        "x_acs_signature_nonce": "n",
        "x_acs_content_sha256": "0" * 64,
    }
    for authorization in (_ACS3, _text(data)):
        for kind in ("application/json", FORM, "text/xml"):
            wire = request(body=data, authorization=authorization, content_type=kind, **usual)
            before_the_proof(ALIYUN, wire)
    before_the_proof(ALIYUN, request(query=_text(data), authorization=_ACS3, **usual))


def openstack(data: bytes) -> None:
    """Paths, tokens and requests for one, whose document is read."""
    path = "/" + _text(data).replace(" ", "").replace("?", "")
    for wire in (
        request("GET", path=f"/v1.0{path}", x_auth_token=_text(data)),
        request("GET", path=path, accept=_text(data)),
        request(path="/v3/auth/tokens", body=data, content_type="application/json"),
        request(path="/v2.0/tokens", body=data, content_type="application/json"),
        request(path="/v2.0/tokens", body=data, content_type="application/xml"),
    ):
        before_the_proof(OPENSTACK, wire)


# documents and forms by themselves


def json(data: bytes) -> None:
    with suppress(Refused):
        strict_json.inspect(strict_json.decode(data))


def multipart(data: bytes) -> None:
    with suppress(Refused):
        bodies.decode_multipart(data, "multipart/form-data; boundary=b")
    with suppress(Refused):
        bodies.decode_multipart(b"--b\r\n", _text(data))


def xml(data: bytes) -> None:
    with suppress(Refused):
        xml_bodies.decode(data)


def sign_in_forms(data: bytes) -> None:
    """A form of at most 64 KB, cookies, languages."""
    wire = request(body=data[: 64 * 1024], content_type=FORM, cookie=_text(data), accept_language=_text(data))
    with suppress(forms.Malformed):
        forms.form(wire)
    forms.cookie(wire, "session")
    forms.language(wire, _text(data)[:1000])


def tokens(data: bytes) -> None:
    with suppress(Refused):
        token.read(Secret(_text(data)))
    with suppress(Refused):
        token.TokenClaim(Secret(_text(data))).prove(Secret("k"), 0.0)


_V1 = f"Action=CreateAccessKey&Version=2019-01-16&Timestamp={NOW}&Nonce=1&SecretId=AKID&Signature=c2ln"
_RPC = (
    "Action=CreateAccount&Version=2016-01-01&AccessKeyId=AKID&SignatureMethod=HMAC-SHA1&SignatureVersion=1.0"
    "&SignatureNonce=n&Timestamp=2024-01-02T03%3A04%3A05Z&Signature=c2ln"
)
_CHUNKED = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"


def _deep(size: int) -> bytes:
    """The document of A3: few commas, many containers."""
    return b'{"a":[' + b",".join([b"[" * 30 + b"]" * 30] * (size // 61)) + b"]}"


_DOCUMENTS: Mapping[str, Family] = {
    "nested lists": _deep,
    "nested without end": lambda size: b"[" * size,
    "objects": lambda size: b"[" + b",".join([b'{"a":{}}'] * (size // 9)) + b"]",
    "names": lambda size: b"{" + b",".join(b'"%x":1' % number for number in range(size // 9)) + b"}",
    "escapes": lambda size: b'["' + b"\\\\" * (size // 2) + b'"]',
    "surrogates": lambda size: b'["' + b"\\ud83d\\ude00" * (size // 12) + b'"]',
    "digits": lambda size: b"[" + b"9" * size + b"]",
    "commas": lambda size: b"[" + b"1," * (size // 2) + b"1]",
}

_PAIRS: Mapping[str, Family] = {
    "deep names": lambda size: b"&".join(b"i%s.%d=1" % (b".0" * 30, number) for number in range(size // 68)),
    "escapes": lambda size: b"a=" + b"%41" * (size // 3),
    "empty pairs": lambda size: b"a&" * (size // 2),
    "many names": lambda size: b"&".join(b"%x=" % number for number in range(size // 6)),
    "nearly marks": lambda size: b"&Nonce&Version&SecretId&Format" * (size // 30),
    "no pair": lambda size: b"=" * size,
}

TARGETS: Mapping[str, Target] = {
    "http": Target(
        http,
        (_CHUNKED + b"2;x=y\r\n{}\r\n0\r\nTrailer: t\r\n\r\n", b"GET /?a=b HTTP/1.1\r\nHost: x\r\n\r\n" * 2),
        {
            "one trailer": lambda size: _CHUNKED + b"0\r\nX: " + b"A" * size,
            "trailers": lambda size: _CHUNKED + b"0\r\n" + b"A: b\r\n" * (size // 6),
            "extension": lambda size: _CHUNKED + b"1;" + b"a" * size,
            "extensions": lambda size: _CHUNKED + (b"1;" + b"a" * 50_000 + b"\r\nx\r\n") * (size // 50_007),
            "small chunks": lambda size: _CHUNKED + b"1\r\nx\r\n" * (size // 6),
            "header": lambda size: b"GET / HTTP/1.1\r\nX: " + b"A" * size,
            "headers": lambda size: b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * (size // 6),
            "pipelined": lambda size: b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * (size // 27),
            "empty lines": lambda size: b"\r\n" * (size // 2),
        },
    ),
    "tc3": Target(tc3, (b"a\nb\n1\nd\n{}", _TC3.encode()), _DOCUMENTS),
    "v1": Target(v1, (_V1.encode(), b"a.0=1&a.1=2"), _PAIRS),
    "rpc": Target(rpc, (_RPC.encode(), b"DBInfo=%7B%7D"), _PAIRS),
    "acs3": Target(acs3, (b'{"DBName":"d"}', _ACS3.encode()), {**_DOCUMENTS, **_PAIRS}),
    "openstack": Target(
        openstack,
        (b'{"auth":{"identity":{"methods":["password"],"password":{"user":{"name":"a","password":"b"}}}}}',),
        _DOCUMENTS,
    ),
    "json": Target(json, (b'{"a":[1,"\\u0041",{"b":null}]}',), _DOCUMENTS),
    "multipart": Target(
        multipart,
        (
            b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nx\r\n--b--\r\n',
            b"multipart/form-data; boundary=b",
        ),
        {
            "parts": lambda size: b"--b\r\n\r\n\r\n" * (size // 9),
            "header": lambda size: b"--b\r\nA: " + b"x" * size,
            "nearly boundaries": lambda size: b"--b\r\n\r\n" + b"\r\n--" * (size // 4),
        },
    ),
    "xml": Target(
        xml,
        (b'<users xmlns="http://docs.openstack.org/database/api/v1.0"><user name="a"/></users>',),
        {
            "elements": lambda size: b"<a>" + b"<b/>" * (size // 4) + b"</a>",
            "nested": lambda size: b"<a>" * (size // 3),
            "attributes": lambda size: b"<a " + b" ".join(b'a%d="b"' % n for n in range(size // 10)) + b"/>",
            "entities": lambda size: b'<!DOCTYPE a [<!ENTITY b "c">]><a>' + b"&b;" * (size // 3) + b"</a>",
            "text": lambda size: b"<a>" + b"&#65;" * (size // 5) + b"</a>",
        },
    ),
    "forms": Target(
        sign_in_forms,
        (b"username=a&password=b", b'session="x"; other=y', b"en;q=0.8,zh"),
        {
            **_PAIRS,
            "cookies": lambda size: b"a=b;" * (size // 4),
            "languages": lambda size: b"en;q=0.1," * (size // 9),
        },
    ),
    "tokens": Target(
        tokens,
        (token.seal(token.Token("AKID", 1, 0, 9, bytes(16), "password"), Secret("k")).reveal().encode(),),
        {"long": lambda size: b"A" * size},
    ),
}
