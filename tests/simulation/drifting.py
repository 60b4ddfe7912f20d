"""Drift: accounts that SQL changes among Rolecall's changes, `adopt` and `reassert`; and what must be true of them.

The simulated servers here keep, beside each account, what Rolecall should have recorded of it: by the order in which
changes were applied on the server, whatever came of their calls.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from tests.simulation import estates, scenarios
from tests.simulation.checks import check_operations, expect
from tests.simulation.scenarios import PLACE, Act, Run, call, client, prepared, storm, told
from tests.simulation.schedules import choose
from tests.simulation.sessions import DELAYS
from tests.simulation.world import STATES_KEY, GrantingServer, Hazards, OwningServer

from rolecall.domain.accounts import drift_commands
from rolecall.domain.accounts.drift import by_database, compared, with_fingerprint
from rolecall.domain.engine import AccountFacts, AccountKind, NewDatabase
from rolecall.domain.engine.states import (
    FIELDS,
    GRANT,
    GRANTS,
    MEMBER,
    MEMBERSHIPS,
    PRIVILEGE,
    ROLE,
    AccountState,
    FoundState,
    Value,
    fingerprint,
)
from rolecall.domain.messages import Command
from rolecall.domain.operations import details
from rolecall.domain.operations.effects import AccountEffect, effect_of
from rolecall.domain.operations.model import Change, Operation
from rolecall.engines.memory_states import _granted as granted
from rolecall.store.memory import MemoryStore
from rolecall.store.memory_states import MemoryStates
from rolecall.values import Secret

State = dict[str, Value]
"""By the keys of `AccountState.flat`."""

_ABSENT = (None, False)
_OTHER_ROLE = "pg_monitor"
_WHOLE = {MEMBER: MEMBERSHIPS, GRANT: GRANTS, PRIVILEGE: GRANTS}
DRY = "dry run of "


@dataclass
class Expectation:
    """Of one account, by its identity."""

    recorded: State = field(default_factory=dict)
    is_password_known: bool = True
    by_sql: set[str] = field(default_factory=set)
    """Keys that SQL changed since Rolecall recorded them."""
    seen: list[State] = field(default_factory=list)
    """Its states since the last change that Rolecall applied, that one included."""


@dataclass
class Journaled:
    """What a drifting server notes. `store` is set before the first change."""

    store: MemoryStore | None = None
    accounts: dict[str, Expectation] = field(default_factory=dict)
    lost: set[UUID] = field(default_factory=set)
    """Operations on accounts that SQL has dropped."""
    reasserted: int = 0
    adopted: int = 0


class DriftingServer:
    """Mixed into a simulated server."""

    journaled: Journaled
    _numbers: Iterator[int]

    def note_change(self: Any, method: str, change: object, operation: UUID) -> None:
        """Rolecall has applied a change, or found its own change done."""
        if operation in self.applied:
            return
        self.applied[operation] = method
        told = self.journaled.store.rows.operations[operation].operation
        if method in ("drop_account", "create_account"):
            dropped = None if told.expected is None else told.expected.identity
            self._forget_memberships(str(getattr(change, "name", change)), dropped)
        facts = next((each for each in self.now() if operation in each.operations), None)
        if facts is None:
            return
        of = self.journaled.accounts.setdefault(facts.identity, Expectation())
        now = self.state_of(facts)
        if told.change is Change.ACCOUNT_ADOPT:
            self._adopted(of, told)
        elif told.change is Change.ACCOUNT_REASSERT:
            self._reasserted(of, told, facts, now)
        else:
            _applied(of, told, facts, now)
        of.seen = [now]

    def expect(self: Any, condition: object, invariant: str, detail: object = "") -> None:
        """Told at the end: what is raised here is the engine's refusal."""
        if not condition:
            self.strayed.append(f"{invariant}: {detail}")

    def _adopted(self: Any, of: Expectation, told: Operation) -> None:
        adopted = details.AdoptAccount.of(told).state.flat()
        moments = [one for one in of.seen if {**one, "password": ""} == {**adopted, "password": ""}]
        self.expect(moments, "adopt records what the account had since its last change", (adopted, of.seen))
        if not moments:
            return
        passwords = {one["password"] for one in moments}
        of.recorded = {**adopted, "password": moments[-1]["password"]}
        of.is_password_known = len(passwords) == 1
        now = of.seen[-1]
        of.by_sql = {key for key in of.by_sql if now.get(key) != of.recorded.get(key)}
        self.journaled.adopted += 1

    def _reasserted(self: Any, of: Expectation, told: Operation, facts: AccountFacts, now: State) -> None:
        wanted = details.ReassertAccount.of(told).state.flat()
        self.expect(
            told.expected is not None and told.expected.identity == facts.identity,
            "a recreated account is left",
        )
        for key, value in wanted.items():
            recorded = of.recorded.get(key)
            self.expect(_same(recorded, value), "reassert puts back the last change", (key, value, recorded))
            self.expect(_same(now.get(key), value), "what is reasserted is there", (key, value, now.get(key)))
            role = ROLE + key.removeprefix(MEMBER)
            if key.startswith(MEMBER) and role not in wanted:  # that of the role which has the name then
                of.recorded.pop(role, None)
        of.by_sql -= wanted.keys()
        self.journaled.reasserted += 1

    def _forget_memberships(self: Any, role: str, identity: str | None) -> None:
        """Memberships in a role that Rolecall has deleted are nobody's any more. `identity` is None of one that it has
        created: nor are those in any former role of the name.
        """
        for of in self.journaled.accounts.values():
            if identity is None or of.recorded.get(ROLE + role, identity) == identity:
                of.recorded.pop(MEMBER + role, None)
                of.by_sql.discard(MEMBER + role)

    def state_of(self: Any, facts: AccountFacts) -> State:
        found: FoundState = self.states._state(facts)
        return found.state.flat()

    def sql(self: Any, facts: AccountFacts, change: AccountState, password: str | None = None) -> None:
        """ALTER ROLE, GRANT and REVOKE: no lock, no mark."""
        place = facts.name, facts.host
        after = replace(facts, grants=_merged_grants(facts, change))
        if isinstance(change.login, bool):
            after = replace(after, may_log_in=change.login)
        self.states._store(place, after)
        self.states._set(place, change)
        if password is not None:
            self._verifiers[self.key_of(facts)] = self.verifier(facts.name, Secret(password))
        of = self.journaled.accounts.setdefault(facts.identity, Expectation())
        keys = set(change.flat()) | ({"password"} if password is not None else set())
        of.by_sql |= keys
        of.seen.append(self.state_of(after))

    def sql_drop(self: Any, facts: AccountFacts) -> None:
        for other, of in self.journaled.accounts.items():
            if other != facts.identity:
                of.by_sql.add(MEMBER + facts.name)
        self.journaled.lost |= set(facts.operations)
        self.remove(facts)
        for each in self.now():
            if each.identity in self.journaled.accounts:
                self.journaled.accounts[each.identity].seen.append(self.state_of(each))

    def sql_create(self: Any, name: str, host: str) -> None:
        number = next(self._numbers)
        made = AccountFacts(
            number, name, AccountKind.NORMAL, True, True, None, host, identity=f"by sql {number}"
        )
        self.states._store((name, host), made)
        self._verifiers[self.key_of(made)] = self.verifier(name, Secret(f"sql {number}"))
        self.journaled.accounts[made.identity] = Expectation(seen=[self.state_of(made)])

    def key_of(self: Any, facts: AccountFacts) -> Any:
        raise NotImplementedError

    def remove(self: Any, facts: AccountFacts) -> None:
        raise NotImplementedError


def _applied(of: Expectation, told: Operation, facts: AccountFacts, now: State) -> None:
    effect = effect_of(told, told.id, facts)
    state = effect.state if isinstance(effect, AccountEffect) else None
    if state is None:
        return
    sets = state.flat()
    if "password" in sets:
        sets["password"] = now["password"]
        of.is_password_known = True
    for prefix, whole in _WHOLE.items():
        if whole in sets:
            of.recorded = {key: one for key, one in of.recorded.items() if not key.startswith(prefix)}
    of.recorded |= sets
    of.by_sql -= sets.keys()


def _merged_grants(facts: AccountFacts, change: AccountState) -> Any:
    return granted(facts.grants, change.grants)


def _same(one: Value, other: Value) -> bool:
    return one == other or (
        one in _ABSENT and other in _ABSENT and type(one) is not int and type(other) is not int
    )


class DriftingOwner(DriftingServer, OwningServer):
    """As PostgreSQL."""

    def __init__(self) -> None:
        OwningServer.__init__(self)
        self.journaled, self._numbers = Journaled(), itertools.count(90_000)

    def key_of(self, facts: AccountFacts) -> str:
        return facts.name

    def remove(self, facts: AccountFacts) -> None:
        self._drop(facts.name)


class DriftingGranter(DriftingServer, GrantingServer):
    """As MariaDB."""

    def __init__(self) -> None:
        GrantingServer.__init__(self)
        self.journaled, self._numbers = Journaled(), itertools.count(90_000)
        self.known_roles[_OTHER_ROLE] = False

    def key_of(self, facts: AccountFacts) -> tuple[str, str]:
        return facts.name, facts.host

    def remove(self, facts: AccountFacts) -> None:
        key = self.key_of(facts)
        del self._accounts[key]
        self._verifiers.pop(key, None)
        self.extras.pop(key, None)


def adopt(run: Run, name: str, tag: str) -> tuple[str, tuple[object, ...], Command[Any]]:
    return "adopt", (name, None), drift_commands.AdoptAccount(PLACE, name, "")


def adopt_recreated(run: Run, name: str, tag: str) -> tuple[str, tuple[object, ...], Command[Any]]:
    return "adopt", (name, None), drift_commands.AdoptAccount(PLACE, name, "", recreated=True)


def reassert(run: Run, name: str, tag: str) -> tuple[str, tuple[object, ...], Command[Any]]:
    return "reassert", (name, None), drift_commands.ReassertAccount(PLACE, name, "")


def dry_run(run: Run, name: str, tag: str) -> tuple[str, tuple[object, ...], Command[Any]]:
    """Of either."""
    kind = (drift_commands.AdoptAccount, drift_commands.ReassertAccount)[choose(2)]
    run.world.dry_runs.add(tag)
    return "dry run", (name, None), kind(PLACE, name, "", dry_run=True)


_BOTH: Sequence[Act] = (
    scenarios.create, adopt, reassert, scenarios.lock, reassert, scenarios.password, adopt_recreated, reassert,
    scenarios.unlock, scenarios.delete, dry_run,
)  # fmt: skip
OWNING: Sequence[Act] = (*_BOTH, scenarios.limit, scenarios.join, estates.grant, estates.revoke)
GRANTING: Sequence[Act] = (*_BOTH, scenarios.grants, scenarios.move)


async def by_sql(run: Run, makes: Sequence[Callable[[], AccountState]]) -> None:
    """An administrator who changes accounts beside Rolecall."""
    server = run.server
    for _ in range(choose(9)):
        await asyncio.sleep((0.0, 0.001, *DELAYS)[choose(len(DELAYS) + 2)])
        name = run.names[choose(len(run.names))]
        facts = next((each for each in server.now() if each.name == name), None)
        act = choose(2 * len(makes) + 2)
        if facts is None:
            if not choose(3):
                server.sql_create(name, server.canonical_host(""))
                run.world.note(f"SQL creates {name}")
        elif act == 2 * len(makes) + 1:
            server.sql_drop(facts)
            again = choose(3)
            if again:
                server.sql_create(facts.name, facts.host)
            run.world.note(f"SQL drops {name}{' and creates it again' if again else ''}")
        elif act == 2 * len(makes):
            server.sql(facts, AccountState(), password=run.next_tag())
            run.world.note(f"SQL sets the password of {name}")
        else:
            change = makes[act % len(makes)]()
            server.sql(facts, change)
            run.world.note(f"SQL changes {name}: {change.flat()}")


def _some(value: object) -> Any:
    return (value, None)[choose(2)]


_ANY: Sequence[Callable[[], AccountState]] = (
    lambda: AccountState(login=bool(choose(2))),
    lambda: AccountState(connection_limit=(7, 8, -1)[choose(3)]),
    lambda: AccountState(memberships={_OTHER_ROLE: _some("inherit, set")}),
)
SQL_OWNING = (
    *_ANY,
    lambda: AccountState(privileges={estates.DATABASE: {("CREATE", "CONNECT")[choose(2)]: bool(choose(2))}}),
)
SQL_GRANTING = (*_ANY, lambda: AccountState(grants={"shop": _some("ReadWrite")}))


async def check_drift(run: Run) -> None:
    """What the store has of each account is what was applied last, and what differs is what SQL did since."""
    server, journaled = run.server, run.server.journaled
    rows = run.world.store.rows
    operations = [kept.operation for kept in rows.operations.values()]
    expect(not server.strayed, "adopt and reassert keep the order of changes", server.strayed)
    check_operations(operations, server.applied, journaled.lost)
    dry = [one.id.int for one in operations if one.request_id in run.world.dry_runs]
    expect(not dry, "a dry run changes nothing", dry)
    states, instance_id = MemoryStates(rows), run.instance.id
    found: Mapping[Any, FoundState] = {
        (one.facts.name, one.facts.host): one for one in await server.states.page(None, 100)
    }
    kept = {row.place: row for row in await states.states_at(instance_id, list(found))}
    of_databases = await states.database_changes(instance_id)
    of_roles = await states.role_changes(instance_id, [*run.names, _OTHER_ROLE])
    changes = by_database([*of_databases, *of_roles])
    for place, account in found.items():
        of = journaled.accounts[account.facts.identity]
        row = kept.get(place)
        if row is None or not row.is_of(account.facts):
            expect(not of.recorded, "what was applied is recorded", (place, row, of.recorded))
            continue
        mark = fingerprint(STATES_KEY, instance_id, account.facts.identity, str(account.state.password))
        drift = compared(row, with_fingerprint(account, mark), changes)
        assert drift is not None
        differs = {_key(one.field, one.subject, one.database) for one in drift.differences}
        expected = set(_differing(of.recorded, account.state.flat()))
        password = row.current.get("password", (None, 0))[0]
        if password is None or not of.is_password_known:
            expected.discard("password")
            differs.discard("password")
        told = (place, drift.differences, row.current, of.recorded, account.state.flat())
        expect(differs == expected, "what was applied last is recorded", told)
        expect(differs <= of.by_sql, "only SQL's changes are drift", (of.by_sql, *told))
        unrecorded = set(drift.unrecorded) - {"password"}
        missing = {each for each in (*FIELDS, MEMBERSHIPS, GRANTS) if each not in of.recorded} - {"password"}
        expect(unrecorded <= missing, "every change is recorded", (unrecorded, *told))


def _key(field_: str, subject: str, database: str) -> str:
    if field_ == MEMBERSHIPS:
        return MEMBER + subject
    if field_ == GRANTS and subject != database:
        return f"{PRIVILEGE}{subject.removesuffix(f' on {database}')}:{database}"
    return GRANT + database if field_ == GRANTS else field_


def _differing(recorded: State, now: State) -> Iterator[str]:
    for name in FIELDS:
        if name in recorded and name in now and recorded[name] != now[name]:
            yield name
    for prefix, whole in _WHOLE.items():
        keys = {key for key in recorded if key.startswith(prefix)}
        if whole in recorded:
            keys |= {key for key in now if key.startswith(prefix)}
        yield from (key for key in keys if not _same(recorded.get(key), now.get(key)))


async def search_drift(
    make: Callable[[], Any], engine: str, acts: Sequence[Act], makes: Sequence[Callable[[], AccountState]]
) -> None:
    run = await prepared(make(), engine, Hazards.drawn())
    run.server.journaled.store = run.world.store
    with told(run):
        if engine == "postgresql":
            await run.server.create_database(NewDatabase(estates.DATABASE, "postgres", UUID(int=2**100)))
        replicas, clients = 2 + choose(2), 2 + choose(2)
        work = [client(run, number, acts, 5) for number in range(clients)]
        await storm(run, replicas, [*work, by_sql(run, makes), by_sql(run, makes)])
        await check_drift(run)


async def corrected(
    run: Run, number: int, acts: Sequence[Act], makes: Sequence[Callable[[], AccountState]]
) -> None:
    """SQL changes an account; then it is compared, while others change it."""
    name, server = run.names[0], run.server
    for _ in range(1 + choose(3)):
        facts = next((each for each in server.now() if each.name == name), None)
        if facts is not None:
            change = makes[choose(len(makes))]()
            server.sql(facts, change)
            run.world.note(f"SQL changes {name}: {change.flat()}")
        act = (reassert, reassert, adopt)[choose(3)]
        process = run.slots[choose(len(run.slots))]
        others = [acts[choose(len(acts))] for _ in range(1 + choose(2))]
        work = [call(run, process, number, act, name)]
        for other, each in enumerate(others, 1):
            work.append(_after_a_moment(run, number * 10 + other, each, name))
        if facts is not None and not choose(3):
            work.append(_recreated(run, name))
        if process.gates.alive:
            await asyncio.gather(*work)
        else:
            for each in work:
                each.close()


async def _after_a_moment(run: Run, number: int, act: Act, name: str) -> None:
    for _ in range(choose(60)):
        await asyncio.sleep(0)
    process = run.slots[choose(len(run.slots))]
    if process.gates.alive:
        await call(run, process, number, act, name)


async def _recreated(run: Run, name: str) -> None:
    for _ in range(choose(60)):
        await asyncio.sleep(0)
    facts = next((each for each in run.server.now() if each.name == name), None)
    if facts is not None:
        run.server.sql_drop(facts)
        run.server.sql_create(facts.name, facts.host)
        run.world.note(f"SQL drops {name} and creates it again")


async def search_corrections(
    make: Callable[[], Any], engine: str, acts: Sequence[Act], makes: Sequence[Callable[[], AccountState]]
) -> None:
    run = await prepared(make(), engine, Hazards.drawn())
    run.server.journaled.store = run.world.store
    with told(run):
        if engine == "postgresql":
            await run.server.create_database(NewDatabase(estates.DATABASE, "postgres", UUID(int=2**100)))
        await storm(run, 2, [_made_and_corrected(run, acts, makes)])
        await check_drift(run)


async def _made_and_corrected(
    run: Run, acts: Sequence[Act], makes: Sequence[Callable[[], AccountState]]
) -> None:
    await call(run, run.slots[0], 0, scenarios.create, run.names[0])
    await corrected(run, 1, acts, makes)


_CHANGES: Sequence[Act] = (scenarios.lock, scenarios.unlock, scenarios.password, reassert, dry_run)


async def corrections() -> None:
    """On a server as PostgreSQL: little but drift and what is done about it."""
    await search_corrections(
        DriftingOwner, "postgresql", (*_CHANGES, scenarios.limit, estates.grant), SQL_OWNING
    )


async def drifting() -> None:
    """On a server as PostgreSQL."""
    if choose(2):
        await corrections()
    else:
        await search_drift(DriftingOwner, "postgresql", OWNING, SQL_OWNING)


async def granted_drifting() -> None:
    """On a server as MariaDB."""
    if choose(2):
        await search_corrections(DriftingGranter, "mysql", (*_CHANGES, scenarios.grants), SQL_GRANTING)
    else:
        await search_drift(DriftingGranter, "mysql", GRANTING, SQL_GRANTING)
