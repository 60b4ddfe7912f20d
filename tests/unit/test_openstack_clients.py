"""The OpenStack dialect driven by the clients' own code: python-troveclient, openstacksdk, python-openstackclient."""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
from tests.unit.openstack_cloud import INSTANCE, KEY_ID, KEY_SECRET, TENANT, Cloud, listening

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import openstack
    from keystoneauth1 import session
    from keystoneauth1.exceptions import Unauthorized
    from keystoneauth1.identity import v2, v3
    from openstackclient import shell
    from troveclient.v1 import client as trove

pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning", "ignore::PendingDeprecationWarning", "ignore::UserWarning"
)

PASSWORD = {"username": KEY_ID, "password": KEY_SECRET}
DOMAIN = {"user_domain_id": "default", "project_domain_id": "default", "project_name": str(TENANT)}


@pytest.fixture
def cloud() -> Cloud:
    return Cloud()


@pytest.fixture
def url(cloud: Cloud) -> Iterator[str]:
    with listening(cloud) as base:
        yield base


def troveclient(auth: Any, service_type: str = "database") -> Any:
    return trove.Client(
        session=session.Session(auth=auth), service_type=service_type, region_name="RegionOne"
    )


@pytest.fixture(
    params=["v3 password", "v3 application credential", "v2 password", "v2 for Rackspace"],
)
def client(request: pytest.FixtureRequest, url: str) -> Any:
    if request.param == "v3 password":
        return troveclient(v3.Password(f"{url}/v3", **PASSWORD, **DOMAIN))
    if request.param == "v3 application credential":
        return troveclient(
            v3.ApplicationCredential(f"{url}/v3", KEY_SECRET, application_credential_id=KEY_ID)
        )
    auth = v2.Password(f"{url}/v2.0", **PASSWORD, tenant_name=str(TENANT))
    return troveclient(auth, "rax:database" if request.param == "v2 for Rackspace" else "database")


def test_troveclient_makes_a_user_and_lists_it_at_once(client: Any, cloud: Cloud) -> None:
    client.users.create(INSTANCE, [{"name": "bob", "password": "secret1", "databases": [{"name": "shop"}]}])
    assert [(one.name, one.host, one.databases) for one in client.users.list(INSTANCE)] == [
        ("bob", "%", [{"name": "shop"}])
    ]
    assert cloud.server.passwords["bob", "%"] == "secret1"


@pytest.fixture
def connected(url: str) -> Any:
    return troveclient(v3.Password(f"{url}/v3", **PASSWORD, **DOMAIN))


def test_troveclient_goes_through_the_life_of_a_user(connected: Any, cloud: Cloud) -> None:
    users = connected.users
    users.create(INSTANCE, [{"name": "bob", "password": "secret1", "host": "10.0.0.1"}])
    shown = users.get(INSTANCE, "bob", "10.0.0.1")
    assert (shown.name, shown.host, shown.databases) == ("bob", "10.0.0.1", [])
    users.grant(INSTANCE, "bob", ["shop", "mail"], hostname="10.0.0.1")
    assert [one.name for one in users.list_access(INSTANCE, "bob", "10.0.0.1")] == ["mail", "shop"]
    users.revoke(INSTANCE, "bob", "mail", hostname="10.0.0.1")
    users.update_attributes(INSTANCE, "bob", {"name": "rob", "password": "secret2"}, hostname="10.0.0.1")
    assert cloud.server.accounts == {("rob", "10.0.0.1"): {"shop"}}
    users.change_passwords(INSTANCE, [{"name": "rob", "password": "secret3", "host": "10.0.0.1"}])
    assert cloud.server.passwords["rob", "10.0.0.1"] == "secret3"
    users.delete(INSTANCE, "rob", "10.0.0.1")
    assert cloud.server.accounts == {}
    with pytest.raises(Exception, match=r"User rob@10.0.0.1 cannot be found on the instance. \(HTTP 404\)"):
        users.get(INSTANCE, "rob", "10.0.0.1")


def test_troveclient_follows_the_pages(connected: Any) -> None:
    connected.users.create(INSTANCE, [{"name": f"u{n}", "password": "secret1"} for n in range(6)])
    first = connected.users.list(INSTANCE, limit=4)
    assert ([one.name for one in first], first.next) == (["u0", "u1", "u2", "u3"], "u3@%")
    second = connected.users.list(INSTANCE, limit=4, marker=first.next)
    assert ([one.name for one in second], second.next) == (["u4", "u5"], None)


def test_troveclient_manages_databases_and_root(connected: Any, cloud: Cloud) -> None:
    connected.databases.create(INSTANCE, [{"name": "shop", "character_set": "utf8mb4"}])
    assert [one.name for one in connected.databases.list(INSTANCE)] == ["shop"]
    connected.databases.delete(INSTANCE, "shop")
    assert not connected.root.is_root_enabled(INSTANCE).rootEnabled
    name, password = connected.root.create(INSTANCE)
    assert name == "root"
    assert password.startswith("made-")
    assert connected.root.is_root_enabled(INSTANCE).rootEnabled
    connected.root.disable_instance_root(INSTANCE)
    assert not cloud.server.root


def test_troveclient_reads_instances_and_tables(connected: Any) -> None:
    assert [(one.name, one.status) for one in connected.instances.list()] == [("shop", "ACTIVE")]
    assert connected.instances.get(INSTANCE).datastore == {"type": "mysql", "version": "10.11.6-MariaDB"}
    made = connected.instances.create(
        "mail",
        flavor_id="1",
        volume={"size": 1},
        databases=[{"name": "a1"}],
        users=[{"name": "u1", "password": "secret1", "databases": [{"name": "a1"}]}],
    )
    assert (made.name, made.status) == ("mail", "BUILD")
    connected.instances.update(made.id, name="post")
    assert connected.instances.get(made.id).name == "post"
    connected.instances.restart(made.id)
    with pytest.raises(Exception, match="501"):
        connected.instances.delete(made.id)
    assert [one.name for one in connected.flavors.list()] == ["local"]
    assert [one.name for one in connected.datastores.list()] == ["mysql"]
    assert [one.name for one in connected.datastore_versions.list("mysql")] == ["default"]
    assert connected.limits.list()[0].verb == "ABSOLUTE"


@pytest.mark.parametrize("mistake", [{"password": "wrong"}, {"username": "AKIDnobody"}])
def test_wrong_credentials_are_an_unauthorized_to_keystoneauth(url: str, mistake: dict[str, str]) -> None:
    for auth in (
        v3.Password(f"{url}/v3", **{**PASSWORD, **mistake}, **DOMAIN),
        v2.Password(f"{url}/v2.0", **{**PASSWORD, **mistake}, tenant_name=str(TENANT)),
    ):
        with pytest.raises(Unauthorized):
            session.Session(auth=auth).get_token()


def test_a_token_can_be_exchanged_for_another_and_dies_with_its_key(url: str, cloud: Cloud) -> None:
    first = session.Session(auth=v3.Password(f"{url}/v3", **PASSWORD, **DOMAIN)).get_token()
    again = v3.Token(f"{url}/v3", first, project_id=str(TENANT))
    client = troveclient(again)
    assert client.users.list(INSTANCE) == []
    key = cloud.repository.known.pop(KEY_ID)
    with pytest.raises(Exception, match="401"):
        client.users.list(INSTANCE)
    cloud.repository.known[KEY_ID] = key


@pytest.fixture
def sdk(url: str) -> Iterator[Any]:
    connection = openstack.connect(
        auth_url=f"{url}/v3",
        region_name="RegionOne",
        load_yaml_config=False,
        load_envvars=False,
        app_name="tests",
        **PASSWORD,
        **DOMAIN,
    )
    yield connection
    connection.close()


def test_openstacksdk_makes_users_and_databases(sdk: Any, cloud: Cloud) -> None:
    database = sdk.database
    database.create_database(INSTANCE, name="shop")
    database.create_user(INSTANCE, name="bob", password="secret1", databases=[{"name": "shop"}])
    assert cloud.server.accounts == {("bob", "%"): {"shop"}}
    assert [one.name for one in database.users(INSTANCE)] == ["bob"]
    assert [one.name for one in database.databases(INSTANCE)] == ["shop"]
    assert [one.name for one in database.instances()] == ["shop"]
    assert database.get_instance(INSTANCE).status == "ACTIVE"
    assert [one.name for one in database.flavors()] == ["local"]
    database.delete_user("bob", INSTANCE)
    database.delete_database("shop", INSTANCE)
    assert (cloud.server.accounts, cloud.server.databases) == ({}, ["mysql", "sys"])


def test_openstacksdk_walks_through_all_pages(sdk: Any, cloud: Cloud) -> None:
    cloud.server.accounts.update({(f"u{n:02}", "%"): set() for n in range(45)})
    assert [one.name for one in sdk.database.users(INSTANCE)] == [f"u{n:02}" for n in range(45)]


def test_openstacksdk_restarts_and_enables_root(sdk: Any) -> None:
    instance = sdk.database.get_instance(INSTANCE)
    instance.restart(sdk.database)
    assert instance.is_root_enabled(sdk.database) is False
    assert instance.enable_root_user(sdk.database)["name"] == "root"
    assert instance.is_root_enabled(sdk.database) is True


def test_openstacksdk_finds_identity_from_the_bare_root(url: str) -> None:
    connection = openstack.connect(
        auth_url=url,
        load_yaml_config=False,
        load_envvars=False,
        region_name="RegionOne",
        **PASSWORD,
        **DOMAIN,
    )
    assert connection.current_project_id == str(TENANT)
    connection.close()


@pytest.fixture
def command_line(url: str, capsys: pytest.CaptureFixture[str]) -> Iterator[Any]:
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)

    def run(*words: str) -> Any:
        options = [
            f"--os-auth-url={url}/v3",
            f"--os-username={KEY_ID}",
            f"--os-password={KEY_SECRET}",
            f"--os-project-name={TENANT}",
            "--os-user-domain-id=default",
            "--os-project-domain-id=default",
            "--os-region-name=RegionOne",
        ]
        asks_json = ["-f", "json"] if words[-1] == "--json" else []
        status = shell.main([*options, "database", *[one for one in words if one != "--json"], *asks_json])
        printed = capsys.readouterr()
        assert status == 0, printed.err
        return json.loads(printed.out) if asks_json else printed.out

    yield run
    root.setLevel(level)  # the program sets both for its process
    root.handlers[:] = handlers


def test_the_command_line_makes_shows_and_deletes_a_user(command_line: Any, cloud: Cloud) -> None:
    command_line("user", "create", "shop", "bob", "secret1", "--databases", "a1", "a2")
    assert command_line("user", "list", INSTANCE, "--json") == [
        {"Name": "bob", "Host": "%", "Databases": "a1, a2"}
    ]
    command_line("user", "grant", "access", INSTANCE, "bob", "a3")
    command_line("user", "revoke", "access", INSTANCE, "bob", "a1")
    assert cloud.server.accounts == {("bob", "%"): {"a2", "a3"}}
    assert command_line("instance", "show", "shop", "--json")["status"] == "ACTIVE"
    command_line("user", "delete", INSTANCE, "bob")
    assert cloud.server.accounts == {}
