"""What recovery does for each kind of change: find its mark, finish it, or say that it never happened.

An account's change leaves its operation's id as a marker in the same transaction, so the marker decides. What leaves
none before it is whole (a deletion, privileges in several databases, a change of owner) is repeated, which changes
nothing twice: on the very account that it was accepted for, and only if no other change has been applied since.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from rolecall.domain.accounts.grants import apply_privileges
from rolecall.domain.accounts.removal import find_database, remove, remove_database, remove_superuser
from rolecall.domain.engine import (
    AccountChange,
    AccountFacts,
    ExpectedDatabase,
)
from rolecall.domain.engine.capabilities import required
from rolecall.domain.engine.identity import (
    NO_ACCOUNT,
    ChangedMeanwhile,
    Expected,
    MovedAway,
    Superseded,
    require_identity,
    superseded_account,
    superseded_database,
)
from rolecall.domain.engine.roles import DefaultsChange
from rolecall.domain.instances.registry import ConnectedInstance
from rolecall.domain.operations import details
from rolecall.domain.operations.model import Change, Ledger, Operation, StillUnknown


class NotApplied(Exception):
    """The engine shows no trace of the change."""


class Overtaken(Exception):
    """The change was not begun, and another one of the account has been applied since, which it would undo."""


@dataclass(frozen=True, slots=True)
class Case:
    """One unresolved operation, with what looking after it takes."""

    operation: Operation
    connected: ConnectedInstance
    ledger: Ledger
    is_begun: bool = False
    """Of a deletion: whether its first step may have been taken (`Ledger.begin`)."""

    @property
    def expected(self) -> Expected:
        """The account that it was accepted for, as it was then."""
        if self.operation.expected is None:
            raise NotApplied("it was accepted by an earlier release, which did not say for which account")
        return self.operation.expected

    def deleting(self, found: AccountFacts | None) -> Expected:
        """The account to delete, of what is there. One that bears the marker of its deletion needs no other proof.

        What was begun is brought to its end, whatever else was applied since.
        """
        if found is None:
            return self.operation.expected or NO_ACCOUNT
        if self.operation.id in found.operations:
            return found.expected
        return Expected(self.expected.identity) if self.is_begun else self.expected


async def repair(case: Case) -> AccountFacts | None:
    """What the engine shows after the change. `NotApplied`, `Overtaken`, `Superseded`, or what the engine raises."""
    try:
        return await _REPAIRS[case.operation.change](case)
    except ChangedMeanwhile as error:
        raise Overtaken("another change of the account was applied") from error


async def is_shown(case: Case) -> bool:
    """Whether the engine shows that a change was begun: by its mark, or, of a deletion, by the account that is missing.

    What asks its fence is never late. Other changes of databases write no row: the server alone tells what is true.
    """
    operation, engine = case.operation, case.connected.engine
    if operation.change is Change.ACCOUNT_MOVE:
        return any(operation.id in facts.operations for facts in await engine.accounts())
    if not operation.change.value.startswith("account."):
        return False
    facts = await engine.account(*operation.account)
    if facts is not None and operation.id in facts.operations:
        return True
    expected = operation.expected
    if operation.change is Change.ACCOUNT_DELETE and expected is not None and expected.identity:
        holder = await case.ledger.holder(case.connected.instance.id, *operation.account)
        is_gone = facts is None or facts.identity != expected.identity
        return (
            is_gone and holder is not None and holder.identity == expected.identity and not holder.is_deleted
        )
    if operation.change is Change.ACCOUNT_LOCK and facts is not None:
        return facts.expected == expected and not facts.may_log_in
    return False


async def _by_marker(case: Case) -> AccountFacts:
    return _marked(case, await case.connected.engine.account(*case.operation.account))


def _marked(case: Case, facts: AccountFacts | None) -> AccountFacts:
    if facts is not None and case.operation.id in facts.operations:
        return facts
    expected = case.operation.expected
    if facts is not None and expected is not None and facts.identity != expected.identity:
        raise superseded_account(facts.name)
    raise NotApplied("the engine holds no mark of it")


async def _create_account(case: Case) -> AccountFacts:
    """Where an account is made in one transaction the mark says all; elsewhere what is half made is taken away.

    An engine does not show an account that is half made, and any other one of that name it does show.
    """
    engine, (name, host) = case.connected.engine, case.operation.account
    if engine.traits.creates_in_steps and await engine.account(name, host) is None:
        await engine.drop_account(name, case.operation.id, host, NO_ACCOUNT)
    return await _by_marker(case)


async def _lock(case: Case) -> AccountFacts:
    """Login goes first, then the lock is marked, and sessions end after either: what was begun is finished.

    Whatever else was applied since: that the account is locked is not undone by it.
    """
    facts = await case.connected.engine.account(*case.operation.account)
    if facts is not None and not facts.may_log_in and case.operation.id not in facts.operations:
        require_identity(case.expected, facts.name, facts.identity)
        expected = facts.expected
    else:
        facts = _marked(case, facts)
        expected = Expected(facts.identity)
    change = AccountChange(
        facts.name,
        case.operation.id,
        may_log_in=False,
        end_sessions=True,
        host=facts.host,
        expected=expected,
    )
    try:
        return await case.connected.engine.change_account(change)
    except ChangedMeanwhile as error:  # perhaps unlocked: the next round looks again
        raise StillUnknown("another change of the account was applied meanwhile") from error


async def _move(case: Case) -> AccountFacts:
    """Wherever the account is now: it may have been moved on. Its sessions end after the mark, so they end here too."""
    detail, (name, host) = details.MoveAccount.of(case.operation), case.operation.account
    engine, to = case.connected.engine, (detail.new_name, detail.new_host)
    for facts in await engine.accounts():
        if case.operation.id not in facts.operations:
            continue
        if (facts.name, facts.host) != to or to == (name, host):
            return facts
        expected = Expected(facts.identity)
        return await engine.change_account(
            AccountChange(
                name, case.operation.id, host=host, new_name=to[0], new_host=to[1], expected=expected
            )
        )
    raise NotApplied("the engine holds no mark of it")


async def _delete_account(case: Case) -> AccountFacts | None:
    """Done if that account is gone, whichever account has its name now. A deletion that was begun is completed."""
    engine, place = case.connected.engine, case.operation.account
    expected = case.deleting(await engine.account(*place))
    try:
        return await remove(case.ledger, engine, place, case.operation.id, expected)
    except MovedAway:
        raise
    except Superseded:
        return None


async def _privileges(case: Case) -> AccountFacts:
    operation = case.operation
    if operation.expected is None:
        return await _by_marker(case)
    detail = details.ChangePrivileges.of(operation)
    return await apply_privileges(case.connected, operation.target, detail, operation.id, case.expected)


async def _grants(case: Case) -> AccountFacts:
    if case.operation.expected is None:
        return await _by_marker(case)
    detail = details.ChangeGrants.of(case.operation)
    name, host = case.operation.account
    return await required(case.connected.engine.grants).change_grants(
        name,
        host,
        detail.grant,
        detail.revoke,
        case.operation.id,
        allow_missing=detail.allow_missing,
        expected=case.expected,
    )


async def _reassert(case: Case) -> AccountFacts:
    state = details.ReassertAccount.of(case.operation).state
    states = case.connected.engine.states
    return await states.restore(case.operation.account, state, case.operation.id, case.expected)


async def _create_database(case: Case) -> None:
    """By its mark; by its owner where that has written another comment over it."""
    facts = await find_database(case.connected.engine, case.operation.target)
    if facts is None:
        raise NotApplied("there is no such database")
    if facts.operations:
        is_ours = case.operation.id in facts.operations
    else:
        is_ours = facts.owner == details.CreateDatabase.of(case.operation).owner
    if not is_ours:
        raise superseded_database(facts.name)


async def _delete_database(case: Case) -> None:
    """Done if that database is gone, whatever has its name now."""
    expected = ExpectedDatabase(case.expected.identity)
    try:
        await remove_database(case.ledger, case.connected.engine, case.operation.target, expected)
    except Superseded:
        return


async def _database_owner(case: Case) -> None:
    """Repeated while the former owner still owns the database, unless another change of the owner was applied since."""
    detail, name = details.ChangeDatabaseOwner.of(case.operation), case.operation.target
    engine = case.connected.engine
    facts = await find_database(engine, name)
    if facts is not None and facts.identity == case.expected.identity and facts.owner == detail.owner:
        return
    if await case.ledger.is_followed(case.operation.id):
        raise Overtaken("another change of the owner was applied")
    await required(engine.ownership).change_database_owner(
        name,
        detail.owner,
        case.operation.id,
        expected=ExpectedDatabase(case.expected.identity, detail.former),
        owned_by=None if detail.owned_by is None else Expected(detail.owned_by),
    )


async def _defaults(case: Case) -> AccountFacts:
    """Repeated, as `_privileges`: the database's part is committed before the mark."""
    detail = details.ChangeDefaults.of(case.operation)
    change = DefaultsChange(detail.defaults, detail.owned_by, detail.grant, case.operation.id, case.expected)
    return await required(case.connected.engine.roles).change_default_privileges(change)


async def _database_public(case: Case) -> None:
    """By what the database shows: it leaves no mark, and is whole or absent."""
    detail, name = details.ChangePublic.of(case.operation), case.operation.target
    found = await required(case.connected.engine.roles).public_privileges(name)
    if found.identity != case.expected.identity:
        raise superseded_database(name)
    if any((word in found.privileges) is not detail.grant for word in detail.privileges):
        raise NotApplied("the database does not show it")


async def _enable_superuser(case: Case) -> None:
    """As with other accounts, the mark says whether it happened, and what is half made is taken away."""
    superuser = required(case.connected.engine.superuser)
    facts = await superuser.find()
    if facts is None:
        await superuser.disable(case.operation.id, NO_ACCOUNT)
    if facts is None or case.operation.id not in facts.operations:
        raise NotApplied("the engine holds no mark of it")


async def _disable_superuser(case: Case) -> None:
    superuser = required(case.connected.engine.superuser)
    expected = case.deleting(await superuser.find())
    try:
        await remove_superuser(case.ledger, superuser, case.operation.id, expected)
    except Superseded:
        return


_REPAIRS: Mapping[Change, Callable[[Case], Awaitable[AccountFacts | None]]] = {
    Change.ACCOUNT_CREATE: _create_account,
    Change.ACCOUNT_PASSWORD: _by_marker,
    Change.ACCOUNT_LOCK: _lock,
    Change.ACCOUNT_UNLOCK: _by_marker,
    Change.ACCOUNT_MANAGE: _by_marker,
    Change.ACCOUNT_UNMANAGE: _by_marker,
    Change.ACCOUNT_REMARK: _by_marker,
    Change.ACCOUNT_MOVE: _move,
    Change.ACCOUNT_ADOPT: _by_marker,
    Change.ACCOUNT_REASSERT: _reassert,
    Change.ACCOUNT_DELETE: _delete_account,
    Change.ACCOUNT_LIMIT: _by_marker,
    Change.ACCOUNT_EXPIRY: _by_marker,
    Change.MEMBERSHIP: _by_marker,
    Change.DEFAULT_PRIVILEGES: _defaults,
    Change.PRIVILEGES: _privileges,
    Change.GRANTS: _grants,
    Change.DATABASE_CREATE: _create_database,
    Change.DATABASE_DELETE: _delete_database,
    Change.DATABASE_OWNER: _database_owner,
    Change.DATABASE_PUBLIC: _database_public,
    Change.SUPERUSER_ENABLE: _enable_superuser,
    Change.SUPERUSER_DISABLE: _disable_superuser,
}
