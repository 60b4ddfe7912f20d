"""Effects: how an applied change shows in what Rolecall keeps of accounts and databases."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import TypeAlias
from uuid import UUID

from msgspec import UNSET, Struct
from msgspec.structs import replace

from rolecall.domain.account_states import NEVER, AccountState, Recorded, new_state, to_record
from rolecall.domain.engine import (
    Access,
    AccountFacts,
    DatabaseGrant,
    ObjectType,
    VerifierWrite,
)
from rolecall.domain.identity import next_order
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
    same = AccountEffect(name, host, facts.oid, facts.identity, order, verifier_write=facts.verifier_write)
    match of.change:
        case Change.ACCOUNT_CREATE:
            created = details.CreateAccount.of(of)
            sealed = of.sealed if created.managed else None
            return replace(
                same, created=True, remark=created.remark, manages=created.managed, sealed=sealed,
                state=_new_state(created, facts),
            )  # fmt: skip
        case Change.ACCOUNT_REMARK:
            return replace(same, remark=details.ChangeRemark.of(of).remark)
        case Change.ACCOUNT_LOCK | Change.ACCOUNT_UNLOCK:
            return replace(same, state=AccountState(login=of.change is Change.ACCOUNT_UNLOCK))
        case Change.ACCOUNT_PASSWORD | Change.ACCOUNT_MANAGE | Change.ACCOUNT_UNMANAGE:
            managed = of.change is Change.ACCOUNT_MANAGE
            return replace(
                same, password_changed=True, manages=managed, sealed=of.sealed if managed else None,
                state=_new_password(facts),
            )  # fmt: skip
        case Change.ACCOUNT_MOVE:
            changed = details.MoveAccount.of(of).password_changed
            manages = False if changed else None
            moved_from = None if (facts.name, facts.host) == (name, host) else (name, host)
            return replace(
                same, name=facts.name, host=facts.host, password_changed=changed, manages=manages,
                moved_from=moved_from, state=_new_password(facts) if changed else None,
            )  # fmt: skip
        case Change.PRIVILEGES:
            return replace(same, state=_new_privileges(details.ChangePrivileges.of(of), facts))
        case Change.GRANTS:
            changes = details.ChangeGrants.of(of)
            taken: dict[str, str | None] = dict.fromkeys(changes.revoke)
            awaited = _databases(changes.grant) if changes.allow_missing else ()
            state = AccountState(grants=taken | _granted(changes.grant, facts), awaited=awaited)
            return replace(same, state=state)
        case _:
            return same


def _new_password(facts: AccountFacts) -> AccountState:
    """Where accounts have hosts it is the password that expires, and a new one does not."""
    return AccountState(password=facts.password, valid_until=NEVER if facts.host else UNSET)


def _new_state(created: details.CreateAccount, facts: AccountFacts) -> AccountState:
    awaited = _databases(created.grants) if created.allow_missing else ()
    return new_state(created.kind.value, _granted(created.grants, facts), awaited, facts.password)


def _new_privileges(detail: details.ChangePrivileges, facts: AccountFacts) -> AccountState:
    """Of those on objects only what databases have is compared. Where whole databases are granted (accounts have
    hosts there), another kind takes all grants.
    """
    privileges: dict[str, dict[str, bool]] = defaultdict(dict)
    for change in detail.changes:
        if change.object.type is ObjectType.DATABASE:
            privileges[change.object.name] |= dict.fromkeys(change.privileges, change.grant)
    if detail.kind in (None, detail.former_kind):
        return AccountState(privileges=privileges)
    assert detail.kind is not None  # noqa: S101 - see above
    return AccountState(
        kind=detail.kind.value, attributes="", privileges=privileges, has_all_grants=bool(facts.host)
    )


def _databases(grants: Iterable[DatabaseGrant]) -> tuple[str, ...]:
    return tuple(grant.database for grant in grants)


def _granted(grants: Iterable[DatabaseGrant], facts: AccountFacts) -> dict[str, str | None]:
    """By database, as the server shows them: it may show one template as another that is the same there."""
    shown = {grant.database: grant for grant in facts.grants}
    return {grant.database: access_text(shown.get(grant.database, grant)) for grant in grants}


def access_text(grant: DatabaseGrant) -> str:
    """What a grant gives, in a text that is compared."""
    return ", ".join(grant.privileges) if grant.access is Access.OTHER else grant.access.value
