"""Databases on an instance, and what is in them."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from rolecall import ambient
from rolecall.domain.accounts import commands
from rolecall.domain.accounts.removal import find_database, remove_database
from rolecall.domain.engine import NO_DATABASE, DatabaseFacts, ExpectedDatabase, NewDatabase
from rolecall.domain.engine.capabilities import required
from rolecall.domain.engine.identity import Expected
from rolecall.domain.instances.registry import ConnectedInstance, InstanceResolver
from rolecall.domain.messages import Handlers, Page
from rolecall.domain.operations import details
from rolecall.domain.operations.journal import Journal
from rolecall.domain.operations.model import Change, Intent
from rolecall.domain.reasons import Reason, Refused
from rolecall.values import Origin


class Databases:
    def __init__(self, resolver: InstanceResolver, journal: Journal) -> None:
        self._resolver = resolver
        self._journal = journal
        self.handlers: Handlers = (
            commands.CreateDatabase.handled_by(self.create),
            commands.CreateDatabases.handled_by(self.create_several),
            commands.DeleteDatabase.handled_by(self.delete),
            commands.ListDatabases.handled_by(self.page),
            commands.AllDatabases.handled_by(self.all),
            commands.ListObjects.handled_by(self.objects),
            commands.ChangeDatabaseOwner.handled_by(self.change_owner),
        )

    async def create(self, command: commands.CreateDatabase, origin: Origin) -> None:
        connected = await self._resolver.connect(command.instance, origin.caller)
        owned_by = await _owner(connected, command.owner)
        new = NewDatabase(
            command.name,
            command.owner,
            ambient.new_id(),
            command.encoding,
            command.collate,
            command.ctype,
            owned_by,
        )
        await self._create(connected, new, origin)

    async def create_several(self, command: commands.CreateDatabases, origin: Origin) -> None:
        """DATABASE_TAKEN for any of them, before the first is made."""
        connected = await self._resolver.connect(command.instance, origin.caller)
        there = {database.name for database in await connected.engine.databases()}
        for spec in command.databases:
            if spec.name in there:
                raise Refused(Reason.DATABASE_TAKEN, facts={"value": spec.name})
            there.add(spec.name)
        for spec in command.databases:
            await self._create(
                connected, NewDatabase(spec.name, "", ambient.new_id(), spec.encoding, spec.collate), origin
            )

    async def _create(self, connected: ConnectedInstance, new: NewDatabase, origin: Origin) -> None:
        async def apply(operation: UUID) -> None:
            fence = self._journal.fence(operation, always=True)
            await connected.engine.create_database(replace(new, operation=operation, fence=fence))

        detail = details.CreateDatabase(owner=new.owner, encoding=new.encoding, collate=new.collate)
        intent = Intent(Change.DATABASE_CREATE, new.name, origin, detail.encode())
        await self._journal.run(connected, intent, apply)

    async def delete(self, command: commands.DeleteDatabase, origin: Origin) -> None:
        """Deleting a database that is not there succeeds, unless the command wants it to exist."""
        connected = await self._resolver.connect(command.instance, origin.caller)
        facts = await find_database(connected.engine, command.name)
        if facts is None and command.must_exist:
            raise Refused(Reason.DATABASE_MISSING, facts={"value": command.name})
        expected = NO_DATABASE if facts is None else ExpectedDatabase(facts.identity)

        async def apply(_operation: UUID) -> None:
            await remove_database(self._journal.ledger, connected.engine, command.name, expected)

        intent = Intent(Change.DATABASE_DELETE, command.name, origin, expected=Expected(expected.identity))
        await self._journal.run(connected, intent, apply)

    async def all(self, command: commands.AllDatabases, origin: Origin) -> tuple[DatabaseFacts, ...]:
        connected = await self._resolver.connect(command.instance, origin.caller)
        return tuple(await connected.engine.databases())

    async def change_owner(self, command: commands.ChangeDatabaseOwner, origin: Origin) -> None:
        """DATABASE_MISSING, DATABASE_PROTECTED, ACCOUNT_MISSING."""
        connected = await self._resolver.connect(command.instance, origin.caller)
        ownership = required(connected.engine.ownership)
        facts = await find_database(connected.engine, command.name)
        owned_by = await _owner(connected, command.owner)
        expected = NO_DATABASE if facts is None else ExpectedDatabase(facts.identity)
        detail = details.ChangeDatabaseOwner(
            owner=command.owner,
            former="" if facts is None else facts.owner,
            owned_by=None if owned_by is None else owned_by.identity,
        )
        intent = Intent(
            Change.DATABASE_OWNER,
            command.name,
            origin,
            detail.encode(),
            expected=Expected(expected.identity),
        )

        async def apply(operation: UUID) -> None:
            await ownership.change_database_owner(
                command.name, command.owner, operation, expected=expected, owned_by=owned_by
            )

        await self._journal.run(connected, intent, apply)

    async def page(self, command: commands.ListDatabases, origin: Origin) -> Page[DatabaseFacts]:
        connected = await self._resolver.connect(command.instance, origin.caller)
        wanted = command.name_contains
        found = [
            database
            for database in await connected.engine.databases()
            if not wanted or any(part in database.name for part in wanted)
        ]
        return Page(tuple(found[command.offset : command.offset + command.limit]), len(found))

    async def objects(self, command: commands.ListObjects, origin: Origin) -> Page[str]:
        connected = await self._resolver.connect(command.instance, origin.caller)
        names = await required(connected.engine.objects).names(
            command.type, command.database, command.schema, command.table
        )
        return Page(tuple(names[command.offset : command.offset + command.limit]), len(names))


async def _owner(connected: ConnectedInstance, name: str) -> Expected | None:
    """The account that is to own a database; None unless it is a tenant's account, which the engine decides."""
    if not name:
        return None
    facts = await connected.engine.identify(name)
    return None if facts is None else Expected(facts.identity)
