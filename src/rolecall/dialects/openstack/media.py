"""In which format a request came, and in which its answer goes: JSON or XML, chosen apart from each other.

Source: Rackspace Cloud Databases Developer Guide v1.0, "Request/Response Types": a suffix of the path wins over the
Accept header, and JSON is the default.
"""

from __future__ import annotations

import re
from enum import StrEnum

from rolecall.domain.reasons import Reason, Refused
from rolecall.values import Request

VENDOR = "application/vnd.openstack.trove"


class Form(StrEnum):
    """Its value is the Content-Type of answers."""

    JSON = "application/json"
    XML = "application/xml"


_TYPES = {
    "application/json": Form.JSON,
    "application/xml": Form.XML,
    f"{VENDOR}+json": Form.JSON,
    f"{VENDOR}+xml": Form.XML,
}
_BODY_TYPES = {**_TYPES, "text/xml": Form.XML}
_SUFFIXES = {"json": Form.JSON, "xml": Form.XML}
_QUALITY = re.compile(r"[01](\.[0-9]{0,3})?", re.ASCII)
_LONGEST_ACCEPT = 2000


def answer_form(request: Request, suffix: str) -> Form:
    """The format to answer in. Never fails: what cannot be read is JSON."""
    if suffix:
        return _SUFFIXES[suffix]
    best, best_quality = Form.JSON, 0.0
    for media_type, options in _accepted(request):
        quality = _quality(options.get("q", "1"))
        if media_type in _TYPES and quality > best_quality:
            best, best_quality = _TYPES[media_type], quality
    return best


def body_form(request: Request) -> Form | None:
    """The format of a body; None for no body, or one without a type, which is not read. MEDIA_TYPE_UNSUPPORTED."""
    media_type, _ = _parsed(request.header("content-type"))
    if not request.body or not media_type:
        return None
    form = _BODY_TYPES.get(media_type)
    if form is None:
        raise Refused(Reason.MEDIA_TYPE_UNSUPPORTED)
    return form


def says_xml(request: Request) -> bool:
    """Whether a body claims to be XML, where every value is text."""
    return _BODY_TYPES.get(_parsed(request.header("content-type"))[0]) is Form.XML


def names_vendor_type(request: Request) -> bool:
    """Whether the vendor's own media type is asked for."""
    return VENDOR in request.header("accept").lower()


def check_version(request: Request) -> None:
    """VERSION_UNKNOWN (406) if the Accept header asks for a version of the vendor's media type that is not 1.0."""
    for media_type, options in _accepted(request):
        if media_type.startswith(VENDOR) and options.get("version", "1.0") != "1.0":
            raise Refused(Reason.VERSION_UNKNOWN)


def _accepted(request: Request) -> list[tuple[str, dict[str, str]]]:
    return [_parsed(part) for part in request.header("accept")[:_LONGEST_ACCEPT].split(",")]


def _parsed(text: str) -> tuple[str, dict[str, str]]:
    """``type/subtype; name=value`` in lower case."""
    media_type, *rest = (part.strip().lower() for part in text.split(";"))
    options = (part.partition("=") for part in rest)
    return media_type, {name.strip(): value.strip() for name, _, value in options}


def _quality(text: str) -> float:
    return float(text) if _QUALITY.fullmatch(text) else 0.0
