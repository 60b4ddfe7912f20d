"""Progress bars: on a terminal, and neither elsewhere nor with --quiet."""

from __future__ import annotations

import os
import pty
import subprocess
from pathlib import Path

import pytest
from tests.conftest import PATIENCE, Rolecall
from tests.programs import ROLECALL, forks


def on_terminal(rolecall: Rolecall, *arguments: str) -> str:
    """What a command writes to standard error, which is a terminal."""
    leader, follower = pty.openpty()
    try:
        with os.fdopen(follower, "wb", buffering=0) as terminal:
            environment = {**rolecall.environment, "TERM": "xterm", "COLUMNS": "100"}
            command = [*arguments, "--data", rolecall.data]
            forked = forks().start(ROLECALL, command, environment, stdout=subprocess.DEVNULL, stderr=terminal)
            assert forked.wait(PATIENCE) == 0
            os.write(follower, b"\x04end")
            written = b""
            while not written.endswith(b"end"):
                written += os.read(leader, 65536)
            return written.decode(errors="replace")
    finally:
        os.close(leader)


@pytest.mark.parametrize(
    ("action", "words"), [("export", "exporting records"), ("verify", "verifying records")]
)
def test_a_bar_is_shown_on_a_terminal_unless_it_is_not_wanted(
    rolecall: Rolecall, tmp_path: Path, action: str, words: str
) -> None:
    arguments = ("audit", action, *(["-"] if action == "export" else []))
    assert words in on_terminal(rolecall, *arguments)
    assert words not in on_terminal(rolecall, *arguments, "--quiet")
    assert words not in rolecall.cli(*arguments).stderr
