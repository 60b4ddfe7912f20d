"""The directory that the workers of a server share is one that the server has made."""

from __future__ import annotations

import pytest

from rolecall.cli import main as program
from rolecall.workers import DIRECTORY, shared_directory


def test_the_directory_of_another_program_is_not_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[object] = []
    monkeypatch.setenv(DIRECTORY, "/tmp")
    monkeypatch.setattr(program, "program", lambda: lambda: seen.append(shared_directory()))
    program.main()
    assert seen == [None]
