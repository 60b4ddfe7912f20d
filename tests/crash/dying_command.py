"""A `rolecall` command that kills itself right after a given step of the change that it makes.

Arguments: the name of the step, and those of the command. Store and master key come from the environment.
"""

from __future__ import annotations

import os
import signal
import sys
from functools import partial

from tests.crash.dying_server import tell_of_cutting_off

from rolecall.app import opening
from rolecall.cli.main import main

if __name__ == "__main__":
    cue, *arguments = sys.argv[1:]

    def step(name: str) -> None:
        if name == cue:
            os.kill(os.getpid(), signal.SIGKILL)

    tell_of_cutting_off(step)
    opening.open_application = partial(opening.open_application, step=step)  # type: ignore[assignment]
    sys.argv = ["rolecall", *arguments]
    main()
