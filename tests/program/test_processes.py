"""The program's processes and what they leave: workers, temporary directories, modes of files, a lost store."""

from __future__ import annotations

import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
import structlog
from tests.program.served import PROGRAM, processes_with, served
from tests.programs import ROLECALL, forks
from tests.waiting import PATIENCE, until

from rolecall.cli.commands import COMMANDS as TABLE
from rolecall.cli.commands import load_command
from rolecall.cli.main import main
from rolecall.domain.secrets.sealing import new_master_key


def temporary(environment: dict[str, str]) -> list[str]:
    return sorted(one.name for one in Path(environment["TMPDIR"]).iterdir())


def test_workers_end_with_the_process_that_started_them_even_if_it_is_killed(
    production: dict[str, str],
) -> None:
    mark = f"MARK={production['MARK']}"
    with served(production, 3) as (process, address):
        until(lambda: len(processes_with(mark)) >= 4)
        assert temporary(production) != []
        process.kill()
        process.wait(PATIENCE)
        until(lambda: processes_with(mark) == set())
        host, port = address.split(":")
        with socket.socket() as again:
            again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            again.bind((host, int(port)))
    assert temporary(production) == []


@pytest.mark.parametrize(
    ("workers", "end"), [(1, signal.SIGTERM), (2, signal.SIGTERM), (2, signal.SIGINT)], ids=str
)
def test_serving_leaves_no_process_and_no_temporary_directory(
    production: dict[str, str], workers: int, end: signal.Signals
) -> None:
    with served(production, workers) as (process, _):
        process.send_signal(end)
        process.wait(PATIENCE)
    until(lambda: processes_with(f"MARK={production['MARK']}") == set())
    assert temporary(production) == []


@pytest.mark.parametrize("mask", [0o000, 0o277], ids=oct)
def test_the_data_directory_is_its_owners_alone_whatever_the_umask(
    start: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory, mask: int
) -> None:
    data = tmp_path_factory.mktemp("umask") / "above" / "data"
    ready_file = data.parent.parent / "ready.json"
    with (data.parent.parent / "log").open("wb") as log:
        process = subprocess.Popen(
            [PROGRAM, "up", "--listen", "127.0.0.1:0", "--data", data, "--ready-file", ready_file],
            umask=mask,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        until(lambda: process.poll() is not None or ready_file.exists())
        assert process.poll() is None
        assert stat.S_IMODE(data.parent.stat().st_mode) == 0o700
        assert stat.S_IMODE(data.stat().st_mode) == 0o700
        for file in data.iterdir():
            assert not file.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH)
            assert file.is_dir() or stat.S_IMODE(file.stat().st_mode) == 0o600
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 0


def test_a_server_that_was_started_with_sigint_ignored_ends_by_it(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """A shell starts what a script runs in the background so."""
    place = tmp_path_factory.mktemp("background")
    script = 'trap "" INT; exec "$@"'
    command = [PROGRAM, "up", "--listen", "127.0.0.1:0", "--data", place / "data"]
    with (place / "log").open("wb") as log:
        process = subprocess.Popen(
            ["/bin/sh", "-c", script, "sh", *command],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    until(lambda: process.poll() is not None or (place / "data" / "store").exists())
    process.send_signal(signal.SIGINT)  # while the servers are made, before anything else would heed it
    assert process.wait(PATIENCE) == 0
    assert "stopped" in (place / "log").read_text()


STORELESS = {"up", "demo", "doctor", "env", "version", "key master", "restore"}
"""Commands that need no store, tell what is wrong with it, or first read a file that a test of their own makes."""

SOME_ID = "8b0f1c9e-6a0e-4c5e-9f0a-3d1f5f0b7a11"
VALUES = {
    "url": "postgresql://x@127.0.0.1:1/postgres",
    "operation": "name/cam:ListUsers",
    "client_id": SOME_ID,
    "file": "users.csv",
    "seed file": "seed.toml",
    "--redirect-uri": "https://client.example/",
    "--store": SOME_ID,
    "--colour": "none",
    "webhook add url": "https://hooks.example/",
    "--after": "1",
    "connections": "1",
    "when": "never",
    "--on": "tables",
}


def arguments(words: str) -> tuple[str, ...]:
    """A command, with a value for each argument that it requires."""
    required = [one for one in load_command(words).params if one.required]
    values = [("" if one.param_type_name == "argument" else one.opts[0], one.opts[0]) for one in required]
    flags = {one.opts[0] for one in required if getattr(one, "is_flag", False)}
    return tuple(words.split()) + tuple(
        word
        for option, name in values
        for word in (option, "" if name in flags else VALUES.get(f"{words} {name}", VALUES.get(name, "x")))
        if word
    )


CHANGES = {
    "instance set": ("--account-quota", "3"),
    "console": ("--endpoint", "https://rolecall.test"),
    "account adopt": ("x",),
    "account create": ("--generate",),
    "account delete": ("--yes",),
    "account reassert": ("x",),
    "public revoke": ("--privilege", "connect", "--yes"),
    "public grant": ("--privilege", "connect"),
    "fault add": ("--service", "postgres", "--action", "DescribeZones", "--code", "InternalError"),
}
"""What a command needs beside what is required, or in its place: the last of an option counts."""

COMMANDS = [
    *((*arguments(words), *CHANGES.get(words, ())) for words in TABLE if words not in STORELESS),
    ("serve", "--workers", "2"),
]


LOST = "postgresql://someone:hidden@127.0.0.1:1/x"
"""A store that nobody answers for."""


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_lost_store_is_one_line_whatever_the_command(
    command: tuple[str, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "users.csv").write_text("user_name\nx\n")
    (tmp_path / "seed.toml").write_text('[[groups]]\nname = "x"\n')
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ROLECALL_DATABASE_URL", LOST)
    monkeypatch.setenv("ROLECALL_MASTER_KEY", new_master_key())
    monkeypatch.setenv("ROLECALL_INSTANCE_PASSWORD", "x")
    monkeypatch.setenv("ROLECALL_WORKERS", "1")  # `serve --workers` sets it, and it must not stay
    monkeypatch.setattr(sys, "argv", ["rolecall", *command])
    try:
        with pytest.raises(SystemExit) as end:
            main()
    finally:
        structlog.reset_defaults()
    told = capsys.readouterr()
    assert (end.value.code, told.out) == (1, "")
    (line,) = told.err.splitlines()
    assert line.startswith("rolecall: the store cannot be used: ")
    assert "hidden" not in line


def test_every_command_is_among_them() -> None:
    assert len(COMMANDS) > 20


def test_a_store_of_another_release_and_a_url_that_is_none_are_one_line(production: dict[str, str]) -> None:
    def told(**changes: str) -> str:
        environment = {**production, **changes}
        done = forks().run(ROLECALL, ["key", "list"], environment, timeout=PATIENCE)
        assert done.returncode == 1
        (line,) = done.stderr.splitlines()
        return line

    assert told(ROLECALL_DATABASE_URL="hidden") == "rolecall: ROLECALL_DATABASE_URL is not a PostgreSQL URL."
    forks().run(ROLECALL, ["key", "list"], production, timeout=PATIENCE, check=True)
    with psycopg.connect(production["ROLECALL_DATABASE_URL"], options="-c search_path=rolecall") as store:
        store.execute("insert into migrations values (9999, 'x', 'y')")
    assert "newer release" in told()
