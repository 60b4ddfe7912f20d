"""docs/cli.md: each example prints what it shows.

Words that hold a digit, and long ones, are ids, times and secrets: they differ from run to run. Where a command names
one that an earlier example printed, the one of this run is put in.
"""

from __future__ import annotations

import getpass
import re
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import PATIENCE
from tests.programs import ROLECALL, forks

PAGE = (Path(__file__).parents[2] / "docs" / "cli.md").read_text("utf-8")

FILES = {
    "admin.password": "Admin_password1\n",
    "app.password": "Given_password1\n",
    "users.csv": "user_name,email\nada_of_the_ledger,ada@ledger.example\n",
    "seed.toml": '[[groups]]\nname = "ledger-readers"\npolicies = ["QcloudCamReadOnlyAccess"]\n',
}
"""What the examples read."""

DATABASE = "books"
"""What the examples name, and no command creates."""

_LONG = 24
"""Characters of a word that is taken for a secret."""

_INSTANCE = re.compile("postgres-[a-z0-9]{8}|pd-[a-z0-9]{14}")

_NAMES = 8
"""Characters of the shortest id that a later example names."""

USER = "root"
"""Who ran the examples of the page."""


def examples(page: str) -> Iterator[tuple[str, list[str]]]:
    """Each command of the ``console`` blocks with the lines that it prints."""
    for block in re.findall(r"^```console\n(.*?)^```$", page, re.MULTILINE | re.DOTALL):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, *lines = part.splitlines()
            yield command, lines


def run(rolecall: Any, command: str, directory: Path) -> list[str]:
    """The lines that an example prints, standard error after standard output."""
    program, *arguments = shlex.split(command)
    assert program == "rolecall"
    environment = {**rolecall.environment, "ROLECALL_DATA": str(rolecall.data)}
    done = forks().run(ROLECALL, arguments, environment, cwd=directory, timeout=PATIENCE)
    printed = re.sub(rf"\b{re.escape(getpass.getuser())}\b", USER, done.stdout + done.stderr)
    return printed.splitlines()


def volatile(word: str) -> bool:
    has_digit = any(character.isdigit() for character in word)
    return has_digit or len(word) >= _LONG or _INSTANCE.fullmatch(word) is not None


def words(line: str) -> list[str]:
    """Words without the punctuation around them."""
    return [found for found in (word.strip("\"'`,:;()[]{}|") for word in line.split()) if found]


def shape(line: str) -> list[str]:
    return ["#" if volatile(word) else word for word in words(line)]


def matches(shown: Sequence[str], printed: Sequence[str]) -> bool:
    """Whether the lines have the same words. A line ``...`` stands for any lines."""
    if "..." not in shown:
        return list(map(shape, shown)) == list(map(shape, printed))
    place = list(shown).index("...")
    head, tail = shown[:place], shown[place + 1 :]
    return matches(head, printed[: len(head)]) and matches(tail, printed[len(printed) - len(tail) :])


def learn(known: dict[str, str], shown: Sequence[str], printed: Sequence[str]) -> None:
    """Which word of this run stands for a word of the page."""
    for before, now in zip(shown, printed, strict=False):
        for page, own in zip(words(before), words(now), strict=False):
            if volatile(page) and len(page) >= _NAMES:
                known.setdefault(page, own)


def test_the_examples_print_what_the_page_shows(rolecall: Any, tmp_path: Path) -> None:
    if "aliyun" not in rolecall.ready:
        pytest.skip("no MariaDB on this system")
    for file, text in FILES.items():
        (tmp_path / file).write_text(text)
    administrator = rolecall.ready["engines"]["postgres"]["user"]
    rolecall.ok("CreateDatabase", DatabaseName=DATABASE, DatabaseOwner=administrator)
    known: dict[str, str] = {}
    for command, shown in examples(PAGE):
        for page, own in known.items():
            command = re.sub(rf"(?<![\w-]){re.escape(page)}(?![\w-])", lambda _, own=own: own, command)
        printed = run(rolecall, command, tmp_path)
        assert matches(shown, printed), (command, shown, printed)
        learn(known, shown, printed)
    rolecall.ok("DeleteDatabase", DatabaseName=DATABASE)
