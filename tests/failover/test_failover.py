"""The store's primary is killed, and the next one paused, under load: what was acknowledged is there, once."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pytest
from tests.conftest import SEARCHED, Rolecall
from tests.failover.cluster import Cluster, Node
from tests.failover.conftest import Deployment
from tests.failover.load import PASSWORD, Load, is_ready
from tests.waiting import until

from rolecall.dialects.tencent.refusals import COMMON
from rolecall.services import BY_NAME

GOAL = 15.0
"""Seconds of a whole outage on a quiet machine, which is reported here; `scripts/failover-soak` compares it."""

LONGEST = 60.0
"""Seconds from the promotion of a standby until every kind of call has succeeded on every replica of a busy machine.
What holds on to the lost primary takes minutes."""

ACTIONS = {
    "account": ("postgres", "2017-03-12", "CreateAccount"),
    "sub-user": ("cam", "2019-01-16", "AddUser"),
    "user": ("ciam", "2022-03-31", "CreateUser"),
}


def test_calls_go_on_and_nothing_is_lost_or_done_twice(
    deployment: Deployment,
    cluster: Cluster,
    name: Callable[[str], str],
    record_property: Callable[[str, object], None],
) -> None:
    with deployment.replicas(2) as replicas:
        load = Load(name("fo"), replicas, deployment.user_store)
        with load.running():
            load.resumed(time.monotonic())
            killed = struck(cluster, load, Node.kill)
            cluster.start_node(killed.former)
            until(cluster.is_whole)
            key = json.loads(deployment.run("key", "create", "--json"))[0]
            assert not code_with(key, replicas[1])
            paused = struck(cluster, load, Node.pause)
            deployment.run("key", "disable", key["secret_id"])
            until(lambda: refuse(key, replicas))
            paused.former.resume()
            until(lambda: still_refuse(key, replicas) and paused.former.state().get("role") == "replica")
            load.resumed(time.monotonic())
        assert all(map(is_ready, replicas))
        settled(deployment, load)
    require_vendors_codes(load)
    assert "records are unchanged" in deployment.run("audit", "verify")
    for outage in (killed, paused):
        record_property(SEARCHED, str(outage))
        assert outage.resumed - outage.promoted < LONGEST


@dataclass(frozen=True)
class Outage:
    """Seconds from the fault until a standby was promoted, and until every client's calls have succeeded."""

    what: str
    former: Node
    promoted: float
    resumed: float

    def __str__(self) -> str:
        return (
            f"{self.what} of the primary: promoted after {self.promoted:.1f} s,"
            f" all calls go on after {self.resumed:.1f} s"
        )


def struck(cluster: Cluster, load: Load, strike: Callable[[Node], None]) -> Outage:
    former = until(cluster.primary)
    others = [node for node in cluster.nodes if node is not former]
    began = time.monotonic()
    strike(former)
    until(lambda: any(node.is_primary() for node in others))
    promoted = time.monotonic() - began
    return Outage(strike.__name__, former, promoted, load.resumed(began))


def settled(deployment: Deployment, load: Load) -> None:
    """Nothing is open, and what there is agrees with what was answered."""
    open_ones = "select count(*) from rolecall.operations where state = 'accepted'"
    until(lambda: deployment.rows(open_ones) == [(0,)])
    compare(deployment, load)


def code_with(key: dict[str, str], replica: Rolecall) -> str:
    """The error of a call with a key; empty if it is taken."""
    signing = {"secret_id": key["secret_id"], "secret_key": key["secret_key"]}
    answer = replica.call("DescribeRegions", **signing)
    return str(answer.get("Error", {}).get("Code", ""))


def refuse(key: dict[str, str], replicas: Sequence[Rolecall]) -> bool:
    return all(code_with(key, one) for one in replicas)


def still_refuse(key: dict[str, str], replicas: Sequence[Rolecall]) -> bool:
    """A former primary has the key as it was before it was disabled."""
    assert refuse(key, replicas)
    return True


def compare(deployment: Deployment, load: Load) -> None:
    """Engine, store and records against the answers: each account is whole or absent, and was made by one operation."""
    like = f"like '{load.prefix}%'"
    roles = {
        name for (name,) in deployment.rolecall.sql(f"select rolname from pg_roles where rolname {like}")
    }
    rows = deployment.rows(f"select name from rolecall.accounts where not deleted and name {like}")
    accounts = {name for (name,) in rows}
    users = {name for (name,) in deployment.rows(f"select name from rolecall.users where name {like}")}
    sub_users = {
        name for (name,) in deployment.rows(f"select name from rolecall.sub_users where name {like}")
    }
    assert roles == accounts
    for kind, there in (("account", accounts), ("sub-user", sub_users), ("user", users)):
        acknowledged, refused = load.names(kind, acknowledged=True), load.names(kind, acknowledged=False)
        assert acknowledged, kind
        assert acknowledged <= there <= acknowledged | refused
    kinds = (("account.create", accounts), ("sub-user.create", sub_users))
    for change, there in kinds:
        recorded = deployment.rows(
            "select target, count(*) from rolecall.operations"
            f" where kind = '{change}' and state = 'recorded' and target {like} group by target"
        )
        assert dict(recorded) == dict.fromkeys(there, 1)
    for account in sorted(load.names("account", acknowledged=True))[-3:]:
        assert deployment.rolecall.can_log_in(account, PASSWORD)
    listed = json.loads(deployment.run("account", "list", "--filter", load.prefix, "--json"))
    assert sorted(row["name"] for row in listed if row["standing"] == "managed") == sorted(accounts)


def require_vendors_codes(load: Load) -> None:
    common = {row.code for row in COMMON.values()}
    for kind, (service, version, action) in ACTIONS.items():
        listed = BY_NAME["tencent", service, version].contract.actions[action].codes
        given = {one.code for one in load.outcomes if one.kind == kind and one.code}
        assert given, "no call of that kind was refused: the test has tested nothing"
        assert given <= listed | common


@pytest.mark.parametrize("strict", ["read-write", "primary"])
def test_a_command_finds_the_primary_wherever_it_is_in_the_address(
    deployment: Deployment, cluster: Cluster, strict: str
) -> None:
    primary = until(cluster.primary)
    last = [node for node in cluster.nodes if node is not primary] + [primary]
    address = cluster.address(*last, dbname="rolecall", target_session_attrs=strict)
    deployment.environment |= {"ROLECALL_DATABASE_URL": address}
    assert "reachable" in deployment.run("doctor", "--json")
