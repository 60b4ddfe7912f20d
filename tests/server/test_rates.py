"""20 calls a second for each action, region and caller (page of CreateAccount), on a replica that keeps the rate."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from tests.conftest import Rolecall
from tests.waiting import until

from rolecall.signing import tc3
from rolecall.values import Secret

RATE = 20
WORDING = re.compile(
    r"Your current request times equals to `(\d+)` in a second, which exceeds the frequency limit `20` for a second\. "
    r"Please reduce the frequency of calls\."
)

Call = Callable[..., str]


def caller(running: Rolecall) -> Iterator[Call]:
    """Makes calls over one kept connection, fast enough for the rate to matter; gives code and message."""
    with httpx.Client(base_url=running.endpoint, trust_env=False) as client:

        def call(action: str = "DescribeRegions", region: str = "ap-guangzhou", **headers: str) -> str:
            signed = tc3.post_headers(
                running.tencent["secret_id"],
                Secret(running.tencent["secret_key"]),
                service="postgres", version="2017-03-12", action=action, region=region,
                timestamp=int(time.time()), host=running.netloc, payload=b"{}",
            )  # fmt: skip
            answer = client.post("/", content=b"{}", headers=signed | headers)
            assert answer.status_code == 200
            error: dict[str, Any] = answer.json()["Response"].get("Error", {})
            return f"{error['Code']}: {error['Message']}" if error else "ok"

        yield call


@pytest.fixture
def call(strict: Rolecall) -> Iterator[Call]:
    yield from caller(strict)


def fill_a_second(call: Call, **changes: str) -> list[str]:
    """25 calls in less than a second. The second begins with the first of them: no test may share what it counts.

    On a busy machine they may take longer; then again, in a second of its own.
    """
    for _ in range(20):
        begun = time.monotonic()
        answers = [call(**changes) for _ in range(RATE + 5)]
        if time.monotonic() - begun < 1:
            return answers
        time.sleep(1.1)
    pytest.fail("this machine is too slow to exceed the rate")


def test_more_than_20_calls_in_a_second_exceed_the_limit_of_their_action_region_and_second(
    call: Call,
) -> None:
    answers = fill_a_second(call)
    others = [call(action="DescribeZones"), call(region="ap-shanghai")]
    assert answers[:RATE] == ["ok"] * RATE
    for told in answers[RATE:]:
        code, _, message = told.partition(": ")
        assert code == "RequestLimitExceeded"
        found = WORDING.fullmatch(message)
        assert found is not None
        assert int(found[1]) > RATE
    assert others == ["ok", "ok"]
    until(lambda: call() == "ok", pause=0.05)


def test_the_limit_is_told_in_chinese_too(call: Call) -> None:
    answers = fill_a_second(call, region="ap-beijing", **{"X-TC-Language": "zh-CN"})
    assert re.fullmatch(
        r"RequestLimitExceeded: 您当前每秒请求 `\d+` 次，超过了每秒频率上限 `20` 次，请稍后重试。",
        answers[-1],
    )


def test_calls_that_prove_nobody_do_not_count_against_anybody(call: Call) -> None:
    answers = fill_a_second(call, region="ap-tokyo", Authorization="SKIP")
    assert {told.partition(":")[0] for told in answers} == {"AuthFailure.InvalidAuthorization"}
    assert call(region="ap-tokyo") == "ok"


def test_the_limit_can_be_lifted(rolecall: Rolecall) -> None:
    """The run's own Rolecall has ROLECALL_RATE_LIMIT=off."""
    for call in caller(rolecall):
        assert fill_a_second(call) == ["ok"] * (RATE + 5)
