"""The unmodified tccli in forks of a process that has imported it once (`tests/forks.py`).

The command copies its table of the vendor's 267 services twice for each of them, so the table holds only the services
that are called here. `test_tccli.py` also runs the command itself.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module

from tests.forks import Forks, serve

SERVICES = ("cam", "ciam", "postgres", "sts", "tag")


@dataclass
class Tccli:
    """`run` is one call of the command."""

    forks: Forks

    def run(self, arguments: Sequence[str], env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
        return self.forks.run("tccli.main:main", arguments, env, timeout=120)


@contextmanager
def serving() -> Iterator[Tccli]:
    """Ends with the block."""
    with tempfile.TemporaryDirectory() as home:  # where tccli writes a log as soon as it is imported
        forks = Forks(__spec__.name, os.environ | {"HOME": home})
        try:
            yield Tccli(forks)
        finally:
            forks.close()


if __name__ == "__main__":
    from tccli.plugin import import_plugins
    from tccli.services import SERVICE_VERSIONS

    import_plugins()
    for name in SERVICES:
        import_module(f"tccli.services.{name}")
    for name in SERVICE_VERSIONS.keys() - SERVICES:
        del SERVICE_VERSIONS[name]
    serve()
