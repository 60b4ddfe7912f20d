"""Who has signed in at a provider with this browser."""

from __future__ import annotations

from datetime import timedelta

from rolecall.domain.access.browser_sessions import BrowserSession, BrowserSessions
from rolecall.domain.directories.gate import may_stay
from rolecall.domain.directories.model import SignInBook, User
from rolecall.signin import browser
from rolecall.signin.authorization import AuthorizationRequest
from rolecall.signin.jose import Jose
from rolecall.signin.visits import Visit
from rolecall.values import Secret

Somebody = tuple[User, BrowserSession]


class Presences:
    def __init__(self, users: SignInBook, sessions: BrowserSessions, jose: Jose) -> None:
        self._users = users
        self._sessions = sessions
        self._jose = jose

    async def anybody(self, visit: Visit) -> Somebody | None:
        """A user with a session that holds, if only for changing the password."""
        session_id = browser.session_id(visit.request, visit.realm)
        session = None if session_id is None else await self._sessions.find(session_id, visit.now)
        if session is None or session.user_id is None:
            return None
        user = await self._users.user(visit.store.id, session.user_id)
        if user is None or not may_stay(user, session.mark):
            return None
        return user, session

    async def for_request(self, visit: Visit, asked: AuthorizationRequest) -> Somebody | None:
        """Who is signed in, if that is good enough for this request."""
        found = await self.anybody(visit)
        if found is None or found[1].must_change:
            return None
        age = visit.now - found[1].authenticated_at
        if asked.max_age is not None and age >= timedelta(seconds=asked.max_age):
            return None
        if asked.id_token_hint:
            hint = Secret(asked.id_token_hint)
            hinted = await self._jose.hinted(visit.store.id, hint, visit.issuer, visit.now)
            if hinted is None or hinted[0] != found[0].id:
                return None
        return found
