"""The texts of the pages: each key in English and in Simplified Chinese, side by side, a module for each section."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain

from rolecall.console.texts import (
    directories,
    explorer,
    instances,
    operations,
    overview,
    people,
    registering,
    shared,
    sign_in,
    signature,
)
from rolecall.values import Language

_SECTIONS = (
    shared.TEXTS,
    sign_in.TEXTS,
    overview.TEXTS,
    instances.TEXTS,
    registering.TEXTS,
    operations.TEXTS,
    people.TEXTS,
    directories.TEXTS,
    explorer.TEXTS,
    signature.TEXTS,
)

TEXTS: Mapping[str, tuple[str, str]] = dict(chain.from_iterable(section.items() for section in _SECTIONS))
"""By key: English, Chinese. Braces are filled with facts."""


def translate(language: Language, key: str, /, **facts: object) -> str:
    return TEXTS[key][language is Language.CHINESE].format(**facts)
