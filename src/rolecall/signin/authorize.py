"""The authorization endpoint of a user store: a browser is sent there, and sent back with a code.

The authorization request is part of the URL of every page and is validated again at every step, so it is not stored.
The session says who is signed in; the form of a page must be tied to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import uuid4

from rolecall.domain.access.browser_sessions import BrowserSessions
from rolecall.domain.directories.login import PasswordLogin, fingerprint_of
from rolecall.domain.directories.model import User
from rolecall.domain.directories.provider import ApplicationRepository
from rolecall.domain.reasons import Reason, Refused
from rolecall.signin import authorization, authorize_pages, metadata, pages
from rolecall.signin.authorization import AuthorizationRequest, InvalidClientRedirect
from rolecall.signin.current_user import CurrentUser
from rolecall.signin.provider_request import ProviderRequest
from rolecall.signin.refusals import OAuthRefused
from rolecall.signin.tokens import Tokens
from rolecall.values import Caller, Origin, Reply
from rolecall.web import browser, forms, replies
from rolecall.web.routes import Route


class AuthorizationEndpoint:
    def __init__(
        self,
        applications: ApplicationRepository,
        password_login: PasswordLogin,
        sessions: BrowserSessions,
        tokens: Tokens,
        current_user: CurrentUser,
    ) -> None:
        self._applications = applications
        self._login = password_login
        self._sessions = sessions
        self._tokens = tokens
        self._current_user = current_user
        self.routes: Mapping[str, Route[ProviderRequest, AuthorizationRequest]] = {
            metadata.AUTHORIZE: Route(("GET", "POST"), self._authorize),
            metadata.SIGN_IN: Route(("POST",), self._sign_in),
            metadata.CONTINUE: Route(("POST",), self._continue),
            metadata.PASSWORD: Route(("GET", "POST"), self._password),
        }

    async def answer(self, incoming: ProviderRequest) -> Reply:
        request, route = incoming.request, self.routes[incoming.path]
        if not route.takes(request):
            return pages.wrong_method(incoming.language, route.methods)
        # Only here may the request stand in a form (OpenID Connect Core 3.1.2.1).
        in_form = request.method == "POST" and incoming.path == metadata.AUTHORIZE
        try:
            asked = forms.form(request) if in_form else forms.fields(request.query)
            target = await authorization.redirect_target(self._applications, incoming.store.id, asked)
        except InvalidClientRedirect as error:
            return pages.error(incoming.language, 400, error.key)
        try:
            return await route.answer(incoming, authorization.read(target, asked))
        except OAuthRefused as refusal:
            answer = {"error": refusal.error, "error_description": refusal.description}
            return authorize_pages.redirect_back(incoming, target, answer)

    async def _authorize(self, incoming: ProviderRequest, asked: AuthorizationRequest) -> Reply:
        signed_in = await self._current_user.for_request(incoming, asked)
        session_id = browser.session_id(incoming.request, incoming.realm)
        if "none" in asked.prompt and signed_in is None:
            raise OAuthRefused("login_required", "no user is signed in, or not recently enough")
        if signed_in is None or session_id is None or "login" in asked.prompt:
            return authorize_pages.sign_in(incoming, asked)
        user, session = signed_in
        if asked.prompt & {"consent", "select_account"}:
            return authorize_pages.confirm(incoming, asked, user, session_id)
        return await self._send_back(incoming, asked, user, session.authenticated_at)

    async def _sign_in(self, incoming: ProviderRequest, asked: AuthorizationRequest) -> Reply:
        posted = forms.form(incoming.request)
        login = posted["login"]
        if not browser.form_is_tied(incoming.request, incoming.realm, posted["csrf"]):
            return authorize_pages.sign_in(incoming, asked, status=403, key="stale", login=login)
        try:
            user = await self._login.authenticate(
                incoming.store.id, login, posted.secret("password"), incoming.request.client, incoming.now
            )
        except Refused as refusal:
            return authorize_pages.refused(incoming, asked, refusal, login)
        return await self._begin_session(incoming, asked, user, must_change=user.must_reset, at=incoming.now)

    async def _continue(self, incoming: ProviderRequest, asked: AuthorizationRequest) -> Reply:
        posted = forms.form(incoming.request)
        signed_in = await self._current_user.for_request(incoming, asked)
        session_id = browser.session_id(incoming.request, incoming.realm)
        if signed_in is None or not browser.tied_to(session_id, incoming.request, posted["csrf"]):
            return authorize_pages.sign_in(incoming, asked, status=403, key="stale")
        return await self._send_back(incoming, asked, signed_in[0], signed_in[1].authenticated_at)

    async def _password(self, incoming: ProviderRequest, asked: AuthorizationRequest) -> Reply:
        """For a session that may do nothing but change the password."""
        signed_in = await self._current_user.find(incoming)
        session_id = browser.session_id(incoming.request, incoming.realm)
        if signed_in is None or session_id is None or not signed_in[1].must_change:
            return authorize_pages.sign_in(incoming, asked)
        user, session = signed_in

        def again(status: int = 200, key: str = "") -> Reply:
            return authorize_pages.change_password(incoming, asked, user, session_id, status=status, key=key)

        if incoming.request.method != "POST":
            return again()
        posted = forms.form(incoming.request)
        if not browser.tied_to(session_id, incoming.request, posted["csrf"]):
            return again(403, "stale")
        if posted["new"] != posted["repeat"]:
            return again(400, "password_differs")
        try:
            changed = await self._login.change_password(user, posted.secret("new"), _origin(incoming, user))
        except Refused as refusal:
            if refusal.reason is Reason.CREDENTIALS_INVALID:
                return authorize_pages.sign_in(incoming, asked, status=403, key="stale")
            if refusal.reason not in authorize_pages.PASSWORD_ERRORS:
                raise
            return again(*authorize_pages.PASSWORD_ERRORS[refusal.reason])
        await self._sessions.end_all(user_id=user.id)
        return await self._begin_session(
            incoming, asked, changed, must_change=False, at=session.authenticated_at
        )

    async def _begin_session(
        self,
        incoming: ProviderRequest,
        asked: AuthorizationRequest,
        user: User,
        *,
        must_change: bool,
        at: datetime,
    ) -> Reply:
        """Begin a new session in place of the browser's present one, and continue with it."""
        session = await self._sessions.begin(
            user_id=user.id,
            fingerprint=fingerprint_of(user),
            must_change=must_change,
            at=at,
            seen_at=incoming.now,
            instead_of=browser.session_id(incoming.request, incoming.realm),
        )
        if session is None:  # deleted meanwhile
            return authorize_pages.sign_in(incoming, asked, status=403, key="wrong")
        cookies = browser.session_cookie(incoming.request, incoming.realm, session)
        if must_change:
            return replies.redirect(f"{incoming.base}{metadata.PASSWORD}?{asked.query}", cookies)
        if "consent" in asked.prompt:  # also of a user who has just signed in
            return authorize_pages.confirm(incoming, asked, user, session, cookies)
        return await self._send_back(incoming, asked, user, at, cookies)

    async def _send_back(
        self,
        incoming: ProviderRequest,
        asked: AuthorizationRequest,
        user: User,
        at: datetime,
        headers: replies.Headers = (),
    ) -> Reply:
        """Redirect back with a code."""
        code = await self._tokens.code(
            asked.application,
            user,
            redirect_uri=asked.target.redirect_uri,
            scope=asked.scope,
            nonce=asked.nonce,
            challenge=asked.challenge,
            authenticated_at=at,
            now=incoming.now,
        )
        if code is None:
            raise OAuthRefused("access_denied", "the user or the application was deleted")
        return authorize_pages.redirect_back(incoming, asked.target, {"code": code.reveal()}, headers)


def _origin(incoming: ProviderRequest, user: User) -> Origin:
    """The user itself: none of the owner's principals, whose numbers are positive."""
    caller = Caller(incoming.store.owner_id, -1, 0, principal=0, access_key_id=f"user:{user.id.hex}")
    request = incoming.request
    return Origin(
        caller, "oidc", "ChangePassword", str(uuid4()), client=request.client, secure=request.secure
    )
