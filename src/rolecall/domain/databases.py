"""Databases on an instance, and what is in them."""

from __future__ import annotations

from uuid import UUID

from rolecall.domain import commands
from rolecall.domain.engine import DatabaseFacts, NewDatabase
from rolecall.domain.instances import Reach
from rolecall.domain.operations import Change, Intent, Journal
from rolecall.domain.views import Page
from rolecall.values import Origin


class Databases:
    def __init__(self, reach: Reach, journal: Journal) -> None:
        self._reach = reach
        self._journal = journal

    async def create(self, command: commands.CreateDatabase, origin: Origin) -> None:
        attached = await self._reach.attach(command.instance, origin.caller)
        intent = Intent(Change.DATABASE_CREATE, command.name, origin, detail={"owner": command.owner})

        async def apply(operation: UUID) -> None:
            await attached.engine.create_database(
                NewDatabase(
                    command.name, command.owner, operation, command.encoding, command.collate, command.ctype
                )
            )

        await self._journal.run(attached, intent, apply)

    async def delete(self, command: commands.DeleteDatabase, origin: Origin) -> None:
        """Deleting a database that is not there succeeds, as deleting an account does."""
        attached = await self._reach.attach(command.instance, origin.caller)

        async def apply(_operation: UUID) -> None:
            await attached.engine.drop_database(command.name)

        await self._journal.run(attached, Intent(Change.DATABASE_DELETE, command.name, origin), apply)

    async def change_owner(self, command: commands.ChangeDatabaseOwner, origin: Origin) -> None:
        attached = await self._reach.attach(command.instance, origin.caller)
        intent = Intent(Change.DATABASE_OWNER, command.name, origin, detail={"owner": command.owner})

        async def apply(operation: UUID) -> None:
            await attached.engine.change_database_owner(command.name, command.owner, operation)

        await self._journal.run(attached, intent, apply)

    async def page(self, command: commands.ListDatabases, origin: Origin) -> Page[DatabaseFacts]:
        attached = await self._reach.attach(command.instance, origin.caller)
        wanted = command.name_contains
        found = [
            database
            for database in await attached.engine.databases()
            if not wanted or any(part in database.name for part in wanted)
        ]
        return Page(tuple(found[command.offset : command.offset + command.limit]), len(found))

    async def objects(self, command: commands.ListObjects, origin: Origin) -> Page[str]:
        attached = await self._reach.attach(command.instance, origin.caller)
        names = await attached.engine.objects(command.type, command.database, command.schema, command.table)
        return Page(tuple(names[command.offset : command.offset + command.limit]), len(names))
