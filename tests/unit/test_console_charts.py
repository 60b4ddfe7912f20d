"""The chart of calls: minutes in their places, heights in proportion."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from rolecall.console.charts import HEIGHT, last_hour
from rolecall.domain.maintenance.call_history import CallMinute

NOW = datetime(2026, 5, 1, 12, 30, 20, tzinfo=UTC)
MINUTE = NOW.replace(second=0)


def test_calls_stand_in_their_minutes_and_older_ones_are_left_out() -> None:
    found = [
        CallMinute(MINUTE, "tencent", 30, 3),
        CallMinute(MINUTE, "aliyun", 10, 0),
        CallMinute(MINUTE - timedelta(minutes=59), "tencent", 20, 0),
        CallMinute(MINUTE - timedelta(minutes=60), "tencent", 99, 99),
    ]
    chart = last_hour(found, NOW)
    assert (chart.calls, chart.errors) == (60, 3)
    assert [(place, bar.calls) for place, bar in enumerate(chart.bars) if bar.calls] == [(0, 20), (59, 40)]
    first, last = chart.bars[0], chart.bars[59]
    assert (first.label, last.label) == ("11:31", "12:30")
    assert last.height == pytest.approx(2 * first.height)
    assert last.y + last.height == pytest.approx(first.y + first.height)
    assert last.error_height == pytest.approx(last.height * 3 / 40, abs=0.1)
    assert chart.marks[-1][1] >= 40
    assert all(0 <= bar.y <= HEIGHT for bar in chart.bars)


@pytest.mark.parametrize(
    ("most", "top"), [(0, 2), (1, 2), (3, 4), (5, 10), (47, 100), (150, 200), (1001, 2000)]
)
def test_the_scale_ends_at_a_round_number(most: int, top: int) -> None:
    assert last_hour([CallMinute(MINUTE, "tencent", most, 0)], NOW).marks[-1][1] == top
