"""Privileges on objects to come, and what every account may do (PUBLIC)."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Sequence
from typing import Any, LiteralString

from psycopg import sql

from rolecall.domain.engine import AccountFacts, ExpectedDatabase, ObjectType, require_database
from rolecall.domain.engine.identity import superseded_account
from rolecall.domain.engine.roles import DefaultPrivileges, DefaultsChange, PublicFacts
from rolecall.domain.reasons import Reason, Refused
from rolecall.engines import names
from rolecall.engines.postgresql import catalog, statements, tenancy
from rolecall.engines.postgresql.connections import Connection, commit, transaction
from rolecall.engines.postgresql.roles import RoleAttributes
from rolecall.engines.postgresql.server import MAINTAIN_SINCE, rows

_LETTERS = {
    "r": ObjectType.TABLE,
    "S": ObjectType.SEQUENCE,
    "f": ObjectType.FUNCTION,
    "T": ObjectType.TYPE,
    "n": ObjectType.SCHEMA,
}
"""Types by the letter of the catalog. It has one for large objects, too, from 18 on."""

_DEFAULTS: LiteralString = """
SELECT owner.rolname::text, account.rolname::text, d.defaclobjtype::text,
       array_agg(DISTINCT x.privilege_type::text ORDER BY x.privilege_type::text), coalesce(n.nspname::text, '')
FROM pg_default_acl d JOIN pg_roles owner ON owner.oid = d.defaclrole
LEFT JOIN pg_namespace n ON n.oid = d.defaclnamespace
CROSS JOIN LATERAL aclexplode(d.defaclacl) x JOIN pg_roles account ON account.oid = x.grantee
WHERE x.grantee <> d.defaclrole AND d.defaclobjtype::text = ANY(%(letters)s)
GROUP BY 1, 2, 3, 5 ORDER BY 1, 5, 3, 2
"""

_DATABASE: LiteralString = (
    tenancy.POWERFUL
    + "SELECT "
    + tenancy.DATABASE_IS_TENANTS
    + """, d.datname = %(maintenance)s::text AND d.datname IS DISTINCT FROM %(store)s::text,
       d.oid::text, (SELECT rolname::text FROM pg_roles r WHERE r.oid = d.datdba)
FROM pg_database d WHERE d.datname = %(name)s::text AND NOT d.datistemplate
"""
)

# Of this database: what PUBLIC may do on it, and in its schema `public`, if that has not been dropped.
_HELD_BY_PUBLIC: LiteralString = """
SELECT x.privilege_type::text FROM pg_database d
CROSS JOIN LATERAL aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) x
WHERE d.datname = current_database() AND x.grantee = 0 AND x.privilege_type <> 'CREATE'
UNION
SELECT 'CREATE' FROM pg_namespace n CROSS JOIN LATERAL aclexplode(n.nspacl) x
WHERE n.nspname = 'public' AND x.grantee = 0 AND x.privilege_type = 'CREATE'
"""

# Superusers need no privilege. An owner has its own by the ACL.
_DEPENDENTS: LiteralString = (
    "SELECT r.rolname::text"
    + tenancy.FROM_LISTED
    + """
  AND r.rolcanlogin AND NOT r.rolsuper AND NOT EXISTS (
    SELECT FROM pg_database d CROSS JOIN LATERAL aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) x
    WHERE d.datname = %(name)s::text AND x.privilege_type = 'CONNECT' AND x.grantee <> 0
      AND pg_has_role(r.oid, x.grantee, 'USAGE'))
ORDER BY r.rolname
"""
)

_STILL_MAY_CONNECT = "SELECT has_database_privilege(current_database(), 'CONNECT')"


class PostgresRoles(RoleAttributes):
    """`rolecall.domain.engine.roles.Roles`."""

    async def default_privileges(self, database: str) -> Sequence[DefaultPrivileges]:
        return await self._server.run(lambda connection: self._read_defaults(connection, database))

    async def _read_defaults(self, connection: Connection, database: str) -> list[DefaultPrivileges]:
        await self._require_tenants(connection, database)
        async with self._server.in_database(connection, database) as there:
            found = await rows(there, _DEFAULTS, {"letters": list(_LETTERS)})
        return [
            DefaultPrivileges(database, owner, account, _LETTERS[letter], tuple(words), schema)
            for owner, account, letter, words, schema in found
        ]

    async def change_default_privileges(self, change: DefaultsChange) -> AccountFacts:
        return await self._server.run(lambda connection: self._change_defaults(connection, change))

    async def _change_defaults(self, connection: Connection, change: DefaultsChange) -> AccountFacts:
        """The database's transaction is committed before the one with the marker, as a change of privileges is."""
        wanted = change.defaults
        await self._require_words(connection, wanted)
        opening = sql.SQL("; ").join((self._server.lock("acl"), self._server.lock("role", wanted.account)))
        async with transaction(connection, opening):
            await self._require_tenants(connection, wanted.database)
            before = await self._accounts.require_changeable(connection, wanted.account)
            if before.was_changed_by(change.operation, change.expected):
                return before
            if await self.tenants_role(connection, wanted.owner) != change.owned_by:
                raise superseded_account(wanted.owner)
            async with self._beside(connection, wanted.database) as there:
                await _require_schema(there, wanted.schema)
                await there.execute(statements.change_defaults(wanted, grant=change.grant))
                await connection.execute(statements.mark(before.changed_by(change.operation)))
                after = await self._accounts.require_changeable(connection, wanted.account)
                if after.oid != before.oid:
                    raise superseded_account(wanted.account)
        return after

    @contextlib.asynccontextmanager
    async def _beside(self, connection: Connection, database: str) -> AsyncIterator[Connection]:
        """A transaction in a database, within that of `connection`; it is committed first."""
        async with self._server.in_database(connection, database) as there:
            if there is connection:
                yield there
                return
            await there.execute("BEGIN")
            yield there
            await commit(there)

    async def _require_words(self, connection: Connection, wanted: DefaultPrivileges) -> None:
        known = set(catalog.PRIVILEGES[wanted.type])
        if (await self._server.known(connection)).version[0] < MAINTAIN_SINCE:
            known.discard("MAINTAIN")
        for word in wanted.privileges:
            if word not in known:
                raise Refused(Reason.PRIVILEGE_UNKNOWN, facts={"value": word})

    async def public_privileges(self, database: str) -> PublicFacts:
        return await self._server.run(lambda connection: self._public(connection, database))

    async def _public(self, connection: Connection, database: str) -> PublicFacts:
        identity, _ = await self._require_database(connection, database)
        async with self._server.in_database(connection, database) as there:
            held = await _held_by_public(there)
        dependents: list[str] = []
        if "CONNECT" in held:
            values = {**self._server.values, "name": database}
            dependents = [name for (name,) in await rows(connection, _DEPENDENTS, values)]
        return PublicFacts(database, identity, held, tuple(dependents))

    async def change_public_privileges(
        self,
        database: str,
        privileges: Sequence[str],
        *,
        grant: bool,
        expected: ExpectedDatabase | None = None,
    ) -> None:
        await self._server.run(
            lambda connection: self._change_public(connection, database, privileges, grant, expected)
        )

    async def _change_public(
        self,
        connection: Connection,
        database: str,
        privileges: Sequence[str],
        grant: bool,
        expected: ExpectedDatabase | None,
    ) -> None:
        """Looks whether it came about: the server answers with a warning only where the administrator may not, or where
        a privilege is another role's grant.
        """
        async with (
            transaction(connection, self._server.lock("acl")),
            self._beside(connection, database) as there,
        ):
            require_database(expected, database, *await self._require_database(there, database))
            held = await _held_by_public(there)
            for word in privileges:
                if (word in held) is not grant:
                    await there.execute(statements.change_public(database, word, grant=grant))
            held = await _held_by_public(there)
            if any((word in held) is not grant for word in privileges):
                note = "the administrator may not change it, or another role than the owner has granted it"
                raise Refused(Reason.ENGINE_REFUSED, note=note)
            if not (await rows(there, _STILL_MAY_CONNECT, ()))[0][0]:
                note = "Rolecall's own administrator could not connect to the database any more"
                raise Refused(Reason.ENGINE_REFUSED, note=note)

    async def _require_tenants(self, connection: Connection, database: str) -> None:
        """DATABASE_MISSING, DATABASE_PROTECTED."""
        is_tenants, *_ = await self._state(connection, database)
        if not is_tenants:
            raise Refused(Reason.DATABASE_PROTECTED, facts={"value": database})

    async def _require_database(self, connection: Connection, database: str) -> tuple[str, str]:
        """The identity and owner of a tenant's database, or of the maintenance one. As `_require_tenants`."""
        is_tenants, is_maintenance, identity, owner = await self._state(connection, database)
        if not (is_tenants or is_maintenance):
            raise Refused(Reason.DATABASE_PROTECTED, facts={"value": database})
        return identity, owner

    async def _state(self, connection: Connection, database: str) -> tuple[Any, ...]:
        values = {**self._server.values, "name": database}
        found = await rows(connection, _DATABASE, values) if names.fits(database) else []
        if not found:
            raise Refused(Reason.DATABASE_MISSING, facts={"value": database})
        return found[0]


async def _held_by_public(connection: Connection) -> tuple[str, ...]:
    return tuple(sorted(word for (word,) in await rows(connection, _HELD_BY_PUBLIC, ())))


async def _require_schema(connection: Connection, schema: str) -> None:
    """OBJECT_MISSING for a schema that is not a tenant's; an empty name stands for all."""
    values = {"schema": schema}
    if schema and not (names.fits(schema) and await rows(connection, catalog.SCHEMA_EXISTS, values)):
        raise Refused(Reason.OBJECT_MISSING, facts={"value": schema})
