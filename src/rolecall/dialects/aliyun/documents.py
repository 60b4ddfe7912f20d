"""Answers as documents: JSON and XML of the same fields, and the headers that go with them.

Sources: "Responses" of the PetaData API manual; recorded answers of the vendor's gateway for the headers.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator, Mapping
from xml.sax.saxutils import escape

import msgspec

# Exactly these: alibabacloud-tea-openapi 0.4.6 looks for an error in XML only behind this spelling.
JSON_TYPE = "application/json;charset=utf-8"
XML_TYPE = "text/xml;charset=utf-8"

_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>'
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

_encode_json = msgspec.json.Encoder().encode


def json_document(fields: Mapping[str, object]) -> bytes:
    """An object without a root."""
    return _encode_json(fields)


def xml_document(root: str, fields: Mapping[str, object]) -> bytes:
    """No namespace and no indentation. A list repeats its element; an empty one is nothing inside its wrapper."""
    return f"{_DECLARATION}<{root}>{''.join(_elements(fields))}</{root}>".encode()


def _elements(fields: Mapping[str, object]) -> Iterator[str]:
    for name, value in fields.items():
        for item in value if isinstance(value, list | tuple) else (value,):
            yield f"<{name}>{_content(item)}</{name}>"


def _content(value: object) -> str:
    if isinstance(value, Mapping):
        return "".join(_elements(value))
    if isinstance(value, bool):
        return "true" if value else "false"
    return escape(_NOT_XML.sub("\ufffd", str(value)))


def etag(body: bytes) -> str:
    """24 characters without quotes: first digit of the length, base64 of the MD5 without padding, last digit."""
    length = str(len(body))
    digest = hashlib.md5(body, usedforsecurity=False).digest()
    return f"{length[0]}{base64.b64encode(digest).decode().rstrip('=')}{length[-1]}"


def headers(
    request_id: str, trace_id: str, body: bytes, *, json: bool, success: bool
) -> tuple[tuple[str, str], ...]:
    """The headers of an answer; only a success carries an ETag."""
    kept = (
        ("content-type", JSON_TYPE if json else XML_TYPE),
        ("x-acs-request-id", request_id),
        ("x-acs-trace-id", trace_id),
        ("access-control-allow-origin", "*"),
        ("access-control-expose-headers", "*"),
    )
    return (*kept, ("etag", etag(body))) if success else kept
