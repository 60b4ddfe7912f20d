"""What the guard of tests/conftest.py sees of a test that changes what others share."""

from __future__ import annotations

import logging
import signal
from pathlib import Path

import pytest
from tests.shared_state import changes, shared_state


def test_each_change_of_what_tests_share_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    before = shared_state()
    handler = logging.NullHandler()
    stopping = signal.getsignal(signal.SIGHUP)
    try:
        monkeypatch.setenv("ROLECALL_LEFT", "1")
        monkeypatch.chdir(tmp_path)
        monkeypatch.syspath_prepend(tmp_path)
        logging.getLogger().addHandler(handler)
        signal.signal(signal.SIGHUP, lambda *_: None)
        left = [line.partition(":")[0] for line in changes(before, shared_state())]
    finally:
        logging.getLogger().removeHandler(handler)
        signal.signal(signal.SIGHUP, stopping)
    assert left == [
        "environment, b'ROLECALL_LEFT'", "log handlers", "module path", "signal handlers", "working directory",
    ]  # fmt: skip
    monkeypatch.undo()
    assert changes(before, shared_state()) == []
