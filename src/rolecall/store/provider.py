"""The OpenID providers: applications, signing keys, authorization codes, grants and tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.abc import Params
from psycopg.errors import ForeignKeyViolation, UniqueViolation
from psycopg.rows import class_row, kwargs_row
from psycopg.sql import SQL

from rolecall.domain.directories.provider import (
    Application,
    Code,
    Grant,
    SigningKey,
    Token,
    TokenKind,
    TokenWithGrant,
)
from rolecall.store.connection import Pool
from rolecall.store.queries import load
from rolecall.store.replica import NotifiedCache, Replica

_SQL = load("provider")

MOST_CODES = 20
"""Unused authorization codes of one user."""


class PgProviderRepository:
    """Applications and signing keys are cached until they change; codes, grants and tokens are not cached."""

    def __init__(self, durable: Pool, replica: Replica) -> None:
        self._pool = durable
        self._applications: NotifiedCache[str, Application] = replica.cache("applications")
        self._signing_keys: NotifiedCache[UUID, Sequence[SigningKey]] = replica.cache("signing_keys")

    async def application(self, client_id: str) -> Application | None:
        return await self._applications.get_or_read(
            client_id,
            lambda: self._pool.row(kwargs_row(_application), _SQL["application_by_id"], (client_id,)),
        )

    async def applications(self, store_id: UUID | None = None) -> Sequence[Application]:
        return await self._pool.rows(kwargs_row(_application), _SQL["applications"], {"store": store_id})

    async def add_application(self, application: Application) -> bool:
        values = {
            **asdict(application),
            "redirect_uris": list(application.redirect_uris),
            "logout_uris": list(application.logout_uris),
        }
        added = await self._add(_SQL["add_application"], values)
        self._applications.clear()
        return added

    async def set_password_grant(self, client_id: str, *, allowed: bool) -> bool:
        query = "update applications set password_grant = %s where id = %s"
        changed = await self._pool.execute(query, (allowed, client_id))
        self._applications.clear()
        return changed == 1

    async def delete_application(self, client_id: str) -> bool:
        deleted = await self._pool.execute("delete from applications where id = %s", (client_id,))
        self._applications.clear()
        return deleted == 1

    async def signing_keys(self, store_id: UUID) -> Sequence[SigningKey]:
        keys = await self._signing_keys.get_or_read(
            store_id, lambda: self._pool.rows(class_row(SigningKey), _SQL["signing_keys"], (store_id,))
        )
        return keys or ()

    async def add_signing_key(self, key: SigningKey) -> bool:
        added = await self._add(_SQL["add_signing_key"], asdict(key))
        self._signing_keys.clear()
        return added

    async def replace_signing_key(self, key: SigningKey) -> None:
        await self._pool.execute(_SQL["replace_signing_key"], asdict(key))
        self._signing_keys.clear()

    async def add_code(self, code: Code) -> bool:
        """A user has at most `MOST_CODES` unused ones: a new one replaces the oldest of them."""
        return await self._add(_SQL["add_code_instead"], {**asdict(code), "kept": MOST_CODES - 1})

    async def code(self, digest: bytes) -> Code | None:
        return await self._pool.row(class_row(Code), _SQL["code"], (digest,))

    async def redeem(self, code: Code, grant: Grant, tokens: Sequence[Token], at: datetime) -> bool:
        values = asdict(grant) | _token_values(grant.id, tokens) | {"at": at, "code": code.digest}
        try:
            return bool(await self._pool.execute(_SQL["redeem"], values))
        except ForeignKeyViolation:
            return False

    async def add_grant(self, grant: Grant, tokens: Sequence[Token]) -> bool:
        values = asdict(grant) | _token_values(grant.id, tokens)
        return await self._add(_SQL["add_grant_with_tokens"], values)

    async def held(self, digest: bytes) -> TokenWithGrant | None:
        return await self._pool.row(kwargs_row(_held), _SQL["held"], (digest,))

    async def rotate(
        self, used: TokenWithGrant, tokens: Sequence[Token], expires_at: datetime, at: datetime
    ) -> bool:
        values = _token_values(used.grant.id, tokens)
        values |= {"at": at, "used": used.token.digest, "expires_at": expires_at}
        return bool(await self._pool.execute(_SQL["rotate"], values))

    async def revoke_grant(self, grant_id: UUID) -> None:
        await self._pool.execute("delete from token_grants where id = %s", (grant_id,))

    async def revoke_token(self, digest: bytes) -> None:
        await self._pool.execute("delete from tokens where digest = %s", (digest,))

    async def purge(self, at: datetime, keys_retired_before: datetime) -> None:
        async with self._pool.connection() as connection:
            # A used code is kept for a while, so that using it a second time revokes what was granted for it.
            await connection.execute(
                "delete from authorization_codes where expires_at < %s - interval '1 hour'", (at,)
            )
            await connection.execute("delete from token_grants where expires_at < %s", (at,))
            await connection.execute("delete from tokens where expires_at < %s", (at,))
            # The delete itself would make every replica read its keys again: look first.
            if await connection.value(
                "select 1 from signing_keys where retired_at < %s limit 1", (keys_retired_before,)
            ):
                await connection.execute(
                    "delete from signing_keys where retired_at < %s", (keys_retired_before,)
                )

    async def _add(self, query: SQL, values: Params) -> bool:
        """False if something it refers to was deleted, or a row like it exists."""
        try:
            await self._pool.execute(query, values)
        except (ForeignKeyViolation, UniqueViolation):
            return False
        return True


def _application(*, redirect_uris: Sequence[str], logout_uris: Sequence[str], **rest: Any) -> Application:
    return Application(redirect_uris=tuple(redirect_uris), logout_uris=tuple(logout_uris), **rest)


def _held(
    *,
    token_digest: bytes,
    token_kind: str,
    token_scope: str,
    token_issued_at: datetime,
    token_expires_at: datetime,
    token_used: bool,
    **grant: Any,
) -> TokenWithGrant:
    kind = TokenKind(token_kind)
    token = Token(token_digest, kind, token_scope, token_issued_at, token_expires_at, token_used)
    return TokenWithGrant(token, Grant(**grant))


def _token_values(grant_id: UUID, tokens: Sequence[Token]) -> dict[str, object]:
    return {
        "grant": grant_id,
        "digests": [token.digest for token in tokens],
        "kinds": [token.kind.value for token in tokens],
        "scopes": [token.scope for token in tokens],
        "issued": [token.issued_at for token in tokens],
        "expiring": [token.expires_at for token in tokens],
    }
