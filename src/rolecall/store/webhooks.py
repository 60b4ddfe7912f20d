"""Webhooks in the store: replicas share them, and one of them posts to each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from psycopg.rows import class_row, kwargs_row

from rolecall.domain.webhooks.model import (
    MOST,
    NameTaken,
    NewWebhook,
    Pause,
    Registered,
    Standing,
    TooMany,
    Webhook,
)
from rolecall.store.connection import Pool
from rolecall.store.queries import load
from rolecall.store.replica import REPLICA_LOCKS, NotifiedCache, Replica

_SQL = load("webhooks")

_LONGEST_ERROR = 500
"""Characters."""


class PgWebhookRepository:
    """`domain.webhooks.model.WebhookRepository` and `DeliveryRepository` of the replica of that number."""

    def __init__(self, durable: Pool, quick: Pool, listener: Replica, replica: int) -> None:
        self._pool = durable
        self._quick = quick
        self._replica = replica
        self._registered: NotifiedCache[str, Sequence[Registered]] = listener.cache("webhooks")

    async def add(self, new: NewWebhook) -> None:
        values = {
            "id": new.id, "name": new.name, "origin": new.origin, "url": new.sealed_url, "secret": new.sealed_secret,
            "position": new.position, "most": MOST,
        }  # fmt: skip
        async with self._pool.connection() as connection, connection.transaction():
            await connection.execute("lock table webhooks in share row exclusive mode")
            (done,) = await connection.results((_SQL["add"], values))
            if done.command_tuples:
                return
        raise NameTaken if await self.identity(new.name) else TooMany

    async def identity(self, name: str) -> UUID | None:
        found: UUID | None = await self._pool.value("select id from webhooks where name = %s", (name,))
        return found

    async def remove(self, name: str) -> bool:
        return bool(await self._pool.execute("delete from webhooks where name = %s", (name,)))

    async def set_paused(self, name: str, paused: Pause) -> bool:
        return bool(await self._pool.execute(_SQL["set_paused"], {"name": name, "paused": paused.value}))

    async def set_position(self, name: str, position: int) -> bool:
        return bool(await self._pool.execute(_SQL["set_position"], {"name": name, "position": position}))

    async def set_secret(self, name: str, sealed: bytes, overlap: timedelta) -> bool:
        values = {"name": name, "sealed": sealed, "seconds": overlap.total_seconds()}
        return bool(await self._pool.execute(_SQL["set_secret"], values))

    async def standings(self) -> Sequence[Standing]:
        return await self._pool.rows(class_row(Standing), _SQL["standings"])

    async def registered(self) -> Sequence[Registered]:
        return await self._registered.get_or_read("", self._read_registered) or ()

    async def claim(self, webhooks: Sequence[UUID]) -> Sequence[Webhook]:
        values = {"webhooks": list(webhooks), "replica": self._replica, "locks": REPLICA_LOCKS}
        return await self._pool.rows(class_row(Webhook), _SQL["claim"], values)

    async def release(self) -> None:
        await self._pool.execute("update webhooks set runner = null where runner = %s", (self._replica,))

    async def advance(self, webhook: Webhook, position: int, to: int) -> bool:
        values = {**self._mine(webhook), "position": position, "to": to}
        return bool(await self._quick.execute(_SQL["advance"], values))

    async def fail(self, webhook: Webhook, position: int, error: str) -> bool:
        values = {**self._mine(webhook), "position": position, "error": error[:_LONGEST_ERROR]}
        return bool(await self._quick.execute(_SQL["fail"], values))

    async def suspend(self, webhook: Webhook, paused: Pause, error: str) -> bool:
        values = {**self._mine(webhook), "paused": paused.value, "error": error[:_LONGEST_ERROR]}
        return bool(await self._pool.execute(_SQL["suspend"], values))

    async def forget_previous(self) -> None:
        await self._pool.execute(_SQL["forget_previous"])

    def _mine(self, webhook: Webhook) -> dict[str, object]:
        return {"id": webhook.id, "revision": webhook.revision, "replica": self._replica}

    async def _read_registered(self) -> Sequence[Registered]:
        return await self._pool.rows(kwargs_row(_registered), "select id, revision, paused from webhooks")


def _registered(*, id: UUID, revision: int, paused: str) -> Registered:  # noqa: A002 - the column's name
    return Registered(id, revision, Pause(paused))
