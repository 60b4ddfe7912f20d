"""Texts in which ``*`` stands for any text, the empty one included.

No regular expressions: matching walks the text once, whatever the pattern is, so that no policy can make a call slow.
"""

from __future__ import annotations

ANYTHING = "*"


def matches(pattern: str, text: str) -> bool:
    """Whether a pattern covers a text. A ``*`` in the text is a character that only a ``*`` covers."""
    if ANYTHING not in pattern:
        return pattern == text
    first, *rest = pattern.split(ANYTHING)
    *middle, last = rest
    if not text.startswith(first) or len(text) < len(first) + len(last) or not text.endswith(last):
        return False
    position, end = len(first), len(text) - len(last)
    for part in middle:
        found = text.find(part, position, end)
        if found < 0:
            return False
        position = found + len(part)
    return True


def overlaps(one: str, other: str) -> bool:
    """Whether there is a text that both patterns cover."""
    if ANYTHING not in other:
        return matches(one, other)
    if ANYTHING not in one:
        return matches(other, one)
    # Both have a `*`: what lies between their ends can be chosen to please both, so only the ends can disagree.
    return _agree(one.split(ANYTHING)[0], other.split(ANYTHING)[0]) and _agree(
        one.split(ANYTHING)[-1][::-1], other.split(ANYTHING)[-1][::-1]
    )


def _agree(one: str, other: str) -> bool:
    """One is the beginning of the other."""
    return one.startswith(other) or other.startswith(one)
