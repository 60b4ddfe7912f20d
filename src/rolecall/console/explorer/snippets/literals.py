"""Literals of programming languages: any text stays data, whatever quotes, escapes or substitutions it holds."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from rolecall.console.explorer.calls import Hole, Text, Value


def _quoted(text: str, escape: Callable[[str], str]) -> str:
    """In double quotes; what is not printable is escaped, so that no invisible character changes what is read."""
    return "".join(
        character if character.isprintable() else escape(character)
        for character in json.dumps(text, ensure_ascii=False)
    )


def _utf16(character: str) -> str:
    octets = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{octets[at : at + 2].hex()}" for at in range(0, len(octets), 2))


def _utf32(character: str) -> str:
    code = ord(character)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def python_text(text: str) -> str:
    return _quoted(text, _utf32)


go_text = python_text


def node_text(text: str) -> str:
    return _quoted(text, _utf16)


def java_text(text: str) -> str:
    """ASCII alone, so that no compiler's encoding matters."""
    return "".join(
        character if character.isascii() else _utf16(character) for character in _quoted(text, _utf16)
    )


def hcl_text(text: str) -> str:
    return _quoted(text, _utf32).replace("${", "$${").replace("%{", "%%{")


def shell_text(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


@dataclass(frozen=True, slots=True)
class Language:
    """How a language writes values. `lists` and `objects` are what opens and closes them; `pair` joins a name, quoted,
    and a value. `empty_list` and `empty_object` are written without members."""

    text: Callable[[str], str]
    variable: Callable[[str], str]
    lists: tuple[str, str]
    objects: tuple[str, str]
    pair: Callable[[str, str], str]
    true: str = "true"
    false: str = "false"
    indent: str = "    "
    trailing: str = ","
    number: Callable[[int | float], str] = str

    def literal(self, value: Value, depth: int = 0) -> str:
        """Structures take a line for each member; `depth` is how far they are indented already."""
        if isinstance(value, Hole):
            return self.variable(value.variable)
        if isinstance(value, bool):
            return self.true if value else self.false
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, int | float):
            return self.number(value)
        if isinstance(value, list):
            return self._block(self.lists, [self.literal(item, depth + 1) for item in value], depth)
        members = [self.pair(self.text(name), self.literal(item, depth + 1)) for name, item in value.items()]
        return self._block(self.objects, members, depth)

    def _block(self, ends: tuple[str, str], members: list[str], depth: int) -> str:
        if not members:
            return "".join(ends)
        inner = self.indent * (depth + 1)
        lines = f",\n{inner}".join(members)
        return f"{ends[0]}\n{inner}{lines}{self.trailing}\n{self.indent * depth}{ends[1]}"

    def joined(self, text: Text) -> str:
        """An expression for a text with holes."""
        pieces = [
            self.variable(piece.variable) if isinstance(piece, Hole) else self.text(piece) for piece in text
        ]
        return " + ".join(pieces) or self.text("")


PYTHON = Language(
    python_text,
    lambda name: f'os.environ["{name}"]',
    ("[", "]"),
    ("{", "}"),
    lambda name, value: f"{name}: {value}",
    "True",
    "False",
)
GO = Language(
    go_text,
    lambda name: f'os.Getenv("{name}")',
    ("[]any{", "}"),
    ("map[string]any{", "}"),
    lambda name, value: f"{name}: {value}",
    indent="\t",
)
NODE = Language(
    node_text,
    lambda name: f"process.env.{name}",
    ("[", "]"),
    ("{", "}"),
    lambda name, value: f"{name}: {value}",
    indent="  ",
)
JAVA = Language(
    java_text,
    lambda name: f'System.getenv("{name}")',
    ("List.of(", ")"),
    ("Map.ofEntries(", ")"),
    lambda name, value: f"Map.entry({name}, {value})",
    trailing="",
    number=lambda number: f"{number}L" if isinstance(number, int) else str(number),
)
HCL = Language(
    hcl_text,
    lambda name: f"var.{name.lower()}",
    ("[", "]"),
    ("{", "}"),
    lambda name, value: f"{name} = {value}",
    indent="  ",
)
