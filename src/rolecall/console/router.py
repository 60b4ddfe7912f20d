"""Routes requests below ``/console`` to pages, for visitors who have signed in; others are led to sign in.

A form is answered only if it came from one of our own pages in the same session. What was typed into a form whose
session has ended is kept through the sign-in (`sign_in.resume`), except secrets.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from urllib.parse import quote, unquote

from rolecall.calls import CallMetrics, CallRecord, Calls
from rolecall.console import pages
from rolecall.console.actions import FRONT
from rolecall.console.paths import PREFIX
from rolecall.console.sessions import VisitorSessions
from rolecall.console.sign_in import SignInPages
from rolecall.console.visits import Page, Visit, Visitor
from rolecall.domain.reasons import Reason, Refused
from rolecall.values import Reply, Request
from rolecall.web import browser, forms, uploads
from rolecall.web.uploads import File

_STATIC = re.compile(rf"{PREFIX}/static/[0-9a-f]+/([a-z.-]+)")
_CODES = frozenset(
    {"not_found", "wrong_method", "malformed", "stale", "server_error", "tls_required", "unsealed"}
)


class ConsoleRouter:
    """`require_tls` refuses requests by plain HTTP."""

    def __init__(
        self,
        sessions: VisitorSessions,
        sign_in: SignInPages,
        known: Sequence[Page],
        metrics: CallMetrics,
        *,
        require_tls: bool = False,
    ) -> None:
        self._sessions = sessions
        self._sign_in = sign_in
        self._pages = [(_compiled(page.pattern), page) for page in known]
        self._calls = Calls(metrics)
        self._require_tls = require_tls
        patterns = frozenset(page.pattern for page in known) | SignInPages.PATHS
        metrics.expect(FRONT, {FRONT: patterns}, _CODES | SignInPages.CODES)

    async def answer(self, request: Request) -> Reply:
        """The reply to any request. Never fails."""
        record = CallRecord(FRONT, request)
        return await self._calls.answer(
            record,
            lambda: self._served(request, record),
            lambda error: _crashed(request, error),
        )

    async def largest_body(self, head: Request) -> int:
        """The most bytes of body to read: more than a form's only from a visitor who has signed in."""
        largest = self._largest(head)
        if largest > forms.LARGEST_BODY:
            try:
                if await self._sessions.find(head) is None:
                    return forms.LARGEST_BODY
            except Exception:  # noqa: BLE001 - `answer` meets the same error, and reports it
                return forms.LARGEST_BODY
        return largest

    def _largest(self, head: Request) -> int:
        found = self._find(head.path.rstrip("/")) if uploads.is_upload(head) else None
        return max(forms.LARGEST_BODY, 0 if found is None else found[0].largest)

    async def _served(self, request: Request, record: CallRecord) -> Reply:
        record.service, path = FRONT, request.path.rstrip("/")
        if (file := _STATIC.fullmatch(path)) and request.method in ("GET", "HEAD"):
            record.action = "static"
            return pages.static(file[1], path) or pages.error(request, 404, "not_found")
        if self._require_tls and not request.secure:
            return pages.error(request, 403, "tls_required")
        if request.crowded:  # its body was not kept: it must not pass for an empty form
            return pages.error(request, 503, "busy", (("retry-after", "1"),))
        try:
            largest = self._largest(request)
            if request.too_large or len(request.body) > largest:
                if uploads.is_upload(request) and await self._sessions.find(request) is None:
                    return self._to_sign_in(request, path)
                raise forms.Malformed(f"the form is larger than {largest // 1024} KB")
            if path in SignInPages.PATHS:
                record.action = path
                return await self._sign_in.answer(request, path)
            return await self._at_page(request, path, record)
        except forms.Malformed as error:
            return pages.error(request, 400, "malformed", why=str(error))

    async def _at_page(self, request: Request, path: str, record: CallRecord) -> Reply:
        found = self._find(path)
        visitor = await self._sessions.find(request)
        if visitor is None:
            return self._to_sign_in(request, path)
        if found is None:
            return pages.error(request, 404, "not_found")
        page, variables = found
        record.action, record.caller = page.pattern, visitor.caller
        if visitor.must_change:
            return pages.redirect(SignInPages.PASSWORD)
        return await self._visited(request, page, visitor, variables)

    async def _visited(
        self, request: Request, page: Page, visitor: Visitor, variables: Mapping[str, str]
    ) -> Reply:
        language, query = pages.language(request), forms.fields(request.query)
        if request.method in ("GET", "HEAD") and page.show is not None:
            return await page.show(Visit(request, visitor, language, variables, query))
        if request.method == "POST" and page.submit is not None:
            files: Mapping[str, File] = {}
            if uploads.is_upload(request) and page.largest:
                posted, files = await asyncio.to_thread(uploads.form_with_files, request)
            else:
                posted = forms.form(request)
            if not browser.tied_to(visitor.session_id, request, posted["csrf"]):
                if files:  # which no page could hold until it is sent again
                    return pages.error(request, 403, "stale")
                return self._sign_in.resume(request, visitor, posted)
            return await page.submit(Visit(request, visitor, language, variables, query, posted, files))
        return pages.wrong_method(request, _methods(page))

    def _to_sign_in(self, request: Request, path: str) -> Reply:
        """To the page's own address after the sign-in; a form that was sent waits for it."""
        if request.method == "POST" and not uploads.is_upload(request):
            return self._sign_in.interrupted(request)
        wanted = "" if path == PREFIX else f"?next={quote(path, safe='/')}"
        return pages.redirect(
            f"{SignInPages.SIGN_IN}{wanted}", browser.expired_session_cookie(request, FRONT)
        )

    def _find(self, path: str) -> tuple[Page, Mapping[str, str]] | None:
        """The page at a path, with its variable segments decoded. Nothing has a name with NUL, which no store takes."""
        for pattern, page in self._pages:
            if match := pattern.fullmatch(path):
                variables = {name: unquote(text) for name, text in match.groupdict().items()}
                return (page, variables) if "\0" not in "".join(variables.values()) else None
        return None


def _crashed(request: Request, error: Refused) -> Reply:
    if error.reason is Reason.UNSEALED:
        return pages.error(request, 503, "unsealed", why=error.note)
    return pages.error(request, 500, "server_error")


def _methods(page: Page) -> Sequence[str]:
    read = () if page.show is None else ("GET", "HEAD")
    return read if page.submit is None else (*read, "POST")


def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\\{([a-z_]+)\\\}", r"(?P<\1>[^/]+)", re.escape(pattern)))
