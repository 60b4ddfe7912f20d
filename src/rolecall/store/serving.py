"""Two roles for the store: one owns its tables and migrates them, another serves, and may do what serving takes.

Who serves can add audit records and read them, and neither change nor remove any: `prune_audit` runs with the rights of
the tables' owner.
"""

from __future__ import annotations

from typing import LiteralString

from psycopg import sql
from psycopg.conninfo import make_conninfo

from rolecall.exchanges import DEFAULTS, Deadlines
from rolecall.exchanges.postgresql import Connection, dial
from rolecall.values import Secret

_GRANTS: tuple[LiteralString, ...] = (
    "grant usage on schema rolecall to {role}",
    "grant select, insert, update, delete on all tables in schema rolecall to {role}",
    "grant usage on all sequences in schema rolecall to {role}",
    "grant execute on all functions in schema rolecall to {role}",
    "revoke update, delete, truncate on rolecall.audit, rolecall.audit_chain from {role}",
    "revoke insert, update, delete, truncate on rolecall.audit_checkpoints, rolecall.migrations from {role}",
)


async def permit(connection: Connection, role: str) -> None:
    """Let a role serve. The one that is connected, which owns the tables, needs nothing."""
    row = await (await connection.execute("select current_user = %s", (role,))).fetchone()
    if row is not None and not row[0]:
        for grant in _GRANTS:
            await connection.execute(sql.SQL(grant).format(role=sql.Identifier(role)))


async def make_serving_role(
    dsn: Secret, role: str, password: Secret, deadlines: Deadlines = DEFAULTS
) -> Secret:
    """Make a role that may log in and has no right yet, or give it that password; its address at the same server.

    Only the password's verifier is sent.
    """

    async def open_() -> Connection:
        return await Connection.connect(dsn.reveal(), autocommit=True)

    async with await dial(deadlines, open_) as connection:
        verifier = connection.pgconn.encrypt_password(
            password.reveal().encode(), role.encode(), b"scram-sha-256"
        ).decode()
        found = await connection.execute("select from pg_roles where rolname = %s", (role,))
        verb = sql.SQL("create role" if await found.fetchone() is None else "alter role")
        await connection.execute(
            sql.SQL(
                "{} {} login nosuperuser nocreatedb nocreaterole noreplication nobypassrls password {}"
            ).format(verb, sql.Identifier(role), sql.Literal(verifier))
        )
    return Secret(make_conninfo(dsn.reveal(), user=role, password=password.reveal()))
