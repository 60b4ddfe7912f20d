"""Wishes: how a service's reasons choose among the codes that the vendor lists for an action.

A reason's row for an action is the first of the reason's codes that the action's own list has; failing that, the
last of them, which is one of the vendor's common error codes ("Common Error Codes", every product).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rolecall.contracts.model import ErrorRow
from rolecall.domain.reasons import Reason

Key = Reason | tuple[Reason, str]


@dataclass(frozen=True, slots=True)
class Wish:
    """The codes a reason would take, best first; the last is a common one.

    `telling` codes have a text that says the reason itself; after the text of the others stands `english` or
    `chinese`, templates over the refusal's facts.
    """

    telling: tuple[str, ...]
    others: tuple[str, ...]
    english: str = ""
    chinese: str = ""


def chosen(
    wishes: Mapping[Key, Wish], listed: frozenset[str], texts: Mapping[str, tuple[str, str]]
) -> dict[Key, ErrorRow]:
    """The rows of an action that lists these codes. `texts`: English and Chinese, by code."""
    return {key: _row(wish, listed, texts) for key, wish in wishes.items()}


def _row(wish: Wish, listed: frozenset[str], texts: Mapping[str, tuple[str, str]]) -> ErrorRow:
    wanted = wish.telling + wish.others
    code = next((code for code in wanted if code in listed), wanted[-1])
    english, chinese = texts[code]
    if code in wish.telling:
        return ErrorRow(code, english, chinese)
    return ErrorRow(code, _then(english, ". ", wish.english), _then(chinese, "。", wish.chinese))


def _then(text: str, stop: str, more: str) -> str:
    """Two sentences; some of the vendor's texts lack their full stop."""
    return text.rstrip(stop) + stop + more if text else more
