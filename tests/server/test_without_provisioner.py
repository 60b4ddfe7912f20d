"""`rolecall serve` starts, stops and deletes no servers: each dialect says so in its own words."""

from __future__ import annotations

from tests.clients.openstack_live import LiveCloud
from tests.clients.petadata_cloud import Cloud
from tests.conftest import Rolecall

PASSWORD = "Test_password1"


def test_tencent_is_told_that_the_operation_is_not_supported(strict: Rolecall) -> None:
    new = {
        "SpecCode": "x", "Storage": 10, "InstanceCount": 1, "Period": 1, "Charset": "UTF8", "Zone": "ap-guangzhou-2",
        "AdminName": "root_user", "AdminPassword": PASSWORD,
    }  # fmt: skip
    told = strict.call("CreateInstances", new)["Error"]
    sentence = "No server is started, stopped or deleted here for this instance."
    assert told == {"Code": "UnsupportedOperation", "Message": f"The operation is not supported. {sentence}"}
    several, one = {"DBInstanceIdSet": [strict.instance_id]}, {"DBInstanceId": strict.instance_id}
    for action, params in (
        ("IsolateDBInstances", several), ("DisIsolateDBInstances", several), ("DestroyDBInstance", one),
    ):  # fmt: skip
        assert strict.call(action, params)["Error"]["Code"] == "LimitOperation"
    assert strict.call("RestartDBInstance", one)["Error"]["Code"] == "UnsupportedOperation"


def test_petadata_is_told_that_the_action_is_not_available(strict: Rolecall) -> None:
    cloud = Cloud(strict)
    shape = {"RegionId": cloud.region, "ZoneId": "a", "DBName": "mydb", "NodeSpec": "x", "NodeNumber": "2",
             "AccountName": "some", "AccountPassword": PASSWORD}  # fmt: skip
    answer = cloud.answer("CreateInstance", shape)
    assert (answer.json()["Code"], answer.status_code) == ("ActionUnauthorized", 403)
    assert cloud.refused("DeleteInstance") == ("ActionUnauthorized", 403)
    foreign = cloud.answer("CreateInstance", {**shape, "RegionId": "mars-1"})
    assert foreign.json()["Code"] == "InvalidRegionId.NotFound"
    cloud.server.close()


def test_openstack_is_told_that_it_is_not_implemented(strict: Rolecall) -> None:
    live = LiveCloud(strict.endpoint, strict.ready["openstack"], strict.ready["engines"]["mysql"])
    told = (501, "notImplemented", "No server can be started or stopped for this instance.")
    assert live.fault("POST", "//instances", {"instance": {"name": "one"}}) == told
    assert live.fault("DELETE", "") == told
    assert live.fault("POST", "/action", {"restart": {}}) == told
    assert live.xml("DELETE", "").status_code == 501
    live.http.close()
