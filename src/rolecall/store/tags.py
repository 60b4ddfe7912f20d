"""Tags on resources, the pairs that they are made of, and projects."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from psycopg.rows import kwargs_row
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
    TagPlace,
    TagQuery,
)
from rolecall.domain.iam.tags import TagQuotas
from rolecall.domain.messages import Page
from rolecall.domain.operations.records import Record
from rolecall.domain.reasons import Reason
from rolecall.store.changes import OwnerChanges
from rolecall.store.connection import Pool
from rolecall.store.queries import load
from rolecall.store.records import record_values, records_values

_SQL = load("tags")

T = TypeVar("T")


class PgTagRepository:
    def __init__(self, durable: Pool, changes: OwnerChanges) -> None:
        self._pool = durable
        self._changes = changes

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
        if not records:
            return
        values = {
            **records_values(records),
            **tag_values(command.put, quotas),
            "owner": owner_id,
            "services": [place.service for place in command.places],
            "prefixes": [place.prefix for place in command.places],
            "resources": [place.resource for place in command.places],
            "mode": command.mode.value,
            "strict": command.strict,
            "take": list(command.take),
        }
        await self._changes.make(owner_id, _SQL["change"], values, about=tag_quotas(quotas))

    async def create_pairs(
        self, owner_id: int, pairs: Sequence[Pair], quotas: TagQuotas, record: Record
    ) -> None:
        values = {
            **record_values(record), **_pair_values(pairs), **_quota_values(quotas), "owner": owner_id,
        }  # fmt: skip
        await self._changes.make(owner_id, _SQL["create_pairs"], values, about=tag_quotas(quotas))

    async def delete_pairs(self, owner_id: int, pairs: Sequence[Pair], record: Record) -> None:
        values = {**record_values(record), **_pair_values(pairs), "owner": owner_id}
        await self._changes.make(owner_id, _SQL["delete_pairs"], values)

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
        values = {
            **record_values(record), "owner": owner_id, "name": command.name, "info": command.info, "most": quota,
        }  # fmt: skip
        about = {Reason.PROJECT_QUOTA: quota, Reason.PROJECT_TAKEN: command.name}
        number: int = (await self._changes.make(owner_id, _SQL["add_project"], values, about=about))["id"]
        return number

    async def change_project(self, owner_id: int, command: ChangeProject, record: Record) -> None:
        values = {
            **record_values(record), "owner": owner_id, "id": command.id, "name": command.name, "info": command.info,
            "disabled": command.disabled,
        }  # fmt: skip
        about = {Reason.PROJECT_MISSING: command.id, Reason.PROJECT_TAKEN: command.name}
        await self._changes.make(owner_id, _SQL["change_project"], values, about=about)

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


def tag_values(pairs: Sequence[Pair], quotas: TagQuotas) -> dict[str, object]:
    """The values of `tags.given` and of the quotas. Of several pairs with one key the last is put on a resource."""
    return {**_pair_values(tuple(dict(pairs).items())), **_quota_values(quotas)}


def tag_quotas(quotas: TagQuotas) -> Mapping[Reason, object]:
    """What is said of each."""
    return {
        Reason.TAG_QUOTA: quotas.tags,
        Reason.TAG_KEY_QUOTA: quotas.keys,
        Reason.TAG_VALUE_QUOTA: quotas.values,
    }


def _quota_values(quotas: TagQuotas) -> dict[str, object]:
    return {"most_tags": quotas.tags, "most_keys": quotas.keys, "most_values": quotas.values}


def _pair_values(pairs: Sequence[Pair]) -> dict[str, object]:
    return {"tag_keys": [key for key, _ in pairs], "tag_values": [value for _, value in pairs]}


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
