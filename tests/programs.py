"""`rolecall` in forks of one process that has imported all of it.

For tests whose subject is what a command does. Tests of starting, of what /proc shows and of what is imported run the
program itself.
"""

from __future__ import annotations

import os
import pkgutil
from functools import cache
from importlib import import_module

from tests.forks import Forks, serve

import rolecall

ROLECALL = "rolecall.cli.main:main"


@cache
def forks() -> Forks:
    """Started at its first use; the run ends it (`tests/conftest.py`)."""
    return Forks(__spec__.name, os.environ)


if __name__ == "__main__":
    for module in pkgutil.walk_packages(rolecall.__path__, "rolecall."):
        if not module.name.endswith("__main__"):
            import_module(module.name)
    serve()
