"""A Rolecall that kills or stops itself right after a given step of a change.

Arguments: a cue, a file to write its port to, and, if it is to start servers for callers, the directory to do so in.
The cue is ``never``; the name of a step, at which the process kills itself (SIGKILL); ``stop:STEP``, where it stops
itself (SIGSTOP) the first time; or ``lose:METHOD``: the first call of that method of an engine is carried out, its
answer is lost, and the process stops itself before the second try. Store and master key come from the environment,
as for `rolecall serve`.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from pathlib import Path
from typing import Any

import uvloop

from rolecall.assembly import House
from rolecall.cli.context import load_settings
from rolecall.cli.logs import set_up_logs
from rolecall.cli.registration import CallersServers
from rolecall.domain.reasons import OutcomeUnknown
from rolecall.engines.base import Watched
from rolecall.server import Application, Server, bound_socket


def lose_the_answer(method: str) -> None:
    """The engine commits, and the connection is lost before its answer; the first time only."""
    change = getattr(Watched, method)
    lost: list[str] = []

    async def losing(*arguments: Any) -> Any:
        answer = await change(*arguments)
        if not lost:
            lost.append(method)
            raise OutcomeUnknown("lost in the commit")
        return answer

    setattr(Watched, method, losing)


async def main(cue: str, port_file: Path, provisioner: CallersServers | None) -> None:
    how, _, where = cue.rpartition(":")
    if how == "lose":
        lose_the_answer(where)
        where = "unknown"
    stops = [where] if how else []

    def step(name: str) -> None:
        if name == cue:
            os.kill(os.getpid(), signal.SIGKILL)
        elif name in stops:
            stops.clear()
            os.kill(os.getpid(), signal.SIGSTOP)

    settings = load_settings()
    set_up_logs(settings.log_level, "json")
    house = House(settings, settings.store_dsn(), settings.master_keys(), step, provisioner)
    await house.open()
    await house.start()
    bound = bound_socket("127.0.0.1", 0)

    async def ready() -> None:
        draft = port_file.with_suffix(".draft")
        draft.write_text(str(bound.getsockname()[1]))
        draft.rename(port_file)

    try:
        await Server(Application(house, house.pipeline()), bound).run_until_signal(ready)
    finally:
        await house.close()


if __name__ == "__main__":
    place = CallersServers(Path(sys.argv[3])) if len(sys.argv) > 3 else contextlib.nullcontext()
    with contextlib.suppress(KeyboardInterrupt), place as callers:
        uvloop.run(main(sys.argv[1], Path(sys.argv[2]), callers))
