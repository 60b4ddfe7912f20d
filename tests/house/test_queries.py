"""The store's statements: those of more than four lines live in files, and each of them has a use."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.house.rules import for_each

STORE = Path(__file__).parents[2] / "src" / "rolecall" / "store"
FILES = sorted((STORE / "queries").glob("*.sql"))
MODULES = sorted(STORE.rglob("*.py"))

INLINE_LINES = 4
"""Of a statement in a module."""

_STATEMENT = re.compile(r"\s*(select|insert|update|delete|with|copy|create|drop)\b", re.IGNORECASE)


def names(file: Path) -> list[str]:
    return re.findall(r"^-- name: (\w+)$", file.read_text("utf-8"), re.MULTILINE)


def used_by_modules() -> Iterator[tuple[str, str]]:
    """Subject and name of each ``_SQL["name"]``, where ``_SQL = load("subject")``."""
    for path in MODULES:
        tree = ast.parse(path.read_text("utf-8"))
        loaded = dict(re.findall(r'^(\w+) = load\("(\w+)"\)$', path.read_text("utf-8"), re.MULTILINE))
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.Subscript)
                and isinstance(node.value, ast.Name)
                and node.value.id in loaded
            ):
                keys = [key.value for key in ast.walk(node.slice) if isinstance(key, ast.Constant)]
                assert keys, f"{path.name}:{node.lineno}: the name of a statement is written out"
                yield from ((loaded[node.value.id], str(key)) for key in keys)


def used_by_files() -> Iterator[tuple[str, str]]:
    for file in FILES:
        for subject, name in re.findall(r"\{(?:(\w+)\.)?(\w+)\}", file.read_text("utf-8")):
            yield subject or file.stem, name


USED = set(used_by_modules())


@for_each(FILES, lambda file: file.stem)
def test_every_statement_has_a_use_and_a_name_of_its_own(file: Path) -> None:
    found = names(file)
    assert len(found) == len(set(found))
    used = {name for subject, name in USED | set(used_by_files()) if subject == file.stem}
    assert set(found) - used == set()


def test_every_use_has_a_statement() -> None:
    there = {(file.stem, name) for file in FILES for name in names(file)}
    assert USED - there == set()


def literals(path: Path) -> Iterator[ast.expr]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        text = node.values[0] if isinstance(node, ast.JoinedStr) else node
        if isinstance(text, ast.Constant) and isinstance(text.value, str) and _STATEMENT.match(text.value):
            yield node


@for_each(MODULES, lambda path: str(path.relative_to(STORE)))
def test_a_long_statement_lives_in_a_file(path: Path) -> None:
    long = [node.lineno for node in literals(path) if (node.end_lineno or 0) - node.lineno >= INLINE_LINES]
    assert long == []
