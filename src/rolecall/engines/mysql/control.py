"""The control schema: what Rolecall stores on the server itself, beside the accounts.

Account statements commit one by one here and MariaDB's accounts cannot hold a comment, so the marker of an operation is
a row in an InnoDB table. It is written *before* a change, with the desired state, and closed after it. Comparing an
open row with the actual state tells whether the change happened. Passwords in it are digests of hashes. An account that
is being created carries a mark itself (`statements.MAKING`); its row is written once, while it still does.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from rolecall.domain.engine import AccountFacts
from rolecall.domain.engine.identity import FIRST
from rolecall.engines.mysql import quoting

SCHEMA = "rolecall_control"

_ACCOUNTS = """
CREATE TABLE IF NOT EXISTS {schema}.accounts (
    user VARCHAR(128) NOT NULL, host VARCHAR(255) NOT NULL,
    done VARCHAR(36) NOT NULL DEFAULT '', earlier VARCHAR(400) NOT NULL DEFAULT '',
    begun VARCHAR(36) NOT NULL DEFAULT '', wanted LONGTEXT NOT NULL,
    identity VARCHAR(36) NOT NULL DEFAULT '', orders VARCHAR(200) NOT NULL DEFAULT '',
    PRIMARY KEY (user, host)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin
"""
_DATABASES = """
CREATE TABLE IF NOT EXISTS {schema}.`databases` (
    name VARCHAR(64) NOT NULL PRIMARY KEY, operation VARCHAR(36) NOT NULL
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin
"""
_AWAITED = """
CREATE TABLE IF NOT EXISTS {schema}.awaited (
    name VARCHAR(64) NOT NULL, user VARCHAR(128) NOT NULL, host VARCHAR(255) NOT NULL,
    PRIMARY KEY (name, user, host)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin
"""


UNTIL_FINISHED: Mapping[str, object] = {"unfinished": True}
"""As the desired state of a change of which the account does not show whether it is whole: it counts once finished."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A row of ``accounts``: operations that are done, the last first, and one that was begun, if any.

    `wanted` has, as far as they change: ``auth`` (digest of the hash), ``locked``, ``kind``, ``grants``
    (template by database, None for none), or `UNTIL_FINISHED`; and the ``order`` of the operation. `orders` are those
    of `done`.
    `identity` is the operation that made the account, or that of its adoption (`adopt`).
    """

    done: tuple[UUID, ...] = ()
    begun: UUID | None = None
    wanted: Mapping[str, Any] = field(default_factory=dict)
    identity: str = ""
    orders: tuple[int, ...] = ()


def making(schema: str) -> tuple[str, ...]:
    """Statements that create the control schema if it is missing; they can be repeated."""
    name = quoting.name(schema)
    return (
        f"CREATE DATABASE IF NOT EXISTS {name} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
        _ACCOUNTS.replace("{schema}", name),
        _DATABASES.replace("{schema}", name),
        _AWAITED.replace("{schema}", name),
    )


def mark(row: Sequence[str | None]) -> Mark:
    """A mark from ``done, earlier, begun, wanted, identity, orders``, which are all None without a row.

    The identity of a row older than identities is the oldest operation in it.
    """
    done, earlier, begun, wanted, identity, orders = row
    if done is None:
        return Mark()
    operations = [operation for operation in (done, *(earlier or "").split(",")) if operation]
    numbers = [int(order) for order in (orders or "").split(",") if order]
    return Mark(
        done=tuple(map(UUID, operations)),
        begun=UUID(begun) if begun else None,
        wanted=json.loads(wanted) if wanted and wanted != "{}" else {},
        identity=identity or (operations[-1] if operations else ""),
        orders=(*numbers, *[FIRST] * len(operations))[: len(operations)],
    )


def has_identities(schema: str) -> str:
    """A query that has no rows if the table of accounts is older than identities (`adding_identities`)."""
    return (
        f"SELECT 1 FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = {quoting.text(schema)}"
        " AND TABLE_NAME = 'accounts' AND COLUMN_NAME = 'identity'"
    )


def adding_identities(schema: str) -> str:
    return (
        f"ALTER TABLE {quoting.name(schema)}.accounts ADD COLUMN identity VARCHAR(36) NOT NULL DEFAULT '',"
        " ADD COLUMN orders VARCHAR(200) NOT NULL DEFAULT ''"
    )


def made(schema: str, operations: Mapping[tuple[str, str], UUID]) -> str:
    """Note the operations that create some accounts, by name and host, over the rows of earlier accounts."""
    rows = ", ".join(
        f"({quoting.text(user)}, {quoting.text(host)}, {quoting.text(str(operation))}, '{{}}',"
        f" {quoting.text(str(operation))})"
        for (user, host), operation in operations.items()
    )
    return (
        f"INSERT INTO {quoting.name(schema)}.accounts (user, host, done, wanted, identity) VALUES {rows}"
        " ON DUPLICATE KEY UPDATE done = VALUES(done), earlier = '', begun = '', wanted = VALUES(wanted),"
        " identity = VALUES(identity), orders = ''"
    )


def adopt(schema: str, user: str, host: str, identity: UUID) -> str:
    """Give an identity to an account that SQL created. The caller holds its lock, and has seen that it has none."""
    return (
        f"INSERT INTO {quoting.name(schema)}.accounts (user, host, wanted, identity)"
        f" VALUES ({quoting.text(user)}, {quoting.text(host)}, '{{}}', {quoting.text(str(identity))})"
        " ON DUPLICATE KEY UPDATE identity = VALUES(identity)"
    )


def begin(schema: str, user: str, host: str, after: AccountFacts, wanted: Mapping[str, object]) -> str:
    """Note what the last operation of `after` is about to do; earlier operations stay known."""
    identity = quoting.text(after.identity or str(after.marker))
    values = (
        f"{quoting.text(str(after.marker))}, {quoting.text(json.dumps({**wanted, 'order': after.order}))}"
    )
    return (
        f"INSERT INTO {quoting.name(schema)}.accounts (user, host, begun, wanted, identity)"
        f" VALUES ({quoting.text(user)}, {quoting.text(host)}, {values}, {identity})"
        " ON DUPLICATE KEY UPDATE begun = VALUES(begun), wanted = VALUES(wanted), identity = VALUES(identity)"
    )


def finish(schema: str, user: str, host: str, after: AccountFacts) -> str:
    """Note that the last operation of `after` is done."""
    earlier, orders = ",".join(map(str, after.earlier)), ",".join(map(str, after.orders))
    return (
        f"UPDATE {quoting.name(schema)}.accounts SET done = {quoting.text(str(after.marker))},"
        f" earlier = {quoting.text(earlier)}, orders = {quoting.text(orders)}, begun = '', wanted = '{{}}'"
        f" WHERE {_key(user, host)}"
    )


def forget(schema: str, user: str, host: str) -> str:
    return f"DELETE FROM {quoting.name(schema)}.accounts WHERE {_key(user, host)}"


def digest(verifier: str) -> str:
    """What represents a hash in ``wanted``; the server computes the same with SHA2(..., 256)."""
    return hashlib.sha256(verifier.encode()).hexdigest()


def begin_database(schema: str, name: str, operation: UUID) -> str:
    return (
        f"REPLACE INTO {quoting.name(schema)}.`databases` (name, operation)"
        f" VALUES ({quoting.text(name)}, {quoting.text(str(operation))})"
    )


def database(schema: str, name: str) -> str:
    return f"SELECT operation FROM {quoting.name(schema)}.`databases` WHERE name = {quoting.text(name)}"


def forget_database(schema: str, name: str) -> str:
    return f"DELETE FROM {quoting.name(schema)}.`databases` WHERE name = {quoting.text(name)}"


def await_database(schema: str, name: str, user: str, host: str) -> str:
    """Note that a grant on a missing database is meant for a future one, and not left over from a dropped one."""
    values = ", ".join(map(quoting.text, (name, user, host)))
    return f"REPLACE INTO {quoting.name(schema)}.awaited (name, user, host) VALUES ({values})"


def awaiting(schema: str, name: str) -> str:
    return f"SELECT user, host FROM {quoting.name(schema)}.awaited WHERE name = {quoting.text(name)}"


def forget_awaiting(schema: str, name: str) -> str:
    """For a database that exists now, or is not awaited any more."""
    return f"DELETE FROM {quoting.name(schema)}.awaited WHERE name = {quoting.text(name)}"


def forget_awaited(schema: str, user: str, host: str, name: str | None = None) -> str:
    """For an account that was dropped, or one database that was revoked from it."""
    only = "" if name is None else f" AND name = {quoting.text(name)}"
    return f"DELETE FROM {quoting.name(schema)}.awaited WHERE {_key(user, host)}{only}"


def move_awaited(schema: str, user: str, host: str, new_user: str, new_host: str) -> str:
    return (
        f"UPDATE {quoting.name(schema)}.awaited SET user = {quoting.text(new_user)},"
        f" host = {quoting.text(new_host)} WHERE {_key(user, host)}"
    )


def _key(user: str, host: str) -> str:
    return f"user = {quoting.text(user)} AND host = {quoting.text(host)}"
