"""aliyun-python-sdk-core with aliyun-python-sdk-petadata, unmodified, against a live server: every action it serves."""

from __future__ import annotations

import importlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from aliyunsdkcore.acs_exception.exceptions import ServerException
from aliyunsdkcore.client import AcsClient
from aliyunsdkcore.request import CommonRequest
from tests.clients.petadata_cloud import OTHER_PASSWORD, PASSWORD, Cloud, word

ODD_PASSWORD = "P~w*1_+/=()!&%"
SERVED = (
    "CreateAccount", "DescribeAccounts", "DeleteAccount", "ResetAccountPassword", "ModifyAccountPassword",
    "GrantAccountPrivilege", "RevokeAccountPrivilege", "ModifyAccountDescription", "CreateInstance", "DeleteInstance",
    "DescribeInstances", "DescribeInstanceInfo", "ModifyInstanceName", "CreateDatabase", "DeleteDatabase",
    "DescribeDatabases", "DescribeSecurityIPs", "ModifySecurityIPs", "DescribeRegions", "DescribeTasks",
    "DescribeTaskStatus", "DescribeUserInfo",
)  # fmt: skip


class Sdk:
    """The SDK's client; plain HTTP, as it is by default."""

    def __init__(self, cloud: Cloud, secret: str = "") -> None:
        self._client = AcsClient(cloud.key_id, secret or cloud.key.reveal(), cloud.region, timeout=60)
        self._endpoint = cloud.endpoint.removeprefix("http://")
        self.used: set[str] = set()

    def call(self, action: str, **params: Any) -> dict[str, Any]:
        module = importlib.import_module(f"aliyunsdkpetadata.request.v20160101.{action}Request")
        request = getattr(module, f"{action}Request")()
        for name, value in params.items():
            getattr(request, f"set_{name}")(value)
        self.used.add(action)
        return self.send(request)

    def send(self, request: Any) -> dict[str, Any]:
        request.set_endpoint(self._endpoint)
        found: dict[str, Any] = json.loads(self._client.do_action_with_exception(request))
        return found

    def text(self, request: Any) -> str:
        """The answer as it came, by the SDK's deprecated way."""
        request.set_endpoint(self._endpoint)
        with pytest.warns(DeprecationWarning, match="deprecated"):
            return bytes(self._client.do_action(request)).decode()

    def refused(self, action: str, **params: Any) -> tuple[str, int]:
        with pytest.raises(ServerException) as caught:
            self.call(action, **params)
        assert caught.value.get_request_id()
        return str(caught.value.get_error_code()), int(caught.value.get_http_status())


@pytest.fixture
def sdk(cloud: Cloud) -> Sdk:
    return Sdk(cloud)


def test_every_served_action_through_the_sdk(cloud: Cloud, sdk: Sdk) -> None:
    instance, name, database = cloud.instance, word(), word("d")
    here = {"InstanceId": instance}
    assert sdk.call("CreateDatabase", **here, DBName=database, Token=str(uuid4()))["OrderId"]
    cloud.server.sql(f"CREATE TABLE {database}.t (id int)")
    databases = sdk.call("DescribeDatabases", **here)["Databases"]["Database"]
    assert [one["DBName"] for one in databases] == [database]

    create = {"AccountName": name, "AccountPassword": PASSWORD, "AccountDescription": "first",
              "DBInfo": json.dumps({"ReadOnly": [database]}), "AccountVersion": "1", "AccountType": "Normal",
              "ClientToken": str(uuid4())}  # fmt: skip
    assert set(sdk.call("CreateAccount", **here, **create)) == {"RequestId"}
    assert set(sdk.call("CreateAccount", **here, **create)) == {"RequestId"}
    (listed,) = sdk.call("DescribeAccounts", **here)["AccountList"]["Account"]
    assert (listed["AccountName"], listed["AccountStatus"], listed["AccountDescription"]) == (
        name,
        "ACTIVE",
        "first",
    )
    assert cloud.privileges(name) == {database: "ReadOnly"}
    assert cloud.server.may(name, PASSWORD, database, "SELECT * FROM t")
    assert not cloud.server.may(name, PASSWORD, database, "INSERT INTO t VALUES (1)")

    account = {"AccountName": name}
    sdk.call("ResetAccountPassword", **here, **account, NewPassword=OTHER_PASSWORD)
    assert cloud.server.can_log_in(name, OTHER_PASSWORD)
    sdk.call("ModifyAccountPassword", **here, **account, OldPassword=OTHER_PASSWORD, NewPassword=PASSWORD)
    assert cloud.server.can_log_in(name, PASSWORD)
    sdk.call("ModifyAccountDescription", DBInstanceId=instance, **account, AccountDescription="second")
    granted = {"DBInstanceId": instance, **account, "DBName": database}
    sdk.call("GrantAccountPrivilege", **granted, AccountPrivilege="ReadWrite")
    assert cloud.server.may(name, PASSWORD, database, "INSERT INTO t VALUES (1)")
    sdk.call("RevokeAccountPrivilege", **granted)
    assert not cloud.server.may(name, PASSWORD, database, "SELECT * FROM t")
    sdk.call("DeleteAccount", **here, **account)
    assert cloud.server.users() == []
    sdk.call("DeleteDatabase", **here, DBName=database, ClientToken=str(uuid4()))
    assert (database,) not in cloud.server.sql("SHOW DATABASES")

    _instances(cloud, sdk)
    _tasks(cloud, sdk, name)
    assert sdk.used == set(SERVED)


def _instances(cloud: Cloud, sdk: Sdk) -> None:
    here, engine = {"InstanceId": cloud.instance}, cloud.rolecall.ready["engines"]["mysql"]
    (listed,) = sdk.call("DescribeInstances", **here, PageNumber=1, PageSize=10)["Instances"]["Instance"]
    assert (listed["InstanceId"], listed["InstanceStatus"], listed["Port"]) == (
        cloud.instance, "ACTIVE", engine["port"],
    )  # fmt: skip
    shown = sdk.call("DescribeInstanceInfo", **here)
    (network,) = shown["NetworkInfoItems"]["NetworkInfoItem"]
    assert (network["ConnectionString"], network["Port"]) == (engine["host"], str(engine["port"]))
    assert shown["RegionId"] == cloud.region
    sdk.call("ModifyInstanceName", **here, NewInstanceName="renamed")
    assert sdk.call("DescribeInstanceInfo", **here)["InstanceName"] == "renamed"
    sdk.call("ModifyInstanceName", **here, NewInstanceName=shown["InstanceName"])

    before = sdk.call("DescribeSecurityIPs", **here)["SecurityIPList"]
    sdk.call("ModifySecurityIPs", **here, ModifyMode="0", SecurityIPList="10.0.0.1,10.1.0.0/16")
    sdk.call("ModifySecurityIPs", **here, ModifyMode="1", SecurityIPList="10.0.0.2")
    sdk.call("ModifySecurityIPs", **here, ModifyMode="2", SecurityIPList="10.0.0.1")
    found = sdk.call("DescribeSecurityIPs", **here)
    assert found["SecurityIPList"] == "10.1.0.0/16,10.0.0.2"
    assert found["SecurityIPs"]["SecurityIpGroup"][0]["SecurityIPListName"] == "default"
    group = {**here, "SecurityIPListName": "test_01"}
    sdk.call("ModifySecurityIPs", **group, ModifyMode="0", SecurityIPList="10.9.0.1,10.9.0.2")
    sdk.call("ModifySecurityIPs", **group, ModifyMode="2", SecurityIPList="10.9.0.1")
    both = sdk.call("DescribeSecurityIPs", **here)
    assert both["SecurityIPList"] == found["SecurityIPList"]
    named = {
        one["SecurityIPListName"]: one["SecurityIPList"] for one in both["SecurityIPs"]["SecurityIpGroup"]
    }
    assert named == {"default": found["SecurityIPList"], "test_01": "10.9.0.2"}
    more = [f"group{number}" for number in range(48)]
    for one in more:
        sdk.call(
            "ModifySecurityIPs", **here, SecurityIPListName=one, ModifyMode="1", SecurityIPList="10.9.0.1"
        )
    beyond = sdk.refused(
        "ModifySecurityIPs", **here, SecurityIPListName="beyond", ModifyMode="1", SecurityIPList="1.1.1.1"
    )
    assert beyond == ("InvalidSecurityIPListName.Malformed", 400)
    for one in ("test_01", *more):
        sdk.call(
            "ModifySecurityIPs",
            **here,
            SecurityIPListName=one,
            ModifyMode="2",
            SecurityIPList="10.9.0.1,10.9.0.2",
        )
    assert sdk.call("DescribeSecurityIPs", **here)["SecurityIPs"] == found["SecurityIPs"]
    for bad in ("10.0.0.256", "10.0.0.0/33", "host", "10.0.0.1,10.0.0.1"):
        refused = sdk.refused("ModifySecurityIPs", **here, ModifyMode="0", SecurityIPList=bad)
        assert refused == ("InvalidSecurityIPList.Duplicate", 400)
    sdk.call("ModifySecurityIPs", **here, ModifyMode="0", SecurityIPList=before or "127.0.0.1")

    regions = sdk.call("DescribeRegions")["Regions"]["Region"]
    assert cloud.region in {one["RegionId"] for one in regions}
    assert sdk.call("DescribeUserInfo")["AlreadyHasResourceNum"]["PetaDataBought"] >= 1
    new = {"ZoneId": "a", "DBName": "mydb", "NodeSpec": "x", "NodeNumber": "2", "AccountName": "some",
           "AccountPassword": PASSWORD}  # fmt: skip
    reserved = {**new, "AccountName": "root"}
    assert sdk.refused("CreateInstance", **reserved) == ("InvalidAccountName.keyword", 400)
    assert sdk.refused("DeleteInstance", **here) == ("ActionUnauthorized", 403)


def _tasks(cloud: Cloud, sdk: Sdk, name: str) -> None:
    here, now = {"InstanceId": cloud.instance}, datetime.now(UTC)
    start, end = ((now + timedelta(minutes=m)).strftime("%Y-%m-%dT%H:%M:%SZ") for m in (-10, 10))
    asked = {
        **here,
        "StartTime": start,
        "EndTime": end,
        "PageNumbers": 1,
        "MaxRecordsPerPage": 1000,
        "Status": "2",
    }
    tasks = sdk.call("DescribeTasks", **asked)["Tasks"]["Task"]
    assert tasks
    one = sdk.call("DescribeTaskStatus", **here, TaskId=tasks[0]["TaskId"])
    assert (one["TaskId"], one["Status"]) == (tasks[0]["TaskId"], "2")
    assert sdk.refused("DescribeTaskStatus", **here, TaskId=str(uuid4())) == ("InvalidTaskId.NotFound", 400)
    turned = {**asked, "StartTime": end, "EndTime": start}
    assert sdk.refused("DescribeTasks", **turned) == ("InvalidStartTimeAndEndTime.Malformed", 400)


def test_the_sdk_maps_the_refusals(cloud: Cloud, sdk: Sdk) -> None:
    here = {"InstanceId": cloud.instance}
    asked = {**here, "AccountName": word(), "AccountPassword": PASSWORD}
    assert sdk.refused("CreateAccount", **here, AccountName=word()) == ("MissingParameter", 400)
    assert sdk.refused("CreateAccount", **asked, AccountVersion="7") == (
        "InvalidAccountVersion.ValueNotSupported", 400,
    )  # fmt: skip
    assert sdk.refused("DescribeBackupPolicy", **here) == ("InvalidAction.NotFound", 404)
    assert Sdk(cloud, "wrong").refused("DescribeAccounts", **here) == ("InvalidAccessKeySecret", 400)
    assert cloud.server.users() == []


def test_common_requests_by_get_post_and_body(cloud: Cloud, sdk: Sdk) -> None:
    for method in ("GET", "POST"):
        name, request = word(), CommonRequest(version="2016-01-01", action_name="CreateAccount")
        request.set_method(method)
        request.set_protocol_type("http")
        request.set_domain(cloud.endpoint.removeprefix("http://"))
        add = request.add_body_params if method == "POST" else request.add_query_param
        for key, value in (
            ("InstanceId", cloud.instance),
            ("AccountName", name),
            ("AccountPassword", ODD_PASSWORD),
        ):
            add(key, value)
        assert set(sdk.send(request)) == {"RequestId"}
        assert cloud.server.can_log_in(name, ODD_PASSWORD)


def test_the_deprecated_way_of_the_sdk_is_answered_in_xml(cloud: Cloud, sdk: Sdk) -> None:
    """It sends ``Format=None``."""
    request = CommonRequest(version="2016-01-01", action_name="DescribeAccounts")
    request.set_protocol_type("http")
    request.set_domain(cloud.endpoint.removeprefix("http://"))
    request.add_query_param("InstanceId", cloud.instance)
    assert "<DescribeAccountsResponse>" in sdk.text(request)
