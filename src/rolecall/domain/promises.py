"""Promises: several accounts accepted at once, durably, and made afterwards, through outages and restarts.

The rows of the operations are the queue: a promise is an accepted operation with all that making it needs, sealed.
It is taken up at once by the process that accepted it, and by recovery as long as it is not closed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from uuid import UUID, uuid4

from rolecall.domain import commands
from rolecall.domain.encoding import decode_grants, encode_grants
from rolecall.domain.engine import AccountFacts, AccountKind, NewAccount
from rolecall.domain.instances import Attached
from rolecall.domain.operations import Change, Intent, Journal, Ledger, Operation, Promised
from rolecall.domain.reasons import OutcomeUnknown, Reason, Refused
from rolecall.domain.sealing import Sealer
from rolecall.domain.work import Target, Work
from rolecall.values import Origin

_LOOK = 2.0
"""Seconds to wait for a server's word on whether a name is taken; a promise is made without it."""


class Promises:
    def __init__(self, work: Work, ledger: Ledger, journal: Journal) -> None:
        self._work = work
        self._ledger = ledger
        self._journal = journal
        self._making: set[asyncio.Task[bool]] = set()

    async def accept(self, command: commands.PromiseAccounts, origin: Origin) -> None:
        """All or none. ACCOUNT_REPEATED, ACCOUNT_TAKEN; a server out of reach now is no reason to refuse."""
        attached = await self._work.reach.attach(command.instance, origin.caller)
        targets = [self._work.at(attached, one.name, one.host) for one in command.accounts]
        self._expect_distinct(targets)
        await self._expect_free(attached, targets)
        promised = [
            Promised(uuid4(), await self._intent(target, spec, origin))
            for target, spec in zip(targets, command.accounts, strict=True)
        ]
        await self._ledger.promise(attached.instance.id, promised)
        for one in promised:
            task = asyncio.create_task(self.make(attached, one))
            self._making.add(task)
            task.add_done_callback(self._making.discard)

    def _expect_distinct(self, targets: Sequence[Target]) -> None:
        seen: set[str] = set()
        for target in targets:
            if target.label in seen:
                raise Refused(Reason.ACCOUNT_REPEATED, facts={"value": target.name})
            seen.add(target.label)

    async def _expect_free(self, attached: Attached, targets: Sequence[Target]) -> None:
        pending = {(one.name, one.host) for one in await self.pending(attached)}
        for target in targets:
            if (target.name, target.host) in pending or await self._is_there(target):
                raise Refused(Reason.ACCOUNT_TAKEN, facts={"value": target.name})

    async def _is_there(self, target: Target) -> bool:
        try:
            async with asyncio.timeout(_LOOK):
                return await target.attached.engine.account(target.name, target.host) is not None
        except (Refused, OutcomeUnknown, TimeoutError):
            return False

    async def _intent(self, target: Target, spec: commands.AccountSpec, origin: Origin) -> Intent:
        verifier = await self._work.verifier(target, spec.password)
        detail = {"remark": "", "promised": True, "verifier": "sealed", "grants": encode_grants(spec.grants)}
        sealed = self._work.sealer.seal(verifier, verifier_purpose(target.attached.instance.id, target.label))
        return target.intent(Change.ACCOUNT_CREATE, origin, detail, sealed)

    async def pending(self, attached: Attached) -> Sequence[AccountFacts]:
        """Accounts that were promised and are not made yet, as they will be."""
        operations = await self._ledger.promised(attached.instance.id)
        return [_facts_to_be(operation) for operation in operations]

    async def make(self, attached: Attached, promised: Promised) -> bool:
        """Make a promised account now, if the server can be reached now; True when the promise was closed."""

        async def apply(_operation: UUID) -> AccountFacts:
            return await make_sealed(self._work.sealer, attached, promised)

        return await self._journal.fulfil(attached, promised, apply)

    async def close(self) -> None:
        """Leave what is being made to whoever starts next."""
        for task in self._making:
            task.cancel()
        await asyncio.gather(*self._making, return_exceptions=True)


def verifier_purpose(instance_id: int, label: str) -> str:
    """What a promised account's verifier is sealed for."""
    return f"account verifier:{instance_id}:{label}"


async def make_sealed(sealer: Sealer, attached: Attached, what: Promised | Operation) -> AccountFacts:
    """Make, or finish making, an account from what its operation holds; safe to repeat."""
    intent = what.intent if isinstance(what, Promised) else what
    name, host = intent.account
    verifier = None
    if intent.sealed is not None:
        verifier = sealer.open(intent.sealed, verifier_purpose(attached.instance.id, intent.target))
    kind = AccountKind(str(intent.detail.get("kind", AccountKind.NORMAL.value)))
    grants = decode_grants(intent.detail["grants"])
    return await attached.engine.create_account(NewAccount(name, kind, verifier, what.id, host, grants))


def _facts_to_be(operation: Operation) -> AccountFacts:
    name, host = operation.account
    grants = decode_grants(operation.detail["grants"])
    return AccountFacts(0, name, AccountKind.NORMAL, True, True, operation.id, host, grants)
