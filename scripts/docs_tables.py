"""Parts of the contracts' pages: tables, lists, and the rules of a contract in words.

`write` writes pages into docs/, or with ``--check`` ends with status 1 if a page differs from its contract.
"""

from __future__ import annotations

import argparse
import inspect
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rolecall.contracts.aliyun.petadata.words import RESERVED
from rolecall.contracts.model import Field, Kind, ListOf, Rule, Shape
from rolecall.contracts.tencent.postgres.reserved_words import RESERVED_KEYWORDS, ROLE_WORDS
from rolecall.contracts.tencent.postgres.rules import ENCIPHERED

DOCS = Path(__file__).parents[1] / "docs"

Pages = Mapping[str, Callable[[], str]]
"""A page's text by its file's name."""


def write(pages: Pages, description: str | None) -> int:
    options = argparse.ArgumentParser(description=description)
    options.add_argument(
        "--check", action="store_true", help="write nothing; report pages that differ from their contracts"
    )
    check = options.parse_args().check
    stale = 0
    for name, page in pages.items():
        text, file = wrapped(page()).rstrip("\n") + "\n", DOCS / name
        if not check:
            file.write_text(text, "utf-8")
        elif not file.exists() or file.read_text("utf-8") != text:
            stale = 1
            print(f"docs/{name} differs from its contract; run make docs")
    return stale


WIDTH = 100


def wrapped(page: str) -> str:
    """The page with its paragraphs and list items wrapped; tables and headings stay. No code stands on these pages."""
    blocks = [
        "\n".join(line for item in re.split(r"\n(?=- )", block) for line in _filled(item))
        if not block.startswith(("|", "#"))
        else block
        for block in page.split("\n\n")
    ]
    return "\n\n".join(blocks)


def _filled(text: str) -> list[str]:
    """A span of code is a word: it is not broken."""
    lines: list[str] = []
    for word in re.findall(r"(?:``.*?``|`[^`]*`|[^\s`])+", text):
        if lines and len(lines[-1]) + 1 + len(word) <= WIDTH:
            lines[-1] += f" {word}"
        else:
            lines.append(f"  {word}" if lines and text.startswith("- ") else word)
    return lines


def fields_table(fields: Sequence[Field], *, linked: bool = True) -> Iterator[str]:
    """A table of the fields, and a list of their rules. `linked`: structures have headings of their own on the page."""
    yield from row("parameter", "type", "required", "default")
    for field in fields:
        default = "" if field.default in (None, "") else f"`{str(field.default).removesuffix('()')}`"
        yield line(
            f"`{field.name}`", type_of(field.type, linked=linked), "yes" if field.required else "", default
        )
    ruled = [field for field in fields if field.rules]
    if ruled:
        yield "\nRules, in the order in which they are checked, each with the reason of its refusal:\n"
    for field in ruled:
        described = "; ".join(f"{words(rule)} ({rule.reason.value})" for rule in field.rules)
        yield f"- `{field.name}`: {described}."


def type_of(type_: Kind | ListOf | Shape, *, linked: bool) -> str:
    if isinstance(type_, ListOf):
        bound = "" if type_.at_most is None else f", at most {type_.at_most}"
        return f"list of {type_of(type_.item, linked=linked)}{bound}"
    if isinstance(type_, Shape):
        return f"[{type_.name}](#{type_.name.lower()})" if linked else type_.name
    return "string, kept secret" if type_ is Kind.SECRET else type_.value


def shapes(fields: Sequence[Field]) -> Iterator[Shape]:
    for field in fields:
        inner = field.type.item if isinstance(field.type, ListOf) else field.type
        if isinstance(inner, Shape):
            yield inner
            yield from shapes(inner.fields)


def words(rule: Rule) -> str:
    """A rule in words, from the values of its condition, so that no second list has to be kept."""
    maker = rule.holds.__qualname__.partition(".")[0]
    if maker in _SAID:
        return _SAID[maker]
    if maker not in _WORDS:  # a condition without a name: its source describes it
        return rule.source.removeprefix("ours: ")
    return _WORDS[maker](dict(inspect.getclosurevars(rule.holds).nonlocals))


def _unless(made: Mapping[str, Any]) -> str:
    return f"{'plain' if made['exempt'](ENCIPHERED) else f'after `{ENCIPHERED}`'}: {words(made['rule'])}"


def _none_of(made: Mapping[str, Any]) -> str:
    if made["words"] == RESERVED:
        return f"not one of the manual's {len(RESERVED)} prohibited keywords, in any case"
    left = set(made["words"])
    kinds = []
    if left >= RESERVED_KEYWORDS:
        kinds, left = ["a reserved keyword of PostgreSQL"], left - RESERVED_KEYWORDS
    if left == ROLE_WORDS:
        kinds.append("a word of `pg_hba.conf` or CREATE ROLE")
        kinds[-1] += f" ({', '.join(sorted(left))})"
        left = set()
    return "not " + ", nor ".join([*(f"`{word}`" for word in sorted(left)), *kinds]) + ", in any case"


_WORDS: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "matches": lambda made: "matches " + code(made["compiled"].pattern),
    "one_of": lambda made: "one of " + ", ".join(f"`{value}`" for value in made["values"]),
    "between": lambda made: f"{made['low']} to {made['high']}",
    "at_most": lambda made: f"at most {made['characters']} characters",
    "spans": lambda made: f"{made['low']} to {made['high']} characters",
    "none_of": _none_of,
    "not_starting": lambda made: (
        "does not start with " + " or ".join(f"`{prefix}`" for prefix in made["prefixes"]) + ", in any case"
    ),
    "contains_each": lambda made: (
        "has each of " + " ".join(f"`{search.__self__.pattern}`" for search in made["searches"])
    ),
    "contains_some": lambda made: (
        f"has {made['least']} of " + " ".join(f"`{search.__self__.pattern}`" for search in made["searches"])
    ),
    "among": lambda made: "one of " + ", ".join(f"`{value}`" for value in made["values"]),
    "sizes": lambda made: "one of " + ", ".join(f"`{value}`" for value in made["values"]),
    "unless": _unless,
}

_SAID: Mapping[str, str] = {
    "_is_database_info": "`ReadWrite`, `ReadOnly` or `DDLOnly` with lists of database names, each name once",
    "_are_database_names": "database names, separated by commas",
    "_are_few_addresses": "at most 1000 addresses",
    "_are_addresses": "IPv4 addresses or blocks of /1 to /32, or `0.0.0.0/0`, separated by commas, each once",
    "_is_storage": "a multiple of 10",
    "_is_email": "empty, or a mail address; `%40` counts as its `@`",
    "_is_minimum": "8 to 32, or 0 for the default of 8",
    "_is_user_name": "1 to 128 visible characters, without a leading or trailing space",
    "_is_phone": "such as `13800138000` or `+86-13800138000`; four asterisks may replace some digits",
    "_is_mail": "a mail address",
    "_is_text": "at most 512 visible characters",
    "_is_short": "at most 1024 bytes",
    "_is_given": "not empty",
    "_names_once": "each `Name` once",
    "_are_ids": "ids of 32 hexadecimal digits",
    "_is_moment": "such as `2018-08-08T04:21:26Z` or `2018-08-08T04:21Z`",
}


def code(text: str) -> str:
    """Text as code: ASCII with escapes of regular expressions, in double backticks if it contains a backtick."""
    plain = text.encode("ascii", "backslashreplace").decode()
    return f"`` {plain} ``" if "`" in plain else f"`{plain}`"


def row(*cells: str) -> Iterator[str]:
    """A table's head."""
    yield line(*cells)
    yield "|" + " --- |" * len(cells)


def line(*cells: str) -> str:
    """A table's row. A bar ends a cell, even inside backticks."""
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
