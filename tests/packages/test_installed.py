"""The built wheel in a fresh environment: no checkout, no test tools, an empty home, an empty directory."""

from __future__ import annotations

import ctypes
import importlib.util
import json
import os
import re
import signal
import socket
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from tests.conftest import store_admin
from tests.packages.conftest import INSTALL, ROOT, Packages, shown_after
from tests.program.served import is_ready
from tests.program.testers import passes_example
from tests.waiting import PATIENCE, until

from rolecall.cli.running.starting import NO_MARIADB
from rolecall.local.children import set_parent_death_signal
from rolecall.local.cluster import PROGRAMS, processes_in

PIP = sys.executable if importlib.util.find_spec("pip") else str(Path(sys.base_prefix, "bin", "python3"))
"""Debian may keep pip out of the virtual environment."""


@pytest.fixture(scope="module")
def environment(packages: Packages, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment of the wheel and what the wheel requires, at the versions of the lock file."""
    place = tmp_path_factory.mktemp("installed")
    venv.create(place / "venv", with_pip=False, symlinks=True)
    pip = (PIP, "-m", "pip", "--python", place / "venv" / "bin" / "python")
    for arguments in (
        (
            "install",
            "--quiet",
            "--no-compile",
            "--no-deps",
            "--require-hashes",
            "-r",
            ROOT / "requirements.lock",
        ),
        ("install", "--quiet", "--no-compile", "--no-deps", packages.wheel),
        ("check",),  # that the lock file has what the wheel requires
    ):
        subprocess.run([*pip, *arguments], cwd=place, check=True, timeout=5 * PATIENCE)
    return place


class Installed:
    """The installed program, with an empty home and nothing of this checkout in its environment."""

    def __init__(self, place: Path) -> None:
        self.program = place / "venv" / "bin" / "rolecall"
        self.directory = place / "empty"
        self.home = place / "home"
        self.log = place / "up.log"
        self.data = self.home / ".local" / "share" / "rolecall"
        for made in (self.directory, self.home):
            made.mkdir()
        self.variables = {"PATH": "/usr/bin:/bin", "HOME": str(self.home), "NO_COLOR": "1", "COLUMNS": "120"}

    def run(self, *arguments: str) -> str:
        done = subprocess.run(
            [self.program, *arguments],
            cwd=self.directory,
            env=self.variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def installed(environment: Path) -> Installed:
    return Installed(environment)


@pytest.fixture(scope="module")
def up(installed: Installed) -> Iterator[subprocess.Popen[bytes]]:
    """`rolecall up`, ready."""
    with installed.log.open("wb") as output:
        process = subprocess.Popen(
            [installed.program, "up", "--listen", "127.0.0.1:0"],
            cwd=installed.directory,
            env=installed.variables,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            preexec_fn=set_parent_death_signal(signal.SIGTERM),
        )
    try:
        until(lambda: process.poll() is not None or (installed.data / "ready.json").exists())
        assert process.poll() is None, installed.log.read_text(errors="replace")
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            process.wait(PATIENCE)


def test_the_installed_package_is_not_that_of_the_checkout(installed: Installed) -> None:
    python = installed.program.with_name("python")
    asked = "import rolecall, importlib.metadata as m; print(rolecall.__file__, m.version('rolecall'))"
    printed = subprocess.check_output([python, "-c", asked], env=installed.variables, text=True)
    assert printed.startswith(str(installed.program.parents[1]))
    assert installed.run("--version") in printed + "\n"


def without_values(line: str) -> str:
    """A line of output in which addresses, paths and versions do not count."""
    return " ".join(re.sub(r"https?://\S+|(?<= )/\S+|\d+\.\d+\.\d+", "VALUE", line).split())


@pytest.mark.usefixtures("up")
def test_up_prints_what_the_install_page_shows(installed: Installed) -> None:
    printed = [without_values(line) for line in installed.log.read_text().splitlines()]
    for line in shown_after("    rolecall up\n"):
        assert without_values(line) in printed
    assert shown_after("one more line says so") == [f"Rolecall: {NO_MARIADB}"]
    for command in ("pip install dist/*.whl", "pipx install dist/*.whl", "uvx --from dist/*.whl rolecall up"):
        assert f"    {command}" in INSTALL


def restrict_memory() -> None:
    """Of this process: no memory that can be written and executed, as the unit of systemd has it.

    prctl(2), PR_SET_MDWE; Linux before 6.3 lacks it, and nothing is restricted there.
    """
    ctypes.CDLL(None).prctl(65, 1, 0, 0, 0)


@pytest.mark.usefixtures("up")
def test_serve_runs_from_secrets_in_files_under_the_limits_of_the_unit(installed: Installed) -> None:
    store = store_admin(installed.data)
    with psycopg.connect(store, autocommit=True) as admin:
        admin.execute("create database served")
    secrets = installed.home.parent / "secrets"
    secrets.mkdir()
    (secrets / "rolecall_database_url").write_text(make_conninfo(store, dbname="served"))
    with (secrets / "rolecall_master_key").open("w") as file:
        file.write(installed.run("key", "master"))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    process = subprocess.Popen(
        [installed.program, "serve", "--listen", address],
        cwd=installed.directory,
        env={**installed.variables, "ROLECALL_SECRETS_DIRECTORY": str(secrets)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=restrict_memory,
    )
    try:
        until(lambda: process.poll() is not None or is_ready(address))
        assert process.poll() is None
    finally:
        process.terminate()
        assert process.wait(PATIENCE) == 0


def test_the_fixtures_of_testers_pass_their_example(installed: Installed, tmp_path: Path) -> None:
    """Tests' own tools are those of this environment, whose site-packages hold no `rolecall`, and the server is not."""
    tools = sysconfig.get_path("purelib")
    passes_example(
        installed.program.with_name("python"), tmp_path, {**installed.variables, "PYTHONPATH": tools}
    )


def test_up_serves_signed_calls_and_leaves_no_process(
    installed: Installed, up: subprocess.Popen[bytes]
) -> None:
    """The last test of this module, since it stops the program."""
    shown = installed.run("demo")
    ready = json.loads((installed.data / "ready.json").read_text())
    assert "logged in" in shown
    assert "its key signs" in shown
    assert "signed in (OpenID Connect)" in shown
    assert ("Alibaba PetaData CreateAccount" in shown) == ("aliyun" in ready)
    assert ready["tencent"]["secret_id"] in installed.run("env")
    names = {row["name"] for row in json.loads(installed.run("account", "list", "--json"))}
    assert any(name.startswith("demo_") for name in names)

    clusters = [path.resolve() for path in installed.data.glob("*/cluster")]
    assert any(processes_in(place) for place in clusters)
    up.send_signal(signal.SIGINT)
    assert up.wait(PATIENCE) == 0
    assert not any(processes_in(place, program) for place in clusters for program in PROGRAMS)
    assert not processes_of(installed.program.parents[1])
    assert list(installed.directory.iterdir()) == []


def processes_of(environment: Path) -> set[str]:
    """Running processes of the environment's Python."""
    found = set()
    for place in Path("/proc").glob("[0-9]*"):
        try:
            if os.fsencode(environment) in (place / "cmdline").read_bytes():
                found.add(place.name)
        except OSError:  # gone, or of another account
            continue
    return found
