"""The unmodified tccli, run from a process that has imported it once: each call is a fork of that process.

A run of the command takes a second, nearly all of it imports, and the tests make hundreds. The fork has what a process
of its own would have: arguments, environment, standard streams and exit status. The command copies its table of the
vendor's 267 services twice for each of them, so the table holds only the services that are called here.
`test_tccli.py` also runs the command itself.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import IO

COMMAND = Path(sys.executable).with_name("tccli")


@dataclass
class Tccli:
    """The server process; `run` is one call of the command."""

    process: subprocess.Popen[str]
    streams: Path

    def run(self, arguments: Sequence[str], env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        ask = {
            "arguments": [str(COMMAND), *map(str, arguments)],
            "env": dict(env),
            "streams": str(self.streams),
        }
        self.process.stdin.write(json.dumps(ask) + "\n")
        self.process.stdin.flush()
        status = int(self.process.stdout.readline())
        out, err = ((self.streams / name).read_text("utf-8") for name in ("out", "err"))
        return subprocess.CompletedProcess(ask["arguments"], status, out, err)


@contextmanager
def serving() -> Iterator[Tccli]:
    """Ends with the block."""
    with tempfile.TemporaryDirectory() as streams:
        command = [sys.executable, __file__]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        # tccli writes a log below the home directory as soon as it is imported.
        with subprocess.Popen(command, env={**os.environ, "HOME": streams}, **pipes) as process:
            yield Tccli(process, Path(streams))
            assert process.stdin is not None
            process.stdin.close()
            assert process.wait(60) == 0


SERVICES = ("cam", "ciam", "postgres", "sts", "tag")

_kept: list[object] = []


def _serve(asks: IO[str], answers: IO[str]) -> None:
    import tccli.main
    from tccli.plugin import import_plugins
    from tccli.services import SERVICE_VERSIONS

    # Imported once, before the forks.
    import_plugins()
    for service in SERVICES:
        import_module(f"tccli.services.{service}")
    for service in SERVICE_VERSIONS.keys() - SERVICES:
        del SERVICE_VERSIONS[service]
    for line in asks:
        ask = json.loads(line)
        child = os.fork()
        if child == 0:
            _call(ask, tccli.main.main)
        _, status = os.waitpid(child, 0)
        answers.write(f"{os.waitstatus_to_exitcode(status)}\n")
        answers.flush()


def _call(ask: Mapping[str, object], main: object) -> None:
    """In the fork: never returns."""
    status = 255
    try:
        os.environ.clear()
        os.environ.update(ask["env"])  # type: ignore[arg-type]
        sys.argv = list(ask["arguments"])  # type: ignore[call-overload]
        for number, name in ((1, "out"), (2, "err")):
            target = os.open(Path(str(ask["streams"])) / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            os.dup2(target, number)
        # Kept: tccli wraps the streams, and a stream that is collected while another wraps it closes the descriptor.
        _kept.extend((sys.stdout, sys.stderr))
        sys.stdout, sys.stderr = (os.fdopen(os.dup(number), "w", encoding="utf-8") for number in (1, 2))
        _kept.extend((sys.stdout, sys.stderr))
        try:
            status = main()  # type: ignore[operator]
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else 1
        sys.stdout.flush()
        sys.stderr.flush()
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(status or 0)


if __name__ == "__main__":
    _serve(sys.stdin, os.fdopen(os.dup(1), "w"))
