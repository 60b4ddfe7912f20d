"""Three processes on one store and one MariaDB: client tokens and quotas hold across them."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from uuid import uuid4

import pytest
from tests.clients.petadata_cloud import PASSWORD, Cloud, word
from tests.conftest import Rolecall
from tests.server.replica import replica

Until = Callable[[Callable[[], bool]], None]

ROUNDS = 8
CALLERS = 9


@pytest.fixture(scope="module")
def clouds(rolecall: Rolecall, until: Until) -> Iterator[list[Cloud]]:
    """The quickstart instance through each of three processes."""
    with ExitStack() as started:
        running = [
            rolecall,
            *(started.enter_context(replica(rolecall, until, rate_limit="off")) for _ in range(2)),
        ]
        clouds = [Cloud(one) for one in running]
        yield clouds
        for cloud in clouds:
            cloud.close()


@pytest.fixture
def empty(clouds: list[Cloud]) -> list[Cloud]:
    clouds[0].clear()
    return clouds


def at_once(clouds: list[Cloud], call: Callable[[Cloud, int], str]) -> list[str]:
    """The codes of calls that begin together, in turn at each replica."""
    start = threading.Barrier(CALLERS)

    def one(number: int, cloud: Cloud) -> str:
        start.wait()
        return call(cloud, number)

    with ThreadPoolExecutor(CALLERS) as pool:
        return list(pool.map(one, range(CALLERS), itertools.cycle(clouds)))


def test_a_repeated_client_token_is_no_duplicate_at_any_replica(empty: list[Cloud]) -> None:
    for _ in range(ROUNDS):
        empty[0].clear()
        name, token = word(), str(uuid4())
        shape = {"AccountName": name, "AccountPassword": PASSWORD, "ClientToken": token}
        assert (
            at_once(empty, lambda cloud, _, shape=shape: cloud.code("CreateAccount", **shape))
            == [""] * CALLERS
        )
        assert empty[0].server.users() == [(name, "%")]
        assert [cloud.code("CreateAccount", **shape) for cloud in empty] == [""] * 3


def test_a_refused_call_frees_its_token_at_every_replica(empty: list[Cloud]) -> None:
    name, token, missing = word(), str(uuid4()), word("d")
    shape = {"AccountName": name, "AccountPassword": PASSWORD, "ClientToken": token, "DBName": missing}
    codes = at_once(empty, lambda cloud, _: cloud.code("CreateAccount", **shape))
    assert codes == ["InvalidDBName.NotFound"] * CALLERS
    empty[0].ok("CreateDatabase", DBName=missing)
    assert at_once(empty, lambda cloud, _: cloud.code("CreateAccount", **shape)) == [""] * CALLERS
    assert empty[0].server.users() == [(name, "%")]


def test_three_replicas_make_three_accounts_and_no_more(empty: list[Cloud]) -> None:
    for _ in range(ROUNDS):
        empty[0].clear()
        names = [word() for _ in range(CALLERS)]
        codes = at_once(
            empty,
            lambda cloud, number, names=names: cloud.code(
                "CreateAccount", AccountName=names[number], AccountPassword=PASSWORD
            ),
        )
        assert sorted(codes) == [""] * 3 + ["QuotaExceeded.AccountName"] * (CALLERS - 3)
        assert {name for name, _ in empty[0].server.users()} == {
            name for name, code in zip(names, codes, strict=True) if not code
        }
