"""Operations: every change is written down before an engine is touched and closed after.

    accepted -> (the engine applies it, leaving the operation's id as a marker) -> recorded
    accepted -> refused, with a reason        accepted -> undone, when a crash left nothing in the engine
    accepted -> superseded, when the account or the database that it was meant for is gone and another has the name

`domain.operations.journal` carries them out in that order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, StrEnum
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

from msgspec import Struct

from rolecall.domain.engine.identity import Expected
from rolecall.domain.operations.claims import Claim, Claimed
from rolecall.domain.reasons import Reason, Refused
from rolecall.values import Origin

if TYPE_CHECKING:  # effects are described in terms of what is below
    from rolecall.domain.operations.effects import Effect


class Change(StrEnum):
    """The kinds of change."""

    ACCOUNT_CREATE = "account.create"
    ACCOUNT_DELETE = "account.delete"
    ACCOUNT_PASSWORD = "account.password"
    ACCOUNT_REMARK = "account.remark"
    ACCOUNT_LOCK = "account.lock"
    ACCOUNT_UNLOCK = "account.unlock"
    ACCOUNT_MANAGE = "account.manage"
    """Rolecall takes over, or renews, the account's password."""
    ACCOUNT_UNMANAGE = "account.unmanage"
    ACCOUNT_MOVE = "account.move"
    """Another name or host, or a password with it."""
    ACCOUNT_LIMIT = "account.limit"
    """How many connections it may have at once."""
    ACCOUNT_EXPIRY = "account.expiry"
    MEMBERSHIP = "account.membership"
    """In another role."""
    DEFAULT_PRIVILEGES = "account.defaults"
    """On objects to come."""
    ACCOUNT_ADOPT = "account.adopt"
    """What the server has is recorded."""
    ACCOUNT_REASSERT = "account.reassert"
    """What was recorded is put back on the server."""
    PRIVILEGES = "account.privileges"
    GRANTS = "account.grants"
    DATABASE_CREATE = "database.create"
    DATABASE_DELETE = "database.delete"
    DATABASE_OWNER = "database.owner"
    DATABASE_PUBLIC = "database.public"
    """What every account may do on it."""
    SUPERUSER_ENABLE = "superuser.enable"
    """Also another password for it."""
    SUPERUSER_DISABLE = "superuser.disable"
    # of whole servers, carried out and resolved by `domain.provisioning.service`
    INSTANCE_CREATE = "instance.create"
    INSTANCE_RESTART = "instance.restart"
    INSTANCE_ISOLATE = "instance.isolate"
    INSTANCE_REVIVE = "instance.revive"
    INSTANCE_DELETE = "instance.delete"
    # what Rolecall keeps itself: recorded in the transaction that makes it (`domain.operations.records`)
    INSTANCE_RENAME = "instance.rename"
    INSTANCE_ADDRESSES = "instance.addresses"
    SUB_USER_CREATE = "sub-user.create"
    SUB_USER_UPDATE = "sub-user.update"
    SUB_USER_DELETE = "sub-user.delete"
    KEY_CREATE = "key.create"
    KEY_UPDATE = "key.update"
    KEY_DELETE = "key.delete"
    PASSWORD_RULES = "password-rules.update"
    GROUP_CREATE = "group.create"
    GROUP_UPDATE = "group.update"
    GROUP_DELETE = "group.delete"
    GROUP_JOIN = "group.join"
    GROUP_LEAVE = "group.leave"
    POLICY_CREATE = "policy.create"
    POLICY_UPDATE = "policy.update"
    POLICY_DELETE = "policy.delete"
    POLICY_ATTACH = "policy.attach"
    POLICY_DETACH = "policy.detach"
    ROLE_CREATE = "role.create"
    ROLE_UPDATE = "role.update"
    ROLE_DELETE = "role.delete"
    ROLE_ASSUME = "role.assume"
    SESSION_LEND = "session.lend"
    """Temporary credentials of the caller's own, narrowed."""
    TAGS = "tags.update"
    PROJECT_CREATE = "project.create"
    PROJECT_UPDATE = "project.update"
    STORE_CREATE = "store.create"
    STORE_UPDATE = "store.update"
    STORE_DELETE = "store.delete"
    USER_CREATE = "user.create"
    USER_UPDATE = "user.update"
    USER_STATUS = "user.status"
    USER_PASSWORD = "user.password"
    USER_DELETE = "user.delete"
    USER_LINK = "user.link"
    USER_IMPORT = "user.import"
    USER_GROUP_CREATE = "user-group.create"
    USER_GROUP_UPDATE = "user-group.update"
    USER_GROUP_DELETE = "user-group.delete"


class State(StrEnum):
    ACCEPTED = "accepted"
    RECORDED = "recorded"
    REFUSED = "refused"
    UNDONE = "undone"
    SUPERSEDED = "superseded"


AccountKey = tuple[int, str, str]
"""An account by its instance's id, its name and its host."""


class Runner(StrEnum):
    """Which part of Rolecall brings an operation to its end."""

    CALL = "call"
    """The call that asks for it; recovery, if its process dies."""
    DEFERRED = "deferred"
    """It is answered when it is accepted, and carried out afterwards (`domain.accounts.deferred`)."""
    PROVISIONING = "provisioning"
    """It belongs to a whole server (`domain.provisioning.reconciler`)."""


class Intent(Struct, frozen=True):
    """What is about to be done. `detail` holds no secret; `sealed` is a sealed value that finishing it needs.

    `target` is how people name what is changed; `detail` has an account's name and host where it has a host.
    `expected` is the account that it is meant for, if it is to change or delete one.
    """

    change: Change
    target: str
    origin: Origin | None
    """None only where it is on disk already."""
    detail: Mapping[str, object] = {}
    sealed: bytes | None = None
    claim: Claim | None = None
    counted: bool = False
    """Whether the order in which it and others of its instance are accepted must be known (`Ledger.ahead`)."""
    expected: Expected | None = None
    runner: Runner = Runner.CALL

    @property
    def account(self) -> tuple[str, str]:
        """The name and host of the account that is changed."""
        return account_of(self.target, self.detail)


@dataclass(frozen=True, slots=True)
class Promised:
    """An intent that is accepted now and carried out later."""

    id: UUID
    intent: Intent


@dataclass(frozen=True, slots=True)
class Operation:
    """The durable record of one change."""

    id: UUID
    owner_id: int
    instance_id: int | None
    change: Change
    target: str
    state: State
    reason: str
    note: str
    principal: int
    access_key_id: str
    dialect: str
    action: str
    request_id: str
    detail: Mapping[str, object]
    sealed: bytes | None
    accepted_at: datetime
    closed_at: datetime | None
    expected: Expected | None = None
    runner: Runner = Runner.CALL
    attempts: int = 0
    """Those of a runner that left it open."""
    is_due: bool = True
    """Whether it may be tried again now."""

    @property
    def account(self) -> tuple[str, str]:
        """The name and host of the account that was changed."""
        return account_of(self.target, self.detail)

    @property
    def is_interrupted(self) -> bool:
        """Whether recovery closed it because nothing showed it. A process that was held up may apply it yet."""
        is_undone = self.state in (State.UNDONE, State.SUPERSEDED)
        return is_undone and self.reason == Reason.INTERRUPTED.value


def account_of(target: str, detail: Mapping[str, object]) -> tuple[str, str]:
    return str(detail.get("name", target)), str(detail.get("host", ""))


@dataclass(frozen=True, slots=True)
class Holder:
    """The account that a row is of. A row stays after a deletion, so that a late record of it is recognized."""

    identity: str
    is_deleted: bool
    order: int
    """Of the last change that was recorded. An account that was moved away and came back has a greater one."""


class Standing(Enum):
    """What the ledger says of an operation to a process that is about to carry it out."""

    OWN = "own"
    """It is open, and this process's to carry out."""
    APPLIED = "applied"
    """It was applied, as the server once showed: what it made may be gone again by now."""
    TAKEN_OVER = "taken over"
    """Another process has taken it over, or it is closed, and it was not seen applied."""


@dataclass(frozen=True, slots=True)
class Unresolved:
    """The operations of all replicas that are open: how many, for how many seconds the oldest, and the most attempts.

    Those that are being carried out now are among them. An attempt counts if it left its operation open.
    """

    number: int = 0
    oldest: float = 0.0
    attempts: int = 0
    failed: int = 0
    """Deferred operations that failed (`Ledger.failed`): these are closed."""


LOOKED_FOR_SECONDS = 3600.0
"""How long an operation that was interrupted is looked for on its server, from its closing on."""


class Ledger(Protocol):
    """Where operations are kept."""

    async def accept(self, operation_id: UUID, instance_id: int, intent: Intent) -> None:
        """Durable when it returns. `ClaimedBefore`; otherwise its claim is bound to it in the same commit."""

    async def ahead(self, operation_id: UUID) -> frozenset[tuple[str, str]]:
        """Names and hosts of the accounts that are being made on the instance of a counted operation.

        Those are open and accepted before it; or open and not counted.
        """

    async def claimed(self, owner_id: int, token: str) -> Claimed | None:
        """What an owner's client token stands for; None if it is new."""

    async def promise(self, instance_id: int, promised: Sequence[Promised]) -> None:
        """Accept several at once, all or none. Durable when it returns.

        ACCOUNT_TAKEN if an account among them is promised already; `ClaimedBefore`.
        """

    async def promised(self, instance_id: int) -> Sequence[Operation]:
        """Deferred operations on an instance that are not closed."""

    async def failed(self, instance_id: int) -> Sequence[Operation]:
        """Deferred operations on an instance that failed, and after which nothing was accepted for the account."""

    async def provisioning(self, instance_id: int) -> Sequence[Operation]:
        """Changes of the whole server, or of making it, that are not closed."""

    async def record(
        self,
        operation_id: UUID,
        instance_id: int,
        effect: Effect | None,
        instead_of: Holder | None = None,
    ) -> bool:
        """Close as recorded and write the effect, in one transaction. Repeating it changes nothing.

        False, and nothing is done, if the row of that name is of another account, unless that is `instead_of` and
        has not been changed since, or of one that was deleted.
        """

    async def holder(self, instance_id: int, name: str, host: str) -> Holder | None:
        """Whose row stands under a name."""

    async def is_moving(self, instance_id: int, identity: str) -> bool:
        """Whether a move of that account is not closed yet."""

    async def is_followed(self, operation_id: UUID) -> bool:
        """Whether another operation of its kind and target was recorded after it was accepted."""

    async def witness(self, operations: Sequence[UUID]) -> None:
        """Note of operations that the engine shows them applied, before what shows it is dropped. Durable."""

    async def witnessed(self, operation_id: UUID) -> bool: ...
    async def begin(self, operation_id: UUID, seen: Sequence[UUID]) -> bool:
        """`witness` of those that were seen; and note of a deletion that its first step follows. Durable.

        It is brought to its end from then on, whatever else is applied. False if it is no longer this process's and
        was not begun: it is not to be.
        """

    async def take_over(self, operation_id: UUID) -> bool:
        """Make an open operation this process's own. Durable. True if it was begun.

        From then on its former process does not begin it: to that one it is `Standing.TAKEN_OVER`.
        """

    async def standing(self, operation_id: UUID) -> Standing: ...
    async def are_open(self, operations: Sequence[UUID]) -> bool:
        """Whether any of these is not closed yet."""

    async def are_unrecorded(self, operations: Sequence[UUID], change: Change | None = None) -> bool:
        """Whether any of these, which the engine shows as applied, is not recorded yet: open, or `interrupted`.

        With `change` only those of that kind count.
        """

    async def close(self, operation_id: UUID, state: State, reason: str, note: str) -> bool:
        """Durable: what was refused is not carried out after a crash of the store. False if it was closed already."""

    async def unresolved(self, replicas: Sequence[int]) -> Sequence[Operation]: ...
    async def interrupted(self) -> Sequence[Operation]:
        """Those closed as interrupted within `LOOKED_FOR_SECONDS`: so long they keep what they sealed."""

    async def tried(self, operation_id: UUID, pause: float) -> None:
        """Count an attempt that left the operation open. It is due again after `pause` seconds."""

    async def still_open(self) -> Unresolved: ...
    async def dead_replicas(self) -> Sequence[int]:
        """Replicas with unresolved operations that no longer run."""

    @property
    def replica(self) -> int:
        """This process's own number."""


class StillUnknown(Refused):
    """Whether the change happened cannot be seen now: the operation stays accepted until recovery can see."""

    def __init__(self, note: str) -> None:
        super().__init__(Reason.ENGINE_UNREACHABLE, note=note)


class TakenOver(StillUnknown):
    """Others took the operation for that of a dead process, and resolve it, or have: this process leaves it to them."""

    def __init__(self) -> None:
        super().__init__("others took it for that of a dead process")


OUT_OF_REACH = frozenset({Reason.ENGINE_UNREACHABLE, Reason.INSTANCE_RESTARTING, Reason.ENGINE_BUSY})
"""Refusals that say nothing of the change itself: it may be tried another time."""
