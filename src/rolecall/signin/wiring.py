"""Composes the OpenID provider."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

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

if TYPE_CHECKING:
    from rolecall.signin.router import SignInRouter

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
        self._users = repositories.directories
        self._provider = repositories.provider
        self._sessions = BrowserSessions(repositories.browser_sessions)
        self._addresses = addresses
        self.keys = SigningKeys(repositories.provider, sealer)
        self._login = PasswordLogin(repositories.directories, addresses, passwords, rules)

    def router(
        self, metrics: CallMetrics, public_url: str = "", *, require_tls: bool = False
    ) -> SignInRouter:
        """It imports the endpoints, their templates and the library of tokens."""
        from rolecall.signin.authorize import AuthorizationEndpoint
        from rolecall.signin.current_user import CurrentUser
        from rolecall.signin.jose import Jose
        from rolecall.signin.router import SignInRouter
        from rolecall.signin.sign_out import SignOut
        from rolecall.signin.token_endpoints import TokenEndpoints
        from rolecall.signin.tokens import Tokens

        tokens, jose = Tokens(self._provider, self._users), Jose(self.keys)
        current_user = CurrentUser(self._users, self._sessions, jose)
        endpoints = (
            TokenEndpoints(self._provider, self._login, tokens, jose),
            AuthorizationEndpoint(self._provider, self._login, self._sessions, tokens, current_user),
            SignOut(self._provider, self._sessions, current_user, jose),
        )
        return SignInRouter(self._users, endpoints, metrics, public_url, require_tls=require_tls)

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
