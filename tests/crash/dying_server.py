"""A Rolecall that kills itself (SIGKILL) right after a given step of a change.

Arguments: the step (``never`` to live), a file to write its port to, and, if it is to start servers for callers, the
directory to do so in. Store and master key come from the environment, as for `rolecall serve`.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from pathlib import Path

import uvloop

from rolecall.assembly import House
from rolecall.cli.context import load_settings
from rolecall.cli.logs import set_up_logs
from rolecall.cli.registration import CallersServers
from rolecall.server import Application, Server, bound_socket


async def main(die_at: str, port_file: Path, provisioner: CallersServers | None) -> None:
    def step(name: str) -> None:
        if name == die_at:
            os.kill(os.getpid(), signal.SIGKILL)

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
