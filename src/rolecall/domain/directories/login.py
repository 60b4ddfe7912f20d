"""Sign-in of a user store's users by name and password.

An unknown name, a wrong password, a locked and a frozen user are refused in the same words, after the same hashing and
as many writes, so that clients cannot find out which accounts exist. An imported hash of another scheme or cost takes
its own time until it is replaced, at the first sign-in of its user: that time differs from an unknown name's.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from rolecall.domain.access.browser_sessions import password_fingerprint
from rolecall.domain.access.sign_ins import AddressLimit, SignInSource, SignInSubject, WrongPassword
from rolecall.domain.directories.model import User, UserSignInRepository, UserStatus
from rolecall.domain.operations.model import Change
from rolecall.domain.operations.records import Record
from rolecall.domain.reasons import Reason, Refused
from rolecall.domain.secrets.passwords import Passwords
from rolecall.values import Origin, Secret

SHORTEST_PASSWORD = 8
"""Characters of a password that a user chooses (the least of NIST SP 800-63B)."""


@dataclass(frozen=True, slots=True)
class LockRules:
    """After `failures` a user is locked for `seconds`."""

    failures: int
    seconds: int


class PasswordLogin:
    def __init__(
        self,
        repository: UserSignInRepository,
        addresses: AddressLimit,
        passwords: Passwords,
        rules: LockRules,
    ) -> None:
        self.repository = repository
        self._addresses = addresses
        self._passwords = passwords
        self._rules = rules

    async def authenticate(
        self,
        store_id: UUID,
        login: str,
        password: Secret,
        client: str,
        now: datetime,
        action: str = "sign-in",
    ) -> User:
        """The user, as of after this sign-in. CREDENTIALS_INVALID, whatever is wrong with them; RATE_EXCEEDED;
        HASHING_BUSY."""
        async with self._addresses.guarded(client, now, SignInSource("oidc", action)) as attempt:
            user = await self.repository.user_by_login(store_id, login)
            verdict = await self._passwords.verify(None if user is None else user.password_hash, password)
            await attempt.require_admitted()
            if user is not None and verdict.matches and _open_to(user, now):
                old, new = user.password_hash, verdict.renewed
                if await self.repository.signed_in(user.id, now, old, new, client):
                    attempt.subject = _subject(user)
                    return replace(user, password_hash=new or old)
            await self._count(store_id, user, login, now)
            raise WrongPassword(_subject(user)) if user is not None else Refused(Reason.CREDENTIALS_INVALID)

    async def change_password(self, user: User, password: Secret, origin: Origin) -> User:
        """The user, with the new one. PASSWORD_LENGTH, PASSWORD_CONTENT (it is the old one), HASHING_BUSY;
        CREDENTIALS_INVALID if the user was changed meanwhile."""
        if password.reveal().strip() == "" or len(password.reveal()) < SHORTEST_PASSWORD:
            raise Refused(Reason.PASSWORD_LENGTH)
        if (await self._passwords.verify(user.password_hash, password)).matches:
            raise Refused(Reason.PASSWORD_CONTENT)
        fresh = await self._passwords.hash(password)
        record = Record(Change.USER_PASSWORD, user.id.hex, origin, {"store": user.store_id.hex, "own": True})
        if not await self.repository.set_password(user.id, user.password_hash or "", fresh, record):
            raise Refused(Reason.CREDENTIALS_INVALID, note="the user was changed meanwhile")
        return replace(user, password_hash=fresh, must_reset=False)

    async def _count(self, store_id: UUID, user: User | None, login: str, now: datetime) -> None:
        if user is not None and _open_to(user, now):
            await self.repository.sign_in_failed(user.id, now, self._rules.failures, self._rules.seconds)
        else:
            # A lock is not extended by further attempts.
            await self._addresses.count_unknown_login(store_id.hex, login, now)


def _subject(user: User) -> SignInSubject:
    return SignInSubject(user.name or user.id.hex, detail={"store": user.store_id.hex, "user": user.id.hex})


def fingerprint_of(user: User) -> bytes:
    return password_fingerprint(user.password_hash)


def still_valid(user: User | None, fingerprint: bytes) -> bool:
    """Whether what was issued on a password is still valid. Failed sign-ins end nothing: any client can cause them."""
    return user is not None and user.status is UserStatus.NORMAL and fingerprint_of(user) == fingerprint


def _open_to(user: User, now: datetime) -> bool:
    return user.status is UserStatus.NORMAL and (user.locked_until is None or user.locked_until <= now)
