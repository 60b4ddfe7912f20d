"""Deferred creates: several accounts accepted at once, durably, and created afterwards, through outages and restarts.

A promise is an accepted operation with all that making it needs, sealed. The runner of the process that accepted it
takes it up at once, and recovery once that process is gone (`domain.operations.runner`).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from uuid import UUID

from msgspec.structs import replace

from rolecall import ambient
from rolecall.domain.accounts import commands
from rolecall.domain.accounts.context import AccountContext, Target
from rolecall.domain.accounts.listing import facts_to_be
from rolecall.domain.engine import AccountFacts, AccountKind, NewAccount
from rolecall.domain.engine.capabilities import DatabaseGrants, required
from rolecall.domain.engine.identity import Fence
from rolecall.domain.instances.registry import ConnectedInstance
from rolecall.domain.messages import Handlers
from rolecall.domain.operations import details
from rolecall.domain.operations.journal import Journal
from rolecall.domain.operations.model import (
    OUT_OF_REACH,
    AccountKey,
    Change,
    Intent,
    Ledger,
    Operation,
    Promised,
    Runner,
)
from rolecall.domain.reasons import OutcomeUnknown, Reason, Refused
from rolecall.values import Origin

_AT_ONCE = 8
"""Deferred creates under way at once on one instance: few enough to leave room in its lane."""

_LOOK = 2.0
"""Seconds to wait for a server's word on names and databases; a promise is made without it."""


class DeferredCreates:
    def __init__(self, context: AccountContext, ledger: Ledger, journal: Journal) -> None:
        self._context = context
        self._ledger = ledger
        self._journal = journal
        self._accepting: set[AccountKey] = set()
        self._turns: defaultdict[int, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(_AT_ONCE))
        self.handlers: Handlers = (commands.CreateAccountsLater.handled_by(self.accept),)

    async def accept(self, command: commands.CreateAccountsLater, origin: Origin) -> None:
        """All or none. ACCOUNT_REPEATED, HOST_MALFORMED, and what the engine says that it would refuse.

        A server that is out of reach now is not a reason to refuse.
        """
        connected = await self._context.resolver.connect(command.instance, origin.caller)
        grants = required(connected.engine.grants)
        targets = [self._context.at(connected, spec.name, spec.host) for spec in command.accounts]
        self._require_distinct(targets)
        for target in targets:
            connected.engine.require_new_name(target.name)
        with self._alone(targets):
            self._require_unpromised(targets)
            await self._require_possible(grants, targets, command)
            promised = [
                Promised(
                    ambient.new_id(),
                    await self._intent(target, spec, origin, allow_missing=command.allow_missing),
                )
                for target, spec in zip(targets, command.accounts, strict=True)
            ]
            await self._context.runner.accept(connected.instance.id, promised)
        self._journal.passed("promised")
        for target, one in zip(targets, promised, strict=True):
            self._begin(target, one)

    def _begin(self, target: Target, promised: Promised) -> None:
        """Create it now, in the background; the next change of the account waits for that.

        The instance is looked up for each further attempt: its address may be changed while it is out of reach. What
        is left of one that was removed, recovery settles.
        """
        connected: ConnectedInstance | None = target.connected

        async def attempt() -> bool:
            nonlocal connected
            if connected is None:
                instance = await self._context.resolver.by_id(target.key[0])
                if instance is None:
                    return True
                connected = await self._context.resolver.connect_instance(instance)
            async with self._turns[target.key[0]]:
                if await self._make(connected, promised):
                    return True
            connected = None
            return False

        self._context.runner.begin(target.key, promised.id, attempt)

    @contextlib.contextmanager
    def _alone(self, targets: Sequence[Target]) -> Iterator[None]:
        """Two requests for the same account at once: the second is refused, as the name is taken."""
        by_key = {target.key: target for target in targets}
        for key in by_key.keys() & self._accepting:
            raise _taken(by_key[key])
        self._accepting |= by_key.keys()
        try:
            yield
        finally:
            self._accepting -= by_key.keys()

    def _require_distinct(self, targets: Sequence[Target]) -> None:
        seen: set[str] = set()
        for target in targets:
            if target.display_name in seen:
                raise Refused(Reason.ACCOUNT_REPEATED, facts={"value": target.name})
            seen.add(target.display_name)

    def _require_unpromised(self, targets: Sequence[Target]) -> None:
        """Those that others have promised, the ledger refuses."""
        for target in targets:
            if self._context.runner.in_flight(target.key) is not None:
                raise _taken(target)

    async def _require_possible(
        self, grants: DatabaseGrants, targets: Sequence[Target], command: commands.CreateAccountsLater
    ) -> None:
        """What the server would refuse is refused now, if the server can be asked now."""
        wanted = [
            NewAccount(
                target.name,
                AccountKind.NORMAL,
                None,
                ambient.new_id(),
                target.host,
                spec.grants,
                command.allow_missing,
            )
            for target, spec in zip(targets, command.accounts, strict=True)
        ]
        if command.allow_missing:
            _require_names(grants, command.accounts)
        try:
            async with asyncio.timeout(_LOOK):
                await grants.require_new(wanted)
        except (OutcomeUnknown, TimeoutError):
            return
        except Refused as refusal:
            if refusal.reason not in OUT_OF_REACH:
                raise

    async def _intent(
        self, target: Target, spec: commands.AccountSpec, origin: Origin, *, allow_missing: bool
    ) -> Intent:
        verifier = await self._context.verifier(target, spec.password)
        detail = details.CreateAccount(remark="", grants=spec.grants, allow_missing=allow_missing)
        sealed = self._context.sealer.seal(
            verifier, verifier_purpose(target.connected.instance.id, target.display_name)
        )
        intent = target.intent(Change.ACCOUNT_CREATE, origin, detail, sealed)
        return replace(intent, runner=Runner.DEFERRED)

    async def pending(self, connected: ConnectedInstance) -> Sequence[AccountFacts]:
        """Accounts that were promised and are not made yet, as they will be."""
        operations = await self._ledger.promised(connected.instance.id)
        return [facts_to_be(operation) for operation in operations]

    async def failed(self, connected: ConnectedInstance) -> Sequence[Operation]:
        """Those that failed, of accounts for which nothing was accepted since."""
        return await self._ledger.failed(connected.instance.id)

    async def make(self, connected: ConnectedInstance, promised: Promised) -> bool:
        """Make a promised account now, if the server can be reached now; True when the promise was closed.

        One that was closed since it was looked up is left alone: what it made may be deleted again by now.
        """
        still_open = {operation.id for operation in await self._ledger.promised(connected.instance.id)}
        return promised.id not in still_open or await self._make(connected, promised)

    async def _make(self, connected: ConnectedInstance, promised: Promised) -> bool:
        """Not again what was made, by an earlier attempt or by another process, and moved or deleted since."""

        async def apply(operation: UUID) -> AccountFacts:
            fence = self._context.fence(operation, always=True)
            return await make_sealed(self._context, connected, promised, fence)

        return await self._journal.complete(connected, promised, apply)


def _taken(target: Target) -> Refused:
    return Refused(Reason.ACCOUNT_TAKEN, facts={"value": target.name})


def _require_names(grants: DatabaseGrants, specs: Sequence[commands.AccountSpec]) -> None:
    for grant in (grant for spec in specs for grant in spec.grants):
        if not grants.may_be_database(grant.database):
            raise Refused(Reason.DATABASE_MISSING, facts={"value": grant.database})


def verifier_purpose(instance_id: int | str, account: str) -> str:
    """What a promised account's verifier is sealed for."""
    return f"account verifier:{instance_id}:{account}"


async def make_sealed(
    context: AccountContext, connected: ConnectedInstance, promised: Promised, fence: Fence | None = None
) -> AccountFacts:
    """Make, or finish making, an account from what its promise holds; safe to repeat."""
    intent = promised.intent
    name, host = intent.account
    verifier = None
    if intent.sealed is not None:
        verifier = context.sealer.open(intent.sealed, verifier_purpose(connected.instance.id, intent.target))
    detail = details.CreateAccount.of(intent)
    new = NewAccount(
        name, detail.kind, verifier, promised.id, host, detail.grants, detail.allow_missing, fence
    )
    return context.with_password(connected, await connected.engine.create_account(new), verifier)
