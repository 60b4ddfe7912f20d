"""The control schema: what Rolecall remembers on the server itself, beside the accounts.

Account statements commit one by one here and MariaDB's accounts have no room for a comment, so the marker of an
operation is a row in an InnoDB table. It is written *before* a change with what is wanted, and closed after it:
whoever finds an open row compares what is wanted with what is, and so knows whether the change happened. The
passwords in it are digests of hashes. An account in the making bears a mark itself (`statements.MAKING`); its row is
written once, while it still does.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from rolecall.engines.mysql import quoting

SCHEMA = "rolecall_control"

EARLIER_KEPT = 8
"""How many operations before the last one a mark remembers."""

_ACCOUNTS = """
CREATE TABLE IF NOT EXISTS {schema}.accounts (
    user VARCHAR(128) NOT NULL, host VARCHAR(255) NOT NULL,
    done VARCHAR(36) NOT NULL DEFAULT '', earlier VARCHAR(400) NOT NULL DEFAULT '',
    begun VARCHAR(36) NOT NULL DEFAULT '', wanted LONGTEXT NOT NULL,
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


@dataclass(frozen=True, slots=True)
class Mark:
    """A row of ``accounts``: operations that are done, the last first, and one that was begun, if any.

    `wanted` has, as far as they were to change: ``auth`` (digest of the hash), ``locked``, ``kind``, ``grants``
    (template by database, None for none).
    """

    done: tuple[UUID, ...] = ()
    begun: UUID | None = None
    wanted: Mapping[str, Any] = field(default_factory=dict)


def making(schema: str) -> tuple[str, ...]:
    """Statements that make the control schema where it is missing; harmless to repeat."""
    name = quoting.name(schema)
    return (
        f"CREATE DATABASE IF NOT EXISTS {name} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
        _ACCOUNTS.replace("{schema}", name),
        _DATABASES.replace("{schema}", name),
        _AWAITED.replace("{schema}", name),
    )


def mark(row: Sequence[str | None]) -> Mark:
    """A mark from ``done, earlier, begun, wanted``, all None where there is no row."""
    done, earlier, begun, wanted = row
    if done is None:
        return Mark()
    operations = [done, *(earlier or "").split(",")]
    return Mark(
        done=tuple(UUID(one) for one in operations if one),
        begun=UUID(begun) if begun else None,
        wanted=json.loads(wanted or "{}"),
    )


def made(schema: str, operations: Mapping[tuple[str, str], UUID]) -> str:
    """Note the operations that make some accounts, by name and host; what stood there is of earlier accounts."""
    rows = ", ".join(
        f"({quoting.text(user)}, {quoting.text(host)}, {quoting.text(str(operation))}, '{{}}')"
        for (user, host), operation in operations.items()
    )
    return (
        f"INSERT INTO {quoting.name(schema)}.accounts (user, host, done, wanted) VALUES {rows}"
        " ON DUPLICATE KEY UPDATE done = VALUES(done), earlier = '', begun = '', wanted = VALUES(wanted)"
    )


def begin(schema: str, user: str, host: str, operation: UUID, wanted: Mapping[str, object]) -> str:
    """Note what an operation is about to do; the operations done before stay known."""
    values = f"{quoting.text(str(operation))}, {quoting.text(json.dumps(wanted))}"
    return (
        f"INSERT INTO {quoting.name(schema)}.accounts (user, host, begun, wanted)"
        f" VALUES ({quoting.text(user)}, {quoting.text(host)}, {values})"
        " ON DUPLICATE KEY UPDATE begun = VALUES(begun), wanted = VALUES(wanted)"
    )


def finish(schema: str, user: str, host: str, operation: UUID, before: Sequence[UUID]) -> str:
    """Note that the operation is done. `before` are those done earlier, the last first."""
    earlier = ",".join(str(one) for one in [one for one in before if one != operation][:EARLIER_KEPT])
    return (
        f"UPDATE {quoting.name(schema)}.accounts SET done = {quoting.text(str(operation))},"
        f" earlier = {quoting.text(earlier)}, begun = '', wanted = '{{}}' WHERE {_key(user, host)}"
    )


def forget(schema: str, user: str, host: str) -> str:
    return f"DELETE FROM {quoting.name(schema)}.accounts WHERE {_key(user, host)}"


def digest(verifier: str) -> str:
    """What stands for a hash in ``wanted``; the server computes the same with SHA2(..., 256)."""
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
    """Note that a grant on a database that is not there is meant for the one to come, and not left of one gone."""
    values = ", ".join(map(quoting.text, (name, user, host)))
    return f"REPLACE INTO {quoting.name(schema)}.awaited (name, user, host) VALUES ({values})"


def awaiting(schema: str, name: str) -> str:
    return f"SELECT user, host FROM {quoting.name(schema)}.awaited WHERE name = {quoting.text(name)}"


def forget_awaiting(schema: str, name: str) -> str:
    """For a database that is there now, or is not wanted any more."""
    return f"DELETE FROM {quoting.name(schema)}.awaited WHERE name = {quoting.text(name)}"


def forget_awaited(schema: str, user: str, host: str, name: str | None = None) -> str:
    """For an account that is gone, or one database that was taken from it."""
    only = "" if name is None else f" AND name = {quoting.text(name)}"
    return f"DELETE FROM {quoting.name(schema)}.awaited WHERE {_key(user, host)}{only}"


def move_awaited(schema: str, user: str, host: str, new_user: str, new_host: str) -> str:
    return (
        f"UPDATE {quoting.name(schema)}.awaited SET user = {quoting.text(new_user)},"
        f" host = {quoting.text(new_host)} WHERE {_key(user, host)}"
    )


def _key(user: str, host: str) -> str:
    return f"user = {quoting.text(user)} AND host = {quoting.text(host)}"
