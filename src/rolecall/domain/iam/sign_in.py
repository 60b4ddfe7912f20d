"""Sub-users who sign in with name and password: at the console, or for a token.

A refusal reveals nothing by its text or its timing: a password is verified and a failure written for unknown names as
well.
"""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Protocol

from rolecall import ambient
from rolecall.domain.access.authenticator import Presented, Proven
from rolecall.domain.access.keys import Owner
from rolecall.domain.access.sign_ins import AddressLimit, SignInSubject, WrongPassword
from rolecall.domain.iam.model import SubUser
from rolecall.domain.iam.password_rules import PasswordRules, RuledPasswords
from rolecall.domain.iam.sub_users import Revision
from rolecall.domain.operations.model import Change
from rolecall.domain.operations.records import Record
from rolecall.domain.reasons import Reason, Refused
from rolecall.domain.secrets.passwords import Passwords
from rolecall.values import Caller, Origin, PasswordClaim, Secret

_NO_SUB_USER = 0
"""The number that no sub-user has."""

_PREFIX = "sub-user:"
"""Before a sub-user's number in a key id; ids of keys and names contain no colon."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """The only sub-user of a name, with what its sign-in depends on."""

    user: SubUser
    owner: Owner
    locked: bool
    rules: PasswordRules


@dataclass(frozen=True, slots=True)
class Subject:
    """The sub-user of a token."""

    user: SubUser
    owner: Owner


@dataclass(frozen=True, slots=True)
class SubUserTokenKey:
    """Seals a sub-user's tokens: `key_id` names it in them, `secret` changes with the sub-user's password."""

    owner: Owner
    principal: int
    key_id: str
    secret: Secret


@dataclass(frozen=True, slots=True)
class SignedIn:
    """`must_change` means that the password is right but must be changed first; a new one has to keep the rules."""

    user: SubUser
    owner: Owner
    must_change: bool
    rules: PasswordRules = field(default_factory=PasswordRules)


class SubUserSignInRepository(Protocol):
    """Where failures and successes are counted."""

    async def candidate(self, name: str, owner_number: int | None) -> Candidate | None:
        """Of any owner if none is named. None if no sub-user has the name, or several have it."""

    async def subject(self, number: int) -> Subject | None:
        """May be cached until a change is notified."""

    async def failed(self, number: int, limit: int) -> None:
        """One more; the `limit`-th within an hour locks out for an hour, 0 never does. The number need not exist."""

    async def succeeded(self, number: int, client: str | None) -> bool:
        """Reset the failures; with `client`, record the time and the address. False if locked out meanwhile."""

    async def rehashed(self, number: int, old: str, new: str) -> None: ...
    async def change(self, number: int, revision: Revision, record: Record) -> None: ...


class SubUserSignIn:
    """`key` derives the keys that tokens are sealed with; it is the same on every replica."""

    def __init__(
        self,
        repository: SubUserSignInRepository,
        passwords: Passwords,
        ruled: RuledPasswords,
        key: Secret,
    ) -> None:
        self._repository = repository
        self._passwords = passwords
        self._ruled = ruled
        self._key = key

    async def at_console(self, owner_number: int, name: str, password: Secret, client: str) -> SignedIn:
        """The owner's sub-user behind a right name and password; the sign-in is noted, with the client's address.

        CREDENTIALS_INVALID, whatever is wrong; HASHING_BUSY.
        """
        return await self._proven(name, password, client, owner_number)

    async def sign_in(self, name: str, password: Secret) -> SubUserTokenKey:
        """For a token. CREDENTIALS_INVALID, also for a password that must be changed first; HASHING_BUSY."""
        signed_in = await self._proven(name, password, None)
        if signed_in.must_change:
            subject = SignInSubject(name, signed_in.owner.id, signed_in.user.number)
            raise WrongPassword(subject, "the password must be changed first")
        return self._token_key(Subject(signed_in.user, signed_in.owner))

    async def token_key(self, key_id: str) -> SubUserTokenKey | None:
        """Of a token that was issued after `sign_in`; None if the sub-user was deleted, or must change
        its password first."""
        number = key_id.removeprefix(_PREFIX)
        if number == key_id or not (number.isascii() and number.isdecimal() and len(number) <= 18):
            return None
        subject = await self._repository.subject(int(number))
        if subject is None or not subject.user.console_login or subject.user.password_hash is None:
            return None
        if subject.user.must_reset_password:
            return None
        return self._token_key(subject)

    async def change_password(
        self,
        user: SubUser,
        old: Secret,
        new: Secret,
        origin: Origin,
        require_admitted: Callable[[], Awaitable[None]],
    ) -> None:
        """A sub-user changes its own, having signed in. CREDENTIALS_INVALID, PASSWORD_BREAKS_RULES, HASHING_BUSY.

        `require_admitted` is the guard's (`AddressLimit.guarded`)."""
        subject = await self._repository.subject(user.number)
        proven = await self._proven(user.name, old, None, 0 if subject is None else subject.owner.number)
        if proven.user.number != user.number:
            raise Refused(Reason.CREDENTIALS_INVALID)
        await require_admitted()
        if new == old:
            raise Refused(Reason.PASSWORD_BREAKS_RULES, note="the password is the one it was")
        hashed = await self._ruled.hashed(proven.rules, new, proven.user)
        record = Record(Change.SUB_USER_UPDATE, user.name, origin, {"password": True, "own": True})
        revision = Revision(password_hash=hashed, must_reset_password=False)
        await self._repository.change(user.number, revision, record)

    async def _proven(
        self, name: str, password: Secret, client: str | None, owner_number: int | None = None
    ) -> SignedIn:
        candidate = await self._repository.candidate(name, owner_number)
        stored = _stored(candidate)
        verdict = await self._passwords.verify(stored, password)
        if candidate is None or stored is None or not verdict.matches:
            number, limit = (
                (_NO_SUB_USER, 0)
                if candidate is None
                else (candidate.user.number, candidate.rules.retry_limit)
            )
            await self._repository.failed(number, limit)
            note = "no such name, or not its password"
            if candidate is None:
                raise Refused(Reason.CREDENTIALS_INVALID, note=note)
            raise WrongPassword(_subject(candidate), note)
        user = candidate.user
        if verdict.renewed is not None:
            await self._repository.rehashed(user.number, stored, verdict.renewed)
            user = replace(user, password_hash=verdict.renewed)
        expired = _expired(user, candidate.rules)
        if expired and candidate.rules.expired_is_locked:
            raise WrongPassword(_subject(candidate), "the password has expired")
        if not await self._repository.succeeded(user.number, client):
            raise WrongPassword(_subject(candidate), "locked out")
        must_change = user.must_reset_password or expired
        return SignedIn(user, candidate.owner, must_change, candidate.rules)

    def _token_key(self, subject: Subject) -> SubUserTokenKey:
        """Its secret changes when the password is changed, or hashed again."""
        number = subject.user.number
        message = f"{number}:{subject.user.password_hash}".encode()
        secret = hmac.digest(self._key.reveal().encode(), message, "sha256").hex()
        return SubUserTokenKey(subject.owner, number, f"{_PREFIX}{number}", Secret(secret))


class TokenSignIn(Protocol):
    async def sign_in(self, name: str, password: Secret) -> SubUserTokenKey: ...
    async def token_key(self, key_id: str) -> SubUserTokenKey | None: ...


class SubUserPasswords:
    """Authenticates by a sub-user's name and password, and by the tokens that were bought with them."""

    def __init__(self, sign_in: TokenSignIn, addresses: AddressLimit) -> None:
        self._sign_in = sign_in
        self._addresses = addresses

    async def authenticate(self, presented: Presented) -> Proven | None:
        """CREDENTIALS_INVALID, HASHING_BUSY, RATE_EXCEEDED; what the claim raises."""
        claim = presented.claim
        if isinstance(claim, PasswordClaim):
            key = await self._signed_in(claim, presented)
            return Proven(_caller(key), claim.verified(key.key_id, key.secret))
        token_key = await self._sign_in.token_key(claim.access_key_id)
        if token_key is None:
            return None
        return Proven(_caller(token_key), claim.prove(token_key.secret, presented.now))

    async def _signed_in(self, claim: PasswordClaim, presented: Presented) -> SubUserTokenKey:
        """Failures from an unknown address are neither limited nor recorded."""
        name, password, client = claim.access_key_id, claim.shown, presented.client
        if not client:
            return await self._sign_in.sign_in(name, password)
        now = datetime.fromtimestamp(presented.now, UTC)
        async with self._addresses.guarded(client, now, presented.source) as attempt:
            key = await self._sign_in.sign_in(name, password)
            attempt.subject = SignInSubject(name, key.owner.id, key.principal)
            return key


def _caller(key: SubUserTokenKey) -> Caller:
    return Caller(key.owner.id, key.owner.number, key.owner.app_id, key.principal, key.key_id)


def _subject(candidate: Candidate) -> SignInSubject:
    return SignInSubject(candidate.user.name, candidate.owner.id, candidate.user.number)


def _stored(candidate: Candidate | None) -> str | None:
    """The hash to compare with; None where no password opens anything now."""
    if candidate is None or candidate.locked or not candidate.user.console_login:
        return None
    return candidate.user.password_hash


def _expired(user: SubUser, rules: PasswordRules) -> bool:
    if not rules.change_every_days or user.password_changed_at is None:
        return False
    return ambient.now() - user.password_changed_at >= timedelta(days=rules.change_every_days)
