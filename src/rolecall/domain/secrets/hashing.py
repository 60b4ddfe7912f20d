"""The threads in which passwords are hashed, and how much waits for them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from rolecall import ambient, spans

_Given = ParamSpec("_Given")
_Result = TypeVar("_Result")


class HashingThreads(Executor):
    """An executor that counts. `prepare` is run by each thread before its first work."""

    def __init__(self, threads: int, name: str, prepare: Callable[[], object] | None = None) -> None:
        self.threads = threads
        self.running = 0
        self.done = 0
        """Hashes that were begun and have ended."""
        self.waiting = 0
        self.waited = 0.0
        """Seconds that what was begun has waited before, all in all."""
        self.refused = 0
        """Counted by who refuses: this has no limit of its own."""
        self._counting = threading.Lock()
        self._pool = ThreadPoolExecutor(threads, name, initializer=prepare)

    def submit(
        self, work: Callable[_Given, _Result], /, *given: _Given.args, **named: _Given.kwargs
    ) -> Future[_Result]:
        submitted = ambient.monotonic()
        span = None if spans.tracer is None else spans.begin("hash")

        def counted() -> _Result:
            waited = ambient.monotonic() - submitted
            with self._counting:
                self.waiting -= 1
                self.running += 1
                self.waited += waited
            running = None if span is None else span.child("hash run")
            try:
                return work(*given, **named)
            finally:
                if running is not None:
                    running.end()
                with self._counting:
                    self.running -= 1
                    self.done += 1

        with self._counting:
            self.waiting += 1
        try:
            future = self._pool.submit(counted)
        except RuntimeError:  # the pool is closed
            self._leave()
            raise
        future.add_done_callback(self._ended)
        if span is not None:
            future.add_done_callback(lambda _: span.end())
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self._pool.shutdown(wait, cancel_futures=cancel_futures)

    def _ended(self, future: Future[_Result]) -> None:
        if future.cancelled():  # before a thread began it
            self._leave()

    def _leave(self) -> None:
        with self._counting:
            self.waiting -= 1
