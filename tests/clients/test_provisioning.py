"""Servers that callers ask for, through the vendors' clients: made, used, restarted, deleted, kept over a restart."""

from __future__ import annotations

import json
import signal
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from tencentcloud.common.credential import Credential
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile
from tencentcloud.postgres.v20170312 import models
from tencentcloud.postgres.v20170312.postgres_client import PostgresClient
from tests.clients.openstack_live import LiveCloud
from tests.clients.petadata_cloud import Cloud
from tests.clients.test_petadata_sdk import Sdk
from tests.conftest import Rolecall
from tests.waiting import PATIENCE

from rolecall.local.cluster import PROGRAMS, processes_in

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from keystoneauth1 import session
    from keystoneauth1.identity import v3
    from troveclient.apiclient.exceptions import HttpError, NotFound
    from troveclient.v1 import client as trove

pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning", "ignore::PendingDeprecationWarning", "ignore::UserWarning"
)

PASSWORD = "Test_password1"
LIMIT = 4


def until(ask: Callable[[], Any], wanted: Any) -> Any:
    """Ask until the answer is the wanted one."""
    deadline = time.monotonic() + PATIENCE
    while (found := ask()) != wanted:
        assert time.monotonic() < deadline, found
        time.sleep(0.05)
    return found


@pytest.fixture(scope="module")
def own(start: Callable[..., Rolecall], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rolecall]:
    settings = {"ROLECALL_RATE_LIMIT": "off", "ROLECALL_PROVISIONED_INSTANCES": str(LIMIT)}
    running = start(tmp_path_factory.mktemp("provisioning") / "data", **settings)
    yield running
    assert running.stop() == 0
    assert living(running) == []


def living(rolecall: Rolecall) -> list[Path]:
    """Directories of servers in which a process still lives."""
    servers = [*(rolecall.data / "instances").glob("*"), *rolecall.data.glob("quickstart*")]
    return [one for one in servers for program in PROGRAMS if processes_in(one / "cluster", program)]


def processes(rolecall: Rolecall) -> set[int]:
    """Of the servers that callers asked for."""
    servers = [one / "cluster" for one in (rolecall.data / "instances").glob("*")]
    return {number for one in servers for program in PROGRAMS for number in processes_in(one, program)}


class Tencent:
    def __init__(self, rolecall: Rolecall) -> None:
        keys = rolecall.tencent
        profile = ClientProfile(
            language="en-US", httpProfile=HttpProfile(endpoint=rolecall.netloc, protocol="http")
        )
        credential = Credential(keys["secret_id"], keys["secret_key"])
        self._client = PostgresClient(credential, "ap-guangzhou", profile)

    def __call__(self, action: str, **params: Any) -> Any:
        request = getattr(models, f"{action}Request")()
        request.from_json_string(json.dumps(params))
        return getattr(self._client, action)(request)

    def refused(self, action: str, **params: Any) -> str:
        with pytest.raises(TencentCloudSDKException) as caught:
            self(action, **params)
        return str(caught.value.get_code())

    def create(self, count: int = 1, **changes: Any) -> Any:
        wanted = {
            "SpecCode": "cdb.pg.z1.2g", "Storage": 10, "InstanceCount": count, "Period": 1, "Charset": "UTF8",
            "AdminName": "root_user", "AdminPassword": PASSWORD, "Zone": "ap-guangzhou-2", "DBMajorVersion": "18",
            "InstanceChargeType": "POSTPAID_BY_HOUR", "VpcId": "vpc-xxxxxxxx", "SubnetId": "subnet-xxxxxxxx",
            "DBNodeSet": [{"Role": "Primary", "Zone": "ap-guangzhou-2"}], "Name": "mine",
        }  # fmt: skip
        return self("CreateInstances", **(wanted | changes))

    def shown(self, instance: str) -> Any:
        return self("DescribeDBInstanceAttribute", DBInstanceId=instance).DBInstance

    def becomes(self, instance: str, status: str) -> Any:
        until(lambda: self.shown(instance).DBInstanceStatus, status)
        return self.shown(instance)

    def sql(self, instance: str, query: str, user: str = "root_user") -> list[tuple[Any, ...]]:
        """Rows of a query, by default as the instance's root account."""
        (where,) = self.shown(instance).DBInstanceNetInfo
        login = {"user": user, "password": PASSWORD, "dbname": "postgres", "connect_timeout": 60}
        with psycopg.connect(host=where.Ip, port=where.Port, **login) as connection:
            return connection.execute(query.encode()).fetchall()

    def destroy(self, *instances: str) -> None:
        self("IsolateDBInstances", DBInstanceIdSet=list(instances))
        for one in instances:
            self.becomes(one, "isolated")
            self("DestroyDBInstance", DBInstanceId=one)
        listed = lambda: {one.DBInstanceId for one in self("DescribeDBInstances", Limit=100).DBInstanceSet}  # noqa: E731
        until(lambda: listed() & set(instances), set())


@pytest.fixture
def tencent(own: Rolecall) -> Tencent:
    return Tencent(own)


@pytest.fixture
def petadata(own: Rolecall) -> Iterator[Cloud]:
    cloud = Cloud(own)
    yield cloud
    cloud.server.close()


@pytest.fixture
def openstack(own: Rolecall) -> Iterator[LiveCloud]:
    live = LiveCloud(own.endpoint, own.ready["openstack"], own.ready["engines"]["mysql"])
    yield live
    live.http.close()


def test_instances_made_through_the_tencent_sdk_live_a_whole_life(tencent: Tencent) -> None:
    made = tencent.create(2, Charset="LATIN1")
    one, other = made.DBInstanceIdSet
    assert len(set(made.DealNames)) == 2
    assert made.BillId.isdecimal()
    assert tencent.shown(other).DBInstanceStatus == "initing"
    assert tencent.refused("DescribeAccounts", DBInstanceId=other) == "ResourceUnavailable"
    assert (
        tencent.refused("RestartDBInstance", DBInstanceId=other)
        == "OperationDenied.InstanceStatusLimitOpError"
    )
    for instance in (one, other):
        shown = tencent.becomes(instance, "running")
        assert (shown.DBInstanceName, shown.Zone, shown.DBCharset) == ("mine", "ap-guangzhou-2", "LATIN1")
        assert shown.DBMajorVersion == "18"
        (root,) = tencent("DescribeAccounts", DBInstanceId=instance).Details
        assert (root.UserName, root.UserType) == ("root_user", "tencentDBSuper")
        assert tencent.sql(instance, "show server_encoding") == [("LATIN1",)]
    tencent("CreateAccount", DBInstanceId=one, UserName="app", Type="normal", Password=PASSWORD)

    started = "select pg_postmaster_start_time()"
    before = tencent.sql(one, started)
    done = tencent("RestartDBInstance", DBInstanceId=one)
    assert done.FlowId == done.TaskId
    tencent.becomes(one, "running")
    assert tencent.sql(one, started) != before

    assert (
        tencent.refused("DestroyDBInstance", DBInstanceId=one) == "OperationDenied.InstanceStatusLimitOpError"
    )
    assert tencent.refused("DisIsolateDBInstances", DBInstanceIdSet=[one]).startswith("OperationDenied.")
    tencent("IsolateDBInstances", DBInstanceIdSet=[one])
    tencent.becomes(one, "isolated")
    with pytest.raises(psycopg.OperationalError, match="refused"):
        tencent.sql(one, "select 1")
    taken = {"DBInstanceId": one, "UserName": "late", "Type": "normal"}
    assert tencent.refused("CreateAccount", **taken) == "OperationDenied.InstanceStatusLimitOpError"
    tencent("DisIsolateDBInstances", DBInstanceIdSet=[one], Period=1)
    tencent.becomes(one, "running")
    assert {each.UserName for each in tencent("DescribeAccounts", DBInstanceId=one).Details} == {
        "app",
        "root_user",
    }
    tencent.destroy(one, other)


def test_an_instance_is_destroyed_right_after_it_was_isolated(tencent: Tencent) -> None:
    """An SDK's user isolates and destroys without a look at the status in between."""
    (one,) = tencent.create(Name="brief").DBInstanceIdSet
    tencent.becomes(one, "running")
    tencent("IsolateDBInstances", DBInstanceIdSet=[one])
    tencent("DestroyDBInstance", DBInstanceId=one)
    listed = lambda: {each.DBInstanceId for each in tencent("DescribeDBInstances", Limit=100).DBInstanceSet}  # noqa: E731
    until(lambda: listed() & {one}, set())


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"Zone": "ap-shanghai-1"}, "InvalidParameterValue.IllegalZone"),
        ({"InstanceCount": 11}, "InvalidParameterValue.InvalidInstanceNum"),
        ({"Charset": "EUC_JP"}, "InvalidParameterValue.InvalidCharset"),
        ({"Storage": 15}, "InvalidParameterValue.ParameterOutRangeError"),
        ({"AdminName": "postgres"}, "InvalidParameterValue.InvalidAccountError"),
        ({"AdminName": "seventeen_letters"}, "InvalidParameterValue.InvalidAccountError"),
        ({"AdminPassword": "short"}, "InvalidParameterValue.InvalidPasswordLengthError"),
        ({"AdminPassword": "nouppercase_1"}, "InvalidParameterValue.InvalidPasswordValueError"),
        ({"DBMajorVersion": "12"}, "InvalidParameter.ParameterCheckError"),
        ({"DBVersion": "12.4"}, "InvalidParameter.ParameterCheckError"),
        ({"NeedSupportTDE": 1}, "InvalidParameter.ParameterCheckError"),
        ({"DeletionProtection": True}, "InvalidParameter.ParameterCheckError"),
        ({"DBEngine": "mssql_compatible"}, "InvalidParameter.ParameterCheckError"),
        ({"ProjectId": 7}, "InvalidParameterValue.IllegalProjectId"),
        ({"Name": "a b"}, "InvalidParameterValue.ParameterCharacterError"),
        ({"InstanceCount": LIMIT + 1}, "LimitExceeded"),
    ],
)
def test_what_cannot_be_made_is_refused_and_nothing_is_begun(
    own: Rolecall, tencent: Tencent, changes: Mapping[str, Any], code: str
) -> None:
    with pytest.raises(TencentCloudSDKException) as caught:
        tencent.create(**changes)
    assert caught.value.get_code() == code
    assert tencent("DescribeDBInstances", Limit=100).TotalCount == 1
    assert list((own.data / "instances").glob("*")) == []


def test_an_instance_made_through_the_petadata_sdk_is_one_of_openstacks_too(
    petadata: Cloud, openstack: LiveCloud
) -> None:
    sdk = Sdk(petadata)
    wanted = {
        "ZoneId": "cn-hangzhou-b", "DBName": "first", "NodeSpec": "petadata.s2.xlarge",
        "NodeNumber": 2, "AccountName": "owner", "AccountPassword": PASSWORD, "InstanceName": "Mine",
        "SecurityIPList": "10.0.0.1", "ClientToken": str(uuid4()),
    }  # fmt: skip
    made = sdk.call("CreateInstance", **wanted)
    here = {"InstanceId": made["InstanceId"]}
    shown = sdk.call("DescribeInstanceInfo", **here)  # before the server is made
    assert (shown["InstanceName"], shown["InstanceStatus"], shown["ZoneId"]) == (
        "Mine",
        "CREATE",
        "cn-hangzhou-b",
    )
    assert sdk.refused("DescribeAccounts", **here) == ("OperationDenied.DBInstanceStatus", 403)
    assert sdk.refused("DeleteInstance", **here) == ("OperationDenied.DBInstanceStatus", 403)
    assert sdk.call("CreateInstance", **wanted)["InstanceId"] == made["InstanceId"]
    assert sdk.refused("CreateInstance", **{**wanted, "DBName": "other"}) == (
        "IdempotentParameterMismatch",
        400,
    )
    until(lambda: sdk.call("DescribeInstanceInfo", **here)["InstanceStatus"], "ACTIVE")
    assert sdk.call("CreateInstance", **wanted)["InstanceId"] == made["InstanceId"]

    (listed,) = sdk.call("DescribeInstances", **here)["Instances"]["Instance"]
    assert [one["DBName"] for one in listed["Databases"]["Database"]] == ["first"]
    assert sdk.call("DescribeSecurityIPs", **here)["SecurityIPList"] == "10.0.0.1"
    (account,) = sdk.call("DescribeAccounts", **here)["AccountList"]["Account"]
    (privilege,) = account["DatabasePrivileges"]["DatabasePrivilege"]
    assert (account["AccountName"], privilege["DBName"], privilege["AccountPrivilege"]) == (
        "owner", "first", "ReadWrite",
    )  # fmt: skip
    server = {
        "host": listed["ConnectionString"],
        "port": listed["Port"],
        "user": "owner",
        "password": PASSWORD,
    }
    assert openstack.sql(
        "CREATE TABLE t (id int)", "INSERT INTO t VALUES (7)", "SELECT id FROM t", db="first", **server
    )

    (face,) = (one["id"] for one in openstack.shown("//instances") if one["name"] == "Mine")
    assert [one["name"] for one in openstack.shown(f"//instances/{face}/users")] == ["owner"]
    user = {"users": [{"name": "second", "password": PASSWORD, "databases": [{"name": "first"}]}]}
    openstack.accepted("POST", f"//instances/{face}/users", user)
    until(lambda: openstack.error("SELECT id FROM t", db="first", **{**server, "user": "second"}), 0)

    token = str(uuid4())
    sdk.call("DeleteInstance", **here, ClientToken=token)
    listing = lambda: sdk.call("DescribeInstances")["Instances"]["Instance"]  # noqa: E731
    until(lambda: made["InstanceId"] in {one["InstanceId"] for one in listing()}, False)
    sdk.call("DeleteInstance", **here, ClientToken=token)
    assert sdk.refused("DeleteInstance", **here) == ("InvalidDBInstanceId.NotFound", 404)
    assert openstack.fault("GET", f"//instances/{face}")[0] == 404


@pytest.fixture
def troveclient(openstack: LiveCloud) -> Any:
    auth = v3.Password(
        openstack.settings["auth_url"],
        username=openstack.settings["username"],
        password=openstack.settings["password"],
        project_id=openstack.tenant,
        user_domain_id="default",
    )
    return trove.Client(session=session.Session(auth=auth), service_type="database", region_name="RegionOne")


def status_of(troveclient: Any, instance: Any) -> Callable[[], str]:
    return lambda: str(troveclient.instances.get(instance.id).status)


def test_an_instance_made_through_troveclient_has_its_databases_and_users(
    own: Rolecall, troveclient: Any, openstack: LiveCloud, petadata: Cloud
) -> None:
    made = troveclient.instances.create(
        "shop",
        flavor_id="1",
        volume={"size": 2},
        datastore="mysql",
        databases=[{"name": "shop", "character_set": "utf8mb4"}, {"name": "logs"}],
        users=[
            {"name": "clerk", "password": PASSWORD, "databases": [{"name": "shop"}]},
            {"name": "guest", "password": PASSWORD, "host": "10.0.0.1"},
        ],
    )
    assert made.status == "BUILD"
    with pytest.raises(HttpError, match="is not ready, status: building"):
        troveclient.users.list(made.id)
    with pytest.raises(HttpError) as early:
        troveclient.instances.delete(made.id)
    assert early.value.http_status == 422
    until(status_of(troveclient, made), "ACTIVE")
    users = {(one.name, one.host): one.databases for one in troveclient.users.list(made.id)}
    assert users == {("clerk", "%"): [{"name": "shop"}], ("guest", "10.0.0.1"): []}
    assert [one.name for one in troveclient.databases.list(made.id)] == ["logs", "shop"]
    (port,) = (
        one["Port"] for one in petadata.ok("DescribeInstances", InstanceId="")["Instances"]["Instance"]
        if one["InstanceName"] == "shop"
    )  # fmt: skip
    server = {"port": port, "user": "clerk", "password": PASSWORD}
    assert openstack.sql("SELECT @@character_set_database", db="shop", **server) == [("utf8mb4",)]
    assert openstack.error("SELECT 1", db="logs", **server) == 1044
    before = processes(own)
    troveclient.instances.restart(made.id)
    until(status_of(troveclient, made), "ACTIVE")
    assert openstack.sql("SELECT 1", **server) == [(1,)]
    assert before
    assert processes(own).isdisjoint(before)
    troveclient.instances.delete(made.id)
    with pytest.raises(NotFound):
        until(status_of(troveclient, made), "")


def test_an_instance_that_cannot_be_made_as_asked_is_in_error_and_can_be_deleted(
    own: Rolecall, troveclient: Any
) -> None:
    unknown = [{"name": "shop", "character_set": "no_such_set"}]
    made = troveclient.instances.create("bad", flavor_id="1", volume={"size": 1}, databases=unknown)
    until(status_of(troveclient, made), "ERROR")
    until(lambda: list((own.data / "instances").glob("*")), [])
    refused = json.loads(own.cli("operation", "list", "--json", "--state", "refused").stdout)
    (told,) = (one for one in refused if one["target"] == made.id)
    assert (told["change"], told["reason"]) == ("instance.create", "encoding-unsupported")
    with pytest.raises(HttpError) as broken:
        troveclient.instances.restart(made.id)
    assert broken.value.http_status == 422
    troveclient.instances.delete(made.id)
    with pytest.raises(NotFound):
        until(status_of(troveclient, made), "")


def test_replicas_and_backups_are_no_instances_of_their_own(troveclient: Any, openstack: LiveCloud) -> None:
    for extra in (
        {"replica_of": openstack.instance},
        {"restorePoint": {"backupRef": "b"}},
        {"configuration": "c"},
    ):
        with pytest.raises(HttpError) as refused:
            troveclient.instances.create("copy", flavor_id="1", volume={"size": 1}, **extra)
        assert refused.value.http_status == 501


def test_only_servers_that_rolecall_started_are_stopped_and_deleted(
    own: Rolecall, tencent: Tencent, petadata: Cloud, openstack: LiveCloud
) -> None:
    quickstart = own.instance_id
    assert tencent.refused("IsolateDBInstances", DBInstanceIdSet=[quickstart]) == "LimitOperation"
    assert tencent.refused("DisIsolateDBInstances", DBInstanceIdSet=[quickstart]) == "LimitOperation"
    assert tencent.refused("DestroyDBInstance", DBInstanceId=quickstart) == "LimitOperation"
    assert tencent.refused("RestartDBInstance", DBInstanceId=quickstart) == "UnsupportedOperation"
    assert petadata.refused("DeleteInstance") == ("ActionUnauthorized", 403)
    assert openstack.fault("DELETE", "")[:2] == (501, "notImplemented")
    assert openstack.fault("POST", "/action", {"restart": {}})[:2] == (501, "notImplemented")
    missing = "postgres-nowhere"
    assert (
        tencent.refused("DestroyDBInstance", DBInstanceId=missing) == "ResourceNotFound.InstanceNotFoundError"
    )
    assert tencent.refused("IsolateDBInstances", DBInstanceIdSet=[]) == "MissingParameter"


def test_no_more_servers_are_started_than_the_setting_allows_in_any_dialect(
    tencent: Tencent, petadata: Cloud, openstack: LiveCloud, own: Rolecall
) -> None:
    made = tencent.create(LIMIT).DBInstanceIdSet
    try:
        assert tencent.refused("CreateInstances", **_tencent_shape()) == "LimitExceeded"
        shape = {"RegionId": petadata.region, "ZoneId": "a", "DBName": "mydb", "NodeSpec": "x", "NodeNumber": "2",
                 "AccountName": "some", "AccountPassword": PASSWORD}  # fmt: skip
        answer = petadata.answer("CreateInstance", shape)
        assert (answer.json()["Code"], answer.status_code) == ("QuotaExceeded.CreateInstance", 403)
        told = openstack.fault("POST", "//instances", {"instance": {"name": "one more"}})
        assert told == (413, "overLimit", "Quota exceeded for resources: ['instances'].")
        assert own.cli("instance", "remove", made[0], check=False).returncode == 1
    finally:
        for one in made:
            tencent.becomes(one, "running")
        tencent.destroy(*made)


def _tencent_shape() -> dict[str, Any]:
    return {
        "SpecCode": "x", "Storage": 10, "InstanceCount": 1, "Period": 1, "Charset": "UTF8", "AdminName": "root_user",
        "AdminPassword": PASSWORD, "Zone": "ap-guangzhou-2",
    }  # fmt: skip


def test_servers_are_there_again_after_a_restart_and_after_a_kill_while_they_were_made(
    start: Callable[..., Rolecall], tmp_path: Path
) -> None:
    data, settings = tmp_path / "data", {"ROLECALL_RATE_LIMIT": "off"}
    first = start(data, **settings)
    tencent, petadata = Tencent(first), Cloud(first)
    running, stopped = tencent.create(2).DBInstanceIdSet
    for one in (running, stopped):
        tencent.becomes(one, "running")
    tencent("CreateAccount", DBInstanceId=running, UserName="kept", Type="normal", Password=PASSWORD)
    tencent("IsolateDBInstances", DBInstanceIdSet=[stopped])
    tencent.becomes(stopped, "isolated")
    shape = {"RegionId": petadata.region, "ZoneId": "a", "DBName": "mydb", "NodeSpec": "x", "NodeNumber": "2",
             "AccountName": "owner", "AccountPassword": PASSWORD}  # fmt: skip
    half = petadata.answer("CreateInstance", shape).json()["InstanceId"]
    petadata.server.close()
    first.process.send_signal(signal.SIGKILL)
    first.process.wait(120)

    second = start(data, **settings)
    tencent, petadata = Tencent(second), Cloud(second)
    assert tencent.shown(running).DBInstanceStatus == "running"
    assert tencent.sql(running, "select current_user", user="kept") == [("kept",)]
    assert tencent.shown(stopped).DBInstanceStatus == "isolated"

    def made() -> str:
        return str(petadata.ok("DescribeInstanceInfo", InstanceId=half)["InstanceStatus"])

    until(made, "ACTIVE")
    (account,) = petadata.ok("DescribeAccounts", InstanceId=half)["AccountList"]["Account"]
    assert (account["AccountName"], account["AccountStatus"]) == ("owner", "ACTIVE")
    petadata.server.close()
    assert second.stop() == 0
    assert living(second) == []

    third = start(data, **settings)
    tencent = Tencent(third)
    petadata = Cloud(third)
    assert tencent.shown(running).DBInstanceStatus == "running"
    assert petadata.ok("DescribeInstanceInfo", InstanceId=half)["InstanceStatus"] == "ACTIVE"
    petadata.server.close()
    tencent("DisIsolateDBInstances", DBInstanceIdSet=[stopped])
    tencent.becomes(stopped, "running")
    assert tencent.sql(stopped, "select 1") == [(1,)]
    assert third.stop() == 0
    assert living(third) == []
