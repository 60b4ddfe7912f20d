"""Operations: every change is written down before an engine is touched and closed after.

    accepted -> (the engine applies it, leaving the operation's id as a marker) -> recorded
    accepted -> refused, with a reason        accepted -> undone, when a crash left nothing in the engine

`Journal.run` is that order. What a change means for Rolecall's own rows is `effect_of`, a pure function of the
operation and of what the engine shows, so that recovery after a crash writes just what the live path would have.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from rolecall.domain import ambient
from rolecall.domain.claims import Claim, Claimed
from rolecall.domain.engine import AccountFacts
from rolecall.domain.instances import Attached
from rolecall.domain.reasons import OutcomeUnknown, Reason, Refused
from rolecall.values import Origin


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
    PRIVILEGES = "account.privileges"
    GRANTS = "account.grants"
    DATABASE_CREATE = "database.create"
    DATABASE_DELETE = "database.delete"
    DATABASE_OWNER = "database.owner"
    SUPERUSER_ENABLE = "superuser.enable"
    """Also another password for it."""
    SUPERUSER_DISABLE = "superuser.disable"
    # of whole servers, carried out and resolved by `domain.provisioning`
    INSTANCE_CREATE = "instance.create"
    INSTANCE_RESTART = "instance.restart"
    INSTANCE_ISOLATE = "instance.isolate"
    INSTANCE_REVIVE = "instance.revive"
    INSTANCE_DELETE = "instance.delete"
    # what Rolecall keeps itself: recorded in the transaction that makes it (`domain.records`)
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


@dataclass(frozen=True, slots=True)
class Intent:
    """What is about to be done. `detail` holds no secret; `sealed` is a sealed value that finishing it needs.

    `target` is how people name what is changed; `detail` has an account's name and host where it has a host.
    """

    change: Change
    target: str
    origin: Origin | None
    """None only where it is on disk already."""
    detail: Mapping[str, object] = field(default_factory=dict)
    sealed: bytes | None = None
    claim: Claim | None = None
    counted: bool = False
    """Whether the order in which it and others of its instance are accepted must be known (`Ledger.ahead`)."""

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

    @property
    def account(self) -> tuple[str, str]:
        """The name and host of the account that was changed."""
        return account_of(self.target, self.detail)


def account_of(target: str, detail: Mapping[str, object]) -> tuple[str, str]:
    return str(detail.get("name", target)), str(detail.get("host", ""))


@dataclass(frozen=True, slots=True)
class AccountEffect:
    """How a change shows in Rolecall's own row of an account. Fields left None keep what was there.

    `manages` True keeps the operation's sealed password, False forgets it.
    """

    name: str
    host: str = ""
    oid: int = 0
    created: bool = False
    deleted: bool = False
    remark: str | None = None
    password_changed: bool = False
    manages: bool | None = None
    moved_from: tuple[str, str] | None = None
    """The name and host it had before."""


def effect_of(
    change: Change, target: str, detail: Mapping[str, object], facts: AccountFacts | None
) -> AccountEffect | None:
    """The effect of an applied change. None when Rolecall's own rows hold nothing about it."""
    name, host = account_of(target, detail)
    if change is Change.ACCOUNT_DELETE:
        return AccountEffect(name, host, deleted=True)
    if facts is None:
        return None
    same = AccountEffect(name, host, facts.oid)
    match change:
        case Change.ACCOUNT_CREATE:
            return replace(
                same, created=True, remark=str(detail["remark"]), manages=bool(detail.get("managed"))
            )
        case Change.ACCOUNT_REMARK:
            return replace(same, remark=str(detail["remark"]))
        case Change.ACCOUNT_PASSWORD:
            return replace(same, password_changed=True)
        case Change.ACCOUNT_MANAGE | Change.ACCOUNT_UNMANAGE:
            return replace(same, password_changed=True, manages=change is Change.ACCOUNT_MANAGE)
        case Change.ACCOUNT_MOVE:
            changed = bool(detail.get("password_changed"))
            return AccountEffect(
                facts.name, facts.host, facts.oid, password_changed=changed, moved_from=(name, host)
            )
        case _:
            return same


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
        """Promises on an instance that are not closed."""

    async def provisioning(self, instance_id: int) -> Sequence[Operation]:
        """Changes of the whole server, or of making it, that are not closed."""

    async def record(self, operation_id: UUID, instance_id: int, effect: AccountEffect | None) -> None:
        """Close as recorded and write the effect, in one transaction. Repeating it changes nothing."""

    async def close(self, operation_id: UUID, state: State, reason: str, note: str) -> None: ...
    async def unresolved(self, replicas: Sequence[int]) -> Sequence[Operation]: ...
    async def superseded(self, operation: Operation) -> bool:
        """Whether a later change of the same target was recorded."""

    async def dead_replicas(self) -> Sequence[int]:
        """Replicas with unresolved operations that no longer run."""

    @property
    def replica(self) -> int:
        """This process's own number."""


class StillUnknown(Refused):
    """Whether the change happened cannot be seen now: the operation stays accepted until recovery can see."""

    def __init__(self, change: Change) -> None:
        super().__init__(Reason.ENGINE_UNREACHABLE, note=f"the outcome of {change.value} is not known yet")


OUT_OF_REACH = frozenset({Reason.ENGINE_UNREACHABLE, Reason.INSTANCE_RESTARTING, Reason.ENGINE_BUSY})
"""Refusals that say nothing of the change itself: it may be tried another time."""

Step = Callable[[str], None]
"""Told the name of each step as it is passed: the seam at which crash tests end the process."""


def no_step(name: str) -> None:
    """Steps pass unnoticed."""


class Journal:
    def __init__(self, ledger: Ledger, step: Step = no_step) -> None:
        self._ledger = ledger
        self._step = step
        self.under_way: set[UUID] = set()
        """Operations this process is carrying out now: recovery leaves them alone."""

    async def run(
        self,
        attached: Attached,
        intent: Intent,
        apply: Callable[[UUID], Awaitable[AccountFacts | None]],
    ) -> AccountFacts | None:
        """Carry out one change exactly once; returns what the engine shows after it.

        `apply` is given the operation's id, which the engine leaves as a marker. While the lane refuses at once,
        nothing is written down.
        """
        attached.lane.expect_reach()
        operation_id = ambient.new_id()
        with self.carrying(operation_id):
            await self._ledger.accept(operation_id, attached.instance.id, intent)
            self._step("accepted")
            return await self._carry_out(attached, intent, operation_id, apply)

    async def fulfil(
        self,
        attached: Attached,
        promised: Promised,
        apply: Callable[[UUID], Awaitable[AccountFacts | None]],
    ) -> bool:
        """Carry out what was accepted before; True when it was closed, whether recorded or refused.

        A server out of reach leaves it accepted, for another time.
        """
        with self.carrying(promised.id):
            try:
                await self._carry_out(attached, promised.intent, promised.id, apply, patient=True)
            except Refused as refusal:
                return not isinstance(refusal, StillUnknown) and refusal.reason not in OUT_OF_REACH
        return True

    def passed(self, step: str) -> None:
        """Tell of a step that is passed outside."""
        self._step(step)

    @contextlib.contextmanager
    def carrying(self, operation_id: UUID) -> Iterator[None]:
        """Recovery leaves the operation alone meanwhile. May be nested."""
        outermost = operation_id not in self.under_way
        self.under_way.add(operation_id)
        try:
            yield
        finally:
            if outermost:
                self.under_way.discard(operation_id)

    async def _carry_out(
        self,
        attached: Attached,
        intent: Intent,
        operation_id: UUID,
        apply: Callable[[UUID], Awaitable[AccountFacts | None]],
        *,
        patient: bool = False,
    ) -> AccountFacts | None:
        try:
            async with attached.lane.turn():
                facts = await self._apply(intent, operation_id, apply)
        except StillUnknown:
            raise
        except Refused as refusal:
            if not (patient and refusal.reason in OUT_OF_REACH):
                await self._ledger.close(operation_id, State.REFUSED, refusal.reason.value, refusal.note)
            raise
        self._step("applied")
        effect = effect_of(intent.change, intent.target, intent.detail, facts)
        await self._ledger.record(operation_id, attached.instance.id, effect)
        self._step("recorded")
        return facts

    async def _apply(
        self,
        intent: Intent,
        operation_id: UUID,
        apply: Callable[[UUID], Awaitable[AccountFacts | None]],
    ) -> AccountFacts | None:
        """Apply; if the connection was lost while committing, look whether it happened, and if not try once more.

        Every engine change is safe to repeat with the same operation id.
        """
        try:
            return await apply(operation_id)
        except OutcomeUnknown:
            await asyncio.sleep(0.05)
        try:
            return await apply(operation_id)
        except OutcomeUnknown as unknown:
            raise StillUnknown(intent.change) from unknown
        except Refused as refusal:
            if refusal.reason in OUT_OF_REACH:
                raise StillUnknown(intent.change) from refusal
            raise
