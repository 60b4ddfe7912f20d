"""python-troveclient, openstacksdk and python-openstackclient, unmodified, over a real MariaDB server."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.clients.openstack_live import OTHER_PASSWORD, PASSWORD, LiveCloud
from tests.conftest import Rolecall
from tests.waiting import PATIENCE

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import openstack
    from keystoneauth1 import session
    from keystoneauth1.exceptions import Unauthorized
    from keystoneauth1.identity import v2, v3
    from troveclient.apiclient.exceptions import BadRequest, HttpError, NotFound
    from troveclient.v1 import client as trove

pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning", "ignore::PendingDeprecationWarning", "ignore::UserWarning"
)

OPENSTACK = Path(sys.executable).with_name("openstack")
DOMAINS = {"user_domain_id": "default", "project_domain_id": "default"}


@pytest.fixture(scope="module")
def cloud(rolecall: Rolecall) -> Iterator[LiveCloud]:
    live = LiveCloud(rolecall.endpoint, rolecall.ready["openstack"], rolecall.ready["engines"]["mysql"])
    yield live
    live.http.close()


def credentials(cloud: LiveCloud) -> dict[str, str]:
    return {"username": cloud.settings["username"], "password": cloud.settings["password"]}


def v3_password(cloud: LiveCloud, **changes: str) -> Any:
    given = {**credentials(cloud), **changes}
    return v3.Password(cloud.settings["auth_url"], project_id=cloud.tenant, user_domain_id="default", **given)


def v2_password(cloud: LiveCloud, **changes: str) -> Any:
    given = {**credentials(cloud), **changes}
    return v2.Password(f"{cloud.endpoint}/v2.0", tenant_id=cloud.tenant, **given)


def client_of(auth: Any, service_type: str = "database") -> Any:
    return trove.Client(
        session=session.Session(auth=auth), service_type=service_type, region_name="RegionOne"
    )


@pytest.fixture(params=["v3", "v2", "Rackspace"])
def client(request: pytest.FixtureRequest, cloud: LiveCloud) -> Any:
    if request.param == "v3":
        return client_of(v3_password(cloud))
    return client_of(v2_password(cloud), "database" if request.param == "v2" else "rax:database")


def test_troveclient_leads_a_user_through_its_life(
    client: Any, cloud: LiveCloud, name: Callable[[str], str]
) -> None:
    user, new, first, second = name("0"), name("new"), name("0"), name("0")  # "0": on the first page
    instance = client.instances.get(cloud.instance).id
    client.databases.create(instance, [{"name": first}, {"name": second, "character_set": "utf8mb4"}])
    assert {first, second} <= {one.name for one in client.databases.list(instance)}
    client.users.create(instance, [{"name": user, "password": PASSWORD, "databases": [{"name": first}]}])
    listed = [one for one in client.users.list(instance, limit=20) if one.name == user]
    assert [(one.host, one.databases) for one in listed] == [("%", [{"name": first}])]
    client.users.grant(instance, user, [second])
    assert {one.name for one in client.users.list_access(instance, user)} == {first, second}
    assert cloud.sql("SELECT 1", user=user, password=PASSWORD, db=second) == [(1,)]
    client.users.revoke(instance, user, first)
    assert cloud.error(user=user, password=PASSWORD, db=first) == 1044
    client.users.change_passwords(instance, [{"name": user, "password": OTHER_PASSWORD}])
    assert [cloud.logs_in(user, word) for word in (PASSWORD, OTHER_PASSWORD)] == [False, True]
    client.users.update_attributes(instance, user, {"name": new, "host": "127.0.0.1"})
    shown = client.users.get(instance, new, "127.0.0.1")
    assert (shown.name, shown.host, shown.databases) == (new, "127.0.0.1", [{"name": second}])
    assert cloud.logs_in(new, OTHER_PASSWORD)
    client.users.delete(instance, new, "127.0.0.1")
    with pytest.raises(NotFound, match=f"User {new}@127.0.0.1 cannot be found on the instance"):
        client.users.get(instance, new, "127.0.0.1")
    assert cloud.accounts(new) == []
    for one in (first, second):
        client.databases.delete(instance, one)


def test_troveclient_is_told_why_a_user_is_not_made(cloud: LiveCloud, name: Callable[[str], str]) -> None:
    users, good = client_of(v3_password(cloud)).users, {"name": name("user"), "password": PASSWORD}
    for bad in ({"name": "root"}, {"name": "a,b"}, {"name": "x" * 17}, {"password": "';"}, {"host": "a_b"}):
        with pytest.raises(BadRequest):
            users.create(cloud.instance, [good, {"name": name("user"), "password": PASSWORD, **bad}])
    assert cloud.accounts(good["name"]) == []
    users.create(cloud.instance, [good])
    with pytest.raises(BadRequest, match=f'A user with the name "{good["name"]}" already exists'):
        users.create(cloud.instance, [good])
    users.delete(cloud.instance, good["name"])


def test_troveclient_reads_what_there_is(cloud: LiveCloud) -> None:
    client = client_of(v3_password(cloud))
    assert (cloud.instance, "ACTIVE") in [(one.id, one.status) for one in client.instances.list()]
    assert [one.name for one in client.flavors.list()] == ["local"]
    assert [one.name for one in client.datastores.list()] == ["mysql"]
    assert client.limits.list()[0].verb == "ABSOLUTE"
    with pytest.raises(HttpError) as refused:
        client.instances.resize_instance(cloud.instance, "2")
    assert refused.value.http_status == 501


def test_troveclient_enables_and_disables_root(client: Any, cloud: LiveCloud) -> None:
    root = client.root
    assert not root.is_root_enabled(cloud.instance).rootEnabled
    name, password = root.create(cloud.instance)
    try:
        assert root.is_root_enabled(cloud.instance).rootEnabled
        assert (name, cloud.logs_in("root", password)) == ("root", True)
        assert root.create_instance_root(cloud.instance, PASSWORD)[1] == PASSWORD
        assert cloud.logs_in("root", PASSWORD)
    finally:
        root.delete(cloud.instance)
    assert not root.is_root_enabled(cloud.instance).rootEnabled
    assert not cloud.logs_in("root", PASSWORD)


@pytest.mark.parametrize("mistake", [{"password": "wrong"}, {"username": "AKIDnobody"}])
def test_wrong_credentials_get_no_token(cloud: LiveCloud, mistake: dict[str, str]) -> None:
    for auth in (v3_password(cloud, **mistake), v2_password(cloud, **mistake)):
        with pytest.raises(Unauthorized):
            session.Session(auth=auth).get_token()


def test_openstacksdk_makes_users_and_databases(cloud: LiveCloud, name: Callable[[str], str]) -> None:
    database, user = name("db"), name("user")
    connection = openstack.connect(
        auth_url=cloud.settings["auth_url"],
        region_name="RegionOne",
        load_yaml_config=False,
        load_envvars=False,
        app_name="tests",
        project_id=cloud.tenant,
        user_domain_id="default",
        **credentials(cloud),
    )
    try:
        sdk = connection.database
        (instance,) = (one for one in sdk.instances() if one.id == cloud.instance)
        sdk.create_database(instance, name=database)
        sdk.create_user(instance, name=user, password=PASSWORD, databases=[{"name": database}])
        assert user in {one.name for one in sdk.users(instance)}
        assert database in {one.name for one in sdk.databases(instance)}
        assert [one.name for one in sdk.flavors()] == ["local"]
        assert sdk.get_instance(instance).is_root_enabled(sdk) is False
        root = sdk.get_instance(instance).enable_root_user(sdk)
        assert cloud.logs_in("root", root["password"])
        assert cloud("DELETE", "/root").status_code == 204
        assert connection.current_project_id == cloud.tenant
        sdk.delete_user(user, instance)
        sdk.delete_database(database, instance)
    finally:
        connection.close()
    assert cloud.accounts(user) == []


@pytest.fixture
def command_line(cloud: LiveCloud) -> Callable[..., str]:
    """`openstack ...` as a process of its own; what it prints. `more` is set in its environment."""
    words = {
        "auth_url": cloud.settings["auth_url"],
        "project_name": cloud.tenant,
        "region_name": "RegionOne",
        **DOMAINS,
        **credentials(cloud),
    }
    environment = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")}
    environment |= {f"OS_{key.upper()}": value for key, value in words.items()}

    def run(*arguments: str, **more: str) -> str:
        done = subprocess.run(
            [OPENSTACK, *arguments],
            env=environment | more,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            stdin=subprocess.DEVNULL,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def test_the_command_line_makes_lists_and_deletes_a_user(
    command_line: Callable[..., str], cloud: LiveCloud, name: Callable[[str], str]
) -> None:
    user, database = name("0"), cloud.database()  # the command line lists the first page only
    command_line("database", "user", "create", cloud.instance, user, PASSWORD, "--databases", database)
    listed = json.loads(command_line("database", "user", "list", cloud.instance, "-f", "json"))
    assert {"Name": user, "Host": "%", "Databases": database} in listed
    assert cloud.sql("SELECT 1", user=user, password=PASSWORD, db=database) == [(1,)]
    command_line("database", "user", "delete", cloud.instance, user)
    assert cloud.accounts(user) == []


@pytest.mark.parametrize("place", ["/v3", "/v3/", ""])
def test_each_service_is_listed_by_its_own_versions(
    command_line: Callable[..., str], cloud: LiveCloud, place: str
) -> None:
    """Wherever the cloud is entered."""
    rows = json.loads(command_line("versions", "show", "-f", "json", OS_AUTH_URL=cloud.endpoint + place))
    found = {(row["Service Type"], row["Version"], row["Endpoint"]) for row in rows}
    assert found == {
        ("database", "1.0", f"{cloud.endpoint}/database/v1.0/"),
        ("rax:database", "1.0", f"{cloud.endpoint}/database/v1.0/"),
        ("identity", "3.14", f"{cloud.endpoint}/v3/"),
        ("identity", "2.0", f"{cloud.endpoint}/v2.0/"),
    }
