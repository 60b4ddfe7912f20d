"""Provisioning: servers that Rolecall makes, starts, stops and deletes itself, where something is there that can.

As every change, one of a whole server is written down first: its operation, and the instance's phase. Then it is
answered, and carried out in the background (`domain.provisioning.reconciler`). One process at a time has the
provisioner of a store.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from rolecall import ambient
from rolecall.domain.accounts.context import AccountContext
from rolecall.domain.instances.registry import (
    EngineRegistry,
    Instance,
    NewInstance,
    Phase,
    Provision,
    not_ready,
    register,
)
from rolecall.domain.instances.service import view_in_phase
from rolecall.domain.instances.views import InstanceView
from rolecall.domain.messages import Handlers, InstanceName
from rolecall.domain.operations.claims import Claim, Claimed, ClaimedBefore
from rolecall.domain.operations.client_tokens import ClientTokens
from rolecall.domain.operations.journal import Journal
from rolecall.domain.operations.model import Change, Intent, Ledger, Runner, State
from rolecall.domain.provisioning import commands as provisioning_commands
from rolecall.domain.provisioning.initial_objects import promises_of
from rolecall.domain.provisioning.phases import Phases
from rolecall.domain.provisioning.ports import Elsewhere, Offers, Provisioner, ProvisionRepository
from rolecall.domain.provisioning.reconciler import ServerReconciler
from rolecall.domain.reasons import Reason, Refused
from rolecall.values import Origin, Secret

_HOST = "127.0.0.1"
"""Where a server will be, until it says where it is."""


@dataclass(frozen=True, slots=True)
class _Step:
    """A change of a server: the phases that it may begin in, and the one that it passes."""

    change: Change
    before: frozenset[Phase]
    meanwhile: Phase


_RESTART = _Step(Change.INSTANCE_RESTART, frozenset({Phase.RUNNING}), Phase.RESTARTING)
_ISOLATE = _Step(Change.INSTANCE_ISOLATE, frozenset({Phase.RUNNING}), Phase.ISOLATING)
_REVIVE = _Step(Change.INSTANCE_REVIVE, frozenset({Phase.ISOLATED}), Phase.REVIVING)
_DELETE = _Step(Change.INSTANCE_DELETE, frozenset({Phase.RUNNING, Phase.FAILED}), Phase.DELETING)
# Clients isolate and destroy in one breath: the destruction waits behind an isolation that is under way.
_DESTROY = _Step(
    Change.INSTANCE_DELETE, frozenset({Phase.ISOLATING, Phase.ISOLATED, Phase.FAILED}), Phase.DELETING
)


def _is_version(asked: str, offered: str) -> bool:
    """Whether it is that version, as a server shows it, or the first parts of its number."""
    number = offered.partition("-")[0]
    shown = asked.removesuffix("-log")  # a server that logs statements adds it
    return shown == offered or f"{number}.".startswith(f"{asked}.")


class Provisioning:
    """`limit` is how many servers there may be at once. Without a provisioner everything is PROVISIONER_MISSING."""

    def __init__(
        self,
        provisioner: Provisioner | Elsewhere | None,
        limit: int,
        repository: ProvisionRepository,
        ledger: Ledger,
        context: AccountContext,
        registry: EngineRegistry,
        tokens: ClientTokens,
        journal: Journal,
    ) -> None:
        self._limit = limit
        self._repository = repository
        self._ledger = ledger
        self._context = context
        self._tokens = tokens
        self._journal = journal
        self._phases = Phases(repository, ledger, registry)
        self.reconciler: ServerReconciler | None = None
        """None if another process has it."""
        self._servers: Elsewhere | None = None
        match provisioner:
            case None:
                pass
            case Elsewhere():
                self._servers = provisioner
            case _:
                self.reconciler = ServerReconciler(
                    provisioner, repository, ledger, context, registry, journal
                )
                self._servers = Elsewhere(provisioner, self.reconciler)

    @property
    def handlers(self) -> Handlers:
        return (
            provisioning_commands.ProvisionInstance.handled_by(self.create),
            provisioning_commands.ProvisionInstances.handled_by(self.create_several),
            provisioning_commands.RestartInstance.handled_by(self.restart),
            provisioning_commands.IsolateInstances.handled_by(self.isolate),
            provisioning_commands.ReviveInstances.handled_by(self.revive),
            provisioning_commands.DeprovisionInstance.handled_by(self.delete),
        )

    async def resume(self) -> None:
        """Go on where an earlier process ended."""
        if self.reconciler is not None:
            await self.reconciler.resume()

    async def close(self) -> None:
        if self.reconciler is not None:
            await self.reconciler.close()

    async def create(self, command: provisioning_commands.ProvisionInstance, origin: Origin) -> InstanceView:
        """PROVISIONER_MISSING, VERSION_UNOFFERED, INSTANCE_QUOTA, CLIENT_TOKEN_MISMATCH."""
        self._require_offered(command)
        if command.token is None:
            return (await self._create(command, 1, origin))[0]

        async def call(claim: Claim) -> InstanceView:
            return (await self._create(command, 1, origin, claim))[0]

        async def repeat(kept: Claimed) -> InstanceView | None:
            made = await self._repository.instance_by_id(kept.instance_id or 0)
            return None if made is None else view_in_phase(made, command.dialect, origin.caller)

        return await self._tokens.once(origin.caller.owner_id, command.token, call, repeat, promised=True)

    async def create_several(
        self, command: provisioning_commands.ProvisionInstances, origin: Origin
    ) -> tuple[InstanceView, ...]:
        """PROVISIONER_MISSING, VERSION_UNOFFERED, INSTANCE_QUOTA."""
        return await self._create(command.alike, command.count, origin)

    async def restart(self, command: provisioning_commands.RestartInstance, origin: Origin) -> UUID:
        return (await self._begin((command.instance,), _RESTART, origin))[0]

    async def isolate(self, command: provisioning_commands.IsolateInstances, origin: Origin) -> None:
        await self._begin(command.instances, _ISOLATE, origin)

    async def revive(self, command: provisioning_commands.ReviveInstances, origin: Origin) -> None:
        await self._begin(command.instances, _REVIVE, origin)

    async def delete(self, command: provisioning_commands.DeprovisionInstance, origin: Origin) -> None:
        """With a client token, deleting once more what is gone succeeds. CLIENT_TOKEN_MISMATCH."""
        step = _DESTROY if command.isolated else _DELETE
        if command.token is None:
            await self._begin((command.instance,), step, origin)
            return

        async def call(claim: Claim) -> UUID:
            return (await self._begin((command.instance,), step, origin, claim))[0]

        async def repeat(kept: Claimed) -> UUID | None:
            return kept.operation if kept.state in (State.ACCEPTED, State.RECORDED) else None

        await self._tokens.once(origin.caller.owner_id, command.token, call, repeat, promised=True)

    def _require_offered(self, command: provisioning_commands.ProvisionInstance) -> Elsewhere:
        if self._servers is None:
            raise Refused(Reason.PROVISIONER_MISSING)
        offered = self._servers.offers.engines.get(command.engine)
        if offered is None:
            raise Refused(Reason.PROVISIONER_MISSING, note=f"no {command.engine} server can be started here")
        if command.version and not _is_version(command.version, offered):
            raise Refused(Reason.VERSION_UNOFFERED, facts={"value": command.version})
        return self._servers

    async def _create(
        self,
        command: provisioning_commands.ProvisionInstance,
        count: int,
        origin: Origin,
        claim: Claim | None = None,
    ) -> tuple[InstanceView, ...]:
        """All or none. On disk when it returns."""
        servers = self._require_offered(command)
        made: list[Instance] = []
        async with servers.turns.turn() as turn:
            await self._require_new(claim, origin)
            there = [
                instance for instance in await self._repository.instances() if instance.provision is not None
            ]
            if len(there) + count > self._limit:
                raise Refused(Reason.INSTANCE_QUOTA, facts={"value": count, "limit": self._limit})
            try:
                while len(made) < count:
                    made.append(await self._register(servers.offers, command, origin))
                self._journal.passed("server-registered")
                for instance in made:
                    target = instance.faces[command.dialect]
                    promised = await promises_of(self._context, instance, command, origin, target, claim)
                    await self._ledger.promise(instance.id, promised)
            except BaseException:
                for instance in made:
                    await self._phases.discard(instance)
                raise
            self._journal.passed("server-accepted")
            for instance in made:
                turn.schedule(instance)
        return tuple(view_in_phase(instance, command.dialect, origin.caller) for instance in made)

    async def _require_new(self, claim: Claim | None, origin: Origin) -> None:
        """`ClaimedBefore` for a repetition that waited for its turn while the first call had it."""
        if claim is not None:
            kept = await self._ledger.claimed(origin.caller.owner_id, claim.token)
            if kept is not None and kept.operation != claim.renews:
                raise ClaimedBefore(kept)

    async def _register(
        self, offers: Offers, command: provisioning_commands.ProvisionInstance, origin: Origin
    ) -> Instance:
        plan = offers.blueprint(command.engine, command.region, command.zone)
        charset = {"charset": command.encoding} if command.encoding else {}
        new = NewInstance(
            owner_id=origin.caller.owner_id,
            engine=command.engine,
            name=command.name or plan.faces[command.dialect],
            host=_HOST,
            port=0,
            administrator=plan.administrator,
            password=Secret(ambient.token(24)),
            database=plan.database,
            options={**plan.options, **charset},
            region=plan.region,
            zone=plan.zone,
            faces=plan.faces,
            addresses=command.addresses,
            provision=Provision(next(iter(plan.faces.values())), Phase.CREATING),
        )
        return await register(self._repository, self._context.sealer, new)

    async def _begin(
        self, names: Sequence[InstanceName], step: _Step, origin: Origin, claim: Claim | None = None
    ) -> tuple[UUID, ...]:
        """Write down that each is changed, after looking at all, and begin. The operations' ids.

        PROVISIONER_MISSING for a server that is not ours; one in no phase to begin in is refused for its phase.
        """
        operations: dict[InstanceName, UUID] = {}
        if self._servers is None:
            for name in names:
                await self._changeable(name, step, origin)  # refuses
            return ()
        async with self._servers.turns.turn() as turn:
            found = {name: await self._changeable(name, step, origin) for name in names}
            for name, instance in found.items():
                operations[name] = ambient.new_id()
                intent = Intent(step.change, name.public_id, origin, claim=claim, runner=Runner.PROVISIONING)
                await self._ledger.accept(operations[name], instance.id, intent)
                self._journal.passed("turn-accepted")
                await self._phases.enter(instance, step.meanwhile)
                if (fresh := await self._repository.instance_by_id(instance.id)) is not None:
                    turn.schedule(fresh)
        return tuple(operations[name] for name in names)

    async def _changeable(self, name: InstanceName, step: _Step, origin: Origin) -> Instance:
        found = await self._context.resolver.find_listed(name, origin.caller)
        instance = await self._repository.instance_by_id(found.id)
        facts = {"value": name.public_id}
        if instance is None:
            raise Refused(Reason.INSTANCE_MISSING, facts=facts)
        if self._servers is None or instance.provision is None:
            raise Refused(Reason.PROVISIONER_MISSING, facts=facts)
        phase = instance.provision.phase
        if phase is Phase.RUNNING and instance.isolated:  # by its operator, and its server runs
            phase = Phase.ISOLATED
        if phase not in step.before:
            raise Refused(not_ready(instance) or Reason.INSTANCE_RUNNING, facts=facts)
        return instance
