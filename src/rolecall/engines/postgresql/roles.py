"""What accounts have as roles: connection limits, expiry, and membership in other roles."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import LiteralString

from psycopg import sql

from rolecall.domain.engine import AccountFacts
from rolecall.domain.engine.identity import superseded_account
from rolecall.domain.engine.roles import Expiry, Membership, MembershipChange, RoleChange, RoleFacts
from rolecall.domain.reasons import Reason, Refused
from rolecall.engines import names
from rolecall.engines.postgresql import statements, tenancy
from rolecall.engines.postgresql.accounts import Accounts
from rolecall.engines.postgresql.connections import Connection, transaction
from rolecall.engines.postgresql.server import MEMBERSHIP_OPTIONS_SINCE, Server, rows

_NAMED: LiteralString = " AND (%(name)s::text IS NULL OR r.rolname = %(name)s::text)"

_LIMITS: LiteralString = (
    "SELECT r.rolname::text, r.rolconnlimit, extract(epoch FROM r.rolvaliduntil)::float8"
    + tenancy.FROM_LISTED
    + _NAMED
    + " ORDER BY r.rolname"
)

# Not those of the group itself, which is a member of every normal account, nor those of the administrator. One row for
# each pair, of which several roles may have made a member. Before 16 the options are the account's own.
_MEMBERSHIPS: LiteralString = (
    """
SELECT r.rolname::text, g.rolname::text, bool_or({inherits}), bool_or({may_become}), bool_or(m.admin_option)
FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.member JOIN pg_roles g ON g.oid = m.roleid
WHERE g.rolname <> %(group)s::text AND r.rolname <> %(group)s::text AND r.rolname <> current_user"""
    + _NAMED
    + """
GROUP BY 1, 2 ORDER BY 1, 2
"""
)

_GRANTORS = """
SELECT g.rolname::text FROM pg_auth_members m LEFT JOIN pg_roles g ON g.oid = m.grantor
WHERE m.member = %s AND m.roleid = %s
"""

_EXPIRES = "SELECT rolvaliduntil < 'infinity' FROM pg_roles WHERE oid = %s"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST = datetime(1, 1, 1, tzinfo=UTC)
_LAST = datetime(9999, 12, 31, tzinfo=UTC)


class RoleAttributes:
    """`rolecall.domain.engine.roles.Roles`, as far as it is about single accounts."""

    def __init__(self, server: Server, accounts: Accounts) -> None:
        self._server = server
        self._accounts = accounts

    async def role_facts(self, name: str | None = None) -> Sequence[RoleFacts]:
        if name is not None and not names.fits(name):
            raise _missing(name)
        return await self._server.run(lambda connection: self._read(connection, name))

    async def _read(self, connection: Connection, name: str | None) -> list[RoleFacts]:
        values = {**self._server.values, "name": name}
        limits = await rows(connection, _LIMITS, values)
        if name is not None and not limits:
            raise _missing(name)
        has_options = await self._has_options(connection)
        query = _MEMBERSHIPS.replace("{inherits}", "m.inherit_option" if has_options else "r.rolinherit")
        query = query.replace("{may_become}", "m.set_option" if has_options else "true")
        memberships: Mapping[str, list[Membership]] = defaultdict(list)
        for member, *rest in await rows(connection, query, values):
            memberships[member].append(Membership(*rest))
        return [
            RoleFacts(account, limit, _time(until), tuple(memberships.get(account, ())))
            for account, limit, until in limits
        ]

    async def _has_options(self, connection: Connection) -> bool:
        return (await self._server.known(connection)).version[0] >= MEMBERSHIP_OPTIONS_SINCE

    async def role(self, name: str, *, to_join: bool = False) -> str:
        return await self._server.run(lambda connection: self.tenants_role(connection, name, to_join=to_join))

    async def tenants_role(self, connection: Connection, name: str, *, to_join: bool = False) -> str:
        """As `role`."""
        values = {**self._server.values, "name": name, "joinable": list(tenancy.JOINABLE)}
        found = await rows(connection, tenancy.ROLE, values) if names.fits(name) else []
        if not found:
            raise _missing(name)
        oid, is_tenants, is_plain = found[0]
        if not is_tenants:
            raise Refused(Reason.ACCOUNT_PROTECTED, facts={"value": name})
        if to_join and not is_plain:
            note = "its members would have more than a normal account may have"
            raise Refused(Reason.ACCOUNT_PROTECTED, facts={"value": name}, note=note)
        return str(oid)

    async def change_role(self, change: RoleChange) -> AccountFacts:
        return await self._server.run(lambda connection: self._change(connection, change))

    async def _change(self, connection: Connection, change: RoleChange) -> AccountFacts:
        """With a membership under the locks of both roles: neither becomes a super account meanwhile."""
        concerned = {change.name} if change.membership is None else {change.name, change.membership.role}
        opening = sql.SQL("; ").join(self._server.lock("role", name) for name in sorted(concerned))
        async with transaction(connection, opening):
            before = await self._accounts.require_changeable(connection, change.name)
            if before.was_changed_by(change.operation, change.expected):
                return before
            steps = await self._steps(connection, before, change)
            steps.append(statements.mark(before.changed_by(change.operation)))
            await connection.execute(sql.SQL("; ").join(steps))
            after = await self._accounts.require_changeable(connection, change.name)
            if after.oid != before.oid:
                raise superseded_account(change.name)
        return after

    async def _steps(
        self, connection: Connection, before: AccountFacts, change: RoleChange
    ) -> list[sql.Composed]:
        steps: list[sql.Composed] = []
        if change.connection_limit is not None:
            steps.append(statements.change_connection_limit(before.name, change.connection_limit))
        if change.expiry is not None:
            steps += await self._expiry(connection, before, change.expiry)
        if change.membership is not None:
            found = await self.membership(connection, before, change.membership)
            if not found:
                raise Refused(Reason.GRANT_MISSING, facts={"value": change.membership.role})
            steps += found
        return steps

    async def _expiry(
        self, connection: Connection, before: AccountFacts, expiry: Expiry
    ) -> list[sql.Composed]:
        """Clients that read ``rolvaliduntil`` as a time do not know infinity, so it is written only over a time."""
        if expiry.at is None and not (await rows(connection, _EXPIRES, (before.oid,)))[0][0]:
            return []
        return [statements.change_expiry(before.name, expiry.at)]

    async def membership(
        self, connection: Connection, before: AccountFacts, change: MembershipChange
    ) -> list[sql.Composed]:
        """Statements for a change of a membership; none if there is nothing to revoke. As `Roles.change_role`."""
        identity = await self.tenants_role(connection, change.role, to_join=change.grant)
        if identity != change.identity:
            raise superseded_account(change.role)
        has_options = await self._has_options(connection)
        if change.grant:
            if not has_options and (change.may_become or not change.inherits):
                raise Refused(Reason.ENGINE_TOO_OLD, note="memberships have options from PostgreSQL 16 on")
            options = (change.inherits, change.may_become) if has_options else None
            return [statements.join(before.name, change.role, options)]
        found = await rows(connection, _GRANTORS, (before.oid, int(identity)))
        if not has_options:  # a pair has one row there, whichever role granted it
            return [statements.leave(before.name, change.role, None) for _ in found]
        return [statements.leave(before.name, change.role, grantor) for (grantor,) in found]


def _missing(name: str) -> Refused:
    return Refused(Reason.ACCOUNT_MISSING, facts={"value": name})


def _time(epoch: float | None) -> datetime | None:
    """A time of the server's, in seconds; None for no time and for infinity, and the bound beyond a year 1 or 9999."""
    if epoch is None or epoch == float("inf"):
        return None
    try:
        return _EPOCH + timedelta(seconds=epoch)
    except OverflowError:
        return _LAST if epoch > 0 else _FIRST
