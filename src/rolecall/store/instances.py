"""Registered instances and their public ids."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, cast

from psycopg import errors, sql
from psycopg.rows import kwargs_row
from psycopg.types.json import Jsonb

from rolecall.domain.instances.registry import (
    AddressGroup,
    FaceTaken,
    Instance,
    NewInstance,
    Phase,
    Provision,
)
from rolecall.domain.operations.records import Record
from rolecall.store.connection import Pool
from rolecall.store.queries import load
from rolecall.store.records import write_record
from rolecall.store.replica import NotifiedCache, Replica

_SQL = load("instances")
_CHANGEABLE = frozenset(
    {
        "name",
        "host",
        "port",
        "isolated",
        "listed_callers",
        "region",
        "zone",
        "addresses",
        "address_groups",
        "options",
        "phase",
        "sealed_password",
    }
)


def require_changeable(changes: Mapping[str, object]) -> None:
    """`ValueError` for columns that are not changed, or for none."""
    if not changes or not changes.keys() <= _CHANGEABLE:
        raise ValueError(f"an instance has no such columns to change: {sorted(changes)}")


class PgInstanceRepository:
    def __init__(self, durable: Pool, replica: Replica) -> None:
        self._pool = durable
        self._cache: NotifiedCache[tuple[str, str], Instance] = replica.cache("instances", "instance_faces")

    async def instance(self, dialect: str, public_id: str) -> Instance | None:
        face = (dialect, public_id)
        return await self._cache.get_or_read(
            face, lambda: self._pool.row(kwargs_row(_instance), _SQL["by_face"], face)
        )

    async def instance_by_id(self, instance_id: int) -> Instance | None:
        return await self._pool.row(kwargs_row(_instance), _SQL["by_id"], (instance_id,))

    async def instances(self, owner_id: int | None = None) -> Sequence[Instance]:
        return await self._pool.rows(kwargs_row(_instance), _SQL["all"], {"owner": owner_id})

    async def add_instance(self, new: NewInstance, seal: Callable[[int], bytes]) -> Instance:
        """Raises `FaceTaken`; then nothing was added."""
        async with self._pool.connection() as connection, connection.transaction():
            instance_id: int = await connection.value(
                "select nextval(pg_get_serial_sequence('instances', 'id'))"
            )
            values = {
                "id": instance_id, "owner": new.owner_id, "engine": new.engine, "name": new.name, "host": new.host,
                "port": new.port, "administrator": new.administrator, "sealed": seal(instance_id),
                "database": new.database, "options": Jsonb(dict(new.options)), "region": new.region,
                "zone": new.zone, "addresses": list(new.addresses),
                "place": new.provision and new.provision.place,
                "phase": new.provision and new.provision.phase.value,
            }  # fmt: skip
            await connection.execute(_SQL["add"], values)
            for dialect, public_id in new.faces.items():
                try:
                    await connection.execute(
                        "insert into instance_faces (dialect, public_id, instance_id) values (%s, %s, %s)",
                        (dialect, public_id, instance_id),
                    )
                except errors.UniqueViolation:
                    raise FaceTaken(public_id) from None
        return await self._pool.only(kwargs_row(_instance), _SQL["by_id"], (instance_id,))

    async def change_instance(self, instance_id: int, **changes: object) -> None:
        """Change some columns; every change makes the replicas attach the instance again."""
        await self._change(instance_id, changes, None)

    async def change_instance_at(self, instance_id: int, revision: int, **changes: object) -> bool:
        """As `change_instance`; False, and nothing is changed, if the instance has another revision by now."""
        return await self._change(instance_id, changes, None, revision)

    async def change_recorded(self, instance_id: int, record: Record, **changes: object) -> None:
        """As `change_instance`, with its record."""
        await self._change(instance_id, changes, record)

    async def _change(
        self, instance_id: int, changes: dict[str, object], record: Record | None, revision: int | None = None
    ) -> bool:
        require_changeable(changes)
        assignments = sql.SQL(", ").join(
            sql.SQL("{} = {}").format(sql.Identifier(column), sql.Placeholder(column)) for column in changes
        )
        if "options" in changes:
            changes["options"] = Jsonb(changes["options"])
        if "address_groups" in changes:
            groups = cast("Sequence[AddressGroup]", changes["address_groups"])
            changes["address_groups"] = Jsonb([asdict(group) for group in groups])
        query = sql.SQL(
            "update instances set {}, revision = revision + 1"
            " where id = %(id)s and (%(at)s::bigint is null or revision = %(at)s)"
        ).format(assignments)
        async with self._pool.connection() as connection, connection.transaction():
            changed = await connection.execute(query, {**changes, "id": instance_id, "at": revision})
            if record is not None:
                await write_record(connection, record)
        self._cache.clear()
        return changed.rowcount == 1

    async def remove_instance(self, instance_id: int) -> None:
        """Delete an instance and the rows about its accounts. Its server is left as it is."""
        await self._pool.execute("delete from instances where id = %s", (instance_id,))
        self._cache.clear()


def _instance(
    *,
    addresses: Sequence[str],
    address_groups: Sequence[Mapping[str, Any]],
    faces: Mapping[str, str] | None,
    listed_callers: Sequence[int] | None,
    place: str | None,
    phase: str,
    **rest: Any,
) -> Instance:
    return Instance(
        addresses=tuple(addresses),
        address_groups=tuple(
            AddressGroup(group["name"], tuple(group["addresses"]), group["label"]) for group in address_groups
        ),
        faces=faces or {},
        listed_callers=None if listed_callers is None else tuple(listed_callers),
        provision=None if place is None else Provision(place, Phase(phase)),
        **rest,
    )
