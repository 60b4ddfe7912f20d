"""A store in memory, without a server, for tests and simulations of the domain.

`MemoryStore` is what replicas share. A `MemoryReplica` is one of them, and has those of `Store`'s repositories that the
domain of accounts uses: operations, rotation, instances and keys.
"""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

from rolecall import ambient
from rolecall.domain.access.keys import AccessKey, Owner
from rolecall.domain.accounts.ports import Due, Rotated
from rolecall.domain.instances.registry import FaceTaken, Instance, NewInstance, Phase
from rolecall.domain.operations import details
from rolecall.domain.operations.model import Change
from rolecall.store.instances import require_changeable
from rolecall.store.memory_ledger import MemoryLedger, Rows
from rolecall.store.memory_states import MemoryStates
from rolecall.store.replica import NotifiedCache


class MemoryStore:
    """`replica` adds a replica that shares it."""

    def __init__(self) -> None:
        self.rows = Rows()
        self.instances: dict[int, Instance] = {}
        self.keys: dict[str, AccessKey] = {}
        self.owners: list[Owner] = []
        self.replicas: list[MemoryReplica] = []
        self.rotating: MemoryReplica | None = None
        self.ids = itertools.count(1)

    def replica(self) -> MemoryReplica:
        made = MemoryReplica(self, next(self.ids))
        self.replicas.append(made)
        return made

    def crash(self, kept: int = 0) -> None:
        """Its server ends, and starts again without the quick commits after the first `kept`, and no replica joined."""
        self.rows.crash(kept)
        self.rotating = None
        for replica in self.replicas:
            replica.listening = False
            replica.forget()

    def notify(self) -> None:
        """Keys or instances were changed: notify the replicas that listen."""
        for replica in self.replicas:
            if replica.listening:
                replica.notified()


class MemoryReplica:
    """One replica's view. Once joined it listens, and is notified of a change at once unless `notified` is replaced."""

    def __init__(self, store: MemoryStore, number: int) -> None:
        self.replica = number
        self.listening = False
        self.notified = self.forget
        self._store = store
        self._caches: list[NotifiedCache[Any, Any]] = [NotifiedCache(self), NotifiedCache(self)]
        self.operations = MemoryLedger(store.rows, number)
        self.durable_operations = MemoryLedger(store.rows, number, records_durably=True)
        self.states = MemoryStates(store.rows)
        self.rotation = MemoryRotation(store, self)
        self.instances = MemoryInstances(store, self._caches[0])
        self.keys = MemoryKeys(store, self._caches[1])

    async def join(self) -> None:
        self._store.rows.living.add(self.replica)
        self.listening = True

    async def close(self) -> None:
        self._store.rows.living.discard(self.replica)
        self.listening = False
        self.forget()
        if self._store.rotating is self:
            self._store.rotating = None

    def forget(self) -> None:
        for cache in self._caches:
            cache.clear()


class MemoryRotation:
    """`domain.accounts.ports.RotationRepository`."""

    def __init__(self, store: MemoryStore, replica: MemoryReplica) -> None:
        self._store = store
        self._replica = replica

    def turn(self) -> AbstractAsyncContextManager[bool]:
        return self._turn()

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[bool]:
        mine = self._store.rotating is None
        if mine:
            self._store.rotating = self._replica
        try:
            yield mine
        finally:
            if mine and self._store.rotating is self._replica:
                self._store.rotating = None

    async def due(self, period: int) -> Sequence[Due]:
        until, owners = (
            ambient.now() - timedelta(seconds=period),
            {owner.id: owner for owner in self._store.owners},
        )
        found = []
        for (instance_id, name, host), row in self._store.rows.accounts.items():
            instance, since = self._store.instances.get(instance_id), row.password_updated_at
            since = since or row.created_at or row.updated_at
            if row.sealed_password is not None and instance is not None and since <= until:
                found.append((since, Due(owners[instance.owner_id], instance_id, name, host)))
        return [due for _, due in sorted(found, key=lambda pair: pair[0])]

    async def last_rotation(self, instance_id: int, account: str) -> Rotated:
        for kept in reversed(self._store.rows.operations.values()):
            operation = kept.operation
            renewed = operation.change is Change.ACCOUNT_MANAGE or (
                operation.change is Change.ACCOUNT_CREATE and details.CreateAccount.of(operation).managed
            )
            if (
                renewed
                and operation.closed_at
                and (operation.instance_id, operation.target) == (instance_id, account)
            ):
                milliseconds = int((operation.closed_at - operation.accepted_at) / timedelta(milliseconds=1))
                return Rotated(max(milliseconds, 0), operation.state == "recorded", operation.reason)
        return Rotated()


class MemoryInstances:
    """`domain.provisioning.ports.ProvisionRepository`."""

    def __init__(self, store: MemoryStore, cache: NotifiedCache[tuple[str, str], Instance]) -> None:
        self._store = store
        self._cache = cache

    async def instance(self, dialect: str, public_id: str) -> Instance | None:
        face = (dialect, public_id)

        async def read() -> Instance | None:
            return next((row for row in self._store.instances.values() if face in row.faces.items()), None)

        return await self._cache.get_or_read(face, read)

    async def instance_by_id(self, instance_id: int) -> Instance | None:
        return self._store.instances.get(instance_id)

    async def instances(self, owner_id: int | None = None) -> Sequence[Instance]:
        return [row for row in self._store.instances.values() if owner_id in (None, row.owner_id)]

    async def add_instance(self, new: NewInstance, seal: Callable[[int], bytes]) -> Instance:
        """Raises `FaceTaken`; then nothing was added."""
        taken = {face for row in self._store.instances.values() for face in row.faces.items()}
        for face in new.faces.items():
            if face in taken:
                raise FaceTaken(face[1])
        instance_id = next(self._store.ids)
        added = Instance(
            instance_id, new.owner_id, new.engine, new.name, new.host, new.port, new.administrator,
            seal(instance_id), new.database, dict(new.options), new.region, new.zone, False, None, 1,
            ambient.now(), new.addresses, dict(new.faces), new.provision,
        )  # fmt: skip
        self._store.instances[added.id] = added
        self._store.rows.flush()
        self._store.notify()
        return added

    async def change_instance_at(self, instance_id: int, revision: int, **changes: Any) -> bool:
        """As `change_instance`; False, and nothing is changed, if the instance has another revision by now."""
        instance = self._store.instances.get(instance_id)
        if instance is None or instance.revision != revision:
            return False
        await self.change_instance(instance_id, **changes)
        return True

    async def change_instance(self, instance_id: int, **changes: Any) -> None:
        """Change some columns; every change makes the replicas attach the instance again."""
        require_changeable(changes)
        instance = self._store.instances.get(instance_id)
        if instance is not None:
            phase = changes.pop("phase", None)
            if phase is not None and instance.provision is not None:
                changes["provision"] = replace(instance.provision, phase=Phase(phase))
            self._store.instances[instance_id] = replace(instance, revision=instance.revision + 1, **changes)
        self._store.rows.flush()
        self._cache.clear()
        self._store.notify()

    async def remove_instance(self, instance_id: int) -> None:
        """Delete an instance and the rows about its accounts."""
        self._store.instances.pop(instance_id, None)
        rows = self._store.rows
        rows.accounts = {place: row for place, row in rows.accounts.items() if place[0] != instance_id}
        rows.flush()
        self._cache.clear()
        self._store.notify()


class MemoryKeys:
    """`domain.access.keys.KeyRepository`."""

    def __init__(self, store: MemoryStore, cache: NotifiedCache[str, AccessKey]) -> None:
        self._store = store
        self._cache = cache

    async def key(self, key_id: str) -> AccessKey | None:
        return await self._cache.get_or_read(key_id, lambda: self.read(key_id))

    async def read(self, key_id: str) -> AccessKey | None:
        """The key as the store has it, past the cache."""
        return self._store.keys.get(key_id)

    async def keys(self) -> Sequence[AccessKey]:
        return list(self._store.keys.values())

    async def add_key(self, key_id: str, owner: Owner, principal: int, sealed: bytes) -> None:
        self._store.keys[key_id] = AccessKey(key_id, owner, principal, sealed, True, ambient.now())
        self._store.notify()

    async def set_key_active(self, key_id: str, *, active: bool) -> bool:
        """False if there is no such key."""
        key = self._store.keys.get(key_id)
        if key is not None:
            self._store.keys[key_id] = replace(key, active=active)
        self._cache.clear()
        self._store.notify()
        return key is not None

    async def owners(self) -> Sequence[Owner]:
        return list(self._store.owners)

    async def add_owner(self, number: int, app_id: int) -> Owner:
        self._store.owners.append(Owner(next(self._store.ids), number, app_id))
        return self._store.owners[-1]
