"""How far servers that Rolecall runs are, as the store says it: what a caller and the reconciler both write."""

from __future__ import annotations

from rolecall.domain.instances.registry import EngineRegistry, Instance, Phase
from rolecall.domain.operations.model import Change, Ledger, State
from rolecall.domain.provisioning.ports import ProvisionRepository
from rolecall.domain.reasons import Reason


class Phases:
    def __init__(self, repository: ProvisionRepository, ledger: Ledger, registry: EngineRegistry) -> None:
        self._repository = repository
        self._ledger = ledger
        self._registry = registry

    async def enter(self, instance: Instance, phase: Phase) -> None:
        isolated = phase in (Phase.ISOLATING, Phase.ISOLATED)
        await self._repository.change_instance(instance.id, phase=phase.value, isolated=isolated)

    async def discard(self, instance: Instance) -> None:
        """Forget an instance that no caller knows of, and that has no server yet."""
        await self.undo(instance)
        await self.forget(instance)

    async def forget(self, instance: Instance) -> None:
        await self._repository.remove_instance(instance.id)
        await self._registry.forget(instance.id)

    async def undo(self, instance: Instance, but: Change | None = None) -> None:
        """The instance itself first: without it, what is left open makes no server that lacks the rest."""
        operations = [
            operation
            for operation in await self._ledger.provisioning(instance.id)
            if operation.change is not but
        ]
        for operation in sorted(operations, key=lambda one: one.change is not Change.INSTANCE_CREATE):
            await self._ledger.close(operation.id, State.UNDONE, Reason.INTERRUPTED.value, "never begun")
