"""Two roles for the store: one owns its tables and migrates them, another serves, with the rights that serving needs.

The serving role can add and read audit records, and neither change nor remove any: `prune_audit` runs with the rights
of the tables' owner.
"""

from __future__ import annotations

from functools import partial

from psycopg import sql
from psycopg.conninfo import make_conninfo

from rolecall.exchanges import DEFAULTS, Deadlines
from rolecall.exchanges.postgresql import Connection, dial
from rolecall.store.connection import connect
from rolecall.values import Secret

_GRANTS = (
    "grant usage on schema rolecall to {role}",
    "grant select, insert, update, delete on all tables in schema rolecall to {role}",
    "grant usage on all sequences in schema rolecall to {role}",
    "grant execute on all functions in schema rolecall to {role}",
    "revoke update, delete, truncate on rolecall.audit, rolecall.audit_chain from {role}",
    "revoke insert, update, delete, truncate on rolecall.audit_checkpoints, rolecall.migrations from {role}",
)


async def permit(connection: Connection, role: str) -> None:
    """Grant a role what it needs to serve; nothing to the connected role, which owns the tables."""
    if not await connection.value("select current_user = %s", (role,)):
        for grant in _GRANTS:
            await connection.execute(sql.SQL(grant).format(role=sql.Identifier(role)))


async def make_serving_role(
    dsn: Secret, role: str, password: Secret, deadlines: Deadlines = DEFAULTS
) -> Secret:
    """Make a role that may log in and has no rights yet, or set its password; returns its address at the same server.

    Only the password's verifier is sent.
    """
    async with await dial(deadlines, partial(connect, dsn)) as connection:
        verifier = connection.pgconn.encrypt_password(
            password.reveal().encode(), role.encode(), b"scram-sha-256"
        ).decode()
        is_there = await connection.value("select true from pg_roles where rolname = %s", (role,))
        verb = sql.SQL("alter role" if is_there else "create role")
        await connection.execute(
            sql.SQL(
                "{} {} login nosuperuser nocreatedb nocreaterole noreplication nobypassrls password {}"
            ).format(verb, sql.Identifier(role), sql.Literal(verifier))
        )
    return Secret(make_conninfo(dsn.reveal(), user=role, password=password.reveal()))
