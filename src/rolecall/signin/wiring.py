"""The room's parts, put together."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog

from rolecall.domain.access.browser_sessions import BrowserSessions, SessionRepository
from rolecall.domain.access.sign_ins import AddressLimit
from rolecall.domain.bus import Bus
from rolecall.domain.directories.login import LockRules, PasswordLogin
from rolecall.domain.directories.model import UserSignInRepository
from rolecall.domain.directories.provider import ProviderRepository
from rolecall.domain.directories.signing_keys import PUBLISHED, SigningKeys
from rolecall.domain.secrets.passwords import Passwords
from rolecall.signin.authorize import AuthorizationEndpoint
from rolecall.signin.console import Console, ConsoleDoor, SubjectRepository
from rolecall.signin.current_user import CurrentUser
from rolecall.signin.jose import Jose
from rolecall.signin.router import Report, SignInRouter
from rolecall.signin.sign_out import SignOut
from rolecall.signin.token_endpoints import TokenEndpoints
from rolecall.signin.tokens import Tokens

_log = structlog.get_logger(__name__)

_PURGED_EVERY = 600.0
"""Seconds."""


@dataclass(frozen=True, slots=True)
class Books:
    """Where everything about signing in is kept."""

    users: UserSignInRepository
    provider: ProviderRepository
    sessions: SessionRepository
    subjects: SubjectRepository


@dataclass(frozen=True, slots=True)
class Rules:
    """After `failures` wrong passwords a user is locked for `seconds`."""

    failures: int
    seconds: int
    public_url: str = ""


class SignIn:
    """`room` answers requests; `run` deletes what has expired."""

    def __init__(
        self,
        books: Books,
        rules: Rules,
        addresses: AddressLimit,
        keys: SigningKeys,
        passwords: Passwords,
        door: ConsoleDoor,
        bus: Bus,
        report: Report,
    ) -> None:
        self._provider = books.provider
        self._addresses = addresses
        self._sessions = sessions = BrowserSessions(books.sessions)
        password_login = PasswordLogin(
            books.users, addresses, passwords, LockRules(rules.failures, rules.seconds)
        )
        tokens, jose = Tokens(books.provider, books.users), Jose(keys)
        current_user = CurrentUser(books.users, sessions, jose)
        self.room = SignInRouter(
            books.users,
            TokenEndpoints(books.provider, password_login, tokens, jose),
            AuthorizationEndpoint(books.provider, password_login, sessions, tokens, current_user),
            SignOut(books.provider, sessions, current_user, jose),
            Console(door, books.subjects, sessions, addresses, bus),
            report,
            rules.public_url,
        )

    async def purge(self) -> None:
        now = datetime.now(UTC)
        await self._provider.purge(now, now - PUBLISHED)
        await self._sessions.purge(now)
        await self._addresses.purge(now)

    async def run(self) -> None:
        """Purge again and again, until cancelled."""
        while True:
            await asyncio.sleep(_PURGED_EVERY)
            try:
                await self.purge()
            except Exception as error:  # noqa: BLE001 - another time, then
                _log.warning("what has expired could not be forgotten", error=type(error).__name__)
