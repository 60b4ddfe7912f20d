"""Effects: how an applied change shows in what Rolecall keeps of accounts and databases."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias
from uuid import UUID

from msgspec import UNSET, Struct
from msgspec.structs import replace

from rolecall.domain.engine import (
    Access,
    AccountFacts,
    DatabaseGrant,
    ObjectType,
    VerifierWrite,
)
from rolecall.domain.engine.identity import next_order
from rolecall.domain.engine.roles import MembershipChange
from rolecall.domain.engine.states import (
    NEVER,
    AccountState,
    Recorded,
    access_text,
    membership_text,
    new_state,
    time_text,
    to_record,
)
from rolecall.domain.operations import details
from rolecall.domain.operations.model import Change, Intent, Operation


class AccountEffect(Struct, frozen=True):
    """How a change shows in Rolecall's own row of an account. Fields left None keep what was there.

    `manages` True keeps the password that is `sealed`, False forgets what was kept. `order` is that of the change among
    those of the account: what a later one wrote stays.
    """

    name: str
    host: str = ""
    oid: int = 0
    identity: str = ""
    order: int = 0
    created: bool = False
    deleted: bool = False
    adopted: bool = False
    """It counts as managed from now on, if it did not before."""
    remark: str | None = None
    password_changed: bool = False
    manages: bool | None = None
    sealed: bytes | None = None
    """Of the change itself: an operation that was undone too early has forgotten its own."""
    moved_from: tuple[str, str] | None = None
    """The name and host it had before."""
    verifier_write: VerifierWrite | None = None
    state: AccountState | None = None
    """What the change sets of the account's state, to be compared with the server's."""

    @property
    def to_record(self) -> Recorded:
        """What the row keeps of its state."""
        return to_record(self.state, self.identity, self.order)

    @property
    def detail(self) -> Mapping[str, object]:
        """What the operation's detail gains, for the audit trail: how a verifier was stored."""
        return {} if self.verifier_write is None else {"verifier_write": self.verifier_write.value}

    @property
    def speaks_of_password(self) -> bool:
        return self.created or self.password_changed or self.manages is not None


class DatabaseEffect(Struct, frozen=True):
    """How a change of a database shows: it takes grants on it away, which were recorded before it was accepted.

    From the `accounts`, by display name; from all if there are none. `awaited`: also those that were meant for a
    database to come.
    """

    database: str
    accounts: tuple[str, ...] = ()
    awaited: bool = True


Effect: TypeAlias = AccountEffect | DatabaseEffect


def effect_of(of: Intent | Operation, operation_id: UUID, facts: AccountFacts | None) -> Effect | None:
    """The effect of an applied change. None when Rolecall's own rows hold nothing about it."""
    match of.change:
        case Change.DATABASE_CREATE:
            return DatabaseEffect(of.target, awaited=False)
        case Change.DATABASE_DELETE:
            return DatabaseEffect(of.target)
        case Change.DATABASE_OWNER:
            detail = details.ChangeDatabaseOwner.of(of)
            return DatabaseEffect(of.target, (detail.former, detail.owner))
        case Change.ACCOUNT_DELETE:
            name, host = of.account
            identity = of.expected.identity if of.expected else ""
            order = 0 if facts is None else next_order(facts.order)
            return AccountEffect(name, host, identity=identity, order=order, deleted=True)
        case _:
            return None if facts is None else _effect_on(facts, of, operation_id)


def _effect_on(facts: AccountFacts, of: Intent | Operation, operation_id: UUID) -> AccountEffect:
    """Of a change of an account that is there."""
    name, host = of.account
    order = facts.order_of(operation_id)
    same = AccountEffect(
        name,
        host,
        facts.oid,
        facts.identity,
        order,
        verifier_write=facts.verifier_write,
        state=_state(of, facts),
    )
    match of.change:
        case Change.ACCOUNT_CREATE:
            created = details.CreateAccount.of(of)
            sealed = of.sealed if created.managed else None
            return replace(same, created=True, remark=created.remark, manages=created.managed, sealed=sealed)
        case Change.ACCOUNT_REMARK:
            return replace(same, remark=details.ChangeRemark.of(of).remark)
        case Change.ACCOUNT_PASSWORD | Change.ACCOUNT_MANAGE | Change.ACCOUNT_UNMANAGE:
            managed = of.change is Change.ACCOUNT_MANAGE
            return replace(
                same, password_changed=True, manages=managed, sealed=of.sealed if managed else None
            )
        case Change.ACCOUNT_MOVE:
            changed = details.MoveAccount.of(of).password_changed
            manages = False if changed else None
            moved_from = None if (facts.name, facts.host) == (name, host) else (name, host)
            return replace(
                same, name=facts.name, host=facts.host, password_changed=changed, manages=manages,
                moved_from=moved_from,
            )  # fmt: skip
        case Change.ACCOUNT_ADOPT:
            return replace(same, adopted=True)
        case _:
            return same


def _state(of: Intent | Operation, facts: AccountFacts) -> AccountState | None:
    """What a change sets of the account's state."""
    make = _STATES.get(of.change)
    return None if make is None else make(of, facts)


def _of_creation(of: Intent | Operation, facts: AccountFacts) -> AccountState:
    created = details.CreateAccount.of(of)
    awaited = _databases(created.grants) if created.allow_missing else ()
    return new_state(created.kind.value, _granted(created.grants, facts), awaited, facts.password)


def _of_lock(of: Intent | Operation, _facts: AccountFacts) -> AccountState:
    return AccountState(login=of.change is Change.ACCOUNT_UNLOCK)


def _of_password(_of: Intent | Operation, facts: AccountFacts) -> AccountState:
    """Where accounts have hosts it is the password that expires, and a new one does not."""
    return AccountState(password=facts.password, valid_until=NEVER if facts.host else UNSET)


def _of_move(of: Intent | Operation, facts: AccountFacts) -> AccountState | None:
    return _of_password(of, facts) if details.MoveAccount.of(of).password_changed else None


def _of_grants(of: Intent | Operation, facts: AccountFacts) -> AccountState:
    changes = details.ChangeGrants.of(of)
    taken: dict[str, str | None] = dict.fromkeys(changes.revoke)
    awaited = _databases(changes.grant) if changes.allow_missing else ()
    return AccountState(grants=taken | _granted(changes.grant, facts), awaited=awaited)


def _of_limit(of: Intent | Operation, _facts: AccountFacts) -> AccountState:
    return AccountState(connection_limit=details.ChangeLimit.of(of).connection_limit)


def _of_expiry(of: Intent | Operation, _facts: AccountFacts) -> AccountState:
    return AccountState(valid_until=time_text(details.ChangeExpiry.of(of).valid_until))


def _of_membership(of: Intent | Operation, _facts: AccountFacts) -> AccountState:
    change = details.ChangeMembership.of(of).change
    return AccountState(memberships=_memberships([change]), roles={change.role: change.identity})


def _of_adoption(of: Intent | Operation, facts: AccountFacts) -> AccountState:
    """Recovery does not know the password: what was recorded of one that SQL had not changed stays."""
    detail = details.AdoptAccount.of(of)
    is_kept = facts.password is None and detail.has_recorded_password
    return replace(detail.state, password=UNSET if is_kept else facts.password)


def _of_reassertion(of: Intent | Operation, _facts: AccountFacts) -> AccountState:
    return details.ReassertAccount.of(of).state


def _of_privileges(of: Intent | Operation, facts: AccountFacts) -> AccountState:
    """Of those on objects only what databases have is compared. Where whole databases are granted (accounts have
    hosts there), another kind takes all grants.
    """
    detail = details.ChangePrivileges.of(of)
    privileges: dict[str, dict[str, bool]] = defaultdict(dict)
    for change in detail.changes:
        if change.object.type is ObjectType.DATABASE:
            privileges[change.object.name] |= dict.fromkeys(change.privileges, change.grant)
    state = AccountState(
        privileges=privileges,
        memberships=_memberships(detail.memberships),
        roles={change.role: change.identity for change in detail.memberships},
    )
    if detail.kind in (None, detail.former_kind):
        return state
    assert detail.kind is not None  # noqa: S101 - see above
    return replace(state, kind=detail.kind.value, attributes="", has_all_grants=bool(facts.host))


def _memberships(changes: Iterable[MembershipChange]) -> dict[str, str | None]:
    """By role; None for a membership that was revoked."""
    return {
        change.role: membership_text(
            inherits=change.inherits, may_become=change.may_become, administers=False
        )
        if change.grant
        else None
        for change in changes
    }


def _databases(grants: Iterable[DatabaseGrant]) -> tuple[str, ...]:
    return tuple(grant.database for grant in grants)


def _granted(grants: Iterable[DatabaseGrant], facts: AccountFacts) -> dict[str, str | None]:
    """By database, as the server shows them: everything as READ_WRITE where that is the same. SQL may have changed them
    before this is recorded.
    """
    shown = {grant.database: grant for grant in facts.grants if grant.access is Access.READ_WRITE}
    return {
        grant.database: access_text(shown.get(grant.database, grant) if grant.access is Access.ALL else grant)
        for grant in grants
    }


_STATES: Mapping[Change, Callable[[Intent | Operation, AccountFacts], AccountState | None]] = {
    Change.ACCOUNT_CREATE: _of_creation,
    Change.ACCOUNT_LOCK: _of_lock,
    Change.ACCOUNT_UNLOCK: _of_lock,
    Change.ACCOUNT_PASSWORD: _of_password,
    Change.ACCOUNT_MANAGE: _of_password,
    Change.ACCOUNT_UNMANAGE: _of_password,
    Change.ACCOUNT_MOVE: _of_move,
    Change.PRIVILEGES: _of_privileges,
    Change.GRANTS: _of_grants,
    Change.ACCOUNT_LIMIT: _of_limit,
    Change.ACCOUNT_EXPIRY: _of_expiry,
    Change.MEMBERSHIP: _of_membership,
    Change.ACCOUNT_ADOPT: _of_adoption,
    Change.ACCOUNT_REASSERT: _of_reassertion,
}
