"""The entrance of a user store: what a browser is sent to, and sent back from with a code.

The request for authorization travels along in the pages' own URLs and is judged anew at every step, so nothing of
it is kept. Who has signed in is in the session, which a page's form must be tied to.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from uuid import uuid4

from rolecall.domain.access.browser_sessions import BrowserSessions
from rolecall.domain.directories.gate import Gate, mark_of
from rolecall.domain.directories.model import User
from rolecall.domain.directories.provider import ApplicationBook
from rolecall.domain.reasons import Reason, Refused
from rolecall.signin import authorization, browser, entrance_pages, forms, metadata, pages, replies
from rolecall.signin.authorization import AuthorizationRequest, NoWayBack
from rolecall.signin.present import Presences
from rolecall.signin.refusals import OAuthRefused
from rolecall.signin.tokens import Tokens
from rolecall.signin.visits import Visit
from rolecall.values import Caller, Origin, Reply

Step = Callable[[Visit, AuthorizationRequest], Awaitable[Reply]]

_METHODS = {
    metadata.AUTHORIZE: ("GET", "POST"),
    metadata.SIGN_IN: ("POST",),
    metadata.CONTINUE: ("POST",),
    metadata.PASSWORD: ("GET", "POST"),
}


class Entrance:
    def __init__(
        self,
        applications: ApplicationBook,
        gate: Gate,
        sessions: BrowserSessions,
        tokens: Tokens,
        presences: Presences,
    ) -> None:
        self._applications = applications
        self._gate = gate
        self._sessions = sessions
        self._tokens = tokens
        self._presences = presences
        self._steps: Mapping[str, Step] = {
            metadata.AUTHORIZE: self._authorize,
            metadata.SIGN_IN: self._sign_in,
            metadata.CONTINUE: self._continue,
            metadata.PASSWORD: self._password,
        }

    def serves(self, path: str) -> bool:
        return path in self._steps

    async def answer(self, visit: Visit) -> Reply:
        request, methods = visit.request, _METHODS[visit.path]
        if not forms.method_is_one_of(request, methods):
            return pages.error(visit.language, 405, "wrong_method", (("allow", ", ".join(methods)),))
        # Only here may the request stand in a form (OpenID Connect Core 3.1.2.1).
        in_form = request.method == "POST" and visit.path == metadata.AUTHORIZE
        try:
            asked = forms.form(request) if in_form else forms.fields(request.query)
            way = await authorization.way_back(self._applications, visit.store.id, asked)
        except NoWayBack as trouble:
            return pages.error(visit.language, 400, trouble.key)
        try:
            return await self._steps[visit.path](visit, authorization.read(way, asked))
        except OAuthRefused as refusal:
            answer = {"error": refusal.error, "error_description": refusal.description}
            return entrance_pages.back(visit, way, answer)

    async def _authorize(self, visit: Visit, asked: AuthorizationRequest) -> Reply:
        somebody = await self._presences.for_request(visit, asked)
        session_id = browser.session_id(visit.request, visit.realm)
        if "none" in asked.prompt and somebody is None:
            raise OAuthRefused("login_required", "nobody is signed in, or not lately enough")
        if somebody is None or session_id is None or "login" in asked.prompt:
            return entrance_pages.sign_in(visit, asked)
        user, session = somebody
        if asked.prompt & {"consent", "select_account"}:
            return entrance_pages.go_on(visit, asked, user, session_id)
        return await self._send_back(visit, asked, user, session.authenticated_at)

    async def _sign_in(self, visit: Visit, asked: AuthorizationRequest) -> Reply:
        posted = forms.form(visit.request)
        login = posted["login"]
        if not browser.form_is_tied(visit.request, visit.realm, posted["csrf"]):
            return entrance_pages.sign_in(visit, asked, status=403, key="stale", login=login)
        try:
            user = await self._gate.enter(
                visit.store.id, login, posted.secret("password"), visit.request.client, visit.now
            )
        except Refused as refusal:
            return entrance_pages.not_let_in(visit, asked, refusal, login)
        return await self._enter(visit, asked, user, must_change=user.must_reset, at=visit.now)

    async def _continue(self, visit: Visit, asked: AuthorizationRequest) -> Reply:
        posted = forms.form(visit.request)
        somebody = await self._presences.for_request(visit, asked)
        session_id = browser.session_id(visit.request, visit.realm)
        if somebody is None or not browser.tied_to(session_id, visit.request, posted["csrf"]):
            return entrance_pages.sign_in(visit, asked, status=403, key="stale")
        return await self._send_back(visit, asked, somebody[0], somebody[1].authenticated_at)

    async def _password(self, visit: Visit, asked: AuthorizationRequest) -> Reply:
        """For somebody who has shown a password that must be changed, and for nobody else."""
        somebody = await self._presences.anybody(visit)
        session_id = browser.session_id(visit.request, visit.realm)
        if somebody is None or session_id is None or not somebody[1].must_change:
            return entrance_pages.sign_in(visit, asked)
        user, session = somebody

        def again(status: int = 200, key: str = "") -> Reply:
            return entrance_pages.change_password(visit, asked, user, session_id, status=status, key=key)

        if visit.request.method != "POST":
            return again()
        posted = forms.form(visit.request)
        if not browser.tied_to(session_id, visit.request, posted["csrf"]):
            return again(403, "stale")
        if posted["new"] != posted["repeat"]:
            return again(400, "password_differs")
        try:
            changed = await self._gate.change_password(user, posted.secret("new"), _origin(visit, user))
        except Refused as refusal:
            if refusal.reason is Reason.CREDENTIALS_INVALID:
                return entrance_pages.sign_in(visit, asked, status=403, key="stale")
            if refusal.reason not in entrance_pages.PASSWORD_TROUBLE:
                raise
            return again(*entrance_pages.PASSWORD_TROUBLE[refusal.reason])
        await self._sessions.end_all(user_id=user.id)
        return await self._enter(visit, asked, changed, must_change=False, at=session.authenticated_at)

    async def _enter(
        self, visit: Visit, asked: AuthorizationRequest, user: User, *, must_change: bool, at: datetime
    ) -> Reply:
        """A new session, whatever the browser had before, and on with it."""
        session = await self._sessions.begin(
            user_id=user.id,
            mark=mark_of(user),
            must_change=must_change,
            at=at,
            seen_at=visit.now,
            instead_of=browser.session_id(visit.request, visit.realm),
        )
        if session is None:  # deleted meanwhile
            return entrance_pages.sign_in(visit, asked, status=403, key="wrong")
        cookies = browser.keep_session(visit.request, visit.realm, session)
        if must_change:
            return replies.redirect(f"{visit.base}{metadata.PASSWORD}?{asked.query}", cookies)
        if "consent" in asked.prompt:  # asked for always, also of a user who has just signed in
            return entrance_pages.go_on(visit, asked, user, session, cookies)
        return await self._send_back(visit, asked, user, at, cookies)

    async def _send_back(
        self,
        visit: Visit,
        asked: AuthorizationRequest,
        user: User,
        at: datetime,
        headers: replies.Headers = (),
    ) -> Reply:
        """With a code."""
        code = await self._tokens.code(
            asked.application,
            user,
            redirect_uri=asked.way.redirect_uri,
            scope=asked.scope,
            nonce=asked.nonce,
            challenge=asked.challenge,
            authenticated_at=at,
            now=visit.now,
        )
        if code is None:
            raise OAuthRefused("access_denied", "the user or the application is there no more")
        return entrance_pages.back(visit, asked.way, {"code": code.reveal()}, headers)


def _origin(visit: Visit, user: User) -> Origin:
    """The user itself: none of the owner's principals, whose numbers are positive."""
    caller = Caller(visit.store.owner_id, -1, 0, principal=0, access_key_id=f"user:{user.id.hex}")
    request = visit.request
    return Origin(
        caller, "oidc", "ChangePassword", str(uuid4()), client=request.client, secure=request.secure
    )
