"""Codes and tokens: issued, shown, used once, and revoked with everything that descends from them.

Access tokens are opaque and short-lived. A refresh token is good for one use and is answered with its successor; one
that is used again was stolen, or its thief used it first: then the whole family ends (RFC 9700 4.14.2). Whatever was
issued for a user is looked up together with the user, so that it ends with the user, at once.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from rolecall.domain.directories.login import fingerprint_of, still_valid
from rolecall.domain.directories.model import User, UserSignInRepository
from rolecall.domain.directories.provider import (
    Application,
    Code,
    Grant,
    Token,
    TokenKind,
    TokenRepository,
    TokenWithGrant,
)
from rolecall.domain.secrets import bearer
from rolecall.signin import scopes
from rolecall.signin.refusals import invalid_grant, invalid_request
from rolecall.values import Secret

CODE_LASTS = timedelta(minutes=1)
ACCESS_LASTS = timedelta(minutes=15)
REFRESH_LASTS = timedelta(days=30)
"""Without use; each use starts it again."""
GRANT_LASTS = timedelta(days=90)
"""Since the password was shown, however often it is refreshed."""

_NOT_GOOD = "the code or token is not known, has expired, was used, or belongs to another application"
_NO_FINGERPRINT = b""


@dataclass(frozen=True, slots=True)
class Issued:
    """`user` is None where an application was granted something in its own name; it has no refresh token then."""

    access: Secret
    refresh: Secret | None
    scope: str
    user: User | None
    nonce: str
    authenticated_at: datetime


class Tokens:
    def __init__(self, repository: TokenRepository, users: UserSignInRepository) -> None:
        self._repository = repository
        self._users = users

    async def code(
        self,
        application: Application,
        user: User,
        *,
        redirect_uri: str,
        scope: str,
        nonce: str,
        challenge: str,
        authenticated_at: datetime,
        now: datetime,
    ) -> Secret | None:
        """None if the user or the application was deleted."""
        fresh = bearer.fresh()
        code = Code(
            bearer.digest(fresh), application.id, user.id, uuid4(), redirect_uri, scope, nonce, challenge,
            fingerprint_of(user), authenticated_at, now + CODE_LASTS,
        )  # fmt: skip
        return fresh if await self._repository.add_code(code) else None

    async def redeem(
        self, application: Application, shown: Secret, redirect_uri: str, verifier: str, now: datetime
    ) -> Issued:
        """RFC 6749 4.1.3, RFC 7636 4.6. Raises `OAuthRefused`."""
        code = await self._repository.code(bearer.digest(shown))
        if code is None or code.application != application.id:
            raise invalid_grant(_NOT_GOOD)
        if code.used:
            await self._repository.revoke_grant(code.grant_id)
            raise invalid_grant(_NOT_GOOD)
        if code.expires_at <= now:
            raise invalid_grant(_NOT_GOOD)
        if code.redirect_uri != redirect_uri:
            raise invalid_grant("the redirect_uri is not the one that the code was issued for")
        _check_verifier(code.challenge, verifier)
        user = await self._standing(application.store_id, code.user_id, code.fingerprint)
        grant = Grant(
            code.grant_id, application.id, user.id, code.scope, code.fingerprint, code.authenticated_at, now,
            now + REFRESH_LASTS,
        )  # fmt: skip
        access, refresh = bearer.fresh(), bearer.fresh()
        tokens = _pair(access, refresh, code.scope, now, grant.expires_at)
        if not await self._repository.redeem(code, grant, tokens, now):
            await self._repository.revoke_grant(code.grant_id)
            raise invalid_grant(_NOT_GOOD)
        return Issued(access, refresh, code.scope, user, code.nonce, code.authenticated_at)

    async def issue(self, application: Application, user: User | None, scope: str, now: datetime) -> Issued:
        """For a user who has just shown the password, or for the application itself. Raises `OAuthRefused`."""
        access = bearer.fresh()
        refresh = None if user is None else bearer.fresh()
        lasts = ACCESS_LASTS if refresh is None else REFRESH_LASTS
        grant = Grant(
            uuid4(), application.id, None if user is None else user.id, scope,
            _NO_FINGERPRINT if user is None else fingerprint_of(user), now, now, now + lasts,
        )  # fmt: skip
        if not await self._repository.add_grant(grant, _pair(access, refresh, scope, now, grant.expires_at)):
            raise invalid_grant(_NOT_GOOD)
        return Issued(access, refresh, scope, user, "", now)

    async def refresh(self, application: Application, shown: Secret, asked: str, now: datetime) -> Issued:
        """RFC 6749 6. Raises `OAuthRefused`."""
        held = await self._repository.held(bearer.digest(shown))
        if held is None or held.grant.application != application.id or held.grant.user_id is None:
            raise invalid_grant(_NOT_GOOD)
        if held.token.kind is not TokenKind.REFRESH:
            raise invalid_grant(_NOT_GOOD)
        if held.token.used:
            await self._repository.revoke_grant(held.grant.id)
            raise invalid_grant(_NOT_GOOD)
        if held.token.expires_at <= now:
            raise invalid_grant(_NOT_GOOD)
        scope = scopes.narrowed(asked, held.grant.scope)
        user = await self._standing(application.store_id, held.grant.user_id, held.grant.fingerprint)
        expires_at = min(now + REFRESH_LASTS, held.grant.created_at + GRANT_LASTS)
        access, refresh = bearer.fresh(), bearer.fresh()
        if not await self._repository.rotate(
            held, _pair(access, refresh, scope, now, expires_at), expires_at, now
        ):
            await self._repository.revoke_grant(held.grant.id)
            raise invalid_grant(_NOT_GOOD)
        return Issued(access, refresh, scope, user, "", held.grant.authenticated_at)

    async def revoke(self, application: Application, shown: Secret) -> None:
        """RFC 7009: a refresh token ends with its family, an access token alone. Raises `OAuthRefused`."""
        held = await self._repository.held(bearer.digest(shown))
        if held is None:
            return
        if held.grant.application != application.id:
            raise invalid_grant("the token belongs to another application")
        if held.token.kind is TokenKind.REFRESH:
            await self._repository.revoke_grant(held.grant.id)
        else:
            await self._repository.revoke_token(held.token.digest)

    async def live(
        self, store_id: UUID, shown: Secret, now: datetime
    ) -> tuple[TokenWithGrant, User | None] | None:
        """A token that is valid now, with its present user."""
        held = await self._repository.held(bearer.digest(shown))
        if held is None or held.token.used or held.token.expires_at <= now:
            return None
        if held.grant.user_id is None:
            return held, None
        user = await self._users.user(store_id, held.grant.user_id)
        return (held, user) if still_valid(user, held.grant.fingerprint) else None

    async def _standing(self, store_id: UUID, user_id: UUID, fingerprint: bytes) -> User:
        user = await self._users.user(store_id, user_id)
        if user is None or not still_valid(user, fingerprint):
            raise invalid_grant("the user may not sign in, or has another password now")
        return user


def _pair(
    access: Secret, refresh: Secret | None, scope: str, now: datetime, expires_at: datetime
) -> list[Token]:
    tokens = [Token(bearer.digest(access), TokenKind.ACCESS, scope, now, now + ACCESS_LASTS)]
    if refresh is not None:
        tokens.append(Token(bearer.digest(refresh), TokenKind.REFRESH, scope, now, expires_at))
    return tokens


def _check_verifier(challenge: str, verifier: str) -> None:
    if not challenge:
        if verifier:  # the challenge was removed from the request (RFC 9700 2.1.1)
            raise invalid_grant("code_verifier was sent for a code without a code_challenge")
        return
    if not verifier:
        raise invalid_request("code_verifier is missing")
    made = hashlib.sha256(verifier.encode("utf-8", "surrogatepass")).digest()
    shown = base64.urlsafe_b64encode(made).rstrip(b"=")
    if not hmac.compare_digest(shown, challenge.encode()):
        raise invalid_grant("the code_verifier does not belong to the code_challenge")
