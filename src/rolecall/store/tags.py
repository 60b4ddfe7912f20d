"""Tags on resources."""

from __future__ import annotations

from collections.abc import Sequence

from rolecall.domain.people.commands import TagPlace
from rolecall.domain.people.views import Tag
from rolecall.domain.reasons import Reason, Refused
from rolecall.domain.records import Record
from rolecall.domain.views import Page
from rolecall.store.connection import Pool
from rolecall.store.people import lock_owner
from rolecall.store.records import write_record

_WHERE = "from tags where owner_id = %s and service = %s and prefix = %s and resource = any(%s)"
_PLACE = "owner_id = %(owner)s and service = %(service)s and prefix = %(prefix)s and resource = %(resource)s"
_PUT = (
    "insert into tags (owner_id, service, prefix, resource, key, value)"
    " values (%(owner)s, %(service)s, %(prefix)s, %(resource)s, %(key)s, %(value)s)"
    " on conflict (owner_id, service, prefix, resource, key) do update set value = excluded.value"
)


class TagTable:
    def __init__(self, durable: Pool) -> None:
        self._pool = durable

    async def tags(
        self, owner_id: int, service: str, prefix: str, resources: Sequence[str], offset: int, limit: int
    ) -> Page[Tag]:
        values = (owner_id, service, prefix, list(resources))
        async with self._pool.connection() as connection:
            total = await (await connection.execute(f"select count(*) {_WHERE}", values)).fetchone()
            query = f"select resource, key, value {_WHERE} order by resource, key offset %s limit %s"
            rows = await (await connection.execute(query, (*values, offset, limit))).fetchall()
        return Page(tuple(Tag(*row) for row in rows), 0 if total is None else total[0])

    async def change_tags(
        self,
        owner_id: int,
        place: TagPlace,
        replace: Sequence[tuple[str, str]],
        delete: Sequence[str],
        most: int,
        record: Record,
    ) -> None:
        where = {
            "owner": owner_id,
            "service": place.service,
            "prefix": place.prefix,
            "resource": place.resource,
        }
        async with self._pool.connection() as connection, connection.transaction():
            await lock_owner(connection, owner_id)
            await connection.execute(
                f"delete from tags where {_PLACE} and key = any(%(keys)s)", where | {"keys": list(delete)}
            )
            for key, value in replace:
                await connection.execute(_PUT, where | {"key": key, "value": value})
            row = await (
                await connection.execute(
                    f"select count(*) > %(most)s from tags where {_PLACE}", where | {"most": most}
                )
            ).fetchone()
            if row is not None and row[0]:
                raise Refused(Reason.TAG_QUOTA, facts={"value": most})
            await write_record(connection, record)
