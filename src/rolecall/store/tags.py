"""Tags on resources, the pairs that they are made of, and projects."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, LiteralString

from psycopg import AsyncConnection, errors

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
from rolecall.store.connection import Pool, Row
from rolecall.store.people import lock_owner
from rolecall.store.records import write_record

_CHOSEN: LiteralString = (
    "from tags t where t.owner_id = %(owner)s"
    " and (%(service)s::text is null or t.service = %(service)s)"
    " and (%(prefix)s::text is null or t.prefix = %(prefix)s)"
    " and (%(resources)s::text[] is null or t.resource = any(%(resources)s))"
    " and (%(keys)s::text[] is null or t.key = any(%(keys)s))"
    " and (%(places)s::text[] is null or t.service || ':' || t.prefix || '/' || t.resource = any(%(places)s))"
)

# A filter without values is met by the key alone; how many filters a resource meets decides.
_TAGGED: LiteralString = (
    "with filters as (select f.number, f.key, f.value from"
    " unnest(%(numbers)s::int[], %(names)s::text[], %(wanted)s::text[]) as f (number, key, value)),"
    f" found as (select distinct t.service, t.prefix, t.resource {_CHOSEN}),"
    " met as (select s.*, (select count(distinct f.number) from filters f join tags t on t.key = f.key"
    " and (f.value is null or t.value = f.value) where t.owner_id = %(owner)s and t.service = s.service"
    " and t.prefix = s.prefix and t.resource = s.resource) as filters from found s),"
    " kept as (select * from met where filters >= %(least)s)"
)
_TAGGED_PAGE: LiteralString = (
    "select p.service, p.prefix, p.resource, t.key, t.value from"
    " (select * from kept order by service, prefix, resource offset %(offset)s limit %(limit)s) p"
    " join tags t on t.owner_id = %(owner)s and t.service = p.service and t.prefix = p.prefix"
    " and t.resource = p.resource order by p.service, p.prefix, p.resource, t.key"
)

_PAIRS: LiteralString = (
    "from tag_pairs p where p.owner_id = %(owner)s and (%(keys)s::text[] is null or p.key = any(%(keys)s))"
    " and (%(key)s::text is null or (p.key = %(key)s and p.value = %(value)s))"
    " and (%(creator)s::bigint is null or p.creator = %(creator)s)"
)
_ATTACHED: LiteralString = (
    "exists (select from tags t where t.owner_id = p.owner_id and t.key = p.key and t.value = p.value)"
)

_ON: LiteralString = (
    "owner_id = %(owner)s and service = %(service)s and prefix = %(prefix)s and resource = %(resource)s"
)
_PUT: LiteralString = (
    "insert into tags (owner_id, service, prefix, resource, key, value)"
    " values (%(owner)s, %(service)s, %(prefix)s, %(resource)s, %(key)s, %(value)s)"
    " on conflict (owner_id, service, prefix, resource, key) do update set value = excluded.value"
)
_KNOW: LiteralString = (
    "insert into tag_pairs (owner_id, key, value, creator) values (%s, %s, %s, %s) on conflict do nothing"
)

_PROJECTS: LiteralString = (
    "from projects where owner_id = %(owner)s and (%(hidden)s or not disabled)"
    " and (%(id)s::bigint is null or id = %(id)s) and (%(name)s::text is null or name = %(name)s)"
)


class PgTagRepository:
    def __init__(self, durable: Pool) -> None:
        self._pool = durable

    async def tags(self, owner_id: int, command: PageTags) -> Page[Tag]:
        values = _query(owner_id, command.query) | {"offset": command.offset, "limit": command.limit}
        async with self._pool.connection() as connection:
            total = await _count(connection, f"select count(*) {_CHOSEN}", values)
            query: LiteralString = (
                f"select t.service, t.prefix, t.resource, t.key, t.value {_CHOSEN}"
                " order by t.service, t.prefix, t.resource, t.key offset %(offset)s limit %(limit)s"
            )
            rows = await (await connection.execute(query, values)).fetchall()
        return Page(tuple(Tag(TagPlace(*place), key, value) for *place, key, value in rows), total)

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
        async with self._pool.connection() as connection:
            total = await _count(connection, f"{_TAGGED} select count(*) from kept", values)
            rows = await (await connection.execute(_TAGGED + _TAGGED_PAGE, values)).fetchall()
        found: dict[TagPlace, list[Pair]] = {}
        for *place, key, value in rows:
            found.setdefault(TagPlace(*place), []).append((key, value))
        return Page(tuple(Tagged(place, tuple(tags)) for place, tags in found.items()), total)

    async def change_tags(
        self, owner_id: int, command: ChangeTags, quotas: TagQuotas, records: Sequence[Record]
    ) -> None:
        creator = records[0].origin.caller.principal if records else 0
        async with self._pool.connection() as connection, connection.transaction():
            await lock_owner(connection, owner_id)
            for place, record in zip(command.places, records, strict=True):
                await _require_mode(connection, owner_id, place, command)
                await connection.execute(
                    f"delete from tags where {_ON} and key = any(%(keys)s)",
                    _place(owner_id, place) | {"keys": list(command.take)},
                )
                await put_tags(connection, owner_id, creator, place, command.put, quotas)
                await write_record(connection, record)

    async def create_pairs(
        self, owner_id: int, creator: int, pairs: Sequence[Pair], quotas: TagQuotas, record: Record
    ) -> None:
        async with self._pool.connection() as connection, connection.transaction():
            await lock_owner(connection, owner_id)
            for key, value in pairs:
                if (await connection.execute(_KNOW, (owner_id, key, value, creator))).rowcount != 1:
                    raise Refused(Reason.TAG_TAKEN, facts={"value": f"{key}:{value}"})
            await _require_room(connection, owner_id, pairs, quotas)
            await write_record(connection, record)

    async def delete_pairs(self, owner_id: int, pairs: Sequence[Pair], record: Record) -> None:
        async with self._pool.connection() as connection, connection.transaction():
            await lock_owner(connection, owner_id)
            for key, value in pairs:
                pair = (owner_id, key, value)
                attached = "select count(*) from tags where owner_id = %s and key = %s and value = %s"
                if await _count(connection, attached, pair):
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
        async with self._pool.connection() as connection:
            total = await _count(connection, f"select count(*) {_PAIRS}", values)
            query: LiteralString = (
                f"select p.key, p.value, {_ATTACHED} {_PAIRS}"
                " order by p.key, p.value offset %(offset)s limit %(limit)s"
            )
            rows = await (await connection.execute(query, values)).fetchall()
        return Page(tuple(KnownPair(*row) for row in rows), total)

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
        async with self._pool.connection() as connection:
            total = await _count(connection, f"select count(distinct p.key) {_PAIRS}", values)
            query: LiteralString = (
                f"select distinct p.key {_PAIRS} order by p.key offset %(offset)s limit %(limit)s"
            )
            rows = await (await connection.execute(query, values)).fetchall()
        return Page(tuple(key for (key,) in rows), total)

    async def create_project(self, owner_id: int, command: CreateProject, quota: int, record: Record) -> int:
        async with self._pool.connection() as connection, connection.transaction():
            await lock_owner(connection, owner_id)
            full = "select count(*) from projects where owner_id = %s"
            if await _count(connection, full, (owner_id,)) >= quota:
                raise Refused(Reason.PROJECT_QUOTA, facts={"value": quota})
            creator = record.origin.caller.principal
            number = await _count(
                connection,
                "insert into projects (owner_id, name, info, creator) values (%s, %s, %s, %s)"
                " on conflict do nothing returning id",
                (owner_id, command.name, command.info, creator),
            )
            if not number:
                raise Refused(Reason.PROJECT_TAKEN, facts={"value": command.name})
            await write_record(connection, record)
        return number

    async def change_project(self, owner_id: int, command: ChangeProject, record: Record) -> None:
        values = (command.name, command.info, command.disabled, owner_id, command.id)
        async with self._pool.connection() as connection, connection.transaction():
            try:
                cursor = await connection.execute(
                    "update projects set name = coalesce(%s, name), info = coalesce(%s, info),"
                    " disabled = coalesce(%s, disabled) where owner_id = %s and id = %s",
                    values,
                )
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
        async with self._pool.connection() as connection:
            total = await _count(connection, f"select count(*) {_PROJECTS}", values)
            query: LiteralString = (
                f"select id, name, info, creator, created_at, disabled {_PROJECTS}"
                " order by id offset %(offset)s limit %(limit)s"
            )
            rows = await (await connection.execute(query, values)).fetchall()
        return Page(tuple(Project(*row) for row in rows), total)


async def put_tags(
    connection: AsyncConnection[Row],
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
        await connection.execute(_PUT, where | {"key": key, "value": value})
        await connection.execute(_KNOW, (owner_id, key, value, creator))
    if await _count(connection, f"select count(*) from tags where {_ON}", where) > quotas.tags:
        raise Refused(Reason.TAG_QUOTA, facts={"value": quotas.tags})
    await _require_room(connection, owner_id, pairs, quotas)


async def _require_room(
    connection: AsyncConnection[Row], owner_id: int, pairs: Sequence[Pair], quotas: TagQuotas
) -> None:
    keys = "select count(distinct key) from tag_pairs where owner_id = %s"
    if await _count(connection, keys, (owner_id,)) > quotas.keys:
        raise Refused(Reason.TAG_KEY_QUOTA, facts={"value": quotas.keys})
    values = (
        "select coalesce(max(n), 0) from (select count(*) as n from tag_pairs"
        " where owner_id = %s and key = any(%s) group by key) c"
    )
    if await _count(connection, values, (owner_id, [key for key, _ in pairs])) > quotas.values:
        raise Refused(Reason.TAG_VALUE_QUOTA, facts={"value": quotas.values})


async def _require_mode(
    connection: AsyncConnection[Row], owner_id: int, place: TagPlace, command: ChangeTags
) -> None:
    """TAG_ATTACHED, TAG_UNATTACHED."""
    found = await connection.execute(f"select key from tags where {_ON}", _place(owner_id, place))
    held = {key for (key,) in await found.fetchall()}
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


async def _count(connection: AsyncConnection[Row], query: LiteralString, values: Any) -> int:
    """The number that a query answers; 0 for no row."""
    row = await (await connection.execute(query, values)).fetchone()
    return 0 if row is None else int(row[0])
