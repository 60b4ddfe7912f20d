"""Rules that several contracts use, beside those of `rolecall.contracts.model`."""

from __future__ import annotations

import re
from collections.abc import Callable

from rolecall.contracts.model import Rule
from rolecall.domain.reasons import Reason


def spans(low: int, high: int, reason: Reason, source: str) -> Rule:
    """A text of low..high characters, both allowed."""
    return Rule(lambda value: low <= len(str(value)) <= high, reason, source)


def none_of(words: frozenset[str], reason: Reason, source: str) -> Rule:
    """Not one of some lower-case words, however it is spelt."""
    return Rule(lambda value: str(value).lower() not in words, reason, source)


def not_starting(prefixes: tuple[str, ...], reason: Reason, source: str) -> Rule:
    """Starting with none of some lower-case prefixes, however they are spelt."""
    return Rule(lambda value: not str(value).lower().startswith(prefixes), reason, source)


def contains_each(classes: tuple[str, ...], reason: Reason, source: str) -> Rule:
    """At least one character of each class; a class is the inside of a regular expression's brackets."""
    searches = tuple(re.compile(f"[{characters}]").search for characters in classes)
    return Rule(lambda value: all(search(str(value)) for search in searches), reason, source)


def unless(exempt: Callable[[object], bool], rule: Rule) -> Rule:
    """The rule, for values that are not exempt from it."""
    return Rule(lambda value: exempt(value) or rule.holds(value), rule.reason, rule.source)
