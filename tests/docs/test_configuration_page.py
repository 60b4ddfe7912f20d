"""docs/configuration.md against the settings, the variables that the program reads, and its command line."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from pydantic import SecretStr
from pydantic.fields import FieldInfo
from typer.core import TyperCommand, TyperGroup

from rolecall.cli.commands import COMMANDS as TABLE
from rolecall.cli.commands import DEFAULTS, load_command
from rolecall.cli.main import program
from rolecall.settings import Settings

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "configuration.md").read_text("utf-8")
ROWS = dict(re.findall(r"^\| `(ROLECALL_[A-Z_]+)` \| ([^|]*) \|", PAGE, re.MULTILINE))


def variable(name: str) -> str:
    return f"ROLECALL_{name.upper()}"


def told(field: FieldInfo) -> str:
    """A default as the page writes it."""
    value = field.default
    if value is None:
        return "none"
    assert not isinstance(value, SecretStr)
    text = json.dumps(list(value)) if isinstance(value, tuple) else str(value)
    return f"`{text}`" if text else "empty"


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_stands_on_the_page_with_its_default(name: str) -> None:
    assert ROWS[variable(name)].strip() == told(Settings.model_fields[name])


def test_every_variable_that_the_program_names_stands_on_the_page_and_the_page_names_no_other() -> None:
    named = {
        found.rstrip("_")
        for file in (ROOT / "src").rglob("*.py")
        for found in re.findall(r"\bROLECALL_[A-Z_]*[A-Z]\b", file.read_text("utf-8"))
    }
    known = named | {variable(name) for name in Settings.model_fields}
    assert known == set(ROWS) | {"ROLECALL_DATA", "ROLECALL_INSTANCE_PASSWORD"}
    set_up = {"ROLECALL_MARIADB", "ROLECALL_FAILOVER"}  # scripts/setup-mariadb, scripts/setup-failover
    assert set(re.findall(r"\bROLECALL_[A-Z_]*[A-Z]\b", PAGE)) == known | set_up


COMMANDS = {f"rolecall {words}": load_command(words) for words in TABLE}


def options(command: TyperCommand | TyperGroup) -> set[str]:
    given = {word for option in command.params for word in (*option.opts, *option.secondary_opts)}
    return {word for word in given if word.startswith("--") and word != "--help"}


def section(command: str) -> str:
    """The part of the page under a command's heading."""
    found = re.search(rf"^### `{re.escape(command)}`$(.*?)(?=^##|\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert found is not None, f"{command} has no heading"
    return found[1]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_a_heading_and_under_it_its_options_and_no_other(command: str) -> None:
    table = "\n".join(
        line.partition(" | ")[0] for line in section(command).splitlines() if line.startswith("| `-")
    )
    assert set(re.findall(r"--[a-z-]+", table)) == options(COMMANDS[command])


def test_every_command_has_an_example_on_the_page_of_the_command_line() -> None:
    page = (ROOT / "docs" / "cli.md").read_text("utf-8")
    shown = re.findall(r"^\$ (rolecall .+)$", page, re.MULTILINE)
    missing = [name for name in COMMANDS if not any(re.match(f"{name}( |$)", line) for line in shown)]
    assert missing == []  # tests/docs/test_cli_page.py runs them


def test_the_page_has_no_heading_of_a_command_that_is_not_there() -> None:
    assert set(re.findall(r"^### `(rolecall .*)`$", PAGE, re.MULTILINE)) == set(COMMANDS)


DOCUMENTS = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "CHANGELOG.md",
    *(ROOT / "docs").glob("*.md"),
]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_command_that_a_document_shows_exists_with_the_options_shown(document: Path) -> None:
    text = document.read_text("utf-8").replace("\\\n", " ")
    shown = re.findall(r"^ {4}(rolecall .+)$|`(rolecall [^`]+)`", text, re.MULTILINE)
    for line in (first or second for first, second in shown):
        words = re.split(r"\s+#\s", line)[0].split()
        if set(words[1:]) <= options(program()):
            continue
        known = [name for name in COMMANDS if words[: len(name.split())] == name.split()]
        groups = {name.rpartition(" ")[0] for name in COMMANDS}
        for group, default in DEFAULTS.items():
            if words[:2] == ["rolecall", group] and words[2:] and words[2].startswith("-"):
                known = [f"rolecall {group} {default}"]
        assert known or " ".join(words) in groups, line
        unknown = {word for word in words if word.startswith("--")} - {"--help"}
        assert not known or unknown <= options(COMMANDS[known[0]]), line
