"""The user who is signed in at a provider with this browser."""

from __future__ import annotations

from datetime import timedelta

from rolecall.domain.access.browser_sessions import BrowserSession, BrowserSessions
from rolecall.domain.directories.login import still_valid
from rolecall.domain.directories.model import User, UserSignInRepository
from rolecall.signin.authorization import AuthorizationRequest
from rolecall.signin.jose import Jose
from rolecall.signin.provider_request import ProviderRequest
from rolecall.values import Secret
from rolecall.web import browser

SignedInUser = tuple[User, BrowserSession]


class CurrentUser:
    def __init__(self, users: UserSignInRepository, sessions: BrowserSessions, jose: Jose) -> None:
        self._users = users
        self._sessions = sessions
        self._jose = jose

    async def find(self, incoming: ProviderRequest) -> SignedInUser | None:
        """The user of a valid session, also of one that only permits changing the password."""
        session_id = browser.session_id(incoming.request, incoming.realm)
        session = None if session_id is None else await self._sessions.find(session_id, incoming.now)
        if session is None or session.user_id is None:
            return None
        user = await self._users.user(incoming.store.id, session.user_id)
        if user is None or not still_valid(user, session.fingerprint):
            return None
        return user, session

    async def for_request(
        self, incoming: ProviderRequest, asked: AuthorizationRequest
    ) -> SignedInUser | None:
        """The signed-in user, if the sign-in satisfies this request."""
        found = await self.find(incoming)
        if found is None or found[1].must_change:
            return None
        age = incoming.now - found[1].authenticated_at
        if asked.max_age is not None and age >= timedelta(seconds=asked.max_age):
            return None
        if asked.id_token_hint:
            hint = Secret(asked.id_token_hint)
            hinted = await self._jose.hinted(incoming.store.id, hint, incoming.issuer, incoming.now)
            if hinted is None or hinted[0] != found[0].id:
                return None
        return found
