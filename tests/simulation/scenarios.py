"""Scenarios: clients that change a few accounts at once, through two or three replicas, while things go wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.simulation import estates
from tests.simulation.checks import MANAGED, Violation, check, expect
from tests.simulation.processes import Outcome, Process
from tests.simulation.schedules import History, choose
from tests.simulation.world import SEALER, GrantingServer, Hazards, OwningServer, Server, World

from rolecall.domain.access.keys import Owner
from rolecall.domain.accounts import commands, role_commands
from rolecall.domain.engine import Access, AccountKind, DatabaseGrant, Engine
from rolecall.domain.instances.registry import Instance, NewInstance, register
from rolecall.domain.messages import ClientToken, Command, InstanceName
from rolecall.domain.operations.model import State
from rolecall.domain.provisioning.ports import Provisioner
from rolecall.domain.reasons import Reason
from rolecall.values import Caller, Origin, Secret

NAMES = ("ada", "bob")
PLACE = InstanceName("red", "red-1")
QUIET_ROUNDS = 80


@dataclass
class Run:
    """A world with one instance, replicas in slots, and the history of its clients' calls."""

    world: World
    server: Any
    owner: Owner
    instance: Instance
    rotates: int = 0
    names: tuple[str, str] = NAMES
    provisioner: Provisioner | None = None
    """The first slot's."""
    slots: list[Process] = field(default_factory=list)
    history: History = field(default_factory=History)
    _calls: int = 0

    def next_tag(self) -> str:
        self._calls += 1
        return f"t{self._calls}"

    def origin(self, tag: str) -> Origin:
        caller = Caller(self.owner.id, self.owner.number, self.owner.app_id, 1, "AKIDx")
        return Origin(caller, "red", "Action", tag)

    async def start(self, replicas: int) -> None:
        for number in range(replicas):
            self.slots.append(self._process(number, "ABC"[number]))
            await self.slots[number].start()

    async def restart(self, slot: int) -> None:
        self.slots[slot] = self._process(slot, self.slots[slot].gates.name + "'")
        await self.slots[slot].start()

    def _process(self, slot: int, name: str) -> Process:
        provisioner = None if slot else self.provisioner
        return Process(self.world, name, self.rotates, provisioner=provisioner)

    async def guard(self, slot: int) -> None:
        """Start a process again some time after it has ended."""
        while self.world.stormy:
            await self.slots[slot].gates.ended.wait()
            await asyncio.sleep((0.1, 2.0, 9.0)[choose(3)])
            if not self.slots[slot].gates.alive:
                await self.restart(slot)

    async def settle(self) -> None:
        """Nothing goes wrong any more: wait until nothing is open. Some processes may never come back."""
        self.world.stormy = False
        back = [slot for slot, one in enumerate(self.slots) if not one.gates.alive]
        if self.provisioner is None and len(back) < len(self.slots) and choose(2):
            back = []
        for slot in back:
            await self.restart(slot)
        await asyncio.sleep(25.0)
        for _ in range(QUIET_ROUNDS):
            left = [
                (one.operation.id.int, one.operation.change.value, one.operation.target)
                for one in self.world.store.rows.operations.values()
                if one.operation.state is State.ACCEPTED
            ]
            if not left and not self.world.has_late_work:
                return
            await asyncio.sleep(5.0)
        raise Violation(f"no operation stays open: {left}")


async def prepared(server: Server | Engine, engine: str, hazards: Hazards, rotates: int = 0) -> Run:
    world = World(hazards, servers={1: server})
    books = world.store.replica()
    owner = await books.keys.add_owner(100, 200)
    new = NewInstance(
        owner.id,
        engine,
        "one",
        "127.0.0.1",
        1,
        "admin",
        Secret("x"),
        "postgres",
        {},
        "here",
        "here-1",
        {"red": "red-1"},
    )
    return Run(world, server, owner, await register(books.instances, SEALER, new), rotates)


Act = Callable[[Run, str, str], tuple[str, tuple[object, ...], Command]]
"""(run, name, tag) -> the call as the history has it, and the command."""


def create(run: Run, name: str, tag: str) -> tuple[str, tuple[object, ...], Command]:
    made = commands.CreateAccount(PLACE, name, AccountKind.NORMAL, Secret(tag), "", False)
    return "create", (name, tag), made


def create_managed(run: Run, name: str, tag: str) -> tuple[str, tuple[object, ...], Command]:
    return "create", (name, MANAGED), commands.CreateAccount(PLACE, name, AccountKind.NORMAL, None, "", True)


def create_with_token(run: Run, name: str, tag: str) -> tuple[str, tuple[object, ...], Command]:
    """The same call again and again, for each name."""
    token = ClientToken(f"token of {name}", name)
    run.world.token_requests.setdefault(token.text, set()).add(tag)
    made = commands.CreateAccount(
        PLACE, name, AccountKind.NORMAL, Secret(f"with token {name}"), "", False, token=token
    )
    return "create again", (name, f"with token {name}"), made


def create_counted(run: Run, name: str, tag: str) -> tuple[str, tuple[object, ...], Command[Any]]:
    """Where there is room for one."""
    made = commands.CreateAccount(PLACE, name, AccountKind.NORMAL, Secret(tag), "", False, quota=QUOTA)
    return "create", (name, tag), made


def delete(run: Run, name: str, tag: str) -> tuple[str, tuple[object, ...], Command]:
    return "delete", (name, None), commands.DeleteAccount(PLACE, name, must_exist=True)


def lock(run: Run, name: str, tag: str) -> tuple[str, tuple[object, ...], Command]:
    return "lock", (name, None), commands.LockAccount(PLACE, name)


def unlock(run: Run, name: str, tag: str) -> tuple[str, tuple[object, ...], Command]:
    return "unlock", (name, None), commands.UnlockAccount(PLACE, name)


def password(run: Run, name: str, tag: str) -> tuple[str, tuple[object, ...], Command]:
    return "password", (name, tag), commands.ResetPassword(PLACE, name, Secret(tag))


def open_managed(run: Run, name: str, tag: str) -> tuple[str, tuple[object, ...], Command]:
    return "password", (name, MANAGED), commands.OpenManagedPassword(PLACE, name)


def refresh_managed(run: Run, name: str, tag: str) -> tuple[str, tuple[object, ...], Command]:
    return "password", (name, MANAGED), commands.RefreshManagedPassword(PLACE, name)


def close_managed(run: Run, name: str, tag: str) -> tuple[str, tuple[object, ...], Command]:
    return "password", (name, tag), commands.CloseManagedPassword(PLACE, name, Secret(tag))


def remark(run: Run, name: str, tag: str) -> tuple[str, tuple[object, ...], Command]:
    return "remark", (name, tag), commands.ChangeRemark(PLACE, name, tag)


def limit(run: Run, name: str, tag: str) -> tuple[str, tuple[object, ...], Command]:
    most = int(tag[1:])
    return "limit", (name, most), role_commands.ChangeConnectionLimit(PLACE, name, most)


def join(run: Run, name: str, tag: str) -> tuple[str, tuple[object, ...], Command]:
    """Each of the other: one of them is refused, if both are there."""
    other = run.names[1 - run.names.index(name)]
    return "join", (name, None), role_commands.GrantMembership(PLACE, name, other)


def show(run: Run, name: str, tag: str) -> tuple[str, tuple[object, ...], Command]:
    return "show", (name, None), commands.ShowAccount(PLACE, name, "")


def promise(run: Run, name: str, tag: str) -> tuple[str, tuple[object, ...], Command]:
    spec = commands.AccountSpec(name, "", Secret(tag))
    return "promise", (name, tag), commands.CreateAccountsLater(PLACE, (spec,))


def move(run: Run, name: str, tag: str) -> tuple[str, tuple[object, ...], Command]:
    other = run.names[1 - run.names.index(name)]
    return "move", (name, None, other), commands.MoveAccount(PLACE, name, "", other, None, None)


def grants(run: Run, name: str, tag: str) -> tuple[str, tuple[object, ...], Command]:
    grant = DatabaseGrant("shop", Access.READ_ONLY)
    return (
        "grants",
        (name, None),
        commands.ChangeGrants(PLACE, name, "", (grant,), allow_missing=True),
    )


OWNING: Sequence[Act] = (
    show, create, create_managed, delete, create, delete, create_managed, open_managed, refresh_managed,
    close_managed, password, remark, lock, unlock, limit, join,
)  # fmt: skip
GRANTING: Sequence[Act] = (
    show, create, delete, promise, delete, create, move, password, lock, unlock, remark, grants, promise, move,
)  # fmt: skip
MOVING: Sequence[Act] = (show, create, move, delete, lock, move, unlock, create)


TOKENS: Sequence[Act] = (
    show,
    create_with_token,
    create_with_token,
    create_with_token,
    lock,
    unlock,
    remark,
)


ESTATES: Sequence[Act] = (
    create, delete, create, estates.database, estates.give, estates.no_database, estates.grant, estates.revoke,
    estates.grant, estates.database, lock,
)  # fmt: skip
SUPERUSERS: Sequence[Act] = (
    create, delete, estates.enable, estates.disable, estates.enable, estates.plain_database, estates.no_database,
    grants,
)  # fmt: skip
QUOTA = 1
QUOTAS: Sequence[Act] = (create_counted, create_counted, create_counted, delete, remark)


async def client(run: Run, number: int, acts: Sequence[Act], calls: int) -> None:
    """Call after call; each through a replica that runs, if there is one."""
    for _ in range(choose(calls + 1)):
        act, name = acts[choose(len(acts))], run.names[choose(len(run.names))]
        process = run.slots[choose(len(run.slots))]
        if process.gates.alive:
            await call(run, process, number, act, name)
        if not choose(4):
            open_session(run.server, name)


async def call(run: Run, process: Process, number: int, act: Act, name: str) -> Outcome:
    tag = run.next_tag()
    kind, arg, command = act(run, name, tag)
    made = run.history.invoke(number, kind, arg)
    later = run.history.invoke(number, "create", arg) if kind == "promise" else None
    run.world.note(f"client {number}: {kind}{arg} through {process.gates.name}")
    outcome = await process.ask(command, run.origin(tag))
    run.world.note(
        f"client {number}: {kind}{arg} is {outcome.kind} {outcome.value if outcome.kind == 'refused' else ''}"
    )
    if later is not None and outcome.kind != "refused":
        run.history.info(later)
    elif later is not None:
        run.history.fail(later)
    deleted_since = kind == "create" and outcome.value is Reason.ACCOUNT_MISSING
    if outcome.kind == "unknown" or deleted_since:
        run.history.info(made)
    else:
        shown = outcome.value.locked if kind == "show" and outcome.kind == "ok" else outcome.value
        run.history.ok(made, (outcome.kind, shown))
    return outcome


def open_session(server: Server, name: str) -> None:
    facts = [one for one in server.now() if one.name == name]
    if facts and facts[0].may_log_in:
        server.sessions.append((name, facts[0].identity))


async def crashes(run: Run) -> None:
    for _ in range(2):
        await asyncio.sleep((0.02, 0.3, 4.0)[choose(3)])
        await run.world.crash_store()


async def storm(run: Run, replicas: int, work: Sequence[Coroutine[Any, Any, None]]) -> None:
    """Start the replicas, let the clients work while things go wrong, and wait until all is quiet."""
    await run.start(replicas)
    guards = [asyncio.ensure_future(run.guard(slot)) for slot in range(replicas)]
    await asyncio.gather(*work, *([crashes(run)] if run.world.hazards.crash else ()))
    for guard in guards:
        guard.cancel()
    await run.settle()


@contextmanager
def told(run: Run) -> Iterator[None]:
    """In the run's world; a violation tells what happened in it."""
    with run.world.entered():
        try:
            yield
        except Violation as violation:
            raise Violation(f"{violation}\n" + "\n".join(run.world.notes)) from None


async def search_accounts(
    make: Callable[[], Server], engine: str, acts: Sequence[Act], *, rotates: bool = False, room: int = 9
) -> None:
    """One run. There is `room` for so many accounts."""
    run = await prepared(make(), engine, Hazards.drawn(), 40 if rotates and choose(2) else 0)
    with told(run):
        replicas, clients = 2 + choose(2), 2 + choose(2)
        await storm(run, replicas, [client(run, number, acts, 5) for number in range(clients)])
        expect(run.server.most <= room, "a quota holds", run.server.most)
        await check(run.world, run.instance.id, run.server, run.history)


async def owning() -> None:
    """On a server as PostgreSQL."""
    await search_accounts(OwningServer, "postgresql", OWNING, rotates=True)


async def granting() -> None:
    """On a server as MariaDB."""
    await search_accounts(GrantingServer, "mysql", GRANTING)


async def moving() -> None:
    """The same, where accounts are given other names again and again."""
    await search_accounts(GrantingServer, "mysql", MOVING)


async def owned() -> None:
    """Databases, their owners, and privileges on them."""
    await search_accounts(OwningServer, "postgresql", ESTATES)


async def superusers() -> None:
    """The tenants' superuser, and databases without owners."""
    await search_accounts(GrantingServer, "mysql", SUPERUSERS)


async def quotas() -> None:
    """Room for one account, and two names."""
    await search_accounts(OwningServer, "postgresql", QUOTAS, room=QUOTA)


async def tokens() -> None:
    """The same calls again and again, with client tokens."""
    await search_accounts(OwningServer, "postgresql", TOKENS)
