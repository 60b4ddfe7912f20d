"""What each command imports: a command does not wait for libraries and parts that it does not use."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from rolecall import __version__
from rolecall.cli.commands import COMMANDS, GROUPS
from rolecall.domain.secrets.sealing import new_master_key

SERVING = {
    "httptools", "httpx", "jinja2", "joserfc", "limits", "prometheus_client", "redis", "uvicorn", "uvloop",
    "rolecall.app", "rolecall.contracts", "rolecall.dialects", "rolecall.pipeline", "rolecall.server",
    "rolecall.signin", "rolecall.verbs",
}  # fmt: skip
"""What only serving calls needs."""
ENGINES = {"asyncmy", "rolecall.engines"}
STORE = {"psycopg", "rolecall.store"}
SETTINGS = {"pydantic_settings", "rolecall.settings"}
"""Typer itself imports pydantic."""
LOGS = {"structlog", "rich"}
"""structlog imports rich, which tables need too."""
KEYS = {"argon2", "bcrypt", "cryptography", "msgspec"}

APPLICATION = SERVING | ENGINES | STORE | SETTINGS | LOGS

_RUN = """
import json, sys
from rolecall.cli.main import main
try:
    main()
finally:
    print("\\n" + json.dumps(sorted(sys.modules)))
"""


def imported(*arguments: str, **environment: str) -> set[str]:
    """The modules that a command has imported when it ends."""
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.argv[1:] = {list(arguments)!r}\n{_RUN}"],
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    return set(json.loads(done.stdout.splitlines()[-1]))


COMPLETE_KEY = {"_ROLECALL_COMPLETE": "complete_bash", "COMP_WORDS": "rolecall key ", "COMP_CWORD": "2"}


@pytest.mark.parametrize(
    ("arguments", "environment"),
    [
        (("version",), {}),
        (("--version",), {}),
        (("--help",), {}),
        *(((group, "--help"), {}) for group in GROUPS),
        ((), COMPLETE_KEY),
    ],
)
def test_the_version_lists_of_commands_and_completion_import_no_part_of_the_application(
    arguments: tuple[str, ...], environment: Mapping[str, str]
) -> None:
    modules = imported(*arguments, **environment)
    assert modules & (APPLICATION | KEYS | {"asyncio"}) == set()
    ours = {name for name in modules if name.startswith("rolecall.")}
    program = {"rolecall.cli", "rolecall.cli.commands", "rolecall.cli.main", "rolecall.cli.version"}
    assert ours <= program | {"rolecall.workers"}  # which is the name of a variable


def printed(*arguments: str, **environment: str) -> list[str]:
    command = [Path(sys.executable).with_name("rolecall"), *arguments]
    done = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True)
    return done.stdout.splitlines()


def test_completion_lists_the_commands_of_a_group() -> None:
    names = [words.removeprefix("key ") for words in COMMANDS if words.startswith("key ")]
    assert printed(**COMPLETE_KEY) == names


def test_the_version_is_an_option_too() -> None:
    assert printed("--version") == printed("version") == [__version__]


_HELPS = """
import contextlib, io, json, sys
from rolecall.cli.commands import COMMANDS
from rolecall.cli.main import main
imported = {}
for command in COMMANDS:
    sys.argv = ["rolecall", *command.split(), "--help"]
    with contextlib.redirect_stdout(io.StringIO()) as shown, contextlib.suppress(SystemExit):
        main()
    assert "Usage: rolecall " + command in shown.getvalue().replace("\\n", " "), shown.getvalue()
    imported[command] = sorted(sys.modules)
print(json.dumps(imported))
"""


def test_the_help_of_a_command_opens_nothing() -> None:
    """All in one process, one after another: what none has imported at the end, each does without."""
    done = subprocess.run([sys.executable, "-c", _HELPS], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    imported = json.loads(done.stdout)
    assert imported.keys() == COMMANDS.keys()
    opened = {
        command: found for command in COMMANDS if (found := APPLICATION.intersection(imported[command]))
    }
    assert opened == {}


LISTINGS = [
    "application list", "audit list", "key list", "operation list", "policy list", "store list", "sub-user list",
]  # fmt: skip
"""Listings of what the store alone knows."""


LOST = {
    "ROLECALL_DATABASE_URL": "postgresql://x@127.0.0.1:1/x",
    "ROLECALL_MASTER_KEY": new_master_key(),
}


@pytest.mark.parametrize("command", LISTINGS)
def test_a_listing_of_the_store_imports_the_store_alone(command: str) -> None:
    modules = imported(*command.split(), "--json", **LOST)
    assert modules >= STORE
    assert modules & (SERVING | ENGINES) == set()


@pytest.mark.parametrize("command", ["account list", "instance list"])
def test_a_listing_of_the_servers_imports_the_store_and_their_drivers(command: str) -> None:
    modules = imported(*command.split(), "--json", **LOST)
    assert modules >= STORE | ENGINES
    assert modules & SERVING == set()


def test_the_servers_of_up_start_before_the_application_is_imported() -> None:
    """What is imported first is what every run waits for."""
    code = "import rolecall.cli.running.starting, sys, json; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    modules = set(json.loads(done.stdout))
    assert modules & (SERVING | ENGINES | STORE | LOGS) == set()


def test_serving_imports_no_client_of_what_is_not_set() -> None:
    code = "import rolecall.cli.running.serving, sys, json; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(json.loads(done.stdout)) & {"redis", "httpx", "jinja2", "joserfc"} == set()


@pytest.mark.parametrize("words", COMMANDS)
def test_a_summary_begins_the_help_of_its_command(words: str) -> None:
    from rolecall.cli.commands import load_command

    _, summary = COMMANDS[words]
    assert (load_command(words).help or "").startswith(summary)
