"""A live server whose store, or one of whose instances, falls silent, hangs, refuses, resets or is slow."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from tests.conftest import Rolecall
from tests.proxy import Proxy, proxy_to
from tests.server.replica import free_port, replica

Until = Callable[[Callable[[], bool]], None]

BUSY = 20.0
"""Seconds that a busy machine may add to any of these, which are as docs/operations.md has them. Without deadlines each
of them would be a minute, or for ever."""

READY = 2.0 + BUSY
HEALED = 5.0 + BUSY
REFUSED = 11.0 + BUSY

CROWD = 24


class Serving:
    """A replica, the proxy to what is sick, and the instance to call."""

    def __init__(self, running: Rolecall, proxy: Proxy, instance: str) -> None:
        self.running = running
        self.proxy = proxy
        self.instance = instance

    def ready(self) -> tuple[int, float]:
        """What /readyz says, and after how many seconds."""
        started = time.monotonic()
        answer = httpx.get(self.running.endpoint + "/readyz", timeout=60)
        return answer.status_code, time.monotonic() - started

    def call(self, action: str = "DescribeAccounts", instance: str = "", **params: Any) -> str:
        """The error's code, empty if there is none."""
        answer = self.running.call(action, {"DBInstanceId": instance or self.instance, **params})
        return str(answer.get("Error", {}).get("Code", ""))

    def create(self, instance: str = "") -> str:
        name = f"quiet_{secrets.token_hex(5)}"
        return self.call("CreateAccount", instance, UserName=name, Password="S0und-horse", Type="normal")

    def crowd(self, *calls: Callable[[], str]) -> tuple[set[str], float]:
        """All codes that two dozen calls at once, in turn of these kinds, are answered; and the longest time."""

        def timed(number: int) -> tuple[str, float]:
            started = time.monotonic()
            code = calls[number % len(calls)]()
            return code, time.monotonic() - started

        with ThreadPoolExecutor(CROWD) as pool:
            answers = list(pool.map(timed, range(CROWD)))
        return {code for code, _ in answers}, max(seconds for _, seconds in answers)

    def heals(self, *calls: Callable[[], str]) -> float:
        """Ends the fault; seconds until each is answered without an error."""
        self.proxy.heal()
        started = time.monotonic()
        for call in calls:
            while call():
                assert time.monotonic() - started < 6 * HEALED, "it stays sick"
                time.sleep(0.05)
        return time.monotonic() - started


@pytest.fixture(scope="module")
def with_proxied_store(rolecall: Rolecall, until: Until) -> Iterator[Serving]:
    url = json.loads((rolecall.data / "connection.json").read_text())["database_url"]
    parts = conninfo_to_dict(url)
    with proxy_to(str(parts["host"]), int(str(parts["port"]))) as proxy:
        proxied = make_conninfo(url, host="127.0.0.1", port=proxy.port)
        with replica(rolecall, until, database_url=proxied, rate_limit="off") as running:
            yield Serving(running, proxy, rolecall.instance_id)
            proxy.heal()


@pytest.mark.parametrize("fault", ["silence", "hang", "refuse", "reset"])
def test_while_the_store_is_away_calls_end_and_readyz_answers_and_it_heals_soon(
    with_proxied_store: Serving, fault: str
) -> None:
    serving = with_proxied_store
    serving.heals(serving.call, serving.create)
    getattr(serving.proxy, fault)()
    status, seconds = serving.ready()
    assert (status, seconds < READY) == (503, True), seconds
    codes, longest = serving.crowd(serving.call, serving.create)
    assert "" not in codes
    assert longest < REFUSED
    status, seconds = serving.ready()
    assert (status, seconds < READY) == (503, True), seconds
    seconds = serving.heals(serving.call, serving.create)
    assert seconds < HEALED
    assert serving.ready()[0] == 200


def test_a_slow_store_makes_calls_slow_and_nothing_else(with_proxied_store: Serving) -> None:
    serving = with_proxied_store
    serving.heals(serving.call)
    serving.proxy.slow(0.05)
    assert serving.create() == ""
    assert serving.ready()[0] == 200
    serving.proxy.heal()


@contextmanager
def registered(rolecall: Rolecall, port: int) -> Iterator[str]:
    """The quickstart server, once more, through a proxy."""
    engine = rolecall.ready["engines"]["postgres"]
    instance = f"postgres-{secrets.token_hex(4)}"
    rolecall.cli(
        "instance", "add", f"postgresql://{engine['user']}@127.0.0.1:{port}/postgres", "--id", instance,
        ROLECALL_INSTANCE_PASSWORD=engine["password"],
    )  # fmt: skip
    yield instance
    rolecall.cli("instance", "remove", instance)


@pytest.fixture(scope="module")
def with_proxied_instance(rolecall: Rolecall, until: Until) -> Iterator[Serving]:
    engine = rolecall.ready["engines"]["postgres"]
    with (
        proxy_to(engine["host"], engine["port"]) as proxy,
        registered(rolecall, proxy.port) as instance,
        replica(rolecall, until, rate_limit="off") as running,
    ):
        yield Serving(running, proxy, instance)
        proxy.heal()


@pytest.mark.parametrize("fault", ["silence", "hang", "refuse", "reset"])
def test_while_an_instance_is_away_its_calls_end_and_others_do_not_notice_and_it_heals_soon(
    with_proxied_instance: Serving, rolecall: Rolecall, fault: str
) -> None:
    """Reads as changes: two dozen at once end together, and do not try one after the other."""
    serving = with_proxied_instance
    serving.heals(serving.call, serving.create)
    getattr(serving.proxy, fault)()
    with ThreadPoolExecutor(1) as beside:
        crowd = beside.submit(serving.crowd, serving.call, serving.create)
        others = 0
        while others == 0 or not crowd.done():
            assert serving.create(rolecall.instance_id) == ""
            assert serving.call(instance=rolecall.instance_id) == ""
            others += 1
        codes, longest = crowd.result()
    assert "" not in codes
    assert longest < REFUSED
    assert others > 0
    assert serving.ready()[0] == 200
    assert serving.heals(serving.call, serving.create) < HEALED


def test_a_long_outage_heals_as_soon_as_a_short_one(with_proxied_instance: Serving) -> None:
    serving = with_proxied_instance
    serving.heals(serving.call)
    serving.proxy.refuse()
    probes = 0
    while probes < 60:  # each pause of the breaker is as long as the last one by now
        assert serving.create() != ""
        probes += 1
    assert serving.heals(serving.call, serving.create) < HEALED


def test_what_a_sick_instance_refuses_at_once_is_not_written_down(
    with_proxied_instance: Serving, rolecall: Rolecall
) -> None:
    serving = with_proxied_instance
    serving.heals(serving.call)
    serving.proxy.refuse()
    names = [f"unwritten_{secrets.token_hex(5)}" for _ in range(30)]
    for name in names:
        assert serving.call("CreateAccount", UserName=name, Password="S0und-horse", Type="normal")
    listed = json.loads(rolecall.cli("operation", "list", "--json", "--limit", "1000").stdout)
    written = {one["target"] for one in listed}
    assert names[0] in written
    assert len(written.intersection(names)) < len(names)
    serving.heals(serving.call)


def test_with_the_store_of_rates_away_calls_are_answered_and_everyone_is_told(
    rolecall: Rolecall, until: Until
) -> None:
    url = f"redis://127.0.0.1:{free_port()}"
    with replica(rolecall, until, rate_limit="contract", rate_limit_store=url) as running:
        assert "Error" not in running.call("DescribeAccounts", {"DBInstanceId": rolecall.instance_id})
        ready = httpx.get(running.endpoint + "/readyz")
        assert (ready.status_code, ready.json()["status"]) == (200, "ready")
        assert "per server" in ready.json()["rates"]
        text = httpx.get(running.endpoint + "/metrics").text
        assert "rolecall_calls_counted_alone_total 1.0" in text
    doctor = rolecall.cli("doctor", "--json", check=False, ROLECALL_RATE_LIMIT_STORE=url)
    found = {one["check"]: one for one in json.loads(doctor.stdout)}
    assert not found["rate store"]["ok"]
    assert "ROLECALL_RATE_LIMIT_STORE" in found["rate store"]["fix"]
