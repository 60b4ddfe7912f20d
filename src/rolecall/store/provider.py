"""The OpenID providers' tables: applications, signing keys, authorization codes, grants and tokens."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.errors import ForeignKeyViolation, UniqueViolation

from rolecall.domain.directories.provider import (
    Application,
    Code,
    Grant,
    SigningKey,
    Token,
    TokenKind,
    TokenWithGrant,
)
from rolecall.store.connection import Pool, Row
from rolecall.store.replica import NotifiedCache, Replica

_APPLICATION = (
    "select id, store_id, name, redirect_uris, logout_uris, secret_digest, created_at, password_grant"
    " from applications"
)
_KEY = "select id, store_id, sealed_key, created_at, retired_at from signing_keys"
_GRANT_FIELDS = (
    "g.id, g.application, g.user_id, g.scope, g.mark, g.authenticated_at, g.created_at, g.expires_at"
)
_INSERT_GRANT = (
    "insert into token_grants (id, application, user_id, scope, mark, authenticated_at, created_at, expires_at)"
    " values (%s, %s, %s, %s, %s, %s, %s, %s)"
)
_INSERT_TOKENS = (
    "insert into tokens (digest, grant_id, kind, scope, issued_at, expires_at)"
    " select digest, %s, kind, scope, issued_at, expires_at from unnest("
    "%s::bytea[], %s::text[], %s::text[], %s::timestamptz[], %s::timestamptz[])"
    " as new (digest, kind, scope, issued_at, expires_at)"
)


MOST_CODES = 20
"""Unused authorization codes of one user."""


class PgProviderRepository:
    """Applications and signing keys are remembered until somebody changes them; the rest is always read anew."""

    def __init__(self, durable: Pool, replica: Replica) -> None:
        self._pool = durable
        self._applications: NotifiedCache[str, Application] = replica.cache()
        self._signing_keys: NotifiedCache[UUID, Sequence[SigningKey]] = replica.cache()

    async def application(self, client_id: str) -> Application | None:
        async def read() -> Application | None:
            rows = await self._rows(f"{_APPLICATION} where id = %s", client_id)
            return _application(rows[0]) if rows else None

        return await self._applications.get_or_read(client_id, read)

    async def applications(self, store_id: UUID | None = None) -> Sequence[Application]:
        rows = await self._rows(
            f"{_APPLICATION} where %s::uuid is null or store_id = %s order by created_at, id",
            store_id, store_id,
        )  # fmt: skip
        return [_application(row) for row in rows]

    async def add_application(self, application: Application) -> bool:
        added = await self._add(
            "insert into applications (id, store_id, name, redirect_uris, logout_uris, secret_digest, created_at,"
            " password_grant) values (%s, %s, %s, %s, %s, %s, %s, %s)",
            application.id, application.store_id, application.name, list(application.redirect_uris),
            list(application.logout_uris), application.secret_digest, application.created_at,
            application.password_grant,
        )  # fmt: skip
        self._applications.clear()
        return added

    async def set_password_grant(self, client_id: str, *, allowed: bool) -> bool:
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                "update applications set password_grant = %s where id = %s", (allowed, client_id)
            )
        self._applications.clear()
        return cursor.rowcount == 1

    async def delete_application(self, client_id: str) -> bool:
        async with self._pool.connection() as connection:
            cursor = await connection.execute("delete from applications where id = %s", (client_id,))
        self._applications.clear()
        return cursor.rowcount == 1

    async def signing_keys(self, store_id: UUID) -> Sequence[SigningKey]:
        async def read() -> Sequence[SigningKey]:
            rows = await self._rows(f"{_KEY} where store_id = %s order by created_at desc", store_id)
            return [
                SigningKey(key_id, store, bytes(sealed), *times) for key_id, store, sealed, *times in rows
            ]

        return await self._signing_keys.get_or_read(store_id, read) or ()

    async def add_signing_key(self, key: SigningKey) -> bool:
        added = await self._add(
            "insert into signing_keys (id, store_id, sealed_key, created_at) values (%s, %s, %s, %s)",
            key.id, key.store_id, key.sealed, key.created_at,
        )  # fmt: skip
        self._signing_keys.clear()
        return added

    async def replace_signing_key(self, key: SigningKey) -> None:
        async with self._pool.connection() as connection, connection.transaction():
            await connection.execute(
                "update signing_keys set retired_at = %s where store_id = %s and retired_at is null",
                (key.created_at, key.store_id),
            )
            await connection.execute(
                "insert into signing_keys (id, store_id, sealed_key, created_at) values (%s, %s, %s, %s)",
                (key.id, key.store_id, key.sealed, key.created_at),
            )
        self._signing_keys.clear()

    async def add_code(self, code: Code) -> bool:
        """A user has `MOST_CODES` that were not used at most: the oldest of them goes when one more comes."""
        await self._forget_codes(code.user_id)
        return await self._add(
            "insert into authorization_codes (digest, application, user_id, grant_id, redirect_uri, scope, nonce,"
            " challenge, mark, authenticated_at, expires_at) values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            code.digest, code.application, code.user_id, code.grant_id, code.redirect_uri, code.scope, code.nonce,
            code.challenge, code.fingerprint, code.authenticated_at, code.expires_at,
        )  # fmt: skip

    async def _forget_codes(self, user_id: UUID) -> None:
        async with self._pool.connection() as connection:
            await connection.execute(
                "delete from authorization_codes where digest in (select digest from authorization_codes"
                " where user_id = %s and used_at is null order by expires_at desc, digest offset %s)",
                (user_id, MOST_CODES - 1),
            )

    async def code(self, digest: bytes) -> Code | None:
        rows = await self._rows(
            "select application, user_id, grant_id, redirect_uri, scope, nonce, challenge, mark, authenticated_at,"
            " expires_at, used_at is not null from authorization_codes where digest = %s",
            digest,
        )
        if not rows:
            return None
        application, user_id, grant_id, redirect_uri, scope, nonce, challenge, fingerprint, *rest = rows[0]
        return Code(
            digest,
            application,
            user_id,
            grant_id,
            redirect_uri,
            scope,
            nonce,
            challenge,
            bytes(fingerprint),
            *rest,
        )

    async def redeem(self, code: Code, grant: Grant, tokens: Sequence[Token], at: datetime) -> bool:
        try:
            async with self._pool.connection() as connection, connection.transaction():
                cursor = await connection.execute(
                    "update authorization_codes set used_at = %s where digest = %s and used_at is null",
                    (at, code.digest),
                )
                if cursor.rowcount == 0:
                    return False
                await connection.execute(_INSERT_GRANT, _grant_values(grant))
                await connection.execute(_INSERT_TOKENS, _token_values(grant.id, tokens))
        except ForeignKeyViolation:
            return False
        return True

    async def add_grant(self, grant: Grant, tokens: Sequence[Token]) -> bool:
        return await self._add(
            f"with granted as ({_INSERT_GRANT}) {_INSERT_TOKENS}",
            *_grant_values(grant), *_token_values(grant.id, tokens),
        )  # fmt: skip

    async def held(self, digest: bytes) -> TokenWithGrant | None:
        rows = await self._rows(
            f"select t.kind, t.scope, t.issued_at, t.expires_at, t.used_at is not null, {_GRANT_FIELDS}"
            " from tokens t join token_grants g on g.id = t.grant_id where t.digest = %s",
            digest,
        )
        if not rows:
            return None
        kind, scope, issued_at, expires_at, used, *grant = rows[0]
        return TokenWithGrant(
            Token(digest, TokenKind(kind), scope, issued_at, expires_at, used), _grant(grant)
        )

    async def rotate(
        self, used: TokenWithGrant, tokens: Sequence[Token], expires_at: datetime, at: datetime
    ) -> bool:
        async with self._pool.connection() as connection, connection.transaction():
            cursor = await connection.execute(
                "update tokens set used_at = %s where digest = %s and used_at is null",
                (at, used.token.digest),
            )
            if cursor.rowcount == 0:
                return False
            await connection.execute(
                "update token_grants set expires_at = %s where id = %s", (expires_at, used.grant.id)
            )
            await connection.execute(_INSERT_TOKENS, _token_values(used.grant.id, tokens))
        return True

    async def revoke_grant(self, grant_id: UUID) -> None:
        async with self._pool.connection() as connection:
            await connection.execute("delete from token_grants where id = %s", (grant_id,))

    async def revoke_token(self, digest: bytes) -> None:
        async with self._pool.connection() as connection:
            await connection.execute("delete from tokens where digest = %s", (digest,))

    async def purge(self, at: datetime, keys_retired_before: datetime) -> None:
        async with self._pool.connection() as connection:
            # A used code is kept for a while, so that one shown again ends what was granted on it.
            await connection.execute(
                "delete from authorization_codes where expires_at < %s - interval '1 hour'", (at,)
            )
            await connection.execute("delete from token_grants where expires_at < %s", (at,))
            await connection.execute("delete from tokens where expires_at < %s", (at,))
            # The statement itself would make every replica read its keys anew: look before.
            cursor = await connection.execute(
                "select 1 from signing_keys where retired_at < %s limit 1", (keys_retired_before,)
            )
            if await cursor.fetchone():
                await connection.execute(
                    "delete from signing_keys where retired_at < %s", (keys_retired_before,)
                )

    async def _rows(self, query: str, *values: Any) -> list[Row]:
        async with self._pool.connection() as connection:
            return await (await connection.execute(query.encode(), values)).fetchall()

    async def _add(self, statement: str, *values: Any) -> bool:
        """False if something it refers to is there no more, or something like it is there."""
        try:
            async with self._pool.connection() as connection:
                await connection.execute(statement.encode(), values)
        except (ForeignKeyViolation, UniqueViolation):
            return False
        return True


def _application(row: Row) -> Application:
    client_id, store_id, name, redirect_uris, logout_uris, secret, created_at, password_grant = row
    return Application(
        client_id, store_id, name, tuple(redirect_uris), tuple(logout_uris),
        None if secret is None else bytes(secret), created_at, password_grant,
    )  # fmt: skip


def _grant(row: Sequence[Any]) -> Grant:
    grant_id, application, user_id, scope, fingerprint, *times = row
    return Grant(grant_id, application, user_id, scope, bytes(fingerprint), *times)


def _grant_values(grant: Grant) -> tuple[Any, ...]:
    return (
        grant.id, grant.application, grant.user_id, grant.scope, grant.fingerprint, grant.authenticated_at,
        grant.created_at, grant.expires_at,
    )  # fmt: skip


def _token_values(grant_id: UUID, tokens: Sequence[Token]) -> tuple[Any, ...]:
    return (
        grant_id,
        [token.digest for token in tokens],
        [token.kind.value for token in tokens],
        [token.scope for token in tokens],
        [token.issued_at for token in tokens],
        [token.expires_at for token in tokens],
    )
