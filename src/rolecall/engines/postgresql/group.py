"""The group role of the super accounts: "super, but no superuser". docs/super-accounts.md tells what and why."""

from __future__ import annotations

import asyncio
import secrets

from psycopg import sql

from rolecall.domain.reasons import Reason, Refused
from rolecall.engines import names
from rolecall.engines.postgresql import statements
from rolecall.engines.postgresql.connections import Connection, transaction
from rolecall.engines.postgresql.server import MEMBERSHIP_OPTIONS_SINCE, Server, rows

DEFAULT_NAME = "rolecall_super"

PREDEFINED = ("pg_monitor", "pg_signal_backend", "pg_checkpoint")
"""What the group may do beside ruling tenants' objects; each is granted where the server has it."""

DANGEROUS = (
    "pg_execute_server_program",
    "pg_read_server_files",
    "pg_write_server_files",
    "pg_read_all_data",
    "pg_write_all_data",
)
"""Roles that lead to the server's own account, its files, or the verifiers in pg_authid."""

_SWEEP_AT_ONCE = 500

# An administrator who is no superuser can only grant, and take back, what he holds with ADMIN.
_MAY_GRANT = "pg_has_role(r.oid, 'MEMBER WITH ADMIN OPTION')"

# `tainted`: superusers, the dangerous roles, the group, and everyone who is, at any remove, a member of one of them.
_TAINTED = """
WITH RECURSIVE tainted AS (
    SELECT oid FROM pg_roles WHERE rolsuper OR rolname = ANY(%(dangerous)s) OR rolname = %(group)s
    UNION
    SELECT m.member FROM pg_auth_members m JOIN tainted t ON t.oid = m.roleid
)
"""

_NOT_YET_MEMBERS = (
    _TAINTED
    + """
SELECT r.rolname FROM pg_roles r
WHERE """
    + _MAY_GRANT
    + """ AND r.oid NOT IN (SELECT oid FROM tainted) AND r.rolname !~ '^pg_' AND r.rolname <> current_user
  AND (r.rolcanlogin OR r.rolname = %(heir)s OR EXISTS (
        SELECT FROM pg_shdescription d
        WHERE d.classoid = 'pg_authid'::regclass AND d.objoid = r.oid AND d.description LIKE %(marker)s))
  AND NOT EXISTS (
        SELECT FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.member
        WHERE m.roleid = r.oid AND g.rolname = %(group)s)
ORDER BY 1
"""
)

_TAINTED_MEMBERSHIPS = (
    _TAINTED
    + """
SELECT r.rolname, grantor.rolname
FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.roleid JOIN pg_roles g ON g.oid = m.member
JOIN pg_roles grantor ON grantor.oid = m.grantor
WHERE g.rolname = %(group)s AND r.oid IN (SELECT oid FROM tainted) AND """
    + _MAY_GRANT
)

_FOREIGN_ADMINS = (
    """
SELECT r.rolname, member.rolname, grantor.rolname
FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.roleid
JOIN pg_roles member ON member.oid = m.member JOIN pg_roles grantor ON grantor.oid = m.grantor
WHERE m.admin_option AND r.rolname IN (%(group)s, %(heir)s)
  AND NOT member.rolsuper AND member.rolname <> current_user AND """
    + _MAY_GRANT
)

_LACKING = (
    """
SELECT r.rolname FROM pg_roles r
WHERE r.rolname = ANY(%(predefined)s) AND NOT pg_has_role(%(group)s, r.oid, 'MEMBER') AND """
    + _MAY_GRANT
    + " ORDER BY 1"
)

_ATTRIBUTES = """
SELECT rolcanlogin OR rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls
FROM pg_roles WHERE rolname = %s
"""

_IS_TAINTED = (
    _TAINTED.replace(" OR rolname = %(group)s", "")
    + "SELECT EXISTS (SELECT FROM tainted t JOIN pg_roles r ON r.oid = t.oid WHERE r.rolname = %(name)s)"
)


class SuperGroup:
    """The group role on one server, made at first need."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._wanted = server.address.options.get("super_role", DEFAULT_NAME)
        self._ready = False
        self._turn = asyncio.Lock()

    @property
    def name(self) -> str:
        """The role's name. One that begins with ``pg_`` is reserved and only a superuser can bring it about."""
        facts = self._server.facts
        if self._wanted.startswith("pg_") and facts is not None and not facts.is_superuser:
            return DEFAULT_NAME
        return self._wanted

    def forget(self) -> None:
        """Make sure again at the next need: somebody dropped the role."""
        self._ready = False

    async def ready(self, connection: Connection) -> str | None:
        """The group's name, made sure of once; None on a server too old for it. Outside any transaction."""
        facts = await self._server.known(connection)
        if facts.version[0] < MEMBERSHIP_OPTIONS_SINCE:
            return None
        async with self._turn:
            if not self._ready:
                await self._make_sure(connection)
                self._ready = True
        return self.name

    async def _make_sure(self, connection: Connection) -> None:
        async with transaction(connection, statements.lock("super")):
            await ensure_plain_role(connection, self.name)
            await ensure_plain_role(connection, self._server.heir)
            await self._strip_admins(connection)
            await self._grant_predefined(connection)
            await self._drop_tainted(connection)
        await self._sweep(connection)

    async def _grant_predefined(self, connection: Connection) -> None:
        values = {"predefined": list(PREDEFINED), "group": self.name}
        for (role,) in await rows(connection, _LACKING, values):
            await connection.execute(statements.grant_membership(role, self.name))

    async def _strip_admins(self, connection: Connection) -> None:
        """Nobody but the administrator hands the group on, even if the role was there before us."""
        values = {"group": self.name, "heir": self._server.heir}
        revoke = sql.SQL("REVOKE ADMIN OPTION FOR {} FROM {} GRANTED BY {} CASCADE")
        for row in await rows(connection, _FOREIGN_ADMINS, values):
            await connection.execute(revoke.format(*(sql.Identifier(name) for name in row)))

    async def _drop_tainted(self, connection: Connection) -> None:
        """Take back accounts that somebody made powerful after they had been granted to the group."""
        values = {"group": self.name, "dangerous": list(DANGEROUS)}
        for role, grantor in await rows(connection, _TAINTED_MEMBERSHIPS, values):
            revoke = sql.SQL("REVOKE {} FROM {} GRANTED BY {} CASCADE")
            parts = (sql.Identifier(name) for name in (role, self.name, grantor))
            await connection.execute(revoke.format(*parts))

    async def _sweep(self, connection: Connection) -> None:
        """Grant the group every tenant's account that was there before it.

        In parts: each role granted takes a lock, and a server holds a bounded number of locks in one transaction.
        """
        values = {
            "group": self.name,
            "heir": self._server.heir,
            "dangerous": list(DANGEROUS),
            "marker": statements.MARKER_LIKE,
        }
        found = [name for (name,) in await rows(connection, _NOT_YET_MEMBERS, values)]
        for start in range(0, len(found), _SWEEP_AT_ONCE):
            async with transaction(connection, statements.lock("super")):
                part = found[start : start + _SWEEP_AT_ONCE]
                await connection.execute(statements.grant_memberships(part, self.name))

    async def is_tainted(self, connection: Connection, name: str) -> bool:
        """True if the account leads to more than a tenant may have, so that the group must not inherit it."""
        values = {"dangerous": list(DANGEROUS), "name": name}
        return bool((await rows(connection, _IS_TAINTED, values))[0][0])


async def ensure_plain_role(connection: Connection, name: str) -> None:
    """A role that cannot log in and has no attribute. Refused if one of that name can do more."""
    found = await rows(connection, _ATTRIBUTES, (name,))
    if not found:
        await _create(connection, names.require(name, Reason.ENGINE_REFUSED))
    elif found[0][0]:
        raise Refused(Reason.ENGINE_REFUSED, note=f"role {name} exists and is more than a plain group role")


async def _create(connection: Connection, name: str) -> None:
    if not name.startswith("pg_"):
        await connection.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(sql.Identifier(name)))
        return
    # The server reserves pg_ for CREATE and RENAME alike; only its own catalog can be told otherwise.
    draft = f"rolecall_draft_{secrets.token_hex(8)}"
    await connection.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(sql.Identifier(draft)))
    await connection.execute("SET LOCAL allow_system_table_mods = on")
    await connection.execute("UPDATE pg_authid SET rolname = %s WHERE rolname = %s", (name, draft))
    await connection.execute("SET LOCAL allow_system_table_mods = off")
