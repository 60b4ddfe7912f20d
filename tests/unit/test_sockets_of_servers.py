"""A server's Unix socket takes the place of its address only where this process may use it."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from rolecall.domain.engine import EngineAddress
from rolecall.engines.mysql.connections import _socket
from rolecall.engines.postgresql.connections import _socket_directory
from rolecall.values import Secret


def address(kind: str, directory: str) -> EngineAddress:
    return EngineAddress(kind, "127.0.0.1", 16_000, "admin", Secret("x"), "postgres", {"socket": directory})


def test_a_socket_that_is_there_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # the path of a socket that is bound may have 107 bytes
    for name in (".s.PGSQL.16000", ".s.MYSQL.16000"):
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(name)
    assert _socket_directory(address("postgresql", str(tmp_path))) == str(tmp_path)
    assert _socket(address("mysql", str(tmp_path))) == str(tmp_path / ".s.MYSQL.16000")


@pytest.mark.parametrize("directory", ["", "/nowhere", "/" + "x" * 300])
def test_a_socket_that_cannot_be_looked_at_is_passed_over(directory: str) -> None:
    """Such as one in a directory of another account: a store may be served by another account than made it."""
    assert _socket_directory(address("postgresql", directory)) == ""
    assert _socket(address("mysql", directory)) is None
