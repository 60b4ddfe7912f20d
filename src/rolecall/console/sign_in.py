"""Signing in and out, a sub-user's own password, and the language of the pages."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from functools import partial
from types import MappingProxyType
from typing import Protocol
from uuid import uuid4

from rolecall.console import pages
from rolecall.console.actions import FRONT
from rolecall.console.paths import PREFIX
from rolecall.console.sessions import LinkElsewhere, VisitorSessions
from rolecall.console.texts import translate
from rolecall.console.visits import Visitor
from rolecall.domain.access.sign_ins import AddressLimit, SignInSource, SignInSubject
from rolecall.domain.iam.model import SubUser
from rolecall.domain.iam.sign_in import SignedIn
from rolecall.domain.reasons import Reason, Refused
from rolecall.values import Language, Origin, Reply, Request, Secret
from rolecall.web import browser, forms
from rolecall.web.forms import Fields, moment
from rolecall.web.replies import Headers

_KEPT = "kept."
"""Before the name of a field that is carried through a sign-in."""
SECRET = "secret_"
"""Before the names of inputs whose values are never written into a page."""
_YEAR = 365 * 24 * 3600

Facts = Mapping[str, object]
_NO_FACTS: Facts = MappingProxyType({})


class OwnPassword(Protocol):
    """Where sub-users change their password: `rolecall.domain.iam.sign_in.SignIn`."""

    async def at_console(self, owner_number: int, name: str, password: Secret, client: str) -> SignedIn: ...
    async def change_password(
        self,
        user: SubUser,
        old: Secret,
        new: Secret,
        origin: Origin,
        require_admitted: Callable[[], Awaitable[None]],
    ) -> None: ...


_REFUSALS: Mapping[Reason, tuple[int, str]] = {
    Reason.RATE_EXCEEDED: (429, "too_many"),
    Reason.HASHING_BUSY: (503, "busy"),
    Reason.CREDENTIALS_INVALID: (403, "wrong"),
}
_NOT_CHANGED: Mapping[Reason, tuple[int, str]] = {
    **_REFUSALS,
    Reason.CREDENTIALS_INVALID: (403, "password_wrong"),
    Reason.PASSWORD_BREAKS_RULES: (400, "password_rules"),
    Reason.PASSWORD_LENGTH: (400, "password_length"),
}


class SignInPages:
    SIGN_IN = f"{PREFIX}/sign-in"
    LINK = f"{PREFIX}/link"
    PASSWORD = f"{PREFIX}/password"
    SIGN_OUT = f"{PREFIX}/sign-out"
    SIGN_OUT_EVERYWHERE = f"{PREFIX}/sign-out-everywhere"
    LANGUAGE = f"{PREFIX}/language"
    PATHS = frozenset({SIGN_IN, LINK, PASSWORD, SIGN_OUT, SIGN_OUT_EVERYWHERE, LANGUAGE})
    CODES = frozenset(
        {"wrong_key", "link_invalid", "link_elsewhere", "password_differs", "session_ended", "resume"}
        | {key for table in (_REFUSALS, _NOT_CHANGED) for _, key in table.values()}
    )

    def __init__(self, sessions: VisitorSessions, passwords: OwnPassword, addresses: AddressLimit) -> None:
        self._sessions = sessions
        self._passwords = passwords
        self._addresses = addresses
        self._routes: Mapping[tuple[str, str], Callable[[Request], Awaitable[Reply]]] = {
            ("GET", self.SIGN_IN): self._show_sign_in,
            ("POST", self.SIGN_IN): self._sign_in,
            ("GET", self.LINK): self._by_link,
            ("GET", self.PASSWORD): self._show_password,
            ("POST", self.PASSWORD): self._change_password,
            ("POST", self.SIGN_OUT): partial(self._sign_out, self._sessions.end),
            ("POST", self.SIGN_OUT_EVERYWHERE): partial(self._sign_out, self._sessions.end_all),
            ("POST", self.LANGUAGE): self._choose_language,
        }

    async def answer(self, request: Request, path: str) -> Reply:
        """HEAD is answered as GET is, except that it does not use a link."""
        is_head = request.method == "HEAD" and path != self.LINK
        route = self._routes.get(("GET" if is_head else request.method, path))
        if route is None:
            allowed = [method for method, at in self._routes if at == path]
            return pages.wrong_method(request, allowed)
        return await route(request)

    # signing in

    async def _show_sign_in(self, request: Request) -> Reply:
        return _sign_in_page(request, Fields((("next", forms.fields(request.query)["next"]),)))

    async def _sign_in(self, request: Request) -> Reply:
        posted = forms.form(request)
        if not browser.form_is_tied(request, FRONT, posted["csrf"]):
            return _sign_in_page(request, posted, 403, "stale")
        try:
            if posted["as"] == "owner":
                session = await self._sessions.by_key(
                    request, posted["key_id"].strip(), posted.secret("secret_key")
                )
                return _signed_in(request, session, posted)
            session, must_change = await self._sessions.by_password(
                request, posted["owner"].strip(), posted["name"], posted.secret("secret_password")
            )
        except Refused as refusal:
            return _refused(request, posted, refusal)
        if must_change:
            return pages.redirect(self.PASSWORD, browser.session_cookie(request, FRONT, session))
        return _signed_in(request, session, posted)

    async def _by_link(self, request: Request) -> Reply:
        """A link is good once: a HEAD request, and a browser that only prepares for a visit, do not use it."""
        if _is_prefetch(request):
            return pages.error(request, 503, "busy")
        text = forms.fields(request.query).secret("code")
        try:
            session = await self._sessions.by_link(request, text)
        except LinkElsewhere:
            return _sign_in_page(request, Fields(), 403, "link_elsewhere")
        except Refused as refusal:
            key = "link_invalid" if refusal.reason is Reason.CREDENTIALS_INVALID else ""
            return _refused(request, Fields(), refusal, key)
        return pages.redirect(PREFIX, browser.session_cookie(request, FRONT, session))

    # forms whose session has ended

    def interrupted(self, request: Request) -> Reply:
        """The sign-in page for a form that was posted without a session; it carries what was typed.

        Only from a page of ours: a foreign page must not put its own words into the visitor's mouth.
        """
        if not _is_ours(request):
            return _sign_in_page(request, Fields(), 403, "session_ended")
        carried = [(_KEPT + name, value) for name, value in forms.form(request) if _is_carried(name)]
        secrets = " ".join(name for name, _ in forms.form(request) if name.startswith(SECRET))
        fields = Fields((("next", _address(request)), ("secrets", secrets), *carried))
        return _sign_in_page(request, fields, 401, "session_ended")

    def resume(self, request: Request, visitor: Visitor, posted: Fields) -> Reply:
        """For a form of an earlier session of the same browser: it may be sent again in this one."""
        if not _is_ours(request):
            return pages.error(request, 403, "stale")
        secrets = [name for name, _ in posted if name.startswith(SECRET)]
        typed = {name: value for name, value in posted if _is_carried(name)}
        return _resume_page(request, visitor.csrf, _address(request), typed, secrets)

    # the password

    async def _show_password(self, request: Request) -> Reply:
        visitor = await self._sub_user(request)
        return _to_sign_in(request) if visitor is None else _password_page(request, visitor)

    async def _change_password(self, request: Request) -> Reply:
        visitor = await self._sub_user(request)
        if visitor is None or visitor.user is None:
            return _to_sign_in(request)
        posted = forms.form(request)
        if not browser.tied_to(visitor.session_id, request, posted["csrf"]):
            return _password_page(request, visitor, 403, "stale")
        if posted["secret_new"] != posted["secret_repeat"]:
            return _password_page(request, visitor, 400, "password_differs")
        try:
            signed_in = await self._with_new_password(request, visitor, visitor.user, posted)
        except Refused as refusal:
            if refusal.reason not in _NOT_CHANGED:
                raise
            status, key = _NOT_CHANGED[refusal.reason]
            return _password_page(request, visitor, status, key, refusal.facts)
        await self._sessions.end_all(visitor)
        session = await self._sessions.begin(request, replace(signed_in, must_change=False))
        return pages.redirect(PREFIX, browser.session_cookie(request, FRONT, session))

    async def _with_new_password(
        self, request: Request, visitor: Visitor, user: SubUser, posted: Fields
    ) -> SignedIn:
        old, new = posted.secret("secret_current"), posted.secret("secret_new")
        caller = visitor.caller
        origin = Origin(caller, FRONT, "ChangePassword", str(uuid4()), client=request.client)
        source = SignInSource(FRONT, "password change")
        async with self._addresses.guarded(request.client, moment(request), source) as attempt:
            await self._passwords.change_password(user, old, new, origin, attempt.require_admitted)
            attempt.subject = SignInSubject(user.name, caller.owner_id, user.number)
        return await self._passwords.at_console(caller.owner_number, user.name, new, request.client)

    async def _sub_user(self, request: Request) -> Visitor | None:
        visitor = await self._sessions.find(request)
        return None if visitor is None or visitor.user is None else visitor

    # signing out, and the language

    async def _sign_out(self, end: Callable[[Visitor], Awaitable[None]], request: Request) -> Reply:
        visitor = await self._sessions.find(request)
        if visitor is None:
            return _to_sign_in(request)
        if not browser.tied_to(visitor.session_id, request, forms.form(request)["csrf"]):
            return pages.error(request, 403, "stale")
        await end(visitor)
        return _to_sign_in(request)

    async def _choose_language(self, request: Request) -> Reply:
        posted = forms.form(request)
        chosen = posted["language"] if posted["language"] in set(Language) else Language.ENGLISH.value
        secure = "; Secure" if request.secure else ""
        cookie = f"{pages.LANGUAGE_COOKIE}={chosen}; Path={PREFIX}; Max-Age={_YEAR}; HttpOnly; SameSite=Lax"
        return pages.redirect(_inside(posted["next"]), (("set-cookie", f"{cookie}{secure}"),))


def _signed_in(request: Request, session: Secret, posted: Fields) -> Reply:
    """To the page that was wanted; what was typed before the sign-in is shown first."""
    cookie = browser.session_cookie(request, FRONT, session)
    typed = {name.removeprefix(_KEPT): value for name, value in posted if name.startswith(_KEPT)}
    wanted = _inside(posted["next"])
    if not typed and not posted["secrets"]:
        return pages.redirect(wanted, cookie)
    names = [name for name in posted["secrets"].split() if name.startswith(SECRET)]
    return _resume_page(request, browser.token_for(session), wanted, typed, names, cookie)


def _resume_page(
    request: Request,
    csrf: str,
    action: str,
    typed: Mapping[str, str],
    secrets: list[str],
    headers: Headers = (),
) -> Reply:
    return pages.plain_page(
        request,
        "resume.html",
        headers=headers,
        code="resume",
        csrf=csrf,
        action=action,
        typed=typed,
        secrets=secrets,
    )


def _refused(request: Request, posted: Fields, refusal: Refused, key: str = "") -> Reply:
    if refusal.reason not in _REFUSALS:
        raise refusal
    status, usual = _REFUSALS[refusal.reason]
    if refusal.reason is Reason.CREDENTIALS_INVALID and posted["as"] == "owner":
        usual = "wrong_key"
    return _sign_in_page(request, posted, status, key or usual, refusal.facts)


def _sign_in_page(
    request: Request, posted: Fields, status: int = 200, key: str = "", facts: Facts = _NO_FACTS
) -> Reply:
    token, cookies = browser.form_token(request, FRONT)
    after = (("retry-after", str(facts.get("seconds", 1))),) if status in (429, 503) else ()
    return pages.plain_page(
        request,
        "sign_in.html",
        status=status,
        headers=(*after, *cookies),
        code=key,
        message=translate(pages.language(request), key, **facts) if key else "",
        csrf=token,
        action=SignInPages.SIGN_IN,
        posted=posted,
        carried=[(name, value) for name, value in posted if name.startswith(_KEPT) or name in _CARRIED],
    )


_CARRIED = frozenset({"next", "secrets"})


def _password_page(
    request: Request, visitor: Visitor, status: int = 200, key: str = "", facts: Facts = _NO_FACTS
) -> Reply:
    return pages.plain_page(
        request,
        "password.html",
        status=status,
        code=key,
        message=translate(pages.language(request), key, **facts) if key else "",
        forced=visitor.must_change,
        login=visitor.name,
        csrf=visitor.csrf,
        action=SignInPages.PASSWORD,
    )


def _to_sign_in(request: Request) -> Reply:
    return pages.redirect(SignInPages.SIGN_IN, browser.expired_session_cookie(request, FRONT))


def _is_prefetch(request: Request) -> bool:
    """Whether the browser asks before its user does (Sec-Purpose; Purpose is the older name)."""
    return any("prefetch" in request.header(name) for name in ("sec-purpose", "purpose", "x-moz"))


def _is_ours(request: Request) -> bool:
    """Whether the browser says that a page of ours sent the form."""
    return request.header("sec-fetch-site") == "same-origin"


def _is_carried(name: str) -> bool:
    return name != "csrf" and not name.startswith((SECRET, _KEPT)) and name not in _CARRIED


def _address(request: Request) -> str:
    return request.path + (f"?{request.query}" if request.query else "")


_CLIMBS = re.compile(r"/(\.|%2e){1,2}(?=[/#]|$)", re.IGNORECASE)
"""Segments by which browsers leave the folder of an address."""


def _inside(address: str) -> str:
    """The address if it is one of the console's, else its home."""
    inside = address == PREFIX or address.startswith((f"{PREFIX}/", f"{PREFIX}?"))
    inside = inside and not _CLIMBS.search(address.partition("?")[0])
    return (
        address if inside and address.isascii() and address.isprintable() and "\\" not in address else PREFIX
    )
