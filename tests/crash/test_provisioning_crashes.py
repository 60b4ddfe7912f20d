"""Killed while it makes, isolates or deletes a server, Rolecall goes on at its next start, or nothing was begun."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from tests.waiting import until

from rolecall.local.cluster import processes_in

PASSWORD = "Test_password1"
NEW = {
    "SpecCode": "cdb.pg.z1.2g", "Storage": 10, "InstanceCount": 1, "Period": 1, "Charset": "UTF8",
    "Zone": "ap-guangzhou-2", "AdminName": "root_user", "AdminPassword": PASSWORD,
}  # fmt: skip


def call(bench: Any, endpoint: str, action: str, **params: Any) -> dict[str, Any]:
    keys = {"secret_id": bench.secret_id, "secret_key": bench.secret_key}
    return dict(bench.rolecall.call(action, params, endpoint=endpoint, **keys))


def ok(bench: Any, endpoint: str, action: str, **params: Any) -> dict[str, Any]:
    response = call(bench, endpoint, action, **params)
    assert "Error" not in response, response
    return response


def named(bench: Any, endpoint: str, instance_name: str) -> dict[str, Any] | None:
    listed = ok(bench, endpoint, "DescribeDBInstances", Limit=100)["DBInstanceSet"]
    return next((one for one in listed if one["DBInstanceName"] == instance_name), None)


def settled(bench: Any, endpoint: str, instance_name: str, status: str) -> dict[str, Any]:
    """The instance, once it is in that status."""

    def there() -> dict[str, Any] | None:
        found = named(bench, endpoint, instance_name)
        return found if found and found["DBInstanceStatus"] == status else None

    settled = until(there, pause=0.05)
    assert settled is not None
    return settled


def gone(bench: Any, endpoint: str, instance_name: str) -> None:
    until(lambda: named(bench, endpoint, instance_name) is None, pause=0.05)


def logs_in(instance: dict[str, Any]) -> bool:
    (where,) = instance["DBInstanceNetInfo"]
    login = {"user": "root_user", "password": PASSWORD, "dbname": "postgres"}
    with psycopg.connect(host=where["Ip"], port=where["Port"], **login) as connection:
        return connection.execute("select current_user").fetchall() == [("root_user",)]


def die(bench: Any, servers: Path, step: str, action: str, **params: Any) -> None:
    """One call on a process that dies at `step`, before or after it answered."""
    with bench.server(step, servers) as endpoint:
        try:
            call(bench, endpoint, action, **params)
        except httpx.TransportError:
            assert step in ("server-registered", "server-accepted", "turn-accepted")


def remove(bench: Any, endpoint: str, instance_name: str) -> None:
    one = named(bench, endpoint, instance_name)
    assert one is not None
    if one["DBInstanceStatus"] != "isolated":
        ok(bench, endpoint, "IsolateDBInstances", DBInstanceIdSet=[one["DBInstanceId"]])
        settled(bench, endpoint, instance_name, "isolated")
    ok(bench, endpoint, "DestroyDBInstance", DBInstanceId=one["DBInstanceId"])
    gone(bench, endpoint, instance_name)


def at_peace(servers: Path) -> bool:
    """Whether no server lives in the directory."""
    return not any(processes_in(one / "cluster") for one in servers.glob("*"))


@pytest.mark.parametrize(
    "step",
    ["server-registered", "server-accepted", "server-started", "initial-objects-created", "server-settled"],
)
def test_a_server_that_was_asked_for_is_there_after_the_next_start_or_never_was(
    crash_bench: Any, tmp_path: Path, name: Callable[[str], str], step: str
) -> None:
    server = name("server")
    die(crash_bench, tmp_path, step, "CreateInstances", **NEW, Name=server)
    with crash_bench.server(servers=tmp_path) as endpoint:
        if step == "server-registered":
            gone(crash_bench, endpoint, server)
            assert list(tmp_path.iterdir()) == []
            return
        instance = settled(crash_bench, endpoint, server, "running")
        assert logs_in(instance)
        (root,) = ok(crash_bench, endpoint, "DescribeAccounts", DBInstanceId=instance["DBInstanceId"])[
            "Details"
        ]
        assert (root["UserName"], root["UserType"]) == ("root_user", "tencentDBSuper")
        assert root["CreateTime"] != "0000-00-00 00:00:00"
        assert crash_bench.operations(instance["DBInstanceId"]) == [("instance.create", "recorded")]
        remove(crash_bench, endpoint, server)
        assert list(tmp_path.iterdir()) == []
    assert at_peace(tmp_path)


@pytest.mark.parametrize(("step", "state"), [("turn-accepted", "undone"), ("server-settled", "recorded")])
def test_an_isolation_is_carried_out_or_was_never_begun(
    crash_bench: Any, tmp_path: Path, name: Callable[[str], str], step: str, state: str
) -> None:
    server = name("server")
    with crash_bench.server(servers=tmp_path) as endpoint:
        ok(crash_bench, endpoint, "CreateInstances", **NEW, Name=server)
        public_id = settled(crash_bench, endpoint, server, "running")["DBInstanceId"]
    die(crash_bench, tmp_path, step, "IsolateDBInstances", DBInstanceIdSet=[public_id])
    with crash_bench.server(servers=tmp_path) as endpoint:
        status = "isolated" if state == "recorded" else "running"
        settled(crash_bench, endpoint, server, status)
        assert crash_bench.operations(public_id)[-1] == ("instance.isolate", state)
        assert at_peace(tmp_path) is (status == "isolated")
        remove(crash_bench, endpoint, server)


@pytest.mark.parametrize("step", ["turn-accepted", "server-destroyed"])
def test_a_deletion_ends_in_nothing_left_or_was_never_begun(
    crash_bench: Any, tmp_path: Path, name: Callable[[str], str], step: str
) -> None:
    server = name("server")
    with crash_bench.server(servers=tmp_path) as endpoint:
        ok(crash_bench, endpoint, "CreateInstances", **NEW, Name=server)
        public_id = settled(crash_bench, endpoint, server, "running")["DBInstanceId"]
        ok(crash_bench, endpoint, "IsolateDBInstances", DBInstanceIdSet=[public_id])
        settled(crash_bench, endpoint, server, "isolated")
    die(crash_bench, tmp_path, step, "DestroyDBInstance", DBInstanceId=public_id)
    with crash_bench.server(servers=tmp_path) as endpoint:
        if step == "turn-accepted":
            settled(crash_bench, endpoint, server, "isolated")
            assert crash_bench.operations(public_id)[-1] == ("instance.delete", "undone")
            remove(crash_bench, endpoint, server)
        gone(crash_bench, endpoint, server)
    assert crash_bench.operations(public_id)[-1] == ("instance.delete", "recorded")
    assert list(tmp_path.iterdir()) == []
