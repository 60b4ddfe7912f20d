"""The statements that change accounts, one function each, so that a benchmark can run the same ones.

Several statements in one simple query are one transaction: the server commits after the last, or does nothing. That
saves the round trips of BEGIN and COMMIT. Source: PostgreSQL documentation, "Multiple Statements in a Simple Query".

DDL takes no bind parameters: identifiers are quoted by `sql.Identifier` after `names.fits`, and the only literals are a
name, a marker and a verifier of a known alphabet.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from datetime import datetime
from typing import LiteralString
from uuid import UUID

from psycopg import sql

from rolecall.domain.engine import AccountFacts, AccountKind, NewAccount, ObjectType, VerifierWrite
from rolecall.domain.engine.identity import EARLIER_KEPT, FIRST
from rolecall.domain.engine.roles import DefaultPrivileges
from rolecall.domain.reasons import Reason, Refused
from rolecall.engines import scram
from rolecall.values import Secret

_SUPER_ATTRIBUTES = sql.SQL("CREATEDB CREATEROLE BYPASSRLS")
_NORMAL_ATTRIBUTES = sql.SQL("NOCREATEDB NOCREATEROLE NOBYPASSRLS")

# Never ADMIN (no account grants the group to others) and never SET: privileges are inherited, identities are not.
_INHERITS: LiteralString = "WITH ADMIN FALSE, INHERIT TRUE, SET FALSE"
_MEMBERSHIP = sql.SQL("GRANT {role} TO {member} " + _INHERITS)
_LOCK = sql.SQL("SELECT pg_advisory_xact_lock({key})")
_COMMENT = sql.SQL("COMMENT ON ROLE {name} IS {marker}")
# The server hashes a malformed verifier as a plaintext: then the division fails, and the whole transaction with it.
_READ_BACK = (
    "SELECT oid, 1 / coalesce(rolpassword = {verifier}, false)::int FROM pg_authid WHERE rolname = {name}"
)

_SOON = 50
"""Milliseconds that a transaction of several accounts waits for a lock."""

_UPDATE: LiteralString = "UPDATE pg_catalog.pg_authid SET rolpassword = "
_REPLACE = sql.SQL(_UPDATE + "{verifier} WHERE oid = {oid} AND rolname = {name} RETURNING oid")


def lock_key(kind: str, name: str = "", secret: bytes = b"") -> int:
    """The key of a thing's advisory lock, a signed 64-bit number.

    Locks are taken in the maintenance database only, because keys are per database, and several in the order ``acl``,
    ``databases``, ``super``, ``role``. A keyed digest: every role that may connect can take any advisory lock, and so
    should not know the keys. `secret` has at most 64 bytes.
    """
    thing = f"rc:{kind}:{name}".encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(thing, digest_size=8, key=secret).digest(), "big", signed=True)


def lock(kind: str, name: str = "", secret: bytes = b"") -> sql.Composed:
    """Wait for the advisory lock of a thing, and hold it until the end of the transaction."""
    return _LOCK.format(key=sql.SQL(str(lock_key(kind, name, secret))))  # digits and a sign


def marker(operation: UUID, earlier: Sequence[UUID] = (), orders: Sequence[int] = ()) -> str:
    """The comment of an object: the last operation that changed it, the earlier ones, and the `orders` of all of them.

    A creation has no order. The earlier operations tell recovery that an operation was applied although another process
    has changed the account since.
    """
    if not earlier and not any(orders):
        return f'{{"rc":{{"op":"{operation}","v":1}}}}'
    content: dict[str, object] = {"op": str(operation), "v": 1}
    if earlier:
        content["was"] = list(map(str, earlier))
    if any(orders):
        content["n"] = list(orders)
    return json.dumps({"rc": content}, separators=(",", ":"))


MARKER_LIKE = '{"rc":{"op":"%'
"""Every `marker`, as a LIKE pattern."""

MARKER_LENGTH = 640
"""How many characters of a comment are read: more than any `marker` has. A tenant's comment may have a gigabyte."""

_UUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_ORDER = "[0-9]{1,17}"
_MARKER = re.compile(
    rf'\{{"rc":\{{"op":"({_UUID})","v":1(?:,"was":\[("{_UUID}"(?:,"{_UUID}"){{0,{EARLIER_KEPT - 1}}})\])?'
    rf'(?:,"n":\[({_ORDER}(?:,{_ORDER}){{0,{EARLIER_KEPT}}})\])?\}}\}}'
)


_PLAIN_NAME = re.compile("[A-Za-z0-9_$-]+", re.ASCII)
_PLAIN_TEXT = re.compile('[A-Za-z0-9_$"{}:,+/=-]+', re.ASCII)
"""What stands for itself between quotes."""

Marks = tuple[tuple[UUID, int], ...]
"""Operations with their orders, the last first."""


def marks_of(comment: str | None) -> Marks:
    """The operations in a `marker`; empty for any other comment, which a tenant may have written."""
    found = _MARKER.fullmatch(comment or "")
    if found is None:
        return ()
    last, earlier, numbers = found.groups()
    texts = (last, *(earlier or "").replace('"', "").split(","))
    operations = [UUID(text) for text in texts if text]
    orders = [int(number) for number in (numbers or "").split(",") if number]
    return tuple(zip(operations, (*orders, *[FIRST] * len(operations)), strict=False))


def operations_of(comment: str | None) -> tuple[UUID, ...]:
    """The operations in a `marker`, without their orders."""
    return tuple(operation for operation, _ in marks_of(comment))


def operation_of(comment: str | None) -> UUID | None:
    """The last operation in a `marker`; None for any other comment."""
    marks = marks_of(comment)
    return marks[0][0] if marks else None


def create_account(
    name: str,
    *,
    kind: AccountKind,
    verifier: Secret | None,
    operation: UUID,
    group: str | None,
    read_back: bool = True,
    secret: bytes = b"",
    write: VerifierWrite = VerifierWrite.STATEMENT,
) -> bytes:
    """One transaction that creates a whole account; its last row begins with the new oid.

    `group` is the role of super accounts, None on servers without one. `read_back` needs SELECT on pg_authid. `secret`
    as for `lock_key`. Text that is put together at once: `sql.SQL.format` would take ten times as long.
    """
    role = _name(name)
    create = f"CREATE ROLE {role} LOGIN"
    if kind is AccountKind.SUPER:
        create += f" {_SUPER_ATTRIBUTES.as_string()}"
    if verifier is None:
        last = f"SELECT {_text(role)}::regrole::oid"  # a third of what a look into pg_roles takes
    elif write is VerifierWrite.CATALOG:
        last = _write(role, verifier) + " RETURNING oid"
    else:
        create += f" PASSWORD {_literal(verifier)}"
        last = _verify(name, verifier) if read_back else f"SELECT {_text(role)}::regrole::oid"
    steps = [f"SELECT pg_advisory_xact_lock({lock_key('role', name, secret)})", create]
    if group is not None:
        steps.append(_membership(role, _name(group), kind))
    steps += [f"COMMENT ON ROLE {role} IS {_text(marker(operation))}", last]
    return "; ".join(steps).encode()


def create_accounts(together: Sequence[NewAccount], group: str | None, secret: bytes = b"") -> bytes:
    """One transaction that creates normal accounts, with verifiers in the catalog; its last row has their oids.

    It fails soon where it would have to wait: for the lock of one of the accounts, by a division, or for a transaction
    that uses one of the names.
    """
    keys = [lock_key("role", new.name, secret) for new in together]
    tries = ", ".join(f"1 / pg_try_advisory_xact_lock({key})::int" for key in keys)
    roles = [_name(new.name) for new in together]
    steps = [f"SET LOCAL lock_timeout = {_SOON}", f"SELECT {tries}"]
    steps += [f"CREATE ROLE {role} LOGIN" for role in roles]
    if group is not None:
        members = _name(group)
        steps.append(f"GRANT {', '.join(roles)} TO {members} {_INHERITS}")
    for new, role in zip(together, roles, strict=True):
        steps.append(f"COMMENT ON ROLE {role} IS {_text(marker(new.operation))}")
        if new.verifier is not None:
            steps.append(_write(role, new.verifier))
    steps.append("SELECT " + ", ".join(f"{_text(role)}::regrole::oid" for role in roles))
    return "; ".join(steps).encode()


def write_password(name: str, oid: int, verifier: Secret) -> sql.Composed:
    """`change_password` as an update of the catalog. No row if the role of that name is another by now."""
    return _REPLACE.format(verifier=_quoted(verifier), oid=sql.SQL(str(int(oid))), name=sql.Literal(name))


def change_password(name: str, verifier: Secret) -> sql.Composed:
    """When the account expires stays as it is."""
    return sql.SQL("ALTER ROLE {name} PASSWORD {verifier}").format(
        name=sql.Identifier(name), verifier=_quoted(verifier)
    )


def check_password(name: str, verifier: Secret) -> sql.Composed:
    """Fails unless the server stored the verifier as it was sent."""
    return sql.SQL(_READ_BACK).format(verifier=_quoted(verifier), name=sql.Literal(name))


def change_login(name: str, *, may_log_in: bool) -> sql.Composed:
    word = sql.SQL("LOGIN") if may_log_in else sql.SQL("NOLOGIN")
    return sql.SQL("ALTER ROLE {name} {word}").format(name=sql.Identifier(name), word=word)


def change_connection_limit(name: str, limit: int) -> sql.Composed:
    return sql.SQL("ALTER ROLE {} CONNECTION LIMIT {}").format(sql.Identifier(name), sql.Literal(limit))


def change_expiry(name: str, at: datetime | None) -> sql.Composed:
    """None: never."""
    until = "infinity" if at is None else at.isoformat()
    return sql.SQL("ALTER ROLE {} VALID UNTIL {}").format(sql.Identifier(name), sql.Literal(until))


def change_kind(name: str, kind: AccountKind, group: str) -> sql.Composed:
    """From either kind to `kind`. The opposite membership is revoked first; both would be a circle."""
    role, of = sql.Identifier(name), sql.Identifier(group)
    leaving = (role, of) if kind is AccountKind.SUPER else (of, role)
    joining = leaving[::-1]
    attributes = _SUPER_ATTRIBUTES if kind is AccountKind.SUPER else _NORMAL_ATTRIBUTES
    return sql.SQL("; ").join(
        (
            sql.SQL("REVOKE {} FROM {}").format(*leaving),
            sql.SQL("ALTER ROLE {} {}").format(role, attributes),
            _MEMBERSHIP.format(role=joining[0], member=joining[1]),
        )
    )


def grant_membership(role: str, member: str) -> sql.Composed:
    """`member` inherits the privileges of `role`, and nothing more (PostgreSQL 16 and later)."""
    return grant_memberships([role], member)


def grant_memberships(roles: Sequence[str], member: str) -> sql.Composed:
    several = sql.SQL(", ").join(map(sql.Identifier, roles))
    return _MEMBERSHIP.format(role=several, member=sql.Identifier(member))


def join(member: str, role: str, options: tuple[bool, bool] | None) -> sql.Composed:
    """`options`: whether it inherits, and whether it may become the role; None where the server has no options.

    ADMIN is not stated: a new membership is without it, and an account that administers the role keeps it.
    """
    given: sql.Composable = sql.SQL("")
    if options is not None:
        words = (sql.SQL("TRUE" if option else "FALSE") for option in options)
        given = sql.SQL(" WITH INHERIT {}, SET {}").format(*words)
    return sql.SQL("GRANT {} TO {}{}").format(sql.Identifier(role), sql.Identifier(member), given)


def leave(member: str, role: str, grantor: str | None) -> sql.Composed:
    by = sql.SQL("") if grantor is None else sql.SQL(" GRANTED BY {}").format(sql.Identifier(grantor))
    return sql.SQL("REVOKE {} FROM {}{}").format(sql.Identifier(role), sql.Identifier(member), by)


_PLURALS = {
    ObjectType.TABLE: "TABLES",
    ObjectType.SEQUENCE: "SEQUENCES",
    ObjectType.FUNCTION: "FUNCTIONS",
    ObjectType.TYPE: "TYPES",
    ObjectType.SCHEMA: "SCHEMAS",
}


def change_defaults(defaults: DefaultPrivileges, *, grant: bool) -> sql.Composed:
    """In the database of its session. The privileges are words of `catalog.PRIVILEGES`."""
    place = (
        sql.SQL(" IN SCHEMA {}").format(sql.Identifier(defaults.schema)) if defaults.schema else sql.SQL("")
    )
    return sql.SQL("ALTER DEFAULT PRIVILEGES FOR ROLE {}{} {} {} ON {} {} {}").format(
        sql.Identifier(defaults.owner),
        place,
        sql.SQL("GRANT" if grant else "REVOKE"),
        sql.SQL(", ").join(sql.SQL(word) for word in defaults.privileges),
        sql.SQL(_PLURALS[defaults.type]),
        sql.SQL("TO" if grant else "FROM"),
        sql.Identifier(defaults.account),
    )


def change_public(database: str, privilege: str, *, grant: bool) -> sql.Composed:
    """One of `PUBLIC_PRIVILEGES`; CREATE in the database of its session."""
    where = (
        sql.SQL("SCHEMA public")
        if privilege == "CREATE"
        else sql.SQL("DATABASE {}").format(sql.Identifier(database))
    )
    text = "GRANT {} ON {} TO PUBLIC" if grant else "REVOKE {} ON {} FROM PUBLIC"
    return sql.SQL(text).format(sql.SQL(privilege), where)


def mark(after: AccountFacts) -> sql.Composed:
    """Write the marker of a change; `after` is the account after the change."""
    assert after.marker is not None  # noqa: S101 - a change has an operation
    return _mark(after.name, marker(after.marker, after.earlier, after.orders))


def _mark(name: str, text: str) -> sql.Composed:
    return _COMMENT.format(name=sql.Identifier(name), marker=sql.Literal(text))


def take_over_database(
    name: str, administrator: str, operation: UUID, made_by: Sequence[UUID]
) -> sql.Composed:
    """Give a tenant's database to the administrator, and mark it as a tenant's, which its owner no longer shows."""
    earlier = [other for other in made_by if other != operation][-EARLIER_KEPT:]  # with the one that made it
    return sql.SQL("ALTER DATABASE {name} OWNER TO {owner}; COMMENT ON DATABASE {name} IS {marker}").format(
        name=sql.Identifier(name),
        owner=sql.Identifier(administrator),
        marker=sql.Literal(marker(operation, earlier)),
    )


def _membership(role: str, group: str, kind: AccountKind) -> str:
    """A super account belongs to the group; the group belongs to every normal account."""
    of, member = (group, role) if kind is AccountKind.SUPER else (role, group)
    return f"GRANT {of} TO {member} {_INHERITS}"


def _write(role: str, verifier: Secret) -> str:
    """Of a role that this transaction has created: its name is resolved, or that fails; no other session changes it."""
    return f"{_UPDATE}{_literal(verifier)} WHERE oid = {_text(role)}::regrole"


def _text(value: str) -> str:
    """A literal. What needs no escape is quoted here, as the driver would, in a tenth of its time."""
    return f"'{value}'" if _PLAIN_TEXT.fullmatch(value) else sql.Literal(value).as_string()


def _name(value: str) -> str:
    """The same for an identifier."""
    return f'"{value}"' if _PLAIN_NAME.fullmatch(value) else sql.Identifier(value).as_string()


def _verify(name: str, verifier: Secret) -> str:
    return _READ_BACK.format(verifier=_literal(verifier), name=_text(name))


def _literal(verifier: Secret) -> str:
    return _text(_known(verifier))


def _quoted(verifier: Secret) -> sql.Literal:
    return sql.Literal(_known(verifier))


def _known(verifier: Secret) -> str:
    if not scram.is_verifier(verifier.reveal()):
        raise Refused(Reason.ENGINE_REFUSED, note="not a SCRAM-SHA-256 verifier")
    return verifier.reveal()
