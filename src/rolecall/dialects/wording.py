"""Texts of errors: templates with holes ``{lower_case}``, and what of a caller's values they quote."""

from __future__ import annotations

import re
from collections.abc import Mapping

LONGEST_VALUE = 128
"""Characters of a caller's value that are quoted back."""

_HOLE = re.compile(r"\{([a-z_]+)\}")


def filled(template: str, facts: Mapping[str, str]) -> str:
    """A code or a text with its holes filled; a hole without a fact is left empty.

    Only ``{lower_case}`` is a hole: vendor texts hold other braces, and callers' values are never templates.
    """
    return _HOLE.sub(lambda hole: facts.get(hole[1], ""), template)


def quoted(value: object) -> str:
    """A value's text, of bounded length and encodable. JSON escapes control characters later."""
    text = str(value)
    if len(text) > LONGEST_VALUE:
        text = text[:LONGEST_VALUE] + "..."
    return text.encode("utf-8", "replace").decode()
