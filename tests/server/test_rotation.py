"""Managed passwords are replaced by themselves, by one replica at a time, through outages."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from tests.conftest import Rolecall
from tests.server.cam import Cam
from tests.server.replica import replica

from rolecall.local.postgres import LocalPostgres

Until = Callable[[Callable[[], bool]], None]


@pytest.fixture(scope="module")
def rotating(rolecall: Rolecall, until: Until) -> Iterator[Rolecall]:
    """A replica that finds a password of two seconds old."""
    with replica(rolecall, until, rotation_seconds="2", rate_limit="off") as running:
        yield running


def token(rolecall: Rolecall, account: str, instance: str = "") -> dict[str, Any]:
    asked = {"ResourceId": instance or rolecall.instance_id, "ResourceRegion": rolecall.tencent["region"]}
    found: dict[str, Any] = Cam(rolecall).ok("BuildDataFlowAuthToken", **asked, ResourceAccount=account)[
        "Credentials"
    ]
    return found


def rotations(rolecall: Rolecall, account: str) -> list[dict[str, Any]]:
    listed = json.loads(rolecall.cli("operation", "list", "--json", "--limit", "1000").stdout)
    return [one for one in listed if one["target"] == account and one["action"] == "rotation"]


def test_a_managed_password_is_replaced_when_its_time_has_come(
    rotating: Rolecall, name: Callable[[str], str], until: Until
) -> None:
    account = name("managed")
    rotating.ok("CreateAccount", UserName=account, Type="normal", OpenCam=True)
    first = token(rotating, account)
    assert rotating.can_log_in(account, first["Token"])
    until(lambda: token(rotating, account)["Token"] != first["Token"])
    until(lambda: not rotating.can_log_in(account, first["Token"]))
    until(lambda: rotating.can_log_in(account, token(rotating, account)["Token"]))
    second = token(rotating, account)
    assert (second["RotationStatus"], second["RotationMessage"]) == ("success", "success")
    assert second["LastRotationTimeCost"] >= 0
    assert second["NextRotationTime"] > first["NextRotationTime"]
    recorded = rotations(rotating, account)
    assert {(one["change"], one["state"], one["principal"]) for one in recorded} == {
        ("account.manage", "recorded", 0)
    }
    rotating.ok("DeleteAccount", UserName=account)


def test_replicas_take_turns(rotating: Rolecall, name: Callable[[str], str], until: Until) -> None:
    """Whoever holds the lock rotates; a second replica leaves it alone meanwhile."""
    account = name("managed")
    connection = json.loads((rotating.data / "connection.json").read_text())
    with psycopg.connect(connection["database_url"], autocommit=True) as other:
        until(
            lambda: other.execute("select pg_try_advisory_lock(%s, -1)", (0x726F6C65,)).fetchone() == (True,)
        )
        rotating.ok("CreateAccount", UserName=account, Type="normal", OpenCam=True)
        first = token(rotating, account)["Token"]
        due = token(rotating, account)["NextRotationTime"]
        until(lambda: token(rotating, account)["CurrentTime"] > due + 1000)
        assert token(rotating, account)["Token"] == first
    until(lambda: token(rotating, account)["Token"] != first)
    rotating.ok("DeleteAccount", UserName=account)


def test_a_server_out_of_reach_is_tried_until_it_is_back(
    rotating: Rolecall,
    register: Callable[..., str],
    own_server: LocalPostgres,
    name: Callable[[str], str],
    until: Until,
) -> None:
    account = name("managed")
    instance = register(own_server.host, own_server.port, own_server.superuser, own_server.password.reveal())
    rotating.ok("CreateAccount", DBInstanceId=instance, UserName=account, Type="normal", OpenCam=True)
    first = token(rotating, account, instance)["Token"]
    own_server.stop()
    try:
        until(lambda: any(one["state"] == "refused" for one in rotations(rotating, account)))
        refused = {"ResourceId": instance, "ResourceRegion": "ap-guangzhou", "ResourceAccount": account}
        assert Cam(rotating).code("BuildDataFlowAuthToken", **refused) == "FailedOperation.BuildAuthToken"
    finally:
        own_server.start()
    until(lambda: not Cam(rotating).code("BuildDataFlowAuthToken", **refused))  # the breaker's pause
    until(lambda: token(rotating, account, instance)["Token"] != first)
    assert token(rotating, account, instance)["RotationStatus"] == "success"


def test_what_is_not_managed_is_left_alone(
    rotating: Rolecall, name: Callable[[str], str], until: Until
) -> None:
    password, account, other = "p+A&9=%_x", name("plain"), name("managed")
    rotating.ok("CreateAccount", UserName=account, Type="normal", Password=password)
    rotating.ok("CreateAccount", UserName=other, Type="normal", OpenCam=True)
    first = token(rotating, other)["Token"]
    until(lambda: token(rotating, other)["Token"] != first)
    assert rotating.can_log_in(account, password)
    rotating.ok("DeleteAccount", UserName=account)
    rotating.ok("DeleteAccount", UserName=other)
