"""Initial objects: the databases and accounts that a new instance is asked for, made once its server is there.

Each is an operation of its own, accepted together with that of the instance: the audit names them, and what a crash
cut short is done with the same operation's id, which the engine takes for a repetition.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

from msgspec.structs import replace

from rolecall import ambient
from rolecall.domain.accounts.context import AccountContext
from rolecall.domain.accounts.deferred import make_sealed, verifier_purpose
from rolecall.domain.engine import AccountFacts, NewDatabase
from rolecall.domain.instances.registry import ConnectedInstance, Instance
from rolecall.domain.operations import details
from rolecall.domain.operations.claims import Claim
from rolecall.domain.operations.effects import effect_of
from rolecall.domain.operations.journal import record
from rolecall.domain.operations.model import Change, Intent, Ledger, Operation, Promised, Runner
from rolecall.domain.operations.runner import may_pass
from rolecall.domain.provisioning import commands as provisioning_commands
from rolecall.domain.reasons import OutcomeUnknown, Reason, Refused
from rolecall.values import Origin

_ATTEMPTS = 20
_PAUSE = 0.5


async def promises_of(
    context: AccountContext,
    instance: Instance,
    command: provisioning_commands.ProvisionInstance,
    origin: Origin,
    target: str,
    claim: Claim | None,
) -> Sequence[Promised]:
    """The intents to make an instance and what it is asked for; passwords are in them as sealed verifiers."""
    connected = await context.resolver.connect_instance(instance)
    intents = [
        Intent(
            Change.DATABASE_CREATE,
            database.name,
            origin,
            details.CreateDatabase(encoding=database.encoding, collate=database.collate).encode(),
        )
        for database in command.databases
    ]
    for spec in command.accounts:
        connected.engine.require_new_name(spec.name)
        account = context.at(connected, spec.name, spec.host)
        verifier = await context.verifier(account, spec.password)
        sealed = context.sealer.seal(verifier, verifier_purpose(instance.id, account.display_name))
        detail = details.CreateAccount(remark="", kind=spec.kind, grants=spec.grants)
        intents.append(account.intent(Change.ACCOUNT_CREATE, origin, detail, sealed))
    whole = details.CreateInstance(engine=command.engine).encode()
    intents.append(Intent(Change.INSTANCE_CREATE, target, origin, whole, claim=claim))
    return [Promised(ambient.new_id(), replace(intent, runner=Runner.PROVISIONING)) for intent in intents]


async def create_initial_objects(
    context: AccountContext, ledger: Ledger, connected: ConnectedInstance, operations: Sequence[Operation]
) -> None:
    """Make what is not made yet, databases before the accounts that reach them. What the engine refuses."""
    for change, make in _MAKERS.items():
        for operation in operations:
            if operation.change is change:
                await _patiently(context, ledger, connected, operation, make)


Maker = Callable[[AccountContext, ConnectedInstance, Operation], Awaitable[AccountFacts | None]]


async def _patiently(
    context: AccountContext, ledger: Ledger, connected: ConnectedInstance, operation: Operation, make: Maker
) -> None:
    """A server that was started a moment ago may refuse early connections."""
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            async with connected.lane.turn():
                facts = await make(context, connected, operation)
        except (OutcomeUnknown, Refused) as error:
            if attempt == _ATTEMPTS or not may_pass(error):
                raise
            await asyncio.sleep(_PAUSE)
        else:
            await record(ledger, connected, operation.id, effect_of(operation, operation.id, facts))
            return


async def _database(_context: AccountContext, connected: ConnectedInstance, operation: Operation) -> None:
    detail = details.CreateDatabase.of(operation)
    new = NewDatabase(operation.target, detail.owner, operation.id, detail.encoding, detail.collate)
    await connected.engine.create_database(new)


async def _account(
    context: AccountContext, connected: ConnectedInstance, operation: Operation
) -> AccountFacts:
    if operation.sealed is None:
        raise Refused(Reason.INTERRUPTED, note="the verifier of a new account is gone")
    intent = Intent(operation.change, operation.target, None, operation.detail, operation.sealed)
    return await make_sealed(context, connected, Promised(operation.id, intent))


_MAKERS: Mapping[Change, Maker] = {Change.DATABASE_CREATE: _database, Change.ACCOUNT_CREATE: _account}
"""In this order."""
