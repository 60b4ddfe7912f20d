"""Every sealed value of the store, for resealing under a new master key."""

from __future__ import annotations

from collections.abc import Sequence

from rolecall.domain.maintenance.resealing import SealedPlace, SealedValue
from rolecall.store.connection import Pool

# The key columns of each place, as text, in the order that `SealedValue.key` has them.
_READ = {
    SealedPlace.ACCESS_KEY: "select array[id], sealed_secret from access_keys",
    SealedPlace.ADMINISTRATOR: (
        "select array[id::text, owner_id::text, administrator, host, port::text], sealed_password from instances"
    ),
    SealedPlace.ACCOUNT: (
        "select array[instance_id::text, name, host], sealed_password from accounts where sealed_password is not null"
    ),
    SealedPlace.FACT: "select array[name], value from facts",
    SealedPlace.SIGNING_KEY: "select array[id], sealed_key from signing_keys",
    SealedPlace.OPERATION: (
        "select array[id::text, instance_id::text, target,"
        " case when detail ?| array['promised', 'provisioning'] then 'verifier' else 'password' end], sealed"
        " from operations where sealed is not null"
    ),
}

# Each writes only over what was read, so that a value renewed meanwhile is left alone.
_WRITE = {
    SealedPlace.ACCESS_KEY: (
        "update access_keys set sealed_secret = %(new)s where id = (%(key)s::text[])[1] and sealed_secret = %(old)s"
    ),
    SealedPlace.ADMINISTRATOR: (
        "update instances set sealed_password = %(new)s, revision = revision + 1"
        " where id = (%(key)s::text[])[1]::bigint and sealed_password = %(old)s"
    ),
    SealedPlace.ACCOUNT: (
        "update accounts set sealed_password = %(new)s where instance_id = (%(key)s::text[])[1]::bigint"
        " and name = (%(key)s::text[])[2] and host = (%(key)s::text[])[3] and sealed_password = %(old)s"
    ),
    SealedPlace.OPERATION: (
        "update operations set sealed = %(new)s where id = (%(key)s::text[])[1]::uuid and sealed = %(old)s"
    ),
    SealedPlace.SIGNING_KEY: (
        "update signing_keys set sealed_key = %(new)s where id = (%(key)s::text[])[1] and sealed_key = %(old)s"
    ),
    SealedPlace.FACT: (
        "update facts set value = %(new)s where name = (%(key)s::text[])[1] and value = %(old)s"
    ),
}


class PgSealedValueRepository:
    def __init__(self, durable: Pool) -> None:
        self._pool = durable

    async def sealed_values(self, *places: SealedPlace) -> Sequence[SealedValue]:
        found: list[SealedValue] = []
        async with self._pool.connection() as connection:
            for place in places or _READ:
                rows = await (await connection.execute(_READ[place].encode())).fetchall()
                found += [SealedValue(place, tuple(key), bytes(sealed)) for key, sealed in rows]
        return found

    async def replace(self, value: SealedValue, sealed: bytes) -> None:
        async with self._pool.connection() as connection:
            await connection.execute(
                _WRITE[value.place].encode(), {"key": list(value.key), "old": value.sealed, "new": sealed}
            )
