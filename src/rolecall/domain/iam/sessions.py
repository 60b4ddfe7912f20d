"""Temporary credentials: nothing is stored; the session token holds the whole session, sealed.

A token opens only beside its own key id and under a listed master key. It is refused when it has expired, when the
permanent key that all began with was disabled or deleted (and so with its sub-user), and when the role is gone.
"""

from __future__ import annotations

import base64
import binascii
import json
import string
from dataclasses import dataclass
from typing import Protocol

from rolecall import ambient
from rolecall.domain.access.authenticator import Presented, Proven
from rolecall.domain.access.keys import LONGEST_KEY_ID, KeyRepository
from rolecall.domain.iam.model import Role
from rolecall.domain.iam.role_commands import IssuedSession
from rolecall.domain.reasons import Reason, Refused
from rolecall.domain.secrets.sealing import SealBroken, Sealer
from rolecall.values import KEY_PREFIX, Caller, PasswordClaim, Secret, Session

_ALPHABET = string.ascii_letters + string.digits
_ID_CHARACTERS = 64
_SECRET_CHARACTERS = 44
_LONGEST_TOKEN = 32 * 1024
"""Characters: a session with the longest policy takes less."""

assert len(KEY_PREFIX) + _ID_CHARACTERS > LONGEST_KEY_ID  # noqa: S101 - permanent and temporary ids differ in length


@dataclass(frozen=True, slots=True)
class OpenedSession:
    """Temporary credentials, opened: the caller that they are, and the secret that signs."""

    caller: Caller
    secret: Secret


class ActiveRoles(Protocol):
    """Roles are looked up at every call with a session of theirs."""

    async def role_by_id(self, owner_id: int, role_id: int) -> Role | None: ...


class SessionCredentials:
    """Issues temporary credentials, and authenticates by them."""

    def __init__(self, sealer: Sealer, keys: KeyRepository, roles: ActiveRoles) -> None:
        self._sealer = sealer
        self._keys = keys
        self._roles = roles

    def issue(self, caller: Caller, expires_at: int) -> IssuedSession:
        """Credentials of a caller with a session."""
        session = caller.session
        assert session is not None  # noqa: S101 - that is what is lent
        key_id, secret = KEY_PREFIX + _random(_ID_CHARACTERS), _random(_SECRET_CHARACTERS)
        content = {
            "secret": secret,
            "expires": expires_at,
            "owner": [caller.owner_id, caller.owner_number, caller.app_id],
            "principal": caller.principal,
            "session": [
                session.name,
                session.policy,
                session.role,
                session.taken_by,
                session.key_id,
                session.chain_ends,
            ],
        }
        sealed = self._sealer.seal(Secret(json.dumps(content)), _purpose(key_id))
        token = base64.urlsafe_b64encode(sealed).decode().rstrip("=")
        return IssuedSession(key_id, Secret(secret), Secret(token), expires_at)

    async def authenticate(self, presented: Presented) -> Proven | None:
        """TOKEN_INVALID, also for a temporary key without its session token; what the claim raises."""
        claim = presented.claim
        is_temporary = len(claim.access_key_id) > LONGEST_KEY_ID
        if claim.token is None:
            if (
                is_temporary
                and claim.access_key_id.startswith(KEY_PREFIX)
                and not isinstance(claim, PasswordClaim)
            ):
                raise Refused(Reason.TOKEN_INVALID, note="a temporary key without its session token")
            return None
        if not is_temporary:
            raise Refused(Reason.TOKEN_INVALID, note="a permanent key takes no session token")
        session = await self.opened(claim.access_key_id, claim.token, presented.now)
        return Proven(session.caller, claim.prove(session.secret, presented.now))

    async def opened(self, key_id: str, token: Secret, now: float) -> OpenedSession:
        """TOKEN_INVALID: not ours, of another key, expired, or of a deleted key or role."""
        content = json.loads(self._open(key_id, token.reveal()).reveal())
        if content["expires"] <= now:
            raise _invalid("expired")
        owner_id, owner_number, app_id = content["owner"]
        session = Session(*content["session"])
        caller = Caller(owner_id, owner_number, app_id, content["principal"], key_id, session)
        await self._require_active(caller, session)
        return OpenedSession(caller, Secret(content["secret"]))

    def _open(self, key_id: str, token: str) -> Secret:
        try:
            if len(token) > _LONGEST_TOKEN or not token.isascii():
                raise _invalid("not ours")
            sealed = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
            return self._sealer.open(sealed, _purpose(key_id))
        except (SealBroken, binascii.Error, ValueError):
            raise _invalid("not ours, or of another key") from None

    async def _require_active(self, caller: Caller, session: Session) -> None:
        key = await self._keys.key(session.key_id)
        if key is None or not key.active:
            raise _invalid("the key it was taken with is disabled or deleted")
        if session.role and await self._roles.role_by_id(caller.owner_id, caller.principal) is None:
            raise _invalid("the role is deleted")


def _invalid(why: str) -> Refused:
    return Refused(Reason.TOKEN_INVALID, note=f"temporary credentials: {why}")


def _purpose(key_id: str) -> str:
    return f"session token:{key_id}"


def _random(characters: int) -> str:
    return ambient.random_text(_ALPHABET, characters)
