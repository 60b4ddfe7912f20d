"""Changes of what belongs to an owner: those that come at about the same time share a round trip and a commit.

Each batch first locks the owner's row, on all replicas the same one. So one owner's changes follow each other: what a
statement behind the lock counts or finds stays so until it is committed. Each change is one statement, which decides,
changes and writes its record. It returns a refusal as data, in the column ``refusal`` and what it is about in
``about``: an error would undo the other changes of the batch.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from weakref import WeakValueDictionary

from psycopg.abc import QueryNoTemplate as Query
from psycopg.rows import dict_row

from rolecall.domain.reasons import Reason, Refused
from rolecall.store.batches import Batches
from rolecall.store.connection import Pool
from rolecall.store.replica import Replica

_LOCK = "select from owners where id = %s for no key update"

_REASONS = {reason.value: reason for reason in Reason}

_NOTHING: Mapping[Reason, object] = {}


class OwnerChanges:
    """In batches of their own for each owner: one that is locked does not delay the others."""

    def __init__(self, durable: Pool, replica: Replica) -> None:
        self._pool = durable
        self._replica = replica
        self._batches: WeakValueDictionary[int, Batches] = WeakValueDictionary()

    async def make(
        self,
        owner_id: int,
        query: Query,
        values: Mapping[str, object],
        *tables: str,
        about: Mapping[Reason, object] = _NOTHING,
    ) -> dict[str, Any]:
        """The statement's row, committed. This replica's caches of `tables` are cleared without waiting to be notified.

        Refused, with what it is `about` by its reason, unless the statement says that.
        """
        batches = self._batches.get(owner_id)
        if batches is None:
            batches = self._batches[owner_id] = Batches(self._pool, (dict_row, _LOCK, (owner_id,)))
        row: dict[str, Any] = await batches.row(dict_row, query, values) or {}
        require_unrefused(row, about)
        if tables:
            self._replica.forget(*tables)
        return row


def require_unrefused(row: dict[str, Any], about: Mapping[Reason, object]) -> None:
    """Take the columns ``refusal`` and ``about`` out of a row. Refused."""
    refusal, value = row.pop("refusal", None), row.pop("about", None)
    if refusal is not None:
        reason = _REASONS[refusal]
        value = about.get(reason) if value is None else value
        raise Refused(reason, facts={} if value is None else {"value": value})
