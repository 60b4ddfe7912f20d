"""Faults of the past, planted back in this process: each binds a change to a name again, or forgets an order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from unittest.mock import patch

from tests.simulation.catalog import SCENARIOS
from tests.simulation.drifting import corrections
from tests.simulation.scenarios import (
    create,
    create_managed,
    create_with_token,
    delete,
    lock,
    move,
    open_managed,
    promise,
    remark,
    search_accounts,
)
from tests.simulation.schedules import Scenario
from tests.simulation.world import GrantingServer, OwningServer

from rolecall.domain.accounts import removal, repairs
from rolecall.domain.engine.identity import Expected
from rolecall.domain.operations.journal import Journal
from rolecall.domain.operations.model import Holder, State
from rolecall.domain.provisioning.phases import Phases
from rolecall.engines.memory import MemoryEngine
from rolecall.engines.memory_grants import MemoryGrantsEngine
from rolecall.engines.memory_states import MemoryStates
from rolecall.store.memory_ledger import MemoryLedger
from rolecall.store.replica import NotifiedCache


async def names() -> None:
    """Accounts of the same names, made and deleted again and again."""
    acts = (delete, create_managed, delete, create, open_managed)
    await search_accounts(OwningServer, "postgresql", acts, rotates=False)


async def remarks() -> None:
    """Deletions, where other changes come between."""
    await search_accounts(OwningServer, "postgresql", (create, delete, remark))


async def promises() -> None:
    await search_accounts(GrantingServer, "mysql", (promise, delete))


async def repetitions() -> None:
    await search_accounts(OwningServer, "postgresql", (create_with_token,))


async def renames() -> None:
    await search_accounts(GrantingServer, "mysql", (create, move, delete))


async def renames_and_locks() -> None:
    await search_accounts(GrantingServer, "mysql", (create, move, delete, lock))


_changed = MemoryLedger._changed
_make_ledger = MemoryLedger.__init__
_change_account, _drop_account = MemoryGrantsEngine.change_account, MemoryGrantsEngine.drop_account
_drop = MemoryEngine.drop_account
_restore, _change = MemoryStates.restore, MemoryEngine.change_account


def _record_deletion_by_name(
    self: Any, operation: Any, instance_id: int, effect: Any, instead_of: Any
) -> Any:
    row = None if effect is None else self._rows.accounts.get((instance_id, effect.name, effect.host))
    if row is not None and effect.deleted:
        instead_of = Holder(row.identity, row.is_deleted, row.applied_order)
    return _changed(self, operation, instance_id, effect, instead_of)


def _record_creation_by_name(
    self: Any, operation: Any, instance_id: int, effect: Any, instead_of: Any
) -> Any:
    row = None if effect is None else self._rows.accounts.get((instance_id, effect.name, effect.host))
    if row is not None and effect.created:
        instead_of = Holder(row.identity, row.is_deleted, row.applied_order)
    return _changed(self, operation, instance_id, effect, instead_of)


async def _drop_by_name(self: Any, name: str, operation: Any, host: str = "", expected: Any = None) -> bool:
    return await _drop(self, name, operation, host)


async def _repeat_deletion_by_name(case: Any) -> None:
    await case.connected.engine.drop_account(case.operation.target, case.operation.id)


def _record_quickly(self: Any, rows: Any, replica: Any, **_: Any) -> None:
    _make_ledger(self, rows, replica)


async def _undo_in_order(self: Any, instance: Any) -> None:
    for operation in await self._ledger.provisioning(instance.id):
        await self._ledger.close(operation.id, State.UNDONE, "interrupted", "never begun")


async def _begin_silently(self: Any, operation_id: Any, seen: Any) -> bool:
    await self.witness(seen)
    return True


async def _remove_login(engine: Any, name: str, expected: Any) -> None:
    for key, found in engine._accounts.items():
        if key[0] == name and expected is not None and found.identity == expected.identity:
            engine._accounts[key] = replace(found, may_log_in=False)
            await engine.passed("login is removed")
            return


async def _change_without_login(self: Any, change: Any) -> Any:
    if change.may_log_in is False:
        await _remove_login(self, change.name, change.expected)
    return await _change_account(self, change)


async def _drop_without_login(
    self: Any, name: str, operation: Any, host: str = "", expected: Any = None
) -> bool:
    await _remove_login(self, name, expected)
    return await _drop_account(self, name, operation, host, expected)


async def _repeat_nothing(case: Any) -> Any:
    for facts in await case.attached.engine.accounts():
        if case.operation.id in facts.operations:
            return facts
    raise repairs.NotApplied


async def _end_sessions_by_name(self: Any, account: Any) -> None:
    self.end_sessions(account.name, account.identity)


async def _restore_whatever_came_since(
    self: Any, place: Any, state: Any, operation: Any, expected: Any = None
) -> Any:
    return await _restore(self, place, state, operation, expected and Expected(expected.identity))


async def _restore_by_name(self: Any, place: Any, state: Any, operation: Any, expected: Any = None) -> Any:
    return await _restore(self, place, state, operation)


async def _change_in_no_order(self: Any, change: Any) -> Any:
    expected = change.expected and Expected(change.expected.identity)
    return await _change(self, replace(change, expected=expected))


async def _expect_nothing(*_: Any) -> None:
    """An account that is not there under its name is gone."""


def _keep_always(self: Any, key: Any, value: Any, generation: int) -> None:
    if self._listener.listening:
        self._values[key] = value


@contextmanager
def late_record_of_a_deletion() -> Iterator[None]:
    with patch.object(MemoryLedger, "_changed", _record_deletion_by_name):
        yield


@contextmanager
def second_try_of_a_deletion() -> Iterator[None]:
    with (
        patch.object(MemoryEngine, "drop_account", _drop_by_name),
        patch.object(removal, "require_identity", lambda *_: None),
    ):
        yield


@contextmanager
def repeated_deletion() -> Iterator[None]:
    """By recovery; the server drops whoever has the name."""
    table = {**repairs._REPAIRS, repairs.Change.ACCOUNT_DELETE: _repeat_deletion_by_name}
    with patch.object(repairs, "_REPAIRS", table), patch.object(MemoryEngine, "drop_account", _drop_by_name):
        yield


@contextmanager
def late_record_of_a_creation() -> Iterator[None]:
    with patch.object(MemoryLedger, "_changed", _record_creation_by_name):
        yield


@contextmanager
def made_without_a_fence() -> Iterator[None]:
    with patch.object(Journal, "fence", lambda *_, **__: None):
        yield


@contextmanager
def deletion_that_is_not_noted() -> Iterator[None]:
    with patch.object(MemoryLedger, "begin", _begin_silently):
        yield


@contextmanager
def login_removed_without_the_lock() -> Iterator[None]:
    with (
        patch.object(MemoryGrantsEngine, "change_account", _change_without_login),
        patch.object(MemoryGrantsEngine, "drop_account", _drop_without_login),
    ):
        yield


@contextmanager
def renamed_account_taken_for_gone() -> Iterator[None]:
    with patch.object(removal, "_require_gone", _expect_nothing):
        yield


@contextmanager
def sessions_that_a_rename_leaves() -> Iterator[None]:
    """If its process ends: recovery follows the marker alone."""
    with patch.object(
        repairs, "_REPAIRS", {**repairs._REPAIRS, repairs.Change.ACCOUNT_MOVE: _repeat_nothing}
    ):
        yield


@contextmanager
def sessions_ended_by_name() -> Iterator[None]:
    """By a deletion or a lock, whichever account has the name by now."""
    with patch.object(MemoryGrantsEngine, "_end_sessions", _end_sessions_by_name):
        yield


@contextmanager
def reassertion_in_no_order() -> Iterator[None]:
    """It overwrites what was applied since the account was compared."""
    with patch.object(MemoryStates, "restore", _restore_whatever_came_since):
        yield


@contextmanager
def reassertion_by_name() -> Iterator[None]:
    """Also of an account that SQL has created in place of the one that was compared."""
    with patch.object(MemoryStates, "restore", _restore_by_name):
        yield


@contextmanager
def adoption_in_no_order() -> Iterator[None]:
    with patch.object(MemoryEngine, "change_account", _change_in_no_order):
        yield


@contextmanager
def server_undone_in_order() -> Iterator[None]:
    with patch.object(Phases, "undo", _undo_in_order):
        yield


@contextmanager
def servers_recorded_quickly() -> Iterator[None]:
    """As changes of accounts, which their servers show again."""
    with patch.object(MemoryLedger, "__init__", _record_quickly):
        yield


@contextmanager
def key_remembered_too_late() -> Iterator[None]:
    with patch.object(NotifiedCache, "put", _keep_always):
        yield


Fault = Callable[[], Any]

PLANTED: dict[str, tuple[Fault, Scenario, int]] = {
    "a late record of a deletion": (late_record_of_a_deletion, names, 2),
    "the second try of a deletion": (second_try_of_a_deletion, names, 3),
    "a deletion that recovery repeats": (repeated_deletion, names, 2),
    "a late record of a creation": (late_record_of_a_creation, names, 8),
    "a promise that is kept without asking again": (made_without_a_fence, promises, 3),
    "a client token that was called free too early": (made_without_a_fence, repetitions, 49),
    "a quota that a late call exceeds": (made_without_a_fence, SCENARIOS["quotas"], 42),
    "a deletion that is not noted before it begins": (deletion_that_is_not_noted, remarks, 1000),
    "a login that is removed without the account's lock": (login_removed_without_the_lock, renames, 24),
    "a renamed account that is taken for gone": (renamed_account_taken_for_gone, renames, 1),
    "sessions that outlive a rename": (sessions_that_a_rename_leaves, renames_and_locks, 3),
    "a reassertion that overwrites a later change": (reassertion_in_no_order, corrections, 1),
    "a reassertion of a recreated account": (reassertion_by_name, corrections, 1),
    "an adoption that forgets a later change": (adoption_in_no_order, corrections, 2),
    "a server undone in the order of its making": (server_undone_in_order, SCENARIOS["provisioning"], 1),
    "a key that is remembered after it was changed": (key_remembered_too_late, SCENARIOS["keys"], 3),
}
"""How it is planted, the scenario that shows it, and a seed with which the search comes upon it soon.

Another seed finds it too, some after thousands of schedules.
"""
