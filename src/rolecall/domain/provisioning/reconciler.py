"""Brings servers that Rolecall runs itself, in the background, to what the phase of their instance says.

Every step may be repeated, so the next process continues where this one ended; and this one, after a failure of the
store or of the provisioner.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager

import structlog

from rolecall.domain.accounts.context import AccountContext
from rolecall.domain.instances.registry import EngineRegistry, Instance, Phase
from rolecall.domain.operations.claims import ClaimedBefore
from rolecall.domain.operations.journal import Journal
from rolecall.domain.operations.model import Change, Ledger, Operation, State
from rolecall.domain.provisioning.initial_objects import create_initial_objects
from rolecall.domain.provisioning.phases import Phases
from rolecall.domain.provisioning.ports import Provisioner, ProvisionRepository, Turn
from rolecall.domain.reasons import OutcomeUnknown, Reason, Refused
from rolecall.domain.secrets.sealing import SealBroken

_log = structlog.get_logger(__name__)

_RESUME_SECONDS = 15.0
"""How long a start waits for the servers that it starts again."""

_PAUSE = 10.0
"""Seconds after a failure until this process continues with what it left."""

_WERE_THERE = (Phase.RUNNING, Phase.RESTARTING, Phase.REVIVING)

_START_A_SERVER = (Phase.CREATING, Phase.RUNNING, Phase.RESTARTING, Phase.REVIVING)
"""Phases whose step needs the administrator's password."""

_OF_STEPS: Mapping[Phase, Change] = {
    Phase.RESTARTING: Change.INSTANCE_RESTART,
    Phase.ISOLATING: Change.INSTANCE_ISOLATE,
    Phase.REVIVING: Change.INSTANCE_REVIVE,
}
"""Phases with the only change that they carry out: what is accepted meanwhile belongs to the step behind it."""


Operations = Sequence[Operation]
"""Those that are under way on a server when a step begins; what is accepted later is another step's."""


class ServerReconciler:
    """One task at a time for each server."""

    def __init__(
        self,
        provisioner: Provisioner,
        repository: ProvisionRepository,
        ledger: Ledger,
        context: AccountContext,
        registry: EngineRegistry,
        journal: Journal,
    ) -> None:
        self._provisioner = provisioner
        self._repository = repository
        self._ledger = ledger
        self._context = context
        self._registry = registry
        self._journal = journal
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._turn = asyncio.Lock()
        self._again: asyncio.Task[None] | None = None
        self._is_closed = False
        self._phases = Phases(repository, ledger, registry)
        self._steps: Mapping[Phase, Callable[[Instance, str, Operations], Awaitable[None]]] = {
            Phase.CREATING: self._make,
            Phase.RUNNING: self._start_again,
            Phase.RESTARTING: self._restart,
            Phase.ISOLATING: self._isolate,
            Phase.REVIVING: self._revive,
            Phase.DELETING: self._delete,
            Phase.FAILED: self._clear,
        }

    async def resume(self) -> None:
        """Go on where an earlier process ended; wait a while for the servers that were there before."""
        if awaited := await self.pick_up():
            await asyncio.wait(awaited, timeout=_RESUME_SECONDS)

    async def pick_up(self) -> Sequence[asyncio.Task[None]]:
        """Go on with what is not worked on now. The tasks of servers that were there.

        The caller has the turn, unless nothing else runs yet.
        """
        awaited: list[asyncio.Task[None]] = []
        for listed in await self._repository.instances():
            if listed.provision is None or listed.id in self._tasks:
                continue
            instance = await self._repository.instance_by_id(listed.id)  # its step may have ended since
            if instance is not None and instance.provision is not None:
                phase = instance.provision.phase
                if phase in (Phase.RUNNING, Phase.ISOLATED, Phase.FAILED) or phase in _OF_STEPS:
                    await self._close_leftovers(instance, phase)
                task = self.schedule(instance)
                awaited += [task] if phase in _WERE_THERE else []
        return awaited

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[Turn]:
        """Held while the servers' phases are read and then changed. If that fails, no step follows what was written."""
        async with self._turn:
            try:
                yield self
            except (Refused, ClaimedBefore):
                raise
            except Exception:
                self._look_later()
                raise

    async def schedule_changed(self, instance_id: int) -> None:
        """Do what the phase of an instance says that another process changed."""
        if (instance := await self._repository.instance_by_id(instance_id)) is not None:
            self.schedule(instance)

    def schedule(self, instance: Instance) -> asyncio.Task[None]:
        """Do what its phase says, after what is under way on the same server."""
        before = self._tasks.get(instance.id)
        task = asyncio.create_task(self._step(instance, before))
        self._tasks[instance.id] = task
        task.add_done_callback(lambda done: self._ended(instance.id, done))
        return task

    def _look_later(self) -> None:
        """After a failure: continue, some time later, with whatever is not worked on then."""
        if not self._is_closed and (self._again is None or self._again.done()):
            self._again = asyncio.create_task(self._look_again())

    async def _look_again(self) -> None:
        while True:
            await asyncio.sleep(_PAUSE)
            try:
                async with self._turn:
                    is_partial = bool(self._tasks)  # what is worked on now is passed over
                    await self.pick_up()
            except Exception as error:  # noqa: BLE001 - the store is perhaps still out of reach
                _log.warning("servers are left as they are for now", error=f"{type(error).__name__}: {error}")
            else:
                if not is_partial:
                    return

    async def close(self) -> None:
        """Cancel what is under way: the next process resumes it."""
        self._is_closed = True
        under_way = (*self._tasks.values(), *((self._again,) if self._again is not None else ()))
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)

    async def _step(self, instance: Instance, before: asyncio.Task[None] | None) -> None:
        if before is not None:
            await asyncio.wait([before])
        provision = instance.provision
        if provision is not None and (step := self._steps.get(provision.phase)) is not None:
            change = _OF_STEPS.get(provision.phase)
            operations = await self._ledger.provisioning(instance.id)
            mine = [operation for operation in operations if change in (None, operation.change)]
            try:
                if provision.phase in _START_A_SERVER:
                    self._registry.address(instance)  # before anything is stopped
                await step(instance, provision.place, mine)
            except SealBroken as error:  # the next start goes on, if the master key is listed again
                _log.warning("a server waits for a master key", instance=instance.name, found=str(error))

    def _ended(self, instance_id: int, task: asyncio.Task[None]) -> None:
        if self._tasks.get(instance_id) is task:
            del self._tasks[instance_id]
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("a server is left as it is for now", exc_info=error)
            self._look_later()

    async def _make(self, instance: Instance, place: str, operations: Operations) -> None:
        if not any(operation.change is Change.INSTANCE_CREATE for operation in operations):
            await self._phases.discard(instance)  # its process ended before it was accepted
            return
        try:
            started = await self._start(instance, place)
            self._journal.passed("server-started")
            connected = await self._registry.connect(started)
            await create_initial_objects(self._context, self._ledger, connected, operations)
            self._journal.passed("initial-objects-created")
        except SealBroken:  # of an account that was asked for
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, there will be no such instance
            _log_failure("a server could not be made", instance, error)
            await self._phases.enter(instance, Phase.FAILED)
            await self._refuse(operations, error)
            await self._provisioner.destroy(place, instance.engine)
            return
        await self._move_on(instance, Phase.RUNNING)
        self._journal.passed("server-settled")
        await self._record(instance, operations)

    async def _start_again(self, instance: Instance, place: str, _: Operations) -> None:
        """At a start of ours: a server that is recorded as running."""
        try:
            await self._start(instance, place)
        except Exception as error:  # noqa: BLE001 - the other servers are there all the same
            _log_failure("a server could not be started", instance, error)

    async def _restart(self, instance: Instance, place: str, operations: Operations) -> None:
        async def work() -> None:
            await self._provisioner.stop(place)
            await self._start(instance, place)

        await self._try(instance, Phase.RUNNING, work(), operations)

    async def _revive(self, instance: Instance, place: str, operations: Operations) -> None:
        await self._try(instance, Phase.RUNNING, self._start(instance, place), operations)

    async def _isolate(self, instance: Instance, place: str, operations: Operations) -> None:
        await self._try(instance, Phase.ISOLATED, self._provisioner.stop(place), operations)

    async def _delete(self, instance: Instance, place: str, operations: Operations) -> None:
        # If this fails, the instance stays in its phase, and is deleted later.
        await self._provisioner.destroy(place, instance.engine)
        self._journal.passed("server-destroyed")
        await self._record(instance, operations)
        await self._phases.forget(instance)

    async def _clear(self, instance: Instance, place: str, _: Operations) -> None:
        """At a start of ours: the process that could not make the server may have ended before it cleared away."""
        await self._provisioner.destroy(place, instance.engine)

    async def _try(
        self, instance: Instance, after: Phase, work: Awaitable[object], operations: Operations
    ) -> None:
        """The phase moves on even where the work failed: how the server is then, it tells itself."""
        try:
            await work
        except Exception as error:  # noqa: BLE001 - whatever it is
            _log_failure("a server could not be changed", instance, error)
            await self._move_on(instance, after)
            await self._refuse(operations, error)
        else:
            await self._record(instance, operations)
            self._journal.passed("server-settled")
            await self._move_on(instance, after)

    async def _start(self, instance: Instance, place: str) -> Instance:
        """The instance with its address as it is now."""
        password = self._registry.address(instance).password
        encoding = instance.options.get("charset", "")
        host, port, sockets = await self._provisioner.start(place, instance.engine, password, encoding)
        changes: dict[str, object] = {}
        if (host, port) != (instance.host, instance.port):
            changes |= self._registry.moved(instance, host, port)
        if sockets != instance.options.get("socket", ""):
            changes["options"] = {**instance.options, "socket": sockets}
        if changes:
            await self._repository.change_instance(instance.id, **changes)
        return await self._repository.instance_by_id(instance.id) or instance

    async def _move_on(self, instance: Instance, phase: Phase) -> None:
        """Enter the phase behind a step, unless another step was begun meanwhile: its phase stands."""
        async with self._turn:
            if self._tasks.get(instance.id) is asyncio.current_task():
                await self._phases.enter(instance, phase)

    async def _record(self, instance: Instance, operations: Operations) -> None:
        """Recording once more what was recorded changes nothing."""
        for operation in operations:
            await self._ledger.record(operation.id, instance.id, None)

    async def _refuse(self, operations: Operations, error: Exception) -> None:
        match error:
            case Refused():
                reason = error.reason
            case OutcomeUnknown():
                reason = Reason.ENGINE_UNREACHABLE
            case _:
                reason = Reason.ENGINE_REFUSED
        note = f"{type(error).__name__}: {error}".splitlines()[0]
        for operation in operations:
            await self._ledger.close(operation.id, State.REFUSED, reason.value, note)

    async def _close_leftovers(self, instance: Instance, phase: Phase) -> None:
        """Close what was left open, which never began: only a creation enters its last phase before it is recorded.

        What the phase itself carries out goes on.
        """
        for operation in await self._ledger.provisioning(instance.id):
            if operation.change is Change.INSTANCE_CREATE and phase is Phase.RUNNING:
                await self._ledger.record(operation.id, instance.id, None)
        await self._phases.undo(instance, but=_OF_STEPS.get(phase))


def _log_failure(what: str, instance: Instance, error: Exception) -> None:
    _log.error(what, instance=instance.name, error=f"{type(error).__name__}: {error}")
