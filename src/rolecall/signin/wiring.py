"""Composes the OpenID provider."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Protocol

import structlog

from rolecall.calls import CallMetrics
from rolecall.domain.access.browser_sessions import BrowserSessions, SessionRepository
from rolecall.domain.access.sign_ins import AddressLimit
from rolecall.domain.directories.login import LockRules, PasswordLogin
from rolecall.domain.directories.model import UserSignInRepository
from rolecall.domain.directories.provider import ProviderRepository
from rolecall.domain.directories.signing_keys import PUBLISHED, SigningKeys
from rolecall.domain.secrets.passwords import Passwords
from rolecall.domain.secrets.sealing import Sealer
from rolecall.signin.authorize import AuthorizationEndpoint
from rolecall.signin.current_user import CurrentUser
from rolecall.signin.jose import Jose
from rolecall.signin.router import SignInRouter
from rolecall.signin.sign_out import SignOut
from rolecall.signin.token_endpoints import TokenEndpoints
from rolecall.signin.tokens import Tokens

_log = structlog.get_logger(__name__)

_PURGED_EVERY = 600.0
"""Seconds."""


class Repositories(Protocol):
    @property
    def directories(self) -> UserSignInRepository: ...
    @property
    def provider(self) -> ProviderRepository: ...
    @property
    def browser_sessions(self) -> SessionRepository: ...


class SignInEndpoints:
    """The OpenID provider of user stores. `run` deletes what has expired, sessions of the console too."""

    def __init__(
        self,
        repositories: Repositories,
        addresses: AddressLimit,
        passwords: Passwords,
        sealer: Sealer,
        rules: LockRules,
    ) -> None:
        self._users = users = repositories.directories
        self._provider = provider = repositories.provider
        self._sessions = sessions = BrowserSessions(repositories.browser_sessions)
        self._addresses = addresses
        self.keys = SigningKeys(provider, sealer)
        login = PasswordLogin(users, addresses, passwords, rules)
        tokens, jose = Tokens(provider, users), Jose(self.keys)
        current_user = CurrentUser(users, sessions, jose)
        self._tokens = TokenEndpoints(provider, login, tokens, jose)
        self._authorization = AuthorizationEndpoint(provider, login, sessions, tokens, current_user)
        self._sign_out = SignOut(provider, sessions, current_user, jose)

    def router(
        self, metrics: CallMetrics, public_url: str = "", *, require_tls: bool = False
    ) -> SignInRouter:
        return SignInRouter(
            self._users,
            (self._tokens, self._authorization, self._sign_out),
            metrics,
            public_url,
            require_tls=require_tls,
        )

    async def purge(self) -> None:
        now = datetime.now(UTC)
        await self._provider.purge(now, now - PUBLISHED)
        await self._sessions.purge(now)
        await self._addresses.purge(now)

    async def run(self) -> None:
        """Purge periodically, until cancelled."""
        while True:
            await asyncio.sleep(_PURGED_EVERY)
            try:
                await self.purge()
            except Exception as error:  # noqa: BLE001 - the next round may succeed
                _log.warning("what has expired could not be deleted", error=type(error).__name__)
