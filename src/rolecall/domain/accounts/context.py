"""What every handler of account commands works with: instances, rows, the journal, sealing and hashing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from datetime import datetime
from typing import Literal, Protocol, TypeAlias
from uuid import UUID

from msgspec import Struct

from rolecall import ambient
from rolecall.domain.accounts.removal import leave, remove
from rolecall.domain.engine import AccountFacts
from rolecall.domain.engine.identity import NO_ACCOUNT, Expected, Fence
from rolecall.domain.engine.pages import AccountPlace, AccountSlice, IdentifiedPlace, display_name
from rolecall.domain.engine.states import Recorded, digest_of, fingerprint
from rolecall.domain.instances.registry import ConnectedInstance, InstanceResolver
from rolecall.domain.messages import InstanceName
from rolecall.domain.operations.details import Detail
from rolecall.domain.operations.journal import Journal
from rolecall.domain.operations.model import AccountKey, Change, Intent
from rolecall.domain.operations.runner import OperationRunner
from rolecall.domain.reasons import Reason, Refused
from rolecall.domain.secrets.sealing import Sealer
from rolecall.values import Origin, Secret

_MAKING_SECONDS = 5.0
"""Seconds that a change waits for its account to be made, if that was promised a moment ago."""

_MAKING_PAUSE = 0.05
"""Seconds between looks whether another process has made it."""

Look = Callable[[str, str], Awaitable[AccountFacts | None]]
"""An engine's word on the account of a name and a host."""


AccountTime: TypeAlias = Literal["created", "updated"]
"""A time of an `AccountRow` by which accounts are listed."""


class AccountRow(Struct, frozen=True):
    """What the store holds about an account. `created_at` None: made behind our back.

    The orders are those of the changes that wrote the remark, the password, and anything at all. A row of a deleted
    account holds its identity and nothing else.
    """

    name: str
    host: str
    oid: int
    remark: str
    created_at: datetime | None
    updated_at: datetime
    password_updated_at: datetime | None
    sealed_password: bytes | None
    identity: str = ""
    remark_order: int = 0
    password_order: int = 0
    applied_order: int = 0
    is_deleted: bool = False
    state: Recorded | None = None
    """Only of rows that are read with it."""

    def is_of(self, facts: AccountFacts) -> bool:
        """Whether it is of this very account, and not of an earlier one of its name.

        A row older than identities has none: then the account's marker decides.
        """
        return self.identity == facts.identity if self.identity else facts.marker is not None


class AccountRepository(Protocol):
    """Where what an engine cannot hold is kept. Rows of deleted accounts are not shown."""

    async def account(self, instance_id: int, name: str, host: str) -> AccountRow | None: ...
    async def accounts(self, instance_id: int) -> Sequence[AccountRow]: ...
    async def account_slice(self, instance_id: int, asked: AccountSlice) -> Sequence[AccountRow]: ...
    async def accounts_at(self, instance_id: int, places: Sequence[AccountPlace]) -> Sequence[AccountRow]: ...
    async def latest_accounts(
        self, instance_id: int, time: AccountTime, limit: int | None = None
    ) -> Sequence[IdentifiedPlace]:
        """Those with such a time, the latest first, and by display name, the last first, where times are the same."""


class Target(Struct, frozen=True):
    """One account of one connected instance. `host` is empty where accounts have none."""

    connected: ConnectedInstance
    name: str
    host: str

    @property
    def display_name(self) -> str:
        return display_name(self.name, self.host)

    @property
    def key(self) -> AccountKey:
        return self.connected.instance.id, self.name, self.host

    @property
    def purpose(self) -> str:
        """What its managed password is sealed for."""
        return password_purpose(self.connected.instance.id, self.display_name)

    def intent(
        self,
        change: Change,
        origin: Origin,
        detail: Detail | None = None,
        sealed: bytes | None = None,
        expected: Expected | None = None,
    ) -> Intent:
        """The intent to change it, or, with `expected`, that very account of the name."""
        place: dict[str, object] = {"name": self.name, "host": self.host} if self.host else {}
        known = {} if detail is None else detail.encode()
        return Intent(change, self.display_name, origin, {**place, **known}, sealed, expected=expected)

    def missing(self) -> Refused:
        return Refused(Reason.ACCOUNT_MISSING, facts={"value": self.display_name})


def _not_made(reason: Reason) -> Refused:
    return Refused(reason, note="the promised account is not made yet")


def password_purpose(instance_id: int | str, account: str) -> str:
    """What the password of an account, by its display name, is sealed for."""
    return f"account password:{instance_id}:{account}"


class AccountContext:
    """`hashing` is a bounded pool for verifiers, which are computed off the event loop."""

    def __init__(
        self,
        resolver: InstanceResolver,
        repository: AccountRepository,
        journal: Journal,
        runner: OperationRunner,
        sealer: Sealer,
        hashing: Executor,
        states_key: Secret,
    ) -> None:
        self.resolver = resolver
        self.repository = repository
        self.sealer = sealer
        self._journal = journal
        self._hashing = hashing
        self._states_key = states_key
        self.runner = runner

    async def target(self, instance: InstanceName, origin: Origin, name: str, host: str = "") -> Target:
        """The account a command names, which may be there or not."""
        return await self._settled(
            await self.find(await self.resolver.connect(instance, origin.caller), name, host)
        )

    async def new_target(self, instance: InstanceName, origin: Origin, name: str, host: str = "") -> Target:
        """The account that a command wants made. HOST_MALFORMED."""
        return await self._settled(self.at(await self.resolver.connect(instance, origin.caller), name, host))

    async def _settled(self, target: Target) -> Target:
        if (making := self.runner.in_flight(target.key)) is not None:
            await self._wait_for(making, target)
        return target

    async def _wait_for(self, making: asyncio.Task[None], target: Target) -> None:
        """Clients change a user right after the promise of it, as if it were there. ENGINE_UNREACHABLE, ENGINE_BUSY."""
        if not self.runner.is_unreachable(target.key):
            await asyncio.wait([making], timeout=_MAKING_SECONDS)
        if not making.done():
            reason = (
                Reason.ENGINE_UNREACHABLE if self.runner.is_unreachable(target.key) else Reason.ENGINE_BUSY
            )
            raise _not_made(reason)

    def at(self, connected: ConnectedInstance, name: str, host: str = "") -> Target:
        """An account to be made, at the host as it will be listed. HOST_MALFORMED."""
        return Target(connected, name, connected.engine.canonical_host(host))

    async def find(self, connected: ConnectedInstance, name: str, host: str = "") -> Target:
        """An account that may be there: at the very host that is given, if the server has it so (accounts made by SQL
        may be at any), else at the same host as Rolecall spells it.
        """
        try:
            canonical = connected.engine.canonical_host(host)
        except Refused as refusal:
            if refusal.reason is not Reason.HOST_MALFORMED:
                raise
            return Target(connected, name, host)
        if host and host != canonical and await connected.engine.account(name, host) is not None:
            return Target(connected, name, host)
        return Target(connected, name, canonical)

    async def existing(self, target: Target) -> AccountFacts:
        """ACCOUNT_MISSING."""
        facts = await self._once_made(target, target.connected.engine.account)
        if facts is None:
            raise target.missing()
        return facts

    async def changeable(self, target: Target) -> AccountFacts:
        """The account that a change is about to be accepted for. ACCOUNT_MISSING, ACCOUNT_PROTECTED."""
        facts = await self.identified(target)
        if facts is None:
            raise target.missing()
        return facts

    async def identified(self, target: Target) -> AccountFacts | None:
        """The same where it need not be there."""
        facts = await self._once_made(target, target.connected.engine.identify)
        if facts is not None and facts.is_protected:
            raise Refused(Reason.ACCOUNT_PROTECTED, facts={"value": target.display_name})
        return facts

    async def _once_made(self, target: Target, look: Look) -> AccountFacts | None:
        """What is there, or will be in a moment: another process may have promised it. ENGINE_BUSY."""
        if (facts := await look(target.name, target.host)) is not None:
            return facts
        until = ambient.monotonic() + _MAKING_SECONDS
        while await self._is_promised(target):
            if ambient.monotonic() > until:
                raise _not_made(Reason.ENGINE_BUSY)
            await asyncio.sleep(_MAKING_PAUSE)
        return await look(target.name, target.host)  # the promise may have been kept since the first look

    async def _is_promised(self, target: Target) -> bool:
        promised = await self._journal.ledger.promised(target.connected.instance.id)
        return any(operation.account == (target.name, target.host) for operation in promised)

    async def leave(self, target: Target, operation: UUID, expected: Expected) -> Expected:
        """Before a change moves that account: what it may go on with (`removal.leave`)."""
        place = (target.name, target.host)
        return await leave(self._journal.ledger, target.connected.engine, place, operation, expected)

    def fence(self, operation: UUID, *, always: bool = False) -> Fence | None:
        """`Journal.fence`."""
        return self._journal.fence(operation, always=always)

    async def are_unrecorded(self, operations: Sequence[UUID]) -> bool:
        """Whether any of these, which the engine shows as applied, is not recorded yet."""
        return await self._journal.ledger.are_unrecorded(operations)

    async def change(
        self, target: Target, intent: Intent, apply: Callable[[UUID], Awaitable[AccountFacts]]
    ) -> AccountFacts:
        """Carry out a change of an account that is there afterwards."""
        facts = await self._journal.run(target.connected, intent, apply)
        if facts is None:  # changed, and deleted since
            raise target.missing()
        return facts

    async def remove(self, target: Target, origin: Origin, facts: AccountFacts | None) -> None:
        """Delete that very account, or what is half made where there is none."""
        accepted = NO_ACCOUNT if facts is None else facts.expected
        intent = target.intent(Change.ACCOUNT_DELETE, origin, expected=accepted)
        expected = Expected(accepted.identity)

        async def apply(operation: UUID) -> AccountFacts | None:
            place = target.name, target.host
            return await remove(self._journal.ledger, target.connected.engine, place, operation, expected)

        await self._journal.run(target.connected, intent, apply)

    def fingerprint(self, instance_id: int, identity: str, digest: str) -> str:
        """Of the verifier of an account, by its digest."""
        return fingerprint(self._states_key, instance_id, identity, digest)

    def with_password(
        self, connected: ConnectedInstance, facts: AccountFacts, verifier: Secret | None
    ) -> AccountFacts:
        """What the engine shows after a change that set this verifier."""
        found = self.fingerprint(connected.instance.id, facts.identity, digest_of(verifier))
        return self.with_fingerprint(facts, found)

    def with_fingerprint(self, facts: AccountFacts, password: str | None) -> AccountFacts:
        return replace(facts, password=password)

    def verifier(self, target: Target, password: Secret) -> asyncio.Future[Secret]:
        """Begins at once; the change waits for it before it is applied."""
        loop, engine = asyncio.get_running_loop(), target.connected.engine
        if not engine.traits.has_quick_verifier:
            return loop.run_in_executor(self._hashing, engine.verifier, target.name, password)
        ready: asyncio.Future[Secret] = loop.create_future()
        ready.set_result(engine.verifier(target.name, password))
        return ready
