"""Tags on resources, the pairs that they are made of, and projects."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from psycopg import errors
from psycopg.rows import kwargs_row, scalar_row
from psycopg.sql import SQL

from rolecall.domain.iam.tag_commands import (
    ChangeProject,
    ChangeTags,
    CreateProject,
    KnownPair,
    PageKeys,
    PagePairs,
    PageProjects,
    PageTagged,
    PageTags,
    Pair,
    Project,
    Tag,
    Tagged,
    TagMode,
    TagPlace,
    TagQuery,
)
from rolecall.domain.iam.tags import TagQuotas
from rolecall.domain.messages import Page
from rolecall.domain.operations.records import Record
from rolecall.domain.reasons import Reason, Refused
from rolecall.store.connection import Connection, Pool
from rolecall.store.people import lock_owner
from rolecall.store.queries import load
from rolecall.store.records import write_record

_SQL = load("tags")

T = TypeVar("T")


class PgTagRepository:
    def __init__(self, durable: Pool) -> None:
        self._pool = durable

    async def tags(self, owner_id: int, command: PageTags) -> Page[Tag]:
        values = _query(owner_id, command.query) | {"offset": command.offset, "limit": command.limit}
        return await self._page(_tag, _SQL["count_tags"], _SQL["tags"], values)

    async def tagged(self, owner_id: int, command: PageTagged) -> Page[Tagged]:
        filters = [
            (number, key, value)
            for number, (key, values) in enumerate(command.filters)
            for value in (values or (None,))
        ]
        values = _query(owner_id, command.query) | {
            "numbers": [number for number, _, _ in filters],
            "names": [key for _, key, _ in filters],
            "wanted": [value for _, _, value in filters],
            "least": len(command.filters) if command.every else min(1, len(command.filters)),
            "offset": command.offset,
            "limit": command.limit,
        }
        page = await self._page(_tag, _SQL["count_tagged"], _SQL["tagged"], values)
        found: dict[TagPlace, list[Pair]] = {}
        for tag in page.items:
            found.setdefault(tag.place, []).append((tag.key, tag.value))
        return Page(tuple(Tagged(place, tuple(tags)) for place, tags in found.items()), page.total)

    async def change_tags(
        self, owner_id: int, command: ChangeTags, quotas: TagQuotas, records: Sequence[Record]
    ) -> None:
        creator = records[0].origin.caller.principal if records else 0
        async with self._pool.connection() as connection, connection.transaction():
            await lock_owner(connection, owner_id)
            for place, record in zip(command.places, records, strict=True):
                await _require_mode(connection, owner_id, place, command)
                taken = _place(owner_id, place) | {"keys": list(command.take)}
                await connection.execute(_SQL["take"], taken)
                await put_tags(connection, owner_id, creator, place, command.put, quotas)
                await write_record(connection, record)

    async def create_pairs(
        self, owner_id: int, creator: int, pairs: Sequence[Pair], quotas: TagQuotas, record: Record
    ) -> None:
        async with self._pool.connection() as connection, connection.transaction():
            await lock_owner(connection, owner_id)
            for key, value in pairs:
                if (
                    await connection.execute(_SQL["add_pair"], (owner_id, key, value, creator))
                ).rowcount != 1:
                    raise Refused(Reason.TAG_TAKEN, facts={"value": f"{key}:{value}"})
            await _require_room(connection, owner_id, pairs, quotas)
            await write_record(connection, record)

    async def delete_pairs(self, owner_id: int, pairs: Sequence[Pair], record: Record) -> None:
        async with self._pool.connection() as connection, connection.transaction():
            await lock_owner(connection, owner_id)
            for key, value in pairs:
                pair = (owner_id, key, value)
                attached = "select count(*) from tags where owner_id = %s and key = %s and value = %s"
                if await connection.value(attached, pair):
                    raise Refused(Reason.TAG_IN_USE, facts={"value": f"{key}:{value}"})
                gone = "delete from tag_pairs where owner_id = %s and key = %s and value = %s"
                if (await connection.execute(gone, pair)).rowcount != 1:
                    raise Refused(Reason.TAG_MISSING, facts={"value": f"{key}:{value}"})
            await write_record(connection, record)

    async def pairs(self, owner_id: int, command: PagePairs) -> Page[KnownPair]:
        key, value = command.pair or (None, None)
        values = {
            "owner": owner_id,
            "keys": None if command.keys is None else list(command.keys),
            "key": key,
            "value": value,
            "creator": command.creator,
            "offset": command.offset,
            "limit": command.limit,
        }
        return await self._page(KnownPair, _SQL["count_pairs"], _SQL["pairs"], values)

    async def keys(self, owner_id: int, command: PageKeys) -> Page[str]:
        values = {
            "owner": owner_id,
            "keys": None,
            "key": None,
            "value": None,
            "creator": command.creator,
            "offset": command.offset,
            "limit": command.limit,
        }
        return await self._page(_key, _SQL["count_keys"], _SQL["keys"], values)

    async def create_project(self, owner_id: int, command: CreateProject, quota: int, record: Record) -> int:
        async with self._pool.connection() as connection, connection.transaction():
            await lock_owner(connection, owner_id)
            count = "select count(*) from projects where owner_id = %s"
            if await connection.value(count, (owner_id,)) >= quota:
                raise Refused(Reason.PROJECT_QUOTA, facts={"value": quota})
            creator = record.origin.caller.principal
            values = (owner_id, command.name, command.info, creator)
            number: int | None = await connection.value(_SQL["add_project"], values)
            if number is None:
                raise Refused(Reason.PROJECT_TAKEN, facts={"value": command.name})
            await write_record(connection, record)
        return number

    async def change_project(self, owner_id: int, command: ChangeProject, record: Record) -> None:
        values = (command.name, command.info, command.disabled, owner_id, command.id)
        async with self._pool.connection() as connection, connection.transaction():
            try:
                cursor = await connection.execute(_SQL["change_project"], values)
            except errors.UniqueViolation:
                raise Refused(Reason.PROJECT_TAKEN, facts={"value": command.name}) from None
            if cursor.rowcount != 1:
                raise Refused(Reason.PROJECT_MISSING, facts={"value": command.id})
            await write_record(connection, record)

    async def projects(self, owner_id: int, command: PageProjects) -> Page[Project]:
        values = {
            "owner": owner_id,
            "hidden": command.hidden,
            "id": command.id,
            "name": command.name,
            "offset": command.offset,
            "limit": command.limit,
        }
        return await self._page(Project, _SQL["count_projects"], _SQL["projects"], values)

    async def _page(
        self, made: Callable[..., T], count: SQL, page: SQL, values: Mapping[str, object]
    ) -> Page[T]:
        async with self._pool.connection() as connection:
            total = await connection.value(count, values)
            return Page(tuple(await connection.rows(kwargs_row(made), page, values)), total)


async def put_tags(
    connection: Connection,
    owner_id: int,
    creator: int,
    place: TagPlace,
    pairs: Sequence[Pair],
    quotas: TagQuotas,
) -> None:
    """In the caller's transaction, under the owner's lock. TAG_QUOTA, TAG_KEY_QUOTA, TAG_VALUE_QUOTA."""
    if not pairs:
        return
    where = _place(owner_id, place)
    for key, value in pairs:
        await connection.execute(_SQL["put"], where | {"key": key, "value": value})
        await connection.execute(_SQL["add_pair"], (owner_id, key, value, creator))
    if await connection.value(_SQL["count_on"], where) > quotas.tags:
        raise Refused(Reason.TAG_QUOTA, facts={"value": quotas.tags})
    await _require_room(connection, owner_id, pairs, quotas)


async def _require_room(
    connection: Connection, owner_id: int, pairs: Sequence[Pair], quotas: TagQuotas
) -> None:
    keys = "select count(distinct key) from tag_pairs where owner_id = %s"
    if await connection.value(keys, (owner_id,)) > quotas.keys:
        raise Refused(Reason.TAG_KEY_QUOTA, facts={"value": quotas.keys})
    values = (owner_id, [key for key, _ in pairs])
    if await connection.value(_SQL["most_values"], values) > quotas.values:
        raise Refused(Reason.TAG_VALUE_QUOTA, facts={"value": quotas.values})


async def _require_mode(connection: Connection, owner_id: int, place: TagPlace, command: ChangeTags) -> None:
    """TAG_ATTACHED, TAG_UNATTACHED."""
    held = set(await connection.rows(scalar_row, _SQL["keys_on"], _place(owner_id, place)))
    wanted = {key for key, _ in command.put}
    if command.mode is TagMode.ADD and wanted & held:
        raise Refused(Reason.TAG_ATTACHED, facts={"value": min(wanted & held)})
    missing = wanted - held if command.mode is TagMode.CHANGE else set()
    missing |= set(command.take) - held if command.strict else set()
    if missing:
        raise Refused(Reason.TAG_UNATTACHED, facts={"value": min(missing)})


def _place(owner_id: int, place: TagPlace) -> dict[str, object]:
    return {
        "owner": owner_id,
        "service": place.service,
        "prefix": place.prefix,
        "resource": place.resource,
    }


def _query(owner_id: int, query: TagQuery) -> dict[str, object]:
    return {
        "owner": owner_id,
        "service": query.service,
        "prefix": query.prefix,
        "resources": None if query.resources is None else list(query.resources),
        "keys": None if query.keys is None else list(query.keys),
        "places": None
        if query.places is None
        else [f"{place.service}:{place.prefix}/{place.resource}" for place in query.places],
    }


def _tag(*, key: str, value: str, **place: str) -> Tag:
    return Tag(TagPlace(**place), key, value)


def _key(*, key: str) -> str:
    return key
