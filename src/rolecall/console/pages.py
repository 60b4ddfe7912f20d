"""Rendering: templates in which every value is escaped, in the visitor's language, with the headers of a page.

Pages load their style sheet, their script and their icon from this server, and nothing from elsewhere.
"""

from __future__ import annotations

import hashlib
import mimetypes
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import quote, urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from rolecall import __version__
from rolecall.console.paths import PREFIX
from rolecall.console.texts import translate
from rolecall.console.visits import Visit
from rolecall.values import Language, Reply, Request
from rolecall.web import forms, replies
from rolecall.web.replies import Headers

_HERE = Path(__file__).parent
_STATIC: Mapping[str, bytes] = {path.name: path.read_bytes() for path in sorted((_HERE / "static").iterdir())}
_ADDRESSES: Mapping[str, str] = {
    name: f"{PREFIX}/static/{hashlib.sha256(content).hexdigest()[:12]}/{name}"
    for name, content in _STATIC.items()
}
"""Their paths change with their content, so that a browser may keep them for ever."""

_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self';"
    " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_GUARDS: Headers = (
    ("content-type", "text/html; charset=utf-8"),
    ("cache-control", "no-store"),
    ("content-security-policy", _POLICY),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "no-referrer"),
    ("permissions-policy", "camera=(), geolocation=(), microphone=()"),
    ("cross-origin-opener-policy", "same-origin"),
)

SECTIONS = ("overview", "instances", "people", "directories", "operations", "explorer")
"""Of the navigation, each at a path of its name; the first is the console's home."""

_environment = Environment(
    loader=FileSystemLoader(_HERE / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
)


def _moment(at: datetime | None) -> str:
    return "" if at is None else at.strftime("%Y-%m-%d %H:%M:%S UTC")


_environment.filters["moment"] = _moment
# Jinja's own leaves slashes: a name with some would lead to another page.
_environment.filters["urlencode"] = lambda text: quote(str(text), safe="")


def page(visit: Visit, template: str, *, section: str = "", status: int = 200, **values: object) -> Reply:
    """A page for a visitor who has signed in. `section` is marked in the navigation."""
    values = {"done": bool(visit.query["done"]), "here": visit.request.path} | values
    values |= {"visitor": visit.visitor, "csrf": visit.visitor.csrf, "section": section, "sections": SECTIONS}
    return _rendered(template, visit.language, status, values)


def plain_page(
    request: Request,
    template: str,
    *,
    status: int = 200,
    headers: Headers = (),
    code: str = "",
    **values: object,
) -> Reply:
    """A page for a visitor who has not signed in."""
    values |= {"visitor": None, "section": "", "sections": ()}
    return _rendered(template, language(request), status, values, headers, code)


def error(request: Request, status: int, key: str, headers: Headers = (), **facts: object) -> Reply:
    message = translate(language(request), key, **facts)
    return plain_page(request, "error.html", status=status, headers=headers, code=key, message=message)


def wrong_method(request: Request, allowed: Sequence[str]) -> Reply:
    """RFC 9110 15.5.6."""
    return error(request, 405, "wrong_method", (("allow", ", ".join(allowed)),))


def language(request: Request) -> Language:
    """As chosen on a page, else the browser's."""
    return forms.language(request, forms.plain_cookie(request, LANGUAGE_COOKIE))


LANGUAGE_COOKIE = "rolecall-language"


def static(name: str, path: str) -> Reply | None:
    """A file that pages load; None unless the path is the present one."""
    if _ADDRESSES.get(name) != path:
        return None
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    charset = "; charset=utf-8" if kind.startswith("text/") else ""
    headers = (
        ("content-type", f"{kind}{charset}"),
        ("cache-control", "public, max-age=31536000, immutable"),
        ("x-content-type-options", "nosniff"),
    )
    return Reply(200, headers, _STATIC[name])


def _rendered(
    template: str,
    chosen: Language,
    status: int,
    values: Mapping[str, object],
    headers: Headers = (),
    code: str = "",
) -> Reply:
    html = _environment.get_template(template).render(
        {
            "message": "",
            "t": lambda key, /, **facts: translate(chosen, key, **facts),
            "language": chosen.value,
            "asset": _ADDRESSES,
            "version": __version__,
            **values,
        }
    )
    return Reply(status, (*_GUARDS, *headers), html.encode(), code)


@dataclass(frozen=True, slots=True)
class Pager:
    """A slice of a listing: `size` items from `offset` of `total`."""

    visit: Visit
    offset: int
    size: int
    total: int

    @property
    def is_shown(self) -> bool:
        return self.total > self.size or self.offset > 0

    @property
    def place(self) -> str:
        """Which part of the listing this is."""
        first, last = min(self.offset + 1, self.total), min(self.offset + self.size, self.total)
        return self.visit.text("page_of", first=first, last=last, total=self.total)

    @property
    def previous(self) -> str:
        """The address of the slice before, the last one if this is beyond the end; empty for the first."""
        return self._at(max(0, min(self.offset, self.total) - self.size)) if self.offset else ""

    @property
    def next(self) -> str:
        """The address of the slice after; empty for the last."""
        return self._at(self.offset + self.size) if self.offset + self.size < self.total else ""

    def _at(self, offset: int) -> str:
        return _page_at(self.visit, {"offset": offset})


@dataclass(frozen=True, slots=True)
class KeyPager:
    """A part of a listing that is read from a key on, however long it is: `shown` items of `total`, if they are
    counted, from the key `first` to `last`. `has_more`: beyond them, in the direction of the reading.
    """

    visit: Visit
    first: str
    last: str
    shown: int
    total: int | None
    has_more: bool

    @property
    def is_shown(self) -> bool:
        return self.has_more or bool(self._start)

    @property
    def place(self) -> str:
        if self.total is None:
            return ""
        return self.visit.text("page_part", shown=self.shown, total=self.total)

    @property
    def previous(self) -> str:
        if self.visit.query["before"]:
            return _page_at(self.visit, {"before": self.first}) if self.has_more else ""
        # Where nothing is after a key, the way back is to what is before it.
        return _page_at(self.visit, {"before": self.first or self._start}) if self._start else ""

    @property
    def next(self) -> str:
        if not (self.has_more or self.visit.query["before"]):
            return ""
        # Where nothing is before a key, the way on is the first page.
        return _page_at(self.visit, {"after": self.last} if self.last else {})

    @property
    def _start(self) -> str:
        return self.visit.query["after"] or self.visit.query["before"]


def _page_at(visit: Visit, start: Mapping[str, object]) -> str:
    """This page with another start and the same filters."""
    kept = {name: value for name, value in visit.query if name not in ("offset", "after", "before", "done")}
    return f"{visit.request.path}?{urlencode({**kept, **start})}"


def offset(visit: Visit) -> int:
    """Where the slice of a listing begins, as the address says."""
    text = visit.query["offset"]
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0


def redirect(location: str, headers: Headers = ()) -> Reply:
    return replies.redirect(location, headers)
