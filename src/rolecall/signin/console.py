"""The console of sub-users: sign in, change the password, view the account, sign out."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol
from uuid import uuid4

from rolecall.domain.access.browser_sessions import BrowserSession, BrowserSessions, password_fingerprint
from rolecall.domain.access.keys import Owner
from rolecall.domain.access.sign_ins import AddressLimit, SignInSource, SignInSubject
from rolecall.domain.bus import Bus
from rolecall.domain.iam import commands
from rolecall.domain.iam.model import SubUser
from rolecall.domain.iam.policy_commands import Bearer, BearerRef, PageAttached
from rolecall.domain.iam.sign_in import SignedIn, Subject
from rolecall.domain.reasons import Reason, Refused
from rolecall.signin import pages
from rolecall.values import Caller, Language, Origin, Reply, Request, Secret
from rolecall.web import browser, forms, replies
from rolecall.web.forms import moment
from rolecall.web.routes import Route

PREFIX = "/console"
REALM = "console"

_HOME = PREFIX
_SIGN_IN = f"{PREFIX}/sign-in"
_PASSWORD = f"{PREFIX}/password"
_SIGN_OUT = f"{PREFIX}/sign-out"
PATHS = frozenset({_HOME, _SIGN_IN, _PASSWORD, _SIGN_OUT})
_MOST = 100
"""Groups and policies that are shown."""


class ConsoleSignIn(Protocol):
    """Where sub-users sign in with name and password: `rolecall.domain.iam.sign_in.SubUserSignIn`."""

    async def at_console(self, owner_number: int, name: str, password: Secret, client: str) -> SignedIn: ...
    async def change_password(
        self,
        user: SubUser,
        old: Secret,
        new: Secret,
        origin: Origin,
        require_admitted: Callable[[], Awaitable[None]],
    ) -> None: ...


class SubjectRepository(Protocol):
    async def subject(self, number: int) -> Subject | None: ...


_NO_OWNER = 0
"""The number that no owner has."""


@dataclass(frozen=True, slots=True)
class _Here:
    """Who has signed in, and the session's id."""

    user: SubUser
    owner: Owner
    session: BrowserSession
    session_id: Secret


class Console:
    def __init__(
        self,
        sub_users: ConsoleSignIn,
        subjects: SubjectRepository,
        sessions: BrowserSessions,
        addresses: AddressLimit,
        bus: Bus,
    ) -> None:
        self._sub_users = sub_users
        self._subjects = subjects
        self._sessions = sessions
        self._addresses = addresses
        self._bus = bus
        self._routes: Mapping[str, Sequence[Route[Request]]] = {
            _HOME: (Route(("GET",), self._home),),
            _SIGN_IN: (Route(("GET",), self._show_sign_in), Route(("POST",), self._sign_in)),
            _PASSWORD: (Route(("GET",), self._show_password), Route(("POST",), self._change_password)),
            _SIGN_OUT: (Route(("POST",), self._sign_out),),
        }

    async def answer(self, request: Request) -> Reply:
        language, routes = forms.language(request), self._routes.get(request.path.rstrip("/"))
        if routes is None:
            return pages.error(language, 404, "not_found")
        route = next((route for route in routes if route.takes(request)), None)
        if route is None:
            return pages.wrong_method(language, [method for route in routes for method in route.methods])
        return await route.answer(request)

    async def _show_sign_in(self, request: Request) -> Reply:
        return _sign_in_page(request)

    async def _sign_in(self, request: Request) -> Reply:
        posted = forms.form(request)
        if not browser.form_is_tied(request, REALM, posted["csrf"]):
            return _sign_in_page(request, 403, "stale", posted)
        now = moment(request)
        try:
            async with self._addresses.guarded(request.client, now, SignInSource(REALM)) as attempt:
                signed_in = await self._proven(request, posted)
                attempt.subject = SignInSubject(
                    signed_in.user.name, signed_in.owner.id, signed_in.user.number
                )
        except Refused as refusal:
            if refusal.reason is Reason.RATE_EXCEEDED:
                return _sign_in_page(request, 429, "too_many", posted, seconds=refusal.facts["seconds"])
            if refusal.reason is Reason.HASHING_BUSY:
                return _sign_in_page(request, 503, "busy", posted)
            if refusal.reason is not Reason.CREDENTIALS_INVALID:
                raise
            return _sign_in_page(request, 403, "wrong", posted)
        return await self._begin(request, signed_in)

    async def _proven(self, request: Request, posted: forms.Fields) -> SignedIn:
        owner = posted["owner"].strip()
        number = int(owner) if re.fullmatch("[0-9]{1,18}", owner) else _NO_OWNER
        return await self._sub_users.at_console(
            number, posted["name"], posted.secret("password"), request.client
        )

    async def _begin(self, request: Request, signed_in: SignedIn) -> Reply:
        now = moment(request)
        session_id = await self._sessions.begin(
            sub_user=signed_in.user.number,
            fingerprint=password_fingerprint(signed_in.user.password_hash),
            must_change=signed_in.must_change,
            at=now,
            seen_at=now,
            instead_of=browser.session_id(request, REALM),
        )
        if session_id is None:  # deleted meanwhile
            return _sign_in_page(request, 403, "wrong")
        target = _PASSWORD if signed_in.must_change else _HOME
        return replies.redirect(target, browser.session_cookie(request, REALM, session_id))

    async def _show_password(self, request: Request) -> Reply:
        here = await self._here(request)
        return _to_sign_in(request) if here is None else _password_page(request, here)

    async def _change_password(self, request: Request) -> Reply:
        here = await self._here(request)
        if here is None:
            return _to_sign_in(request)
        posted = forms.form(request)
        if not browser.tied_to(here.session_id, request, posted["csrf"]):
            return _password_page(request, here, 403, "stale")
        if posted["new"] != posted["repeat"]:
            return _password_page(request, here, 400, "password_differs")
        try:
            old, new = posted.secret("current"), posted.secret("new")
            source = SignInSource(REALM, "password change")
            async with self._addresses.guarded(request.client, moment(request), source) as attempt:
                await self._sub_users.change_password(
                    here.user, old, new, _origin(request, here, "ChangePassword"), attempt.require_admitted
                )
                attempt.subject = SignInSubject(here.user.name, here.owner.id, here.user.number)
            signed_in = await self._sub_users.at_console(
                here.owner.number, here.user.name, new, request.client
            )
        except Refused as refusal:
            return await self._not_changed(request, here, refusal)
        await self._sessions.end_all(sub_user=here.user.number)
        return await self._begin(request, replace(signed_in, must_change=False))

    async def _not_changed(self, request: Request, here: _Here, refusal: Refused) -> Reply:
        if refusal.reason is Reason.RATE_EXCEEDED:
            return _password_page(request, here, 429, "too_many", seconds=refusal.facts["seconds"])
        if refusal.reason is Reason.CREDENTIALS_INVALID:
            return _password_page(request, here, 403, "password_wrong")
        known = {
            Reason.PASSWORD_BREAKS_RULES: (400, "password_rules"),
            Reason.PASSWORD_LENGTH: (400, "password_short"),
            Reason.HASHING_BUSY: (503, "busy"),
        }
        if refusal.reason not in known:
            raise refusal
        return _password_page(request, here, *known[refusal.reason])

    async def _sign_out(self, request: Request) -> Reply:
        here = await self._here(request)
        if here is None:
            return _to_sign_in(request)
        if not browser.tied_to(here.session_id, request, forms.form(request)["csrf"]):
            return pages.error(forms.language(request), 403, "stale")
        await self._sessions.end(here.session_id)
        return replies.redirect(_SIGN_IN, browser.expired_session_cookie(request, REALM))

    async def _home(self, request: Request) -> Reply:
        here = await self._here(request)
        if here is None:
            return _to_sign_in(request)
        if here.session.must_change:
            return replies.redirect(_PASSWORD)
        me, origin = commands.SubUserRef(number=here.user.number), _origin(request, here, "ShowMyself")
        keys = await self._bus.execute(commands.ListKeys(None), origin)
        uses = await self._bus.execute(commands.ShowKeyUses(tuple(key.id for key in keys)), origin)
        groups = await self._bus.execute(commands.PageGroupsOf(me, 0, _MOST), origin)
        bearer = BearerRef(Bearer.SUB_USER, here.user.number)
        attached = await self._bus.execute(PageAttached(bearer, 0, _MOST, by_group=True), origin)
        used = {use.key_id: use.used_at for use in uses}
        return pages.page(
            "console",
            forms.language(request),
            user=here.user,
            owner=here.owner.number,
            keys=[(key, used.get(key.id)) for key in keys],
            groups=[group.name for group in groups.items],
            policies=[view.policy.name for view in attached.items],
            csrf=browser.token_for(here.session_id),
            password_at=_PASSWORD,
            action=_SIGN_OUT,
        )

    async def _here(self, request: Request) -> _Here | None:
        """The signed-in sub-user, looked up at each request; None if it may not be signed in any longer."""
        session_id = browser.session_id(request, REALM)
        session = None if session_id is None else await self._sessions.find(session_id, moment(request))
        if session_id is None or session is None or session.sub_user is None:
            return None
        subject = await self._subjects.subject(session.sub_user)
        if subject is None:
            return None
        here = _Here(subject.user, subject.owner, session, session_id)
        found = await self._bus.execute(
            commands.FindSubUsers((session.sub_user,)), _origin(request, here, "ShowMyself")
        )
        user = next(iter(found), None)
        if (
            user is None
            or not user.console_login
            or password_fingerprint(user.password_hash) != session.fingerprint
        ):
            return None
        must_change = session.must_change or user.must_reset_password
        return replace(here, user=user, session=replace(session, must_change=must_change))


def _origin(request: Request, here: _Here, action: str) -> Origin:
    owner = here.owner
    caller = Caller(owner.id, owner.number, owner.app_id, here.user.number, access_key_id="")
    return Origin(caller, REALM, action, str(uuid4()), client=request.client)


def _to_sign_in(request: Request) -> Reply:
    return replies.redirect(_SIGN_IN, browser.expired_session_cookie(request, REALM))


def _sign_in_page(
    request: Request, status: int = 200, key: str = "", posted: forms.Fields | None = None, **facts: object
) -> Reply:
    token, cookies = browser.form_token(request, REALM)
    language = forms.language(request)
    after = (("retry-after", str(facts.get("seconds", 1))),) if status in (429, 503) else ()
    return pages.page(
        "console_sign_in",
        language,
        status=status,
        message=pages.translate(language, key, **facts) if key else "",
        headers=(*after, *cookies),
        code=key,
        owner=posted["owner"] if posted is not None else "",
        name=posted["name"] if posted is not None else "",
        csrf=token,
        action=_SIGN_IN,
    )


def _password_page(request: Request, here: _Here, status: int = 200, key: str = "", **facts: object) -> Reply:
    language: Language = forms.language(request)
    return pages.page(
        "password",
        language,
        status=status,
        message=pages.translate(language, key, **facts) if key else "",
        code=key,
        forced=here.session.must_change,
        ask_current=True,
        login=here.user.name,
        hint=pages.translate(language, "password_rules_hint"),
        csrf=browser.token_for(here.session_id),
        action=_PASSWORD,
    )
