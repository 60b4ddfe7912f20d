"""What must hold when a run has become quiet, whatever happened in it."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Sequence
from functools import partial
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

from tests.simulation.estates import DATABASE, Estate, Superuser
from tests.simulation.schedules import Call, History, Model, explained
from tests.simulation.world import SEALER, STATES_KEY, Server, World

from rolecall.domain.accounts.context import AccountRow, password_purpose
from rolecall.domain.accounts.drift_check import DriftCheck
from rolecall.domain.engine import AccountFacts
from rolecall.domain.engine.pages import display_name
from rolecall.domain.engine.roles import NO_LIMIT
from rolecall.domain.engine.states import fingerprint
from rolecall.domain.operations.model import Change, Operation, Runner, State
from rolecall.domain.reasons import Reason
from rolecall.domain.secrets.sealing import SealBroken
from rolecall.store.memory_states import MemoryStates


class Violation(AssertionError):
    """An invariant does not hold."""


def expect(condition: object, invariant: str, detail: object = "") -> None:
    if not condition:
        raise Violation(f"{invariant}: {detail}" if detail else invariant)


MANAGED = "(managed)"
"""Stands, in histories, for a password that Rolecall made."""

ON_ENGINE = frozenset(
    {
        Change.ACCOUNT_CREATE, Change.ACCOUNT_PASSWORD, Change.ACCOUNT_LOCK, Change.ACCOUNT_UNLOCK,
        Change.ACCOUNT_MANAGE, Change.ACCOUNT_UNMANAGE, Change.ACCOUNT_MOVE, Change.ACCOUNT_LIMIT,
        Change.ACCOUNT_EXPIRY, Change.MEMBERSHIP, Change.DEFAULT_PRIVILEGES, Change.PRIVILEGES, Change.GRANTS,
        Change.DATABASE_CREATE, Change.SUPERUSER_ENABLE,
    }
)  # fmt: skip
"""Changes that are recorded only if the server made them. A deletion of what is gone already is recorded too."""

Observed = tuple[bool, str | None, str, int]
"""An account: whether it is locked, its password, its remark, its limit of connections."""


async def check(world: World, instance_id: int, server: Server, history: History) -> None:
    """Every invariant of the accounts of one server."""
    expect(not server.strayed, "a change touches the account that it meant", server.strayed)
    operations = [kept.operation for kept in world.store.rows.operations.values()]
    check_operations(operations, server.applied)
    check_client_tokens(operations, server.applied, world)
    rows = {
        place[1:]: row
        for place, row in world.store.rows.accounts.items()
        if place[0] == instance_id and not row.is_deleted
    }
    accounts = {(facts.name, facts.host): facts for facts in await server.accounts()}
    expect(
        rows.keys() == accounts.keys(),
        "there is a row if and only if there is an account",
        (rows.keys(), accounts.keys()),
    )
    seen: dict[str, Observed] = {}
    for place, facts in accounts.items():
        row = rows[place]
        expect(row.oid == facts.oid, "a row is of the account that is there", (place, row.oid, facts.oid))
        expect(row.created_at is not None, "an account that was made here is known as ours", place)
        password = server.password_of(facts)
        if row.sealed_password is not None:
            expect(opened(row, instance_id) == password, "a sealed password opens the account", place)
            password = MANAGED
        seen[facts.name] = (not facts.may_log_in, password, row.remark, server.limit_of(facts))
    await check_states(world, instance_id, server)
    check_sessions(server, accounts.values())
    for database in await server.databases():
        known = database.owner in {"", "postgres"} or any(name == database.owner for name in seen)
        expect(known, "the heir owns what a dropped account left", database.name)
    check_history(history, seen)
    check_estates(history, server)


async def check_states(world: World, instance_id: int, server: Server) -> None:
    """What was recorded of an account is what the server has. A crash may leave a password unrecorded."""
    found, states = await server.states.page(None, 100), MemoryStates(world.store.rows)
    places = [(account.facts.name, account.facts.host) for account in found]
    context = SimpleNamespace(fingerprint=partial(fingerprint, STATES_KEY))
    connected = SimpleNamespace(instance=SimpleNamespace(id=instance_id), engine=server)
    certain, left = await DriftCheck(cast("Any", context), states)._look(cast("Any", connected), places)
    expect(not left, "nothing that is open concerns an account", left)
    for place in places:
        drift, row = certain[place].drift, certain[place].row
        expect(not drift.differences, "no change here is drift", (drift, row, certain[place].changes))
        expect(set(drift.unrecorded) <= {"password"}, "every change is recorded", (drift, row))


def opened(row: AccountRow, instance_id: int) -> str:
    assert row.sealed_password is not None
    try:
        purpose = password_purpose(instance_id, display_name(row.name, row.host))
        return SEALER.open(row.sealed_password, purpose).reveal()
    except SealBroken:
        return "(does not open)"


def check_operations(
    operations: Sequence[Operation], applied: dict[UUID, str], lost: Collection[UUID] = ()
) -> None:
    """Recorded if and only if committed; nothing is open; what was promised ends in an account or a refusal.

    Of what is `lost`, SQL has dropped the account.
    """
    for one in operations:
        told = (one.change.value, one.target, one.state.value, one.reason, one.note, one.id.int)
        expect(one.state is not State.ACCEPTED, "no operation stays open", told)
        if one.state is State.RECORDED and one.change in ON_ENGINE:
            expect(one.id in applied, "what is recorded was committed", told)
        if one.state in (State.REFUSED, State.UNDONE) and one.id not in lost:
            expect(one.id not in applied, "what was committed is recorded", told)
        if one.runner is Runner.DEFERRED:
            kept = one.state is State.RECORDED or (one.state is State.REFUSED and one.reason)
            expect(kept, "a promise ends in an account or in a refusal that is listed", told)


def check_client_tokens(operations: Sequence[Operation], applied: dict[UUID, str], world: World) -> None:
    for token, requests in world.token_requests.items():
        own = [one for one in operations if one.request_id in requests]
        made = [one.id.int for one in own if one.id in applied]
        expect(len(made) <= 1, "one client token makes one account", (token, made))
        taken = [one.id.int for one in own if one.reason == Reason.ACCOUNT_TAKEN.value]
        expect(not taken, "a repeated client token is not told that the name is taken", (token, taken))


def check_sessions(server: Server, accounts: Collection[AccountFacts]) -> None:
    there = {(facts.name, facts.identity): facts for facts in accounts}
    for session in server.sessions:
        expect(session in there, "an account that was dropped or left its name has no session there", session)
        expect(there[session].may_log_in, "a locked account has no session", session)


def check_estates(history: History, server: Server) -> None:
    """The same for the database, what is granted on it, and the superuser."""
    finals = {
        Estate: ("estate", server.estate(DATABASE)),
        Superuser: ("superuser", server.superuser_password()),
    }
    for model, (final, now) in finals.items():
        history.ok(history.invoke("check", final, ("", None)), ("ok", now))
        calls = [call for call in history.operations if call.f in model.calls]
        why = explained(calls, model())
        expect(why is None, f"an order of the calls explains what they saw of the {final}", why)


def check_history(history: History, seen: dict[str, Observed]) -> None:
    """For each group of names that moves connect: some order of the calls explains what each of them saw."""
    for names in _groups(history):
        for name in sorted(names):
            history.ok(history.invoke("check", "final", (name, None)), ("ok", seen.get(name)))
        calls = [call for call in history.operations if call.f in _CALLS and call.arg[0] in names]
        calls = [call for call in calls if not _sees_a_deletion(call, calls)]
        promised = frozenset(call.arg[0] for call in calls if call.f == "promise")
        why = explained(calls, Accounts(promised))
        expect(why is None, f"an order of the calls explains what they saw, of {sorted(names)}", why)


def _sees_a_deletion(shown: Call, calls: Sequence[Call]) -> bool:
    """Login goes first: while an account is deleted it shows as locked."""
    if shown.f != "show" or shown.status != "ok" or shown.output != ("ok", True):
        return False
    assert shown.ret is not None
    return any(
        one.f == "delete" and one.arg[0] == shown.arg[0] and one.call < shown.ret
        and (one.status != "ok" or one.ret is None or one.ret > shown.call)
        for one in calls
    )  # fmt: skip


def _groups(history: History) -> list[set[str]]:
    groups: list[set[str]] = []
    for call in (one for one in history.operations if one.f in _CALLS):
        names = {call.arg[0], call.arg[2]} if call.f == "move" else {call.arg[0]}
        touching = [group for group in groups if group & names]
        groups = [group for group in groups if group not in touching] + [names.union(*touching)]
    return groups


class Accounts(Model):
    """Accounts by name, one after another. A call is (name, password or remark, new name).

    A name that is `promised` may be taken, and be shown, while its account is not made yet or deleted already.
    """

    name = "accounts"

    def __init__(self, promised: frozenset[str] = frozenset()) -> None:
        self._promised = promised

    def init(self) -> Hashable:
        return ()

    def step(self, state: Any, op: Call) -> tuple[bool, Any]:
        accounts: dict[str, Observed] = dict(state)
        there = accounts.get(op.arg[0])
        if op.arg[0] in self._promised and _is_of_the_moment(op):
            return True, state
        if op.f == "delete" and op.status == "ok" and op.output[1] is Reason.ACCOUNT_MISSING:
            # It is gone, maybe by the recovery of this very call.
            accounts.pop(op.arg[0], None)
            return True, tuple(sorted(accounts.items()))
        if op.status == "ok" and op.output[0] == "refused":
            return _may_refuse(op, there, accounts), state
        if op.f == "final" or op.f == "show":
            return _may_show(op, there), state
        legal = _CALLS[op.f](accounts, there, op.arg)
        return legal, tuple(sorted(accounts.items())) if legal else state


def _is_of_the_moment(op: Call) -> bool:
    refused = op.status == "ok" and op.output[0] == "refused"
    return op.f == "show" or (refused and op.output[1] is Reason.ACCOUNT_TAKEN)


def _may_refuse(op: Call, there: Observed | None, accounts: dict[str, Observed]) -> bool:
    match op.output[1]:
        case Reason.ACCOUNT_MISSING if op.f == "join":  # perhaps the role that was to be joined
            return True
        case Reason.ACCOUNT_TAKEN:
            return there is not None or (op.f == "move" and op.arg[2] in accounts)
        case Reason.ACCOUNT_MISSING:
            return there is None
        case _:
            return True


def _may_show(op: Call, there: Observed | None) -> bool:
    if op.status != "ok":
        return True
    if op.f == "final":
        return bool(op.output[1] == there)
    return there is not None and op.output[1] == there[0]


def _create(accounts: dict[str, Observed], there: Observed | None, arg: Any) -> bool:
    accounts[arg[0]] = (False, arg[1], "", NO_LIMIT)
    return there is None


def _create_again(accounts: dict[str, Observed], there: Observed | None, arg: Any) -> bool:
    """With a client token: what an earlier call has made is shown."""
    accounts.setdefault(arg[0], (False, arg[1], "", NO_LIMIT))
    return True


def _delete(accounts: dict[str, Observed], there: Observed | None, arg: Any) -> bool:
    """Of two at once, both may have seen it."""
    accounts.pop(arg[0], None)
    return True


def _lock(accounts: dict[str, Observed], there: Observed | None, arg: Any) -> bool:
    if there is not None:
        accounts[arg[0]] = (True, *there[1:])
    return there is not None


def _unlock(accounts: dict[str, Observed], there: Observed | None, arg: Any) -> bool:
    if there is not None:
        accounts[arg[0]] = (False, *there[1:])
    return there is not None


def _password(accounts: dict[str, Observed], there: Observed | None, arg: Any) -> bool:
    if there is not None:
        accounts[arg[0]] = (there[0], arg[1], *there[2:])
    return there is not None


def _remark(accounts: dict[str, Observed], there: Observed | None, arg: Any) -> bool:
    if there is not None:
        accounts[arg[0]] = (*there[:2], arg[1], there[3])
    return there is not None


def _limit(accounts: dict[str, Observed], there: Observed | None, arg: Any) -> bool:
    if there is not None:
        accounts[arg[0]] = (*there[:3], arg[1])
    return there is not None


def _move(accounts: dict[str, Observed], there: Observed | None, arg: Any) -> bool:
    if there is None or arg[2] in accounts:
        return False
    accounts[arg[2]] = accounts.pop(arg[0])
    return True


def _nothing(accounts: dict[str, Observed], there: Observed | None, arg: Any) -> bool:
    return True


_CALLS = {
    "show": _nothing,
    "final": _nothing,
    "create": _create,
    "create again": _create_again,
    "delete": _delete,
    "lock": _lock,
    "unlock": _unlock,
    "password": _password,
    "remark": _remark,
    "limit": _limit,
    "join": _nothing,
    "move": _move,
    "promise": _nothing,
    "grants": _nothing,
}
