"""Colours of sign-in pages: ``#rrggbb``, and the text that can be read on them."""

from __future__ import annotations

import re

DEFAULT = "#1d4ed8"
"""Of a user store that has no colour."""

_COLOUR = re.compile(r"#[0-9a-f]{6}")
_DARK, _LIGHT = "#000000", "#ffffff"


def is_colour(text: str) -> bool:
    return _COLOUR.fullmatch(text) is not None


def text_on(colour: str) -> str:
    """Black or white, whichever contrasts more: 4.58 to 1 at least, so more than the 4.5 of WCAG 2.1 1.4.3 (AA)."""
    return max(_DARK, _LIGHT, key=lambda text: contrast(text, colour))


def contrast(one: str, other: str) -> float:
    """WCAG 2.1, contrast ratio: 1 to 21."""
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    """WCAG 2.1, relative luminance."""
    channels = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    linear = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return sum(weight * channel for weight, channel in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
