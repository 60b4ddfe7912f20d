"""The fields, cookies and languages of a request. Nothing of it is trusted yet."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from urllib.parse import parse_qsl

from rolecall.domain.reasons import Refused
from rolecall.domain.strict_json import check_text
from rolecall.values import Language, Request, Secret

LARGEST_BODY = 64 * 1024
"""Bytes of a form."""

_MOST_FIELDS = 100
_FORM = "application/x-www-form-urlencoded"
_COOKIE = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+)=\"?([!#-+\--:<-\[\]-~]*)\"?")


class Malformed(Exception):
    """The request cannot be read; the text says why, and quotes nothing of it."""


class Fields:
    """Parameters, each given at most once; an empty one is as good as none (RFC 6749 3.1 and 3.2)."""

    def __init__(self, pairs: Sequence[tuple[str, str]] = ()) -> None:
        self._values: dict[str, str] = {}
        for name, value in pairs:
            try:
                check_text(name)
                check_text(value)
            except Refused as refusal:
                raise Malformed(f"a parameter holds what no text may hold: {refusal.note}") from None
            if name in self._values:
                raise Malformed("a parameter is given twice")
            self._values[name] = value

    def __getitem__(self, name: str) -> str:
        return self._values.get(name, "")

    def __contains__(self, name: str) -> bool:
        return bool(self[name])

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._values.items())

    def secret(self, name: str) -> Secret:
        return Secret(self[name])


def fields(text: str) -> Fields:
    """A query string or a form. Raises `Malformed`."""
    try:
        return Fields(parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS))
    except UnicodeDecodeError:
        raise Malformed("a parameter is not UTF-8") from None
    except ValueError:
        raise Malformed("there are too many parameters") from None


def form(request: Request) -> Fields:
    """The fields of a posted form. Raises `Malformed`."""
    if media_type(request) != _FORM:
        raise Malformed(f"the content type is not {_FORM}")
    try:
        return fields(request.body.decode("ascii"))
    except UnicodeDecodeError:
        raise Malformed("the form is not url-encoded") from None


def moment(request: Request) -> datetime:
    """When it was received."""
    return datetime.fromtimestamp(request.received, UTC)


def media_type(request: Request) -> str:
    return request.header("content-type").partition(";")[0].strip().lower()


def cookie(request: Request, name: str) -> Secret | None:
    """The first cookie of that name, one that proves something."""
    text = plain_cookie(request, name)
    return Secret(text) if text else None


def plain_cookie(request: Request, name: str) -> str:
    """The first cookie of that name, which is not a secret; empty without it."""
    for header, text in request.headers:
        if header == "cookie":
            for pair in text.split(";"):
                found = _COOKIE.fullmatch(pair.strip())
                if found is not None and found[1] == name and found[2]:
                    return found[2]
    return ""


def language(request: Request, preferred: str = "") -> Language:
    """The best of `preferred` (space-separated tags, the best first), else of Accept-Language (RFC 9110 12.5.4)."""
    for tag in preferred.split():
        if (known := _known(tag)) is not None:
            return known
    best, language = 0.0, Language.ENGLISH
    for part in request.header("accept-language").split(",")[:20]:
        tag, _, parameter = part.partition(";")
        known, quality = _known(tag.strip()), _quality(parameter)
        if known is not None and quality > best:
            best, language = quality, known
    return language


def _known(tag: str) -> Language | None:
    return {"zh": Language.CHINESE, "en": Language.ENGLISH}.get(tag.partition("-")[0].lower())


def _quality(parameter: str) -> float:
    found = re.fullmatch(r"\s*q=([01](?:\.[0-9]{0,3})?)\s*", parameter)
    return float(found[1]) if found else (0.0 if parameter else 1.0)
