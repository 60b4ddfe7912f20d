"""Imports without the garbage collector: it would find nothing, and take a sixth of their time."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def uncollected() -> Iterator[None]:
    """Modules that are imported meanwhile live as long as the process, so the collector never looks at them."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
