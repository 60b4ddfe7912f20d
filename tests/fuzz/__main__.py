"""Fuzz one parser with atheris: ``make fuzz ARGS="json -max_total_time=600"``; without a name, each for a minute.

atheris is no part of the locked test tools; `make fuzz` installs it. What follows the name goes to libFuzzer.
"""

from __future__ import annotations

import multiprocessing
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import atheris

_MINUTE = "-max_total_time=60"

with atheris.instrument_imports(include=["rolecall", "python_multipart"], enable_loader_override=False):
    from tests.fuzz.targets import TARGETS


def fuzz(name: str, arguments: list[str]) -> None:
    """Does not come back: libFuzzer ends the process, with 0 if nothing was found."""
    with TemporaryDirectory(prefix="rolecall-fuzz-") as corpus:
        for number, seed in enumerate(TARGETS[name].seeds):
            (Path(corpus) / str(number)).write_bytes(seed)
        atheris.Setup(
            [sys.argv[0], "-max_len=65536", "-timeout=10", "-rss_limit_mb=1024", *arguments, corpus],
            TARGETS[name].run,
        )
        atheris.Fuzz()


def main() -> int:
    name, *arguments = sys.argv[1:] or [""]
    if name in TARGETS:
        fuzz(name, arguments)
    if name and not name.startswith("-"):
        print(f"there is no parser {name}; there are {', '.join(TARGETS)}", file=sys.stderr)
        return 2
    failed = []
    for each in TARGETS:
        process = multiprocessing.get_context("spawn").Process(
            target=fuzz, args=(each, sys.argv[1:] or [_MINUTE])
        )
        process.start()
        process.join()
        if process.exitcode:
            failed.append(each)
        print(f"{each}: {'failed' if process.exitcode else 'nothing found'}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
