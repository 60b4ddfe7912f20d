"""Every sealed value of the store, for resealing under a new master key."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from psycopg.rows import kwargs_row

from rolecall.domain.maintenance.resealing import SealedPlace, SealedValue
from rolecall.store.connection import Pool
from rolecall.store.queries import load

_SQL = load("sealed")

_PLACES = {
    # place -> what reads all of its values, and what replaces one
    SealedPlace.ACCESS_KEY: (_SQL["read_access_keys"], _SQL["replace_access_key"]),
    SealedPlace.ADMINISTRATOR: (_SQL["read_administrators"], _SQL["replace_administrator"]),
    SealedPlace.ACCOUNT: (_SQL["read_accounts"], _SQL["replace_account"]),
    SealedPlace.FACT: (_SQL["read_facts"], _SQL["replace_fact"]),
    SealedPlace.SIGNING_KEY: (_SQL["read_signing_keys"], _SQL["replace_signing_key"]),
    SealedPlace.WEBHOOK: (_SQL["read_webhooks"], _SQL["replace_webhook"]),
    SealedPlace.UPLOAD: (_SQL["read_upload_pieces"], _SQL["replace_upload_piece"]),
    SealedPlace.OPERATION: (_SQL["read_operations"], _SQL["replace_operation"]),
}


class PgSealedValueRepository:
    def __init__(self, durable: Pool) -> None:
        self._pool = durable

    async def sealed_values(self, *places: SealedPlace) -> Sequence[SealedValue]:
        found: list[SealedValue] = []
        async with self._pool.connection() as connection:
            for place in places or _PLACES:
                found += await connection.rows(kwargs_row(partial(_value, place)), _PLACES[place][0])
        return found

    async def replace(self, value: SealedValue, sealed: bytes) -> None:
        values = {"key": list(value.key), "old": value.sealed, "new": sealed}
        await self._pool.execute(_PLACES[value.place][1], values)


def _value(place: SealedPlace, *, key: Sequence[str], sealed: bytes) -> SealedValue:
    return SealedValue(place, tuple(key), sealed)
