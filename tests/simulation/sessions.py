"""Exchanges of a process with a simulated server: what goes on at the server, and what in the process.

A change runs in a task of the server. Between two of its steps the process has to go on: it may be delayed or paused
there, with the server's locks held, or end; then the server ends the session, which gives the locks back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextvars import ContextVar
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from uuid import UUID

from tests.simulation.power import supplied
from tests.simulation.schedules import choose, happens

from rolecall.domain.engine.identity import Fence
from rolecall.domain.reasons import OutcomeUnknown, Reason, Refused

if TYPE_CHECKING:
    from tests.simulation.world import Gates, Server

DELAYS = (0.01, 0.06, 0.5, 2.0, 8.0)
"""Seconds that a step may take: less and more than the pauses of the code itself."""


class SessionEnded(Exception):
    """At the server: nobody asks for the next step any more."""


class Session:
    """One change. With `loss` 2 the server alone goes on with what it was sent; 3: the session ends between steps."""

    def __init__(self, gates: Gates, loss: int) -> None:
        self._gates = gates
        self._loss = loss
        self._steps = choose(4) if loss == 3 else 0
        self._is_served = asyncio.Event()
        self.committed: Callable[[], None] = lambda: None
        """Called when a change is whole, though a step follows: its caller may never hear of it."""
        self._asked: asyncio.Queue[tuple[Fence, asyncio.Future[Refused | None]]] = asyncio.Queue()

    async def passed(self, step: str) -> None:
        """Between two steps, at the server."""
        if step == "changed":
            self.committed()
        if self._loss == 2:
            if step != "locked":
                raise SessionEnded
            await asyncio.sleep(DELAYS[choose(len(DELAYS))])
            if choose(2):
                raise SessionEnded
        elif step != "locked":
            await self.ask(lambda: self._gates.passed(f"within a change: {step}"))

    async def ask(self, work: Fence) -> None:
        """At the server: what the process is to do while the server waits for it."""
        is_cut_off = self._loss == 3 and self._steps == 0
        self._steps -= 1
        if self._loss == 2 or is_cut_off or not self._gates.alive:
            raise SessionEnded
        answer: asyncio.Future[Refused | None] = asyncio.get_running_loop().create_future()
        self._asked.put_nowait((work, answer))
        ended = asyncio.ensure_future(self._gates.ended.wait())
        await asyncio.wait({answer, ended}, return_when=asyncio.FIRST_COMPLETED)
        ended.cancel()
        if not answer.done():
            raise SessionEnded
        if (refusal := answer.result()) is not None:
            raise refusal

    def fence(self, fence: Fence) -> Fence:
        """As the server asks it."""
        return lambda: self.ask(fence)

    async def _serve(self, change: Callable[[], Coroutine[Any, Any, Any]]) -> tuple[Any, Exception | None]:
        """What the server answers, or refuses with: perhaps to nobody."""
        self._is_served.set()
        try:
            return await change(), None
        except SessionEnded:
            return None, OutcomeUnknown("the session ended")
        except (Refused, OutcomeUnknown) as error:
            return None, error

    async def carry_out(self, change: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
        """In the process: what the server answers. `OutcomeUnknown` if the session ends before."""
        with supplied(None):
            token = SESSION.set(self)
            served = asyncio.ensure_future(self._serve(change))
            SESSION.reset(token)
        await self._is_served.wait()  # what was sent comes before what others send later
        if self._loss == 2:
            self._gates.world.late(_ended(served))
            raise OutcomeUnknown("the server has it, and may do it later")
        while not served.done():
            asking = asyncio.ensure_future(self._asked.get())
            await asyncio.wait({served, asking}, return_when=asyncio.FIRST_COMPLETED)
            if not asking.done():
                asking.cancel()
                break
            work, answered = asking.result()
            try:
                await work()
            except Refused as refusal:
                answered.set_result(refusal)
            else:
                answered.set_result(None)
        answer, error = served.result()
        if error is not None:
            raise error
        return answer


SESSION: ContextVar[Session | None] = ContextVar("session", default=None)


async def _ended(served: asyncio.Future[Any]) -> None:
    await served


_READS = frozenset(
    {
        "facts", "account", "identify", "accounts", "privileges", "databases", "names", "find", "has_password",
        "require_new", "role_facts", "role", "default_privileges", "public_privileges", "page", "at",
    }
)  # fmt: skip


def engine_calls(server: Server, gates: Gates) -> Callable[..., Awaitable[Any]]:
    """How an engine's methods are called: a connection may be lost on the way there, between steps, and back."""
    world = gates.world

    async def around(
        method: Callable[..., Coroutine[Any, Any, Any]],
        name: str,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> Any:
        if name == "close":
            return None
        await gates.passed(f"before {name}")
        loss = choose(5) if world.stormy and happens(world.hazards.engine_loss) else 0
        if loss == 1:
            raise Refused(Reason.ENGINE_UNREACHABLE, note="before anything was sent")
        if name in _READS:
            found = await method(*args, **kwargs)
            await gates.passed(f"after {name}")
            return found
        session = Session(gates, loss)
        args = tuple(_fenced(one, session) for one in args)
        account, operation = _subject(args, kwargs)

        noted: list[UUID] = []

        def committed() -> None:
            if operation is not None and not noted:
                noted.append(operation)
                server.note_change(name, args[0], operation)

        session.committed = committed

        async def change() -> Any:
            result = await method(*args, **kwargs)
            if result is not False:
                committed()
            world.note(f"{gates.name}: {name}({account}) by {operation and operation.int}")
            return result

        result = await session.carry_out(change)
        await gates.passed(f"after {name}")
        if loss == 4:
            raise OutcomeUnknown("lost after the commit")
        return result

    return around


def _fenced(given: Any, session: Session) -> Any:
    """What is made, or the fence itself, with the fence asked through the session."""
    fence = getattr(given, "fence", None)
    if fence is not None:
        return replace(given, fence=session.fence(fence))
    return session.fence(given) if callable(given) else given


def _subject(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[str, UUID | None]:
    """Whose change it is, and by which operation."""
    first = args[0] if args else next(iter(kwargs.values()))
    name = first if isinstance(first, str) else str(getattr(first, "name", ""))
    given = [*args, *kwargs.values()]
    operation = next((one for one in given if isinstance(one, UUID)), getattr(first, "operation", None))
    return name, operation
