"""The world of a run: one store, database servers, and replicas of Rolecall that can be cut off, paused and killed.

The replicas run the product's own code. What they do to each other and to the servers goes through ports. Each call of
a port passes a gate before and after; there a schedule may delay it, lose it, pause its process or end it. A process
that has ended waits at its next gate for ever: nothing after it runs, no ``finally`` either, as in a power cut.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
import random
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import psycopg
from tests.simulation.schedules import choose, happens, virtual_time
from tests.simulation.sessions import DELAYS, SESSION, engine_calls

from rolecall.ambient import Ambient, entered
from rolecall.domain.access.keys import AccessKey
from rolecall.domain.engine import (
    AccountChange,
    AccountFacts,
    DatabaseObject,
    Engine,
    EngineTraits,
    ObjectType,
)
from rolecall.domain.engine.roles import NO_LIMIT
from rolecall.domain.secrets.sealing import Sealer
from rolecall.engines.memory import MemoryEngine
from rolecall.engines.memory_grants import MemoryGrantsEngine
from rolecall.store.memory import MemoryKeys, MemoryStore
from rolecall.values import Secret

_EPOCH = 1_700_000_000.0
SEALER = Sealer((bytes(range(32)),))
STATES_KEY = Secret("k")


@dataclass(slots=True)
class Hazards:
    """What may go wrong in a run, as odds at each gate. Some kinds at once find more than all do (swarm testing)."""

    delay: float = 0.0
    engine_loss: float = 0.0
    store_loss: float = 0.0
    death: float = 0.0
    pause: float = 0.0
    crash: bool = False
    """Whether the store's server may crash and start again."""
    deaths: int = 2
    pauses: int = 2

    @classmethod
    def drawn(cls) -> Hazards:
        """A schedule of zeros has none."""
        return cls(
            delay=(0.0, 0.05, 0.2)[choose(3)],
            engine_loss=(0.0, 0.1, 0.3)[choose(3)],
            store_loss=(0.0, 0.05)[choose(2)],
            death=(0.0, 0.03, 0.1)[choose(3)],
            pause=(0.0, 0.03)[choose(2)],
            crash=bool(choose(2)),
        )


class Gone(Exception):
    """The process that was asked ended before it answered."""


class Gates:
    """The gates of one process."""

    def __init__(self, world: World, name: str) -> None:
        self.world = world
        self.name = name
        self.fuse = 0
        """If it is not 0: the gate at which the process ends, counted from now."""
        self.ended = asyncio.Event()
        self._running = asyncio.Event()
        self._running.set()

    @property
    def alive(self) -> bool:
        return not self.ended.is_set()

    async def passed(self, where: str) -> None:
        """Pass a gate, which may take time, or for ever."""
        await asyncio.sleep(0)
        world = self.world
        if world.is_over:
            raise asyncio.CancelledError
        if self.fuse:
            self.fuse -= 1
            if not self.fuse:
                self.end(where)
        hazards = world.hazards
        if world.stormy and self.alive and hazards.delay and happens(hazards.delay):
            await asyncio.sleep(DELAYS[choose(len(DELAYS))])
        if world.stormy and self.alive:  # the storm may have ended during the delay
            if hazards.pause and hazards.pauses and happens(hazards.pause):
                hazards.pauses -= 1
                self.pause((0.1, 1.0, 7.0, 20.0)[choose(4)])
            if hazards.death and hazards.deaths and happens(hazards.death):
                hazards.deaths -= 1
                self.end(where)
        await self._running.wait()
        if not self.alive:
            await asyncio.get_running_loop().create_future()

    async def running(self) -> None:
        """While it is paused, nothing of it goes on."""
        await self._running.wait()

    def pause(self, seconds: float) -> None:
        self.world.note(f"{self.name} is paused for {seconds} s")
        self.hold()
        asyncio.get_running_loop().call_later(seconds, self.schedule)

    def hold(self) -> None:
        self._running.clear()

    def schedule(self) -> None:
        self._running.set()

    def end(self, where: str) -> None:
        self.world.note(f"{self.name} ends at {where}")
        self.ended.set()


class SimulatedServer:
    """What the servers of both kinds have beside their engine in memory: sessions, and a record of what was applied."""

    def __init__(self) -> None:
        self.sessions: list[tuple[str, str]] = []
        """The name that each open session logged in with, and the identity of its account."""
        self.applied: dict[UUID, str] = {}
        """Operations that changed something, with the method."""
        self.strayed: list[str] = []
        """Changes that touched a second account: another one of the same name."""
        self._identities: dict[str, int] = {}
        self._touched: dict[UUID, int] = {}
        self.most = 0
        """The most accounts that there were at once."""

    def note_change(self, method: str, change: object, operation: UUID) -> None:
        """An operation has changed an account, or found its own change done."""
        self.applied.setdefault(operation, method)
        name = change if isinstance(change, str) else str(getattr(change, "name", ""))
        if method == "create_account":
            self._identities.setdefault(name, len(self.applied))
        new_name = getattr(change, "new_name", None)
        identity = self._identities.get(name) or self._identities.get(new_name or "", 0)
        if (
            new_name
            and operation in self._touched
            and self._touched[operation] == self._identities.get(new_name)
        ):
            return  # the same move, found done
        if method == "drop_account" and (not identity or any(one.name == name for one in self.now())):
            return  # the same deletion, carried out twice: the account that has its name now is still there
        if self._touched.setdefault(operation, identity) != identity:
            self.strayed.append(f"{method}({name}) by {operation.int}")
        if method == "drop_account":
            self._identities.pop(name, None)
        self.most = max(self.most, len(self._identities))
        if isinstance(change, AccountChange) and change.new_name not in (None, name):
            self._identities[change.new_name or ""] = self._identities.pop(name, 0)

    async def passed(self, step: str) -> None:
        """Between two steps of a change, its caller may be delayed, or gone: then the server ends its session."""
        if (session := SESSION.get()) is not None:
            await session.passed(step)

    def now(self) -> Sequence[AccountFacts]:
        """The accounts that there are."""
        raise NotImplementedError

    def end_sessions(self, name: str, identity: str) -> None:
        self.sessions[:] = [one for one in self.sessions if one != (name, identity)]

    def opens(self, verifier: Secret | None) -> str | None:
        """The password that is told by a verifier here."""
        return None if verifier is None else verifier.reveal().removeprefix("of:")


class OwningServer(SimulatedServer, MemoryEngine):
    """As PostgreSQL."""

    def __init__(self) -> None:
        SimulatedServer.__init__(self)
        MemoryEngine.__init__(self)

    traits = EngineTraits(has_quick_verifier=True)

    def verifier(self, account: str, password: Secret) -> Secret:
        return Secret(f"of:{password.reveal()}")

    def password_of(self, facts: AccountFacts) -> str | None:
        return self.opens(self._verifiers.get(facts.name))

    def estate(self, database: str) -> tuple[str, frozenset[str]] | None:
        """Who owns a database, and which others were granted something on it; None if there is none."""
        found = self._databases.get(database)
        if found is None:
            return None
        granted = self._objects[DatabaseObject(ObjectType.DATABASE, database)].grants
        return found.owner, frozenset(name for name, held in granted.items() if held and name != found.owner)

    def limit_of(self, facts: AccountFacts) -> int:
        return self._facts_of(facts.name).connection_limit

    def superuser_password(self) -> str | None:
        """There is none here."""
        return None

    def now(self) -> Sequence[AccountFacts]:
        return list(self._accounts.values())


class GrantingServer(SimulatedServer, MemoryGrantsEngine):
    """As MariaDB."""

    def __init__(self) -> None:
        SimulatedServer.__init__(self)
        MemoryGrantsEngine.__init__(self)

    def verifier(self, account: str, password: Secret) -> Secret:
        return Secret(f"of:{password.reveal()}")

    def end_sessions(self, name: str, identity: str) -> None:
        """By name, as there: not while another account has it."""
        others = {(facts.name, facts.identity) for facts in self.now()} - {(name, identity)}
        if any(one in others for one in self.sessions if one[0] == name):
            self.strayed.append(f"sessions of the next {name}")
        self.end_sessions_named(name)

    def end_sessions_named(self, name: str) -> None:
        self.sessions[:] = [one for one in self.sessions if one[0] != name]

    def password_of(self, facts: AccountFacts) -> str | None:
        return self.opens(self._verifiers.get((facts.name, facts.host)))

    def estate(self, database: str) -> tuple[str, frozenset[str]] | None:
        """As there; databases have no owner here, and what is granted is the accounts'."""
        return ("", frozenset()) if database in self._databases else None

    def limit_of(self, facts: AccountFacts) -> int:
        """There are no limits here."""
        return NO_LIMIT

    def superuser_password(self) -> str | None:
        return self.opens(self.superuser.verifier)

    def now(self) -> Sequence[AccountFacts]:
        return list(self._accounts.values())


Server = OwningServer | GrantingServer


@dataclass
class World:
    """Everything that outlives a process."""

    hazards: Hazards = field(default_factory=Hazards)
    store: MemoryStore = field(default_factory=MemoryStore)
    servers: dict[int, Server | Engine] = field(default_factory=dict)
    """By port: simulated ones, or engines that reach real ones."""
    stormy: bool = True
    """Whether hazards may happen now."""
    is_over: bool = False
    store_is_down: bool = False
    store_is_back: asyncio.Event = field(default_factory=asyncio.Event)
    notes: list[str] = field(default_factory=list)
    token_requests: dict[str, set[str]] = field(default_factory=dict)
    dry_runs: set[str] = field(default_factory=set)
    """Request ids."""
    """Request ids of the calls that were made with each client token."""
    _ids: int = 0
    _instant: float = 0.0
    _late: set[asyncio.Task[None]] = field(default_factory=set)

    def note(self, text: str) -> None:
        self.notes.append(f"{virtual_time():8.2f}  {text}")

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Time, ids and randomness are the world's."""
        with entered(Ambient(self.unix, virtual_time, self._new_id, random.Random(0))):
            try:
                yield
            finally:
                self.is_over = True

    def unix(self) -> float:
        """No two moments are the same."""
        self._instant = max(self._instant + 1e-5, _EPOCH + virtual_time())
        return self._instant

    def _new_id(self) -> UUID:
        self._ids += 1
        return UUID(int=self._ids)

    @property
    def has_late_work(self) -> bool:
        return bool(self._late)

    def late(self, work: Coroutine[Any, Any, None]) -> None:
        """What a server does by itself."""
        task = asyncio.create_task(work)
        self._late.add(task)
        task.add_done_callback(self._late.discard)

    async def crash_store(self) -> None:
        """Its server ends, without some of the last quick commits, and is back after a while."""
        self.store_is_down = True
        kept = choose(self.store.rows.unflushed + 1)
        self.note(f"the store crashes; of {self.store.rows.unflushed} quick commits {kept} are left")
        self.store.crash(kept)
        await asyncio.sleep((0.01, 0.5, 3.0)[choose(3)])
        self.store_is_down = False
        self.store_is_back.set()
        self.store_is_back.clear()


Wrap = Callable[[Callable[..., Awaitable[Any]], str, tuple[Any, ...], dict[str, Any]], Awaitable[Any]]


_CAPABILITIES = ("objects", "ownership", "roles", "grants", "superuser", "password_check", "states")
"""Parts of an engine that have coroutine methods of their own."""


@functools.cache
def _methods(kind: type) -> tuple[tuple[str, bool], ...]:
    """Names of the public members of a class, and whether each is a coroutine function."""
    public = (name for name in dir(kind) if not name.startswith("_"))
    return tuple((name, inspect.iscoroutinefunction(getattr(kind, name))) for name in public)


def _members(inner: object) -> Iterator[tuple[str, bool]]:
    """Those of its class, and attributes of its own: an engine has bound methods of its parts among them."""
    yield from _methods(type(inner))
    for name, value in getattr(inner, "__dict__", {}).items():
        if not name.startswith("_"):
            yield name, inspect.iscoroutinefunction(value)


def port(inner: object, around: Wrap) -> Any:
    """An object like `inner` whose coroutine methods, and those of its capabilities, go through `around`; all others
    are its own.
    """
    members: dict[str, Any] = {
        name: _guarded(inner, name, around)
        if is_coroutine
        else property(lambda _self, name=name: getattr(inner, name))
        for name, is_coroutine in _members(inner)
    }
    for name in _CAPABILITIES:
        part = getattr(inner, name, None)
        if name in members and part is not None and part is not inner:
            members[name] = port(part, around)
        elif part is inner:
            members[name] = property(lambda self: self)
    return type(f"Port of {type(inner).__name__}", (), members)()


def _guarded(inner: object, name: str, around: Wrap) -> Callable[..., Awaitable[Any]]:
    async def call(_self: object, *args: Any, **kwargs: Any) -> Any:
        return await around(getattr(inner, name), name, args, kwargs)

    return call


def store_port(table: object, gates: Gates) -> Any:
    """A table of the store; its connection may be lost before or after a commit."""
    world = gates.world

    async def around(
        method: Callable[..., Awaitable[Any]], name: str, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        where = f"{type(table).__name__}.{name}"
        await gates.passed(f"before {where}")
        odds = world.hazards.store_loss if world.stormy else 0.0
        if world.store_is_down or (odds and happens(odds)):
            raise psycopg.OperationalError(f"lost before {where}")
        result = await method(*args, **kwargs)
        await gates.passed(f"after {where}")
        if world.store_is_down or (odds and happens(odds)):
            world.note(f"{gates.name}: the store is lost after {where}")
            raise psycopg.OperationalError(f"lost after {where}")
        return result

    return port(table, around)


def key_port(table: MemoryKeys, gates: Gates) -> Any:
    """Access keys: what was read may be old by the time that it is remembered."""
    read = table.read

    async def read_slowly(key_id: str) -> AccessKey | None:
        key = await read(key_id)
        await gates.passed("between reading a key and remembering it")
        return key

    table.read = read_slowly  # type: ignore[method-assign]
    return store_port(table, gates)


def quiet_port(inner: object, gates: Gates) -> Any:
    """Nothing is lost on the way, but the process may end, or take time, before and after each call."""

    async def around(
        method: Callable[..., Awaitable[Any]], name: str, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        if name == "close":
            return None
        await gates.passed(f"before {name}")
        result = await method(*args, **kwargs)
        await gates.passed(f"after {name}")
        return result

    return port(inner, around)


def engine_port(server: Server, gates: Gates) -> Engine:
    """An engine; its connection may be lost before or after a commit, or while its server goes on by itself."""
    return port(server, engine_calls(server, gates))  # type: ignore[no-any-return]
