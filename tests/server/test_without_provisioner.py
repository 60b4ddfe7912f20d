"""`rolecall serve` starts, stops and deletes no servers: each dialect says so in its own words."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from tests.clients.openstack_live import LiveCloud
from tests.clients.petadata_cloud import Cloud
from tests.conftest import Rolecall
from tests.server.replica import replica

PASSWORD = "Test_password1"


@pytest.fixture(scope="module")
def serving(rolecall: Rolecall, until: Callable[[Callable[[], bool]], None]) -> Iterator[Rolecall]:
    """`rolecall serve` on the same store, whose rates no other test uses up."""
    with replica(rolecall, until) as running:
        yield running


def test_tencent_is_told_that_the_operation_is_not_supported(serving: Rolecall) -> None:
    new = {
        "SpecCode": "x", "Storage": 10, "InstanceCount": 1, "Period": 1, "Charset": "UTF8", "Zone": "ap-guangzhou-2",
        "AdminName": "root_user", "AdminPassword": PASSWORD,
    }  # fmt: skip
    told = serving.call("CreateInstances", new)["Error"]
    sentence = "No server is started, stopped or deleted here for this instance."
    assert told == {"Code": "UnsupportedOperation", "Message": f"The operation is not supported. {sentence}"}
    several, one = {"DBInstanceIdSet": [serving.instance_id]}, {"DBInstanceId": serving.instance_id}
    for action, params in (
        ("IsolateDBInstances", several), ("DisIsolateDBInstances", several), ("DestroyDBInstance", one),
    ):  # fmt: skip
        assert serving.call(action, params)["Error"]["Code"] == "LimitOperation"
    assert serving.call("RestartDBInstance", one)["Error"]["Code"] == "UnsupportedOperation"


def test_petadata_is_told_that_the_action_is_not_available(serving: Rolecall) -> None:
    cloud = Cloud(serving)
    shape = {"RegionId": cloud.region, "ZoneId": "a", "DBName": "mydb", "NodeSpec": "x", "NodeNumber": "2",
             "AccountName": "some", "AccountPassword": PASSWORD}  # fmt: skip
    answer = cloud.answer("CreateInstance", shape)
    assert (answer.json()["Code"], answer.status_code) == ("ActionUnauthorized", 403)
    assert cloud.refused("DeleteInstance") == ("ActionUnauthorized", 403)
    foreign = cloud.answer("CreateInstance", {**shape, "RegionId": "mars-1"})
    assert foreign.json()["Code"] == "InvalidRegionId.NotFound"
    cloud.server.close()


def test_openstack_is_told_that_it_is_not_implemented(serving: Rolecall) -> None:
    live = LiveCloud(serving.endpoint, serving.ready["openstack"], serving.ready["engines"]["mysql"])
    told = (501, "notImplemented", "No server can be started or stopped for this instance.")
    assert live.fault("POST", "//instances", {"instance": {"name": "one"}}) == told
    assert live.fault("DELETE", "") == told
    assert live.fault("POST", "/action", {"restart": {}}) == told
    assert live.xml("DELETE", "").status_code == 501
    live.http.close()
