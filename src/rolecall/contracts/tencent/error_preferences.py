"""Error preferences: which of the codes that the vendor lists for an action a reason takes.

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
class ErrorPreference:
    """The codes that fit a reason, best first; the last is a common one.

    The text of an `exact` code states the reason. The text of a fallback is followed by `english` or `chinese`,
    templates over the refusal's facts.
    """

    exact: tuple[str, ...]
    fallbacks: tuple[str, ...]
    english: str = ""
    chinese: str = ""


def resolve_errors(
    preferences: Mapping[Key, ErrorPreference], listed: frozenset[str], texts: Mapping[str, tuple[str, str]]
) -> dict[Key, ErrorRow]:
    """The rows of an action that lists these codes. `texts`: English and Chinese, by code."""
    return {key: _row(preference, listed, texts) for key, preference in preferences.items()}


def _row(
    preference: ErrorPreference, listed: frozenset[str], texts: Mapping[str, tuple[str, str]]
) -> ErrorRow:
    wanted = preference.exact + preference.fallbacks
    code = next((code for code in wanted if code in listed), wanted[-1])
    english, chinese = texts[code]
    if code in preference.exact:
        return ErrorRow(code, english, chinese)
    return ErrorRow(code, _then(english, ". ", preference.english), _then(chinese, "。", preference.chinese))


def _then(text: str, stop: str, more: str) -> str:
    """Two sentences; some of the vendor's texts lack their full stop."""
    return text.rstrip(stop) + stop + more if text else more
