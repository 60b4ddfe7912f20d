"""Answers: JSON for programs, redirects, and pages with the headers that keep a browser from misusing them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

from rolecall.values import Reply

Headers = Sequence[tuple[str, str]]

_JSON = "application/json;charset=UTF-8"
_NOT_KEPT: Headers = (("cache-control", "no-store"), ("pragma", "no-cache"))
_PLAIN: Headers = (*_NOT_KEPT, ("x-content-type-options", "nosniff"))

ANY_ORIGIN: Headers = (("access-control-allow-origin", "*"),)
"""For answers to relying parties that run in a browser: what they may read depends on no cookie."""


def answer(status: int, content: Mapping[str, object], headers: Headers = (), code: str = "") -> Reply:
    """`code` is what logs and metrics show."""
    body = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    return Reply(status, (("content-type", _JSON), *_PLAIN, *headers), body, code)


def error(status: int, code: str, description: str, headers: Headers = ()) -> Reply:
    """An error as RFC 6749 5.2 has it."""
    return answer(status, {"error": code, "error_description": description}, headers, code)


def redirect(location: str, headers: Headers = (), code: str = "") -> Reply:
    return Reply(
        303, (("location", location), *_PLAIN, ("referrer-policy", "no-referrer"), *headers), b"", code
    )


def page(
    status: int, html: str, *, style_hash: str, leads_on: bool = False, headers: Headers = (), code: str = ""
) -> Reply:
    """`leads_on` says that sending the page's form may lead on to a relying party.

    Chromium applies ``form-action`` to every redirect behind a form, also to those of the relying party, whose targets
    are not known here (w3c/webappsec-csp#8): such a page goes without. It has no script, and its form is written here.
    """
    policy = f"default-src 'none'; style-src 'sha256-{style_hash}'; base-uri 'none'; frame-ancestors 'none'"
    if not leads_on:
        policy += "; form-action 'self'"
    guards: Headers = (
        ("content-type", "text/html; charset=utf-8"),
        *_PLAIN,
        ("content-security-policy", policy),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "no-referrer"),
        ("permissions-policy", "camera=(), geolocation=(), microphone=()"),
    )
    return Reply(status, (*guards, *headers), html.encode(), code)


def with_parameters(uri: str, parameters: Mapping[str, str]) -> str:
    """The URI with these in its query, behind what is there; empty values are left out."""
    text = urlencode({name: value for name, value in parameters.items() if value})
    if not text:
        return uri
    if "?" not in uri:
        return f"{uri}?{text}"
    return uri + ("" if uri.endswith(("?", "&")) else "&") + text
