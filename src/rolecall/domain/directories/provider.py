"""What a user store's OpenID provider keeps: applications, signing keys, authorization codes, grants and tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Application:
    """A relying party. `secret_digest` None: a public client, which can keep no secret. `password_grant`: it may
    exchange a user's name and password for tokens."""

    id: str
    store_id: UUID
    name: str
    redirect_uris: tuple[str, ...]
    logout_uris: tuple[str, ...]
    secret_digest: bytes | None = field(repr=False)
    created_at: datetime
    password_grant: bool = False

    @property
    def public(self) -> bool:
        return self.secret_digest is None


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A sealed RSA key in PEM. The one of a store that is not retired signs; the others are only published."""

    id: str
    store_id: UUID
    sealed: bytes = field(repr=False)
    created_at: datetime
    retired_at: datetime | None


@dataclass(frozen=True, slots=True)
class Code:
    """An authorization code. `grant_id` is of the grant that is made when it is redeemed."""

    digest: bytes = field(repr=False)
    application: str
    user_id: UUID
    grant_id: UUID
    redirect_uri: str
    scope: str
    nonce: str
    challenge: str
    fingerprint: bytes = field(repr=False)
    authenticated_at: datetime
    expires_at: datetime
    used: bool = False


@dataclass(frozen=True, slots=True)
class Grant:
    """What an application may do, for `user_id` or, where that is None, in its own name."""

    id: UUID
    application: str
    user_id: UUID | None
    scope: str
    fingerprint: bytes = field(repr=False)
    authenticated_at: datetime
    created_at: datetime
    expires_at: datetime


class TokenKind(StrEnum):
    ACCESS = "access"
    REFRESH = "refresh"


@dataclass(frozen=True, slots=True)
class Token:
    digest: bytes = field(repr=False)
    kind: TokenKind
    scope: str
    issued_at: datetime
    expires_at: datetime
    used: bool = False


@dataclass(frozen=True, slots=True)
class TokenWithGrant:
    """A token with the grant it descends from."""

    token: Token
    grant: Grant


class ApplicationRepository(Protocol):
    async def application(self, client_id: str) -> Application | None: ...
    async def applications(self, store_id: UUID | None = None) -> Sequence[Application]: ...
    async def add_application(self, application: Application) -> bool:
        """False if the store has another of that name, or there is no such store."""

    async def set_password_grant(self, client_id: str, *, allowed: bool) -> bool:
        """False if there is no such application."""

    async def delete_application(self, client_id: str) -> bool:
        """With all codes and tokens it has. False if there is none."""


class SigningKeyRepository(Protocol):
    async def signing_keys(self, store_id: UUID) -> Sequence[SigningKey]:
        """The newest first."""

    async def add_signing_key(self, key: SigningKey) -> bool:
        """False if the store has one that is not retired."""

    async def replace_signing_key(self, key: SigningKey) -> None:
        """The one before is retired from the new one's `created_at` on."""


class TokenRepository(Protocol):
    """What is added for a user or an application that is there no more is not added: False."""

    async def add_code(self, code: Code) -> bool: ...
    async def code(self, digest: bytes) -> Code | None: ...
    async def redeem(self, code: Code, grant: Grant, tokens: Sequence[Token], at: datetime) -> bool:
        """Mark the code as used, and add the grant. False if it was used meanwhile."""

    async def add_grant(self, grant: Grant, tokens: Sequence[Token]) -> bool: ...
    async def held(self, digest: bytes) -> TokenWithGrant | None: ...
    async def rotate(
        self, used: TokenWithGrant, tokens: Sequence[Token], expires_at: datetime, at: datetime
    ) -> bool:
        """Mark the refresh token as used, and add its successors. False if it was used meanwhile."""

    async def revoke_grant(self, grant_id: UUID) -> None: ...
    async def revoke_token(self, digest: bytes) -> None: ...
    async def purge(self, at: datetime, keys_retired_before: datetime) -> None:
        """Forget what has expired."""


class ProviderRepository(ApplicationRepository, SigningKeyRepository, TokenRepository, Protocol):
    """All of it."""
