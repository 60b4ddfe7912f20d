"""Registered instances and their public ids."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import cast

from psycopg import errors, sql
from psycopg.types.json import Jsonb

from rolecall.domain.instances.registry import AddressGroup, Instance, NewInstance, Phase, Provision
from rolecall.domain.operations.records import Record
from rolecall.store.connection import Pool, Row
from rolecall.store.records import write_record
from rolecall.store.replica import NotifiedCache, Replica

_INSTANCE = sql.SQL(
    "select i.id, i.owner_id, i.engine, i.name, i.host, i.port, i.administrator, i.sealed_password,"
    " i.database, i.options, i.region, i.zone, i.isolated, i.listed_callers, i.revision, i.created_at, i.addresses,"
    " i.address_groups, i.place, i.phase,"
    " (select jsonb_object_agg(f.dialect, f.public_id) from instance_faces f where f.instance_id = i.id)"
    " from instances i"
)
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


class FaceTaken(Exception):
    """Another instance has that public id already."""


def require_changeable(changes: Mapping[str, object]) -> None:
    """`ValueError` for columns that are not changed, or for none."""
    if not changes or not changes.keys() <= _CHANGEABLE:
        raise ValueError(f"an instance has no such columns to change: {sorted(changes)}")


class PgInstanceRepository:
    def __init__(self, durable: Pool, replica: Replica) -> None:
        self._pool = durable
        self._cache: NotifiedCache[tuple[str, str], Instance] = replica.cache()

    async def instance(self, dialect: str, public_id: str) -> Instance | None:
        face = (dialect, public_id)
        query = _INSTANCE + sql.SQL(
            " where i.id = (select instance_id from instance_faces where dialect = %s and public_id = %s)"
        )
        return await self._cache.get_or_read(face, lambda: self._one(query, face))

    async def instance_by_id(self, instance_id: int) -> Instance | None:
        return await self._one(_INSTANCE + sql.SQL(" where i.id = %s"), (instance_id,))

    async def _one(self, query: sql.Composed, values: tuple[object, ...]) -> Instance | None:
        async with self._pool.connection() as connection:
            row = await (await connection.execute(query, values)).fetchone()
        return None if row is None else _instance(row)

    async def instances(self, owner_id: int | None = None) -> Sequence[Instance]:
        query = _INSTANCE + sql.SQL(
            " where %(owner)s::bigint is null or i.owner_id = %(owner)s order by i.id"
        )
        async with self._pool.connection() as connection:
            rows = await (await connection.execute(query, {"owner": owner_id})).fetchall()
        return [_instance(row) for row in rows]

    async def add_instance(self, new: NewInstance, seal: Callable[[int], bytes]) -> Instance:
        """Raises `FaceTaken`; then nothing was added."""
        async with self._pool.connection() as connection, connection.transaction():
            query = "select nextval(pg_get_serial_sequence('instances', 'id'))"
            row = await (await connection.execute(query)).fetchone()
            assert row is not None  # noqa: S101 - a sequence always has a next number
            sealed = seal(row[0])
            row = await (
                await connection.execute(
                    "insert into instances (id, owner_id, engine, name, host, port, administrator,"
                    " sealed_password, database, options, region, zone, addresses, place, phase)"
                    " overriding system value values"
                    " (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) returning id",
                    (
                        row[0], new.owner_id, new.engine, new.name, new.host, new.port, new.administrator,
                        sealed, new.database, Jsonb(dict(new.options)), new.region, new.zone,
                        list(new.addresses), new.provision and new.provision.place,
                        new.provision and new.provision.phase.value,
                    ),
                )
            ).fetchone()  # fmt: skip
            assert row is not None  # noqa: S101 - an insert returns its row
            for dialect, public_id in new.faces.items():
                try:
                    await connection.execute(
                        "insert into instance_faces (dialect, public_id, instance_id) values (%s, %s, %s)",
                        (dialect, public_id, row[0]),
                    )
                except errors.UniqueViolation:
                    raise FaceTaken(public_id) from None
        added = await self.instance_by_id(row[0])
        assert added is not None  # noqa: S101 - it was added above
        return added

    async def change_instance(self, instance_id: int, **changes: object) -> None:
        """Change some columns; every change makes the replicas attach the instance anew."""
        await self._change(instance_id, changes, None)

    async def change_recorded(self, instance_id: int, record: Record, **changes: object) -> None:
        """As `change_instance`, with its record."""
        await self._change(instance_id, changes, record)

    async def _change(self, instance_id: int, changes: dict[str, object], record: Record | None) -> None:
        require_changeable(changes)
        assignments = sql.SQL(", ").join(
            sql.SQL("{} = {}").format(sql.Identifier(column), sql.Placeholder(column)) for column in changes
        )
        if "options" in changes:
            changes["options"] = Jsonb(changes["options"])
        if "address_groups" in changes:
            groups = cast("Sequence[AddressGroup]", changes["address_groups"])
            changes["address_groups"] = Jsonb([asdict(one) for one in groups])
        query = sql.SQL("update instances set {}, revision = revision + 1 where id = %(id)s").format(
            assignments
        )
        async with self._pool.connection() as connection, connection.transaction():
            await connection.execute(query, {**changes, "id": instance_id})
            if record is not None:
                await write_record(connection, record)
        self._cache.clear()

    async def remove_instance(self, instance_id: int) -> None:
        """Forget an instance and what we remember of its accounts. Its server is left as it is."""
        async with self._pool.connection() as connection:
            await connection.execute("delete from instances where id = %s", (instance_id,))
        self._cache.clear()


def _instance(row: Row) -> Instance:
    *columns, created_at, addresses, groups, place, phase, faces = row
    (
        instance_id, owner_id, engine, name, host, port, administrator, sealed, database, options,
        region, zone, isolated, listed, revision,
    ) = columns  # fmt: skip
    return Instance(
        id=instance_id,
        owner_id=owner_id,
        engine=engine,
        name=name,
        host=host,
        port=port,
        administrator=administrator,
        sealed_password=bytes(sealed),
        database=database,
        options=options,
        region=region,
        zone=zone,
        isolated=isolated,
        listed_callers=None if listed is None else tuple(listed),
        revision=revision,
        created_at=created_at,
        addresses=tuple(addresses),
        address_groups=tuple(
            AddressGroup(one["name"], tuple(one["addresses"]), one["label"]) for one in groups
        ),
        faces=faces or {},
        provision=None if place is None else Provision(place, Phase(phase)),
    )
