"""Imports of the application: without what it never uses, and without the garbage collector."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_UNUSED = "rich"
"""structlog takes it, if it is there, for tracebacks that we print plainly (`cli.logs`): 80 modules, 4 MiB."""


@contextmanager
def large_imports() -> Iterator[None]:
    """Modules that are imported meanwhile live as long as the process, so the collector would find nothing, and take a
    sixth of their time."""
    gc.disable()
    hidden = _UNUSED not in sys.modules
    if hidden:
        sys.modules[_UNUSED] = None  # type: ignore[assignment]  # an import of it fails
    try:
        yield
    finally:
        if hidden:
            del sys.modules[_UNUSED]
        gc.freeze()
        gc.enable()
