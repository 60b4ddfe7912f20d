"""Actions of Tencent's services, and error preferences: which of the codes that an action lists a reason takes.

A reason's row for an action is the first of the reason's codes that the action's own list has; failing that, the
last of them, which is one of the vendor's common error codes ("Common Error Codes", every product).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rolecall.contracts.model import Action, ErrorRow
from rolecall.contracts.parameters import Params, shape_of
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


IS_INVALID = (
    "The value `{value}` specified in the parameter `{field}` is not valid.",
    "参数`{field}`的值`{value}`不合法。",
)
IS_OUT_OF_RANGE = (
    "The value `{value}` specified in the parameter `{field}` is out of range.",
    "参数`{field}`的值`{value}`超出范围。",
)
IS_TOO_LONG = ("The parameter `{field}` is too long.", "参数`{field}`过长。")
HAS_FORBIDDEN_CHARACTERS = (
    "The parameter `{field}` has characters that are not allowed.",
    "参数`{field}`含有不允许的字符。",
)


def fallback(codes: tuple[str, ...], english: str, chinese: str) -> ErrorPreference:
    """For a reason that the text of no code states."""
    return ErrorPreference((), codes, english, chinese)


def action_of(
    params: type[Params],
    *,
    codes: Mapping[str, frozenset[str]],
    preferences: Mapping[Key, ErrorPreference],
    texts: Mapping[str, tuple[str, str]],
    source: str,
    output: tuple[str, ...] = (),
    regions: frozenset[str] | None = None,
    changes: bool = False,
    resources: tuple[str, ...] = ("*",),
    free: bool = False,
    mints_secret: bool = False,
) -> Action:
    """`codes` by action; `texts`, English and Chinese, by code. A service states what its actions have in common."""
    shape = shape_of(params)
    listed = codes[shape.name]
    return Action(
        shape,
        source,
        output=output,
        codes=listed,
        errors=resolve_errors(preferences, listed, texts),
        regions=regions,
        changes=changes,
        resources=resources,
        free=free,
        blank_is_absent=True,
        mints_secret=mints_secret,
    )


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
