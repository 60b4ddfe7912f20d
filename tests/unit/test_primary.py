"""The address of several hosts, and which of them is the store."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import cast

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from rolecall.exchanges import Deadlines
from rolecall.exchanges.pools import Pool
from rolecall.exchanges.postgresql import Connection, NotConnected
from rolecall.exchanges.sessions import Place
from rolecall.store import primary
from rolecall.store.address import guarded, hosts_apart
from rolecall.store.primary import Primary
from rolecall.values import Secret

THREE = "postgresql://u:p@127.0.0.1:1,127.0.0.1:2,127.0.0.1:3/x"


def apart(dsn: str) -> list[tuple[str | None, str | None]]:
    words = [conninfo_to_dict(one.reveal()) for one in hosts_apart(Secret(dsn))]
    return [(each.get("host"), each.get("port")) for each in words]  # type: ignore[misc]  # texts


@pytest.mark.parametrize(
    ("dsn", "expected"),
    [
        ("postgresql://u@a.example/x", [("a.example", None)]),
        ("postgresql://u@a.example:1,b.example:2/x", [("a.example", "1"), ("b.example", "2")]),
        ("host=a,b port=7", [("a", "7"), ("b", "7")]),
        ("host=a,b hostaddr=10.0.0.1,10.0.0.2 port=7,8", [("a", "7"), ("b", "8")]),
        ("host=a,b port=7,8,9", [("a,b", "7,8,9")]),  # libpq refuses it
        ("service=x host=a,b", [("a,b", None)]),
        ("not an address", [(None, None)]),
    ],
)
def test_hosts_are_taken_apart(dsn: str, expected: list[tuple[str | None, str | None]]) -> None:
    if dsn == "not an address":
        assert [one.reveal() for one in hosts_apart(Secret(dsn))] == [dsn]
    else:
        assert apart(dsn) == expected


def test_hosts_are_taken_from_the_environment_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGHOST", "a,b")
    monkeypatch.setenv("PGPORT", "7")
    assert apart("dbname=x") == [("a", "7"), ("b", "7")]


@pytest.mark.parametrize("dsn", [THREE, "postgresql://u@127.0.0.1/x"])
def test_only_a_server_that_takes_writes_is_the_store_unless_the_address_says_otherwise(dsn: str) -> None:
    words = conninfo_to_dict(guarded(Secret(dsn)).reveal())
    assert words["target_session_attrs"] == "read-write"
    assert int(str(words["tcp_user_timeout"])) <= 10_000
    other = guarded(Secret(f"{dsn}?target_session_attrs=any&tcp_user_timeout=7"))
    words = conninfo_to_dict(other.reveal())
    assert (words["target_session_attrs"], words["tcp_user_timeout"]) == ("any", "7")


class Found(Connection):
    """A connection to a host that answers."""

    def __init__(self, host: int) -> None:
        self.host = host
        self.is_closed = False

    def __del__(self) -> None:
        pass

    async def close(self) -> None:
        self.is_closed = True


class Hosts(Primary):
    """Each host takes so many seconds to answer, and takes writes or does not; None never answers."""

    def __init__(self, *hosts: tuple[float | None, bool]) -> None:
        super().__init__(Secret("host=" + ",".join("127.0.0.1" for _ in hosts)))
        self.hosts = hosts
        self.asked: list[int] = []
        self.made: list[Found] = []

    async def _open(self, host: int, _settings: object) -> Connection:
        self.asked.append(host)
        seconds, writes = self.hosts[host]
        await (asyncio.Event().wait() if seconds is None else asyncio.sleep(seconds))
        if not writes:
            raise psycopg.OperationalError(f"host {host}: session is read-only")
        self.made.append(Found(host))
        return self.made[-1]


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(primary, "_STAGGER", 0.01)


async def host_of(hosts: Hosts) -> int:
    return cast("Found", await hosts.connect()).host


async def test_a_paused_host_keeps_nobody_waiting_and_the_one_that_was_found_is_asked_first() -> None:
    hosts = Hosts((None, True), (0.0, False), (0.0, True))
    assert await host_of(hosts) == 2
    assert hosts.asked == [0, 1, 2]
    assert await host_of(hosts) == 2
    assert hosts.asked == [0, 1, 2, 2]
    hosts.hosts = ((0.0, True), (0.0, False), (0.0, False))
    assert await host_of(hosts) == 0


async def test_a_second_connection_that_is_made_meanwhile_is_closed() -> None:
    hosts = Hosts((0.02, True), (0.011, True))
    before = asyncio.all_tasks()  # those of other tests on the loop may run until its end
    first = await hosts.connect()
    await asyncio.gather(*(asyncio.all_tasks() - before))
    assert [one.is_closed for one in hosts.made if one is not first] in ([], [True])


async def test_what_every_host_says_is_told() -> None:
    with pytest.raises(NotConnected, match=r"host 0.*; host 1.*"):
        await Hosts((0.0, False), (0.0, False)).connect()


async def test_a_bug_is_raised() -> None:
    class Broken(Hosts):
        async def _open(self, host: int, _settings: object) -> Connection:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await Broken((0.0, True), (0.0, True)).connect()


def seen(places: Iterable[Place]) -> Primary:
    found = Primary(Secret(THREE))
    for place in places:
        found._require_newest(place)
    return found


def test_a_former_primary_is_refused_as_long_as_its_successor_was_just_heard_of() -> None:
    found = seen([(7, 3), (7, 4)])
    with pytest.raises(psycopg.OperationalError, match="former primary"):
        found._require_newest((7, 3))
    assert found.newest == (7, 4)
    found._heard_at -= primary._MEMORY
    found._require_newest((7, 3))
    assert found.newest == (7, 3)


def test_another_cluster_is_no_former_primary() -> None:
    assert seen([(7, 3), (8, 1)]).newest == (8, 1)


class Idle(Found):
    def __init__(self, place: Place, places: Primary) -> None:
        super().__init__(0)
        self.place, self.places = place, places

    @property
    def is_quiet(self) -> bool:
        return True


async def test_idle_connections_to_a_former_primary_are_not_used_again() -> None:
    places = seen([(7, 3)])
    former, later = Idle((7, 3), places), Idle((7, 4), places)
    pool = Pool(lambda: pytest.fail("connected"), size=2, deadlines=Deadlines())
    pool._idle = [(float("inf"), later), (float("inf"), former)]
    places._require_newest((7, 4))
    assert await pool._take() is later
    assert former.is_closed
