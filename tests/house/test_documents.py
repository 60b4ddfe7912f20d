"""The layout of the documents: lines that fit a screen, and numbers that stand for one thing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
WIDTH = 100
"""Columns of a line. A longer word, link or span of code stands alone on its line, perhaps after a list's mark."""


def prose(text: str) -> Iterator[tuple[int, str]]:
    """The lines of paragraphs and lists, numbered: neither code, nor tables, nor headings."""
    fenced = listed = False
    for number, line in enumerate(text.splitlines(), 1):
        start = line.lstrip()
        if start.startswith("```"):
            fenced = not fenced
        elif not fenced and not start.startswith(("|", "#")):
            listed = bool(re.match(r"([-*]|\d+\.) ", start)) or (listed and (not start or line[0] == " "))
            if listed or not line.startswith("    "):
                yield number, line


def can_be_wrapped(line: str) -> bool:
    words = re.findall(r"(?:`[^`]*`|[^\s`])+", line.strip())
    return len(line) > WIDTH and len(words) > 2


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_paragraphs_and_lists_are_wrapped(document: Path) -> None:
    assert [number for number, line in prose(document.read_text("utf-8")) if can_be_wrapped(line)] == []


@pytest.mark.parametrize("name", ["limits.md", "choices.md"])
def test_a_number_stands_for_one_limit_or_choice_and_is_shown(name: str) -> None:
    """As `- **12.** text`: a numbered list would be shown with numbers of its own."""
    text = (ROOT / "docs" / name).read_text("utf-8")
    numbers = re.findall(r"^- \*\*(\d+)\.(?:\*\*)? ", text, re.MULTILINE)
    assert sorted(set(numbers), key=int) == sorted(numbers, key=int)
    assert re.findall(r"^\d+\. .*", text, re.MULTILINE) == []
