"""Makes the engine of an instance."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from rolecall.domain.engine import EngineAddress
from rolecall.domain.instances.examination import Finding
from rolecall.domain.instances.lanes import LaneLimits
from rolecall.domain.instances.registry import LanedEngine
from rolecall.domain.instances.store_place import StorePlace
from rolecall.engines.base import Watched
from rolecall.engines.examination import findings, of_expiries
from rolecall.engines.mysql import MySqlEngine
from rolecall.engines.postgresql import PostgresEngine
from rolecall.engines.watching import Watcher
from rolecall.exchanges import Deadlines
from rolecall.spans import Value
from rolecall.values import Secret

ENGINES: Mapping[str, type[PostgresEngine | MySqlEngine]] = {
    "postgresql": PostgresEngine,
    "mysql": MySqlEngine,
}


@dataclass(frozen=True, slots=True)
class EngineFactory:
    """`store` and `lock_key` are for the engines' own locks; `watcher` makes what is notified of a kind's calls."""

    super_min_version: int
    limits: LaneLimits
    deadlines: Deadlines
    store: StorePlace
    lock_key: Secret
    watcher: Callable[[str], Watcher]

    def __call__(self, kind: str, address: EngineAddress) -> LanedEngine:
        engine = ENGINES[kind](
            address,
            super_min_version=self.super_min_version,
            pool_size=self.limits.width,
            deadlines=self.deadlines,
            store=self.store,
            lock_key=self.lock_key,
        )
        watcher, secrets = self.watcher(kind), (address.password,)
        attributes: dict[str, Value] = {
            "db.system.name": kind,
            "server.address": address.host,
            "server.port": address.port,
            "rolecall.instance_ids": list(address.public_ids),
        }
        return Watched(engine, watcher=watcher, secrets=secrets, limits=self.limits, attributes=attributes)

    async def probe(self, address: EngineAddress) -> Sequence[Finding]:
        """`rolecall.domain.instances.examination.Probe`."""
        return await probe(address, self.super_min_version, self.deadlines)


async def probe(address: EngineAddress, super_min_version: int, deadlines: Deadlines) -> Sequence[Finding]:
    """What a server says of itself, asked on a connection of its own. `Refused`, `OutcomeUnknown`."""
    engine = ENGINES[address.kind](address, super_min_version=super_min_version, deadlines=deadlines)
    try:
        found = findings(address.kind, await engine.facts(), super_min_version)
        return [*found, of_expiries(await engine.expiries())]
    finally:
        await engine.close()
