"""An interruption of the program while it imports."""

from __future__ import annotations

import gc
import signal
import threading

import pytest

from rolecall.cli.importing import interruptions_deferred, large_imports


def interrupted(ended: list[bool]) -> None:
    with large_imports():
        signal.raise_signal(signal.SIGINT)
        ended.append(True)


def test_an_interruption_waits_until_the_imports_have_ended() -> None:
    ended: list[bool] = []
    with pytest.raises(KeyboardInterrupt):
        interrupted(ended)
    gc.unfreeze()
    assert ended
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_error_of_an_import_is_raised_and_the_signals_are_as_before() -> None:
    with pytest.raises(ImportError), interruptions_deferred():
        raise ImportError
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


def test_a_signal_that_is_handled_otherwise_is_left_alone() -> None:
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        with interruptions_deferred():
            assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGTERM, before)


def test_other_threads_import_as_ever() -> None:
    done = []

    def work() -> None:
        with interruptions_deferred():
            done.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done
