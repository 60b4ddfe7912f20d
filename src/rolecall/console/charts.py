"""Charts, drawn on the server as the shapes of an SVG picture."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from rolecall.domain.maintenance.call_history import CallMinute

WIDTH, HEIGHT = 720, 180
_LEFT, _TOP, _BOTTOM = 40, 10, 24
_MINUTES = 60


@dataclass(frozen=True, slots=True)
class Bar:
    """One minute. `y` and `height` of the calls, `error_y` and `error_height` of those with an error."""

    x: float
    width: float
    y: float
    height: float
    error_y: float
    error_height: float
    label: str
    calls: int
    errors: int


@dataclass(frozen=True, slots=True)
class Chart:
    """`marks` are the heights of the grid's lines with the numbers that they stand for."""

    bars: Sequence[Bar]
    marks: Sequence[tuple[float, int]]
    calls: int
    errors: int
    width: int = WIDTH
    height: int = HEIGHT


def last_hour(found: Iterable[CallMinute], now: datetime) -> Chart:
    """The calls of the last sixty minutes, of all dialects."""
    first = now.replace(second=0, microsecond=0) - timedelta(minutes=_MINUTES - 1)
    calls, errors = [0] * _MINUTES, [0] * _MINUTES
    for each in found:
        place = int((each.minute - first).total_seconds() // 60)
        if 0 <= place < _MINUTES:
            calls[place] += each.calls
            errors[place] += each.errors
    top = _round_up(max(calls))
    scale = (HEIGHT - _TOP - _BOTTOM) / top
    step = (WIDTH - _LEFT) / _MINUTES
    floor = HEIGHT - _BOTTOM
    bars = [
        Bar(
            x=round(_LEFT + place * step, 1),
            width=round(step - 2, 1),
            y=round(floor - calls[place] * scale, 1),
            height=round(calls[place] * scale, 1),
            error_y=round(floor - errors[place] * scale, 1),
            error_height=round(errors[place] * scale, 1),
            label=(first + timedelta(minutes=place)).strftime("%H:%M"),
            calls=calls[place],
            errors=errors[place],
        )
        for place in range(_MINUTES)
    ]
    marks = [(round(floor - value * scale, 1), value) for value in (0, top // 2, top)]
    return Chart(bars, marks, sum(calls), sum(errors))


def _round_up(number: int) -> int:
    """An even number at least as large, with one digit that is not 0: 1, 2 or 5 times a power of ten, or 2."""
    power = 1
    while True:
        for digit in (2, 4, 10):
            if digit * power >= number:
                return digit * power
        power *= 10
