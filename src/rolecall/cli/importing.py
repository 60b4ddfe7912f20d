"""Imports of the application: without what it never uses, without the garbage collector, and to their end."""

from __future__ import annotations

import gc
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_UNUSED = "rich"
"""structlog takes it, if it is there, for tracebacks that we print plainly (`cli.logs`): 80 modules, 4 MiB."""


@contextmanager
def large_imports() -> Iterator[None]:
    """Modules that are imported meanwhile live as long as the process, so the collector would find nothing, and take a
    sixth of their time. An interruption waits for their end: `interruptions_deferred`."""
    with interruptions_deferred():
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


@contextmanager
def interruptions_deferred() -> Iterator[None]:
    """KeyboardInterrupt at the end in place of meanwhile, by signals that raise it.

    Python 3.11's importlib has callbacks that hold the import lock: raised in one of them, the exception is lost, and
    the lock is never released, so that every other thread that imports or forks waits for ever.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    deferred = [
        number
        for number in (signal.SIGINT, signal.SIGTERM)
        if signal.getsignal(number) is signal.default_int_handler
    ]
    for number in deferred:
        signal.signal(number, lambda number, _: came.append(number))
    try:
        yield
    finally:
        for number in deferred:
            signal.signal(number, signal.default_int_handler)
    if came:
        raise KeyboardInterrupt
