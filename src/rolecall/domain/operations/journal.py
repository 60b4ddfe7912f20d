"""The journal: carries out a change exactly once, between its acceptance and its recording.

What a change means for Rolecall's own rows is `effects.effect_of`, a pure function of the operation and of what the
engine shows, so that recovery after a crash writes just what the live path would have.

Nothing here goes by a name alone. While a change is on its way, its account may be deleted by another process, and the
name given to a new account: the engine refuses the change then (`domain.engine.identity`), and the store a late
record of it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import Protocol
from uuid import UUID

from msgspec.structs import replace

from rolecall import ambient, spans
from rolecall.domain.engine import AccountFacts, Engine
from rolecall.domain.engine.identity import AppliedBefore, Fence, MovedAway, Superseded
from rolecall.domain.operations.effects import AccountEffect, Effect, effect_of
from rolecall.domain.operations.model import (
    OUT_OF_REACH,
    Change,
    Holder,
    Intent,
    Ledger,
    Promised,
    Standing,
    State,
    StillUnknown,
    TakenOver,
)
from rolecall.domain.reasons import OutcomeUnknown, Reason, Refused

Step = Callable[[str], None]
"""Called with the name of each step as it is passed: the seam at which crash tests end the process."""


class Lane(Protocol):
    """Where what is asked of one server queues (`domain.instances.lanes`)."""

    def require_reachable(self) -> None: ...

    def turn(self) -> AbstractAsyncContextManager[None]: ...


class Server(Protocol):
    """A database server within reach. `id` is its instance's."""

    @property
    def id(self) -> int: ...

    @property
    def engine(self) -> Engine: ...

    @property
    def lane(self) -> Lane: ...


Apply = Callable[[UUID], Awaitable[AccountFacts | None]]
"""The engine's part of a change. It is given the operation's id, which the engine leaves as a marker."""

_LEAVING_ATTEMPTS = 40
_LEAVING_PAUSE = 0.05
"""Seconds. All in all longer than a move takes to be recorded."""

DELETIONS = frozenset({Change.ACCOUNT_DELETE, Change.DATABASE_DELETE, Change.SUPERUSER_DISABLE})


def no_step(name: str) -> None:
    """Steps pass unnoticed."""


async def record(ledger: Ledger, server: Server, operation_id: UUID, effect: Effect | None) -> None:
    """Close an applied operation and write its effect. `StillUnknown` if the engine must be asked and cannot be."""
    if isinstance(effect, AccountEffect):
        await _record_of_account(ledger, server, operation_id, effect)
    else:
        await ledger.record(operation_id, server.id, effect)


async def _record_of_account(ledger: Ledger, server: Server, operation_id: UUID, of: AccountEffect) -> None:
    """Where the row is of another account, the engine tells which of the two is there now. An identity never comes
    back: so an account that is there is newer than any whose row stood before the question, and one that is gone stays
    gone.
    """
    instance = server.id
    instead_of: Holder | None = None
    effect: AccountEffect | None = of
    if of.deleted and not of.identity:
        holder = await ledger.holder(instance, of.name, of.host)
        if holder is None or holder.is_deleted:  # nothing was there to delete
            effect = None
    while not await ledger.record(operation_id, instance, effect, instead_of):
        assert effect is not None  # noqa: S101 - without an effect no row is in the way
        holder = await ledger.holder(instance, effect.name, effect.host)
        instead_of = None
        if holder is None or (holder.identity == effect.identity and not holder.is_deleted):
            continue
        if holder.identity == effect.identity:
            effect = None
            continue
        there = await _identity_there(server, effect)
        if effect.deleted:
            if holder.identity == there:
                effect = None
            else:  # a row of an account that is gone; where there was none to delete, it is that row which goes
                if not holder.is_deleted:
                    await _require_left(ledger, instance, holder.identity)
                effect = effect if effect.identity else replace(effect, identity=holder.identity)
                instead_of = holder
        elif effect.identity == there:
            if not holder.is_deleted:
                await _require_left(ledger, instance, holder.identity)
            instead_of = holder
        elif effect.moved_from is not None:  # moved, and gone since
            name, host = effect.moved_from
            effect = AccountEffect(name, host, identity=effect.identity, deleted=True)
        else:
            effect = None


async def _require_left(ledger: Ledger, instance_id: int, identity: str) -> None:
    """The row of an account that was moved away has followed it. `StillUnknown` while its move is not recorded."""
    for _ in range(_LEAVING_ATTEMPTS):
        if not await ledger.is_moving(instance_id, identity):
            return
        await asyncio.sleep(_LEAVING_PAUSE)
    raise StillUnknown("the change was applied, and is recorded after another one")


async def _identity_there(server: Server, effect: AccountEffect) -> str | None:
    try:
        facts = await server.engine.account(effect.name, effect.host)
    except (Refused, OutcomeUnknown) as error:
        raise StillUnknown("the change was applied, and cannot be recorded now") from error
    return None if facts is None else facts.identity


class Journal:
    def __init__(self, ledger: Ledger, step: Step = no_step) -> None:
        self.ledger = ledger
        self._step = step
        self.under_way: set[UUID] = set()
        """Operations this process is carrying out now: recovery leaves them alone."""
        self._repeated: set[UUID] = set()
        """Operations in their second try."""

    async def run(self, server: Server, intent: Intent, apply: Apply) -> AccountFacts | None:
        """Carry out one change exactly once; returns what the engine shows after it.

        None if there is no account then: it was deleted, by this change or since. While the lane refuses at once,
        nothing is written down.
        """
        server.lane.require_reachable()
        operation_id = ambient.new_id()
        with self.carrying(operation_id):
            await self.ledger.accept(operation_id, server.id, intent)
            self._step("accepted")
            return await self._carry_out(server, intent, operation_id, apply)

    async def complete(self, server: Server, promised: Promised, apply: Apply) -> bool:
        """Carry out what was accepted before; True when it was closed, whether recorded or refused, or is others' now.

        A server out of reach leaves it accepted, for another time.
        """
        with self.carrying(promised.id):
            try:
                await self._carry_out(server, promised.intent, promised.id, apply, patient=True)
            except TakenOver:
                return True
            except Refused as refusal:
                return not isinstance(refusal, StillUnknown) and refusal.reason not in OUT_OF_REACH
        return True

    def passed(self, step: str) -> None:
        """Tell of a step that is passed outside."""
        self._step(step)

    @contextlib.contextmanager
    def carrying(self, operation_id: UUID) -> Iterator[None]:
        """Recovery leaves the operation alone meanwhile. May be nested."""
        spans.note("rolecall.operation_ids", operation_id)
        outermost = operation_id not in self.under_way
        self.under_way.add(operation_id)
        try:
            yield
        finally:
            if outermost:
                self.under_way.discard(operation_id)

    def fence(self, operation_id: UUID, *, always: bool = False) -> Fence | None:
        """What an engine asks before it creates something; None for a first attempt, which no other process makes.

        `always`: a first attempt asks too. It may be late, and others rely on it once it is closed as undone.
        """
        if not always and operation_id not in self._repeated:
            return None
        return partial(self._require_own, operation_id)

    async def _require_own(self, operation_id: UUID) -> None:
        """`AppliedBefore`, `TakenOver`; ENGINE_BUSY if the ledger cannot be asked."""
        try:
            standing = await self.ledger.standing(operation_id)
        except Exception as error:
            raise Refused(Reason.ENGINE_BUSY, note="the ledger cannot be asked") from error
        if standing is Standing.APPLIED:
            raise AppliedBefore
        if standing is Standing.TAKEN_OVER:
            raise TakenOver
        self._step("asked")

    async def _carry_out(
        self,
        server: Server,
        intent: Intent,
        operation_id: UUID,
        apply: Apply,
        *,
        patient: bool = False,
    ) -> AccountFacts | None:
        try:
            async with server.lane.turn():
                facts = await self._apply(intent, operation_id, apply)
        except StillUnknown:
            raise
        except Refused as refusal:
            if not (patient and refusal.reason in OUT_OF_REACH):
                state = State.SUPERSEDED if isinstance(refusal, Superseded) else State.REFUSED
                if not await self.ledger.close(operation_id, state, refusal.reason.value, refusal.note):
                    raise TakenOver from refusal
            raise
        self._step("applied")
        await record(self.ledger, server, operation_id, effect_of(intent, operation_id, facts))
        self._step("recorded")
        return facts

    async def _apply(self, intent: Intent, operation_id: UUID, apply: Apply) -> AccountFacts | None:
        """Apply; if the connection was lost while committing, once more, which changes nothing if it happened.

        Every engine change is safe to repeat with the same operation id, on the same account. Whether the first try
        made, or changed, an account that others have deleted since, the ledger knows.
        """
        try:
            return await apply(operation_id)
        except AppliedBefore:
            return None
        except OutcomeUnknown:
            self._step("unknown")
            await asyncio.sleep(0.05)
        self._repeated.add(operation_id)
        try:
            return await apply(operation_id)
        except AppliedBefore:
            return None
        except OutcomeUnknown as unknown:
            raise StillUnknown(f"the outcome of {intent.change.value} is not known yet") from unknown
        except StillUnknown:
            raise
        except Refused as refusal:
            is_gone = isinstance(refusal, Superseded) and not isinstance(refusal, MovedAway)
            if is_gone and intent.change in DELETIONS:  # as it was to be
                return None
            if refusal.reason in OUT_OF_REACH:
                raise StillUnknown(f"the outcome of {intent.change.value} is not known yet") from refusal
            if await self.ledger.witnessed(operation_id):
                return None
            raise
        finally:
            self._repeated.discard(operation_id)
