"""The group role of the super accounts: "super, but not superuser". See docs/super-accounts.md."""

from __future__ import annotations

import asyncio
import secrets
from typing import LiteralString

from psycopg import sql

from rolecall.domain.reasons import Reason, Refused
from rolecall.engines import names
from rolecall.engines.postgresql import statements, tenancy
from rolecall.engines.postgresql.connections import Connection, transaction
from rolecall.engines.postgresql.server import MEMBERSHIP_OPTIONS_SINCE, Server, rows

PREDEFINED = ("pg_monitor", "pg_signal_backend", "pg_checkpoint")
"""What the group may do beside using tenants' objects; each is granted if the server has it."""

_SWEEP_AT_ONCE = 500

# An administrator that is not a superuser can grant and revoke only roles that it holds with ADMIN.
_MAY_GRANT = "pg_has_role(r.oid, 'MEMBER WITH ADMIN OPTION')"

# `tainted`: roles that are not tenants', the group, and its direct and indirect members.
_TAINTED: LiteralString = (
    tenancy.POWERFUL
    + """, tainted (oid) AS (
    SELECT oid FROM powerful UNION SELECT oid FROM pg_roles WHERE rolname = %(group)s
    UNION
    SELECT m.member FROM pg_auth_members m JOIN tainted t ON t.oid = m.roleid
)
"""
)

_NOT_YET_MEMBERS = (
    _TAINTED
    + """
SELECT r.rolname FROM pg_roles r
WHERE """
    + _MAY_GRANT
    + """ AND r.oid NOT IN (SELECT oid FROM tainted) AND r.rolname !~ '^pg_' AND r.rolname <> current_user
  AND (r.rolcanlogin OR r.rolname = %(heir)s OR EXISTS (
        SELECT FROM pg_shdescription d
        WHERE d.classoid = 'pg_authid'::regclass AND d.objoid = r.oid
        AND left(d.description, %(marker_length)s) LIKE %(marker)s))
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

_FOREIGN_HOLDERS = (
    """
SELECT r.rolname, member.rolname, grantor.rolname, r.rolname = %(heir)s
FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.roleid
JOIN pg_roles member ON member.oid = m.member JOIN pg_roles grantor ON grantor.oid = m.grantor
WHERE (m.admin_option AND r.rolname = %(group)s OR r.rolname = %(heir)s AND member.rolname <> %(group)s)
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

_LEADS_FURTHER: LiteralString = (
    tenancy.POWERFUL
    + """
SELECT r.rolname FROM pg_roles r
WHERE r.rolname = %(group)s AND r.oid IN (SELECT oid FROM powerful)
   OR r.rolname = %(heir)s AND EXISTS (SELECT FROM pg_auth_members m WHERE m.member = r.oid)
"""
)

# Roles with attributes that their creator, a super account, gave them and loses; not other super accounts.
_MADE_BY: LiteralString = (
    """
WITH RECURSIVE made (oid) AS (
    SELECT m.roleid FROM pg_auth_members m WHERE m.member = %(maker)s AND m.admin_option
    UNION
    SELECT m.roleid FROM pg_auth_members m JOIN made ON made.oid = m.member WHERE m.admin_option
)
SELECT r.rolname FROM pg_roles r
WHERE r.oid IN (SELECT oid FROM made) AND (r.rolcreaterole OR r.rolcreatedb OR r.rolbypassrls) AND NOT r.rolsuper
  AND r.rolname <> current_user
  AND NOT EXISTS (SELECT FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid
                  WHERE m.member = r.oid AND g.rolname = %(group)s)
  AND """
    + _MAY_GRANT
    + ' ORDER BY r.rolname COLLATE "C"'
)


class SuperGroup:
    """The group role on one server, created at first use."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._turn = asyncio.Lock()

    @property
    def name(self) -> str:
        return self._server.group

    async def ready(self, connection: Connection) -> str | None:
        """The group's name, after ensuring once that it exists; None on a server too old for it.

        To be called outside any transaction.
        """
        facts = await self._server.known(connection)
        if facts.version[0] < MEMBERSHIP_OPTIONS_SINCE:
            return None
        if not self._server.group_is_ready:
            await self._ensure_once(connection)
        return self.name

    async def _ensure_once(self, connection: Connection) -> None:
        async with self._turn:
            if not self._server.group_is_ready:
                await self._ensure(connection)
                self._server.group_is_ready = True

    async def _ensure(self, connection: Connection) -> None:
        async with transaction(connection, self._server.lock("super")):
            await ensure_plain_role(connection, self.name)
            await ensure_plain_role(connection, self._server.heir)
            await self._strip_admins(connection)
            await self._grant_predefined(connection)
            await self.drop_tainted(connection)
            await self._require_plain(connection)
        await self._sweep(connection)

    async def _grant_predefined(self, connection: Connection) -> None:
        values = {"predefined": list(PREDEFINED), "group": self.name}
        for (role,) in await rows(connection, _LACKING, values):
            await connection.execute(statements.grant_membership(role, self.name))

    async def _strip_admins(self, connection: Connection) -> None:
        """Revoke what older roles hold: ADMIN on the group from all but the administrator, and the heir."""
        revoke = sql.SQL("REVOKE {}{} FROM {} GRANTED BY {} CASCADE")
        for *parts, is_whole in await rows(connection, _FOREIGN_HOLDERS, self._server.values):
            words = sql.SQL("" if is_whole else "ADMIN OPTION FOR ")
            await connection.execute(revoke.format(words, *(sql.Identifier(name) for name in parts)))

    async def _require_plain(self, connection: Connection) -> None:
        """ENGINE_REFUSED if the group or the heir existed before, and is a member of a role that gives it more."""
        for (name,) in await rows(connection, _LEADS_FURTHER, self._server.values):
            raise Refused(Reason.ENGINE_REFUSED, note=f"role {name} exists and leads to more than it should")

    async def require_plain_heir(self, connection: Connection) -> None:
        """On servers without a group: ensure that the heir exists. ENGINE_REFUSED if it can do more than it should."""
        async with transaction(connection, self._server.lock("super")):
            await ensure_plain_role(connection, self._server.heir)
            await self._require_plain(connection)

    async def drop_tainted(self, connection: Connection) -> None:
        """Revoke accounts from the group that became powerful after they were granted to it."""
        for role, grantor in await rows(connection, _TAINTED_MEMBERSHIPS, self._server.values):
            revoke = sql.SQL("REVOKE {} FROM {} GRANTED BY {} CASCADE")
            parts = (sql.Identifier(name) for name in (role, self.name, grantor))
            await connection.execute(revoke.format(*parts))

    async def _sweep(self, connection: Connection) -> None:
        """Grant the group every tenant's account that is older than the group.

        In parts: each granted role takes a lock, and the locks of one transaction are limited.
        """
        found = [name for (name,) in await rows(connection, _NOT_YET_MEMBERS, self._server.values)]
        for start in range(0, len(found), _SWEEP_AT_ONCE):
            async with transaction(connection, self._server.lock("super")):
                part = found[start : start + _SWEEP_AT_ONCE]
                await connection.execute(statements.grant_memberships(part, self.name))

    async def strip_roles_made_by(self, connection: Connection, oid: int) -> list[sql.Composed]:
        """Statements that remove from the roles that a super account created, directly or indirectly, the attributes
        that it loses itself. Otherwise these roles, without an administrator, would count as protected.
        """
        found = await rows(connection, _MADE_BY, {"maker": oid, "group": self.name})
        strip = sql.SQL("ALTER ROLE {} NOCREATEDB NOCREATEROLE NOBYPASSRLS")
        return [strip.format(sql.Identifier(name)) for (name,) in found]


async def ensure_plain_role(connection: Connection, name: str) -> None:
    """Ensure a role without login and attributes. ENGINE_REFUSED if the role of that name has more."""
    found = await rows(connection, _ATTRIBUTES, (name,))
    if not found:
        await _create(connection, names.require(name, Reason.ENGINE_REFUSED))
    elif found[0][0]:
        raise Refused(Reason.ENGINE_REFUSED, note=f"role {name} exists and is more than a plain group role")


async def _create(connection: Connection, name: str) -> None:
    if not name.startswith("pg_"):
        await connection.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(sql.Identifier(name)))
        return
    # CREATE and RENAME both refuse the prefix pg_; only an update of the catalog gives it.
    draft = f"rolecall_draft_{secrets.token_hex(8)}"
    await connection.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(sql.Identifier(draft)))
    await connection.execute("SET LOCAL allow_system_table_mods = on")
    await connection.execute("UPDATE pg_authid SET rolname = %s WHERE rolname = %s", (name, draft))
    await connection.execute("SET LOCAL allow_system_table_mods = off")
