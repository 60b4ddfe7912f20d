"""Requests to the database API as public reports have them, on a live MariaDB."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from functools import partial
from urllib.parse import quote

import pytest
from tests.clients.openstack_live import PASSWORD, LiveCloud
from tests.clients.petadata_cloud import word
from tests.conftest import Rolecall
from tests.waiting import until


@pytest.fixture(scope="module")
def cloud(rolecall: Rolecall) -> Iterator[LiveCloud]:
    live = LiveCloud(rolecall.endpoint, rolecall.ready["openstack"], rolecall.ready["engines"]["mysql"])
    yield live
    live.http.close()


@pytest.mark.parametrize("dot", [".", "%2E", "%2e"])
@pytest.mark.parametrize("suffix", ["json", "xml"])
def test_a_deletion_reaches_no_database_whose_name_is_the_beginning(
    cloud: LiveCloud, dot: str, suffix: str
) -> None:
    """Trove bugs 1252327 and 1652889."""
    plain = word("d")
    both = [{"name": plain}, {"name": f"{plain}.{suffix}"}]
    cloud.accepted("POST", "/databases", {"databases": both})
    cloud.sql(f"create table `{plain}`.precious (i int)")
    cloud.accepted("DELETE", f"/databases/{plain}{dot}{suffix}")
    assert cloud.sql(f"show databases like '{plain}%'") == [(plain,)]
    assert cloud.sql(f"show tables in `{plain}`") == [("precious",)]
    cloud.accepted("DELETE", f"/databases/{plain}")


def test_a_change_reaches_no_user_whose_name_is_the_beginning(cloud: LiveCloud) -> None:
    plain = word("u")[:10]
    cloud.accepted("POST", "/users", {"users": [{"name": plain, "password": PASSWORD}]})
    assert cloud.shown(f"/users/{plain}")["name"] == plain
    for spelling in (f"{plain}.json", f"{plain}%2Exml", f"{plain}%252ejson"):
        taken = {"user": {"name": "taken", "password": f"{PASSWORD}x"}}
        assert cloud.fault("PUT", f"/users/{spelling}", taken)[0] == 404
        assert cloud.fault("DELETE", f"/users/{spelling}")[0] == 404
        assert cloud.fault("DELETE", f"/users/{spelling}/databases/d")[0] == 404
    assert cloud.logs_in(plain, PASSWORD)
    cloud.accepted("DELETE", f"/users/{plain}")


def test_a_name_is_decoded_once(cloud: LiveCloud) -> None:
    stem = word("n")[:10]
    names = [f"{stem}%41", f"{stem}A"]
    cloud.accepted("POST", "/databases", {"databases": [{"name": each} for each in names]})
    cloud.accepted("DELETE", f"/databases/{stem}%2541")
    assert cloud.sql(f"show databases like '{stem}%'") == [(f"{stem}A",)]
    cloud.accepted("DELETE", f"/databases/{stem}A")


def test_the_region_of_an_instance_is_that_of_the_catalog(cloud: LiveCloud) -> None:
    credentials = {"username": cloud.settings["username"], "apiKey": cloud.settings["api_key"]}
    asked = {"auth": {"RAX-KSKEY:apiKeyCredentials": credentials}}
    access = cloud.http.post(f"{cloud.endpoint}/v2.0/tokens", json=asked).json()["access"]
    regions = {place["region"] for service in access["serviceCatalog"] for place in service["endpoints"]}
    assert {cloud.shown("")["region"], *(one["region"] for one in cloud.shown("//instances"))} == regions


@pytest.mark.parametrize(
    ("datastore", "told"),
    [
        ({"type": "mysql", "version": "mysql-5.7"}, "Datastore version 'mysql-5.7' cannot be found."),
        ({"type": "mariadb", "version": "99.1"}, "Datastore version '99.1' cannot be found."),
        ({"type": "mysql", "version": "1"}, "Datastore version '1' cannot be found."),
        ({"type": "redis"}, "Datastore 'redis' cannot be found."),
    ],
)
def test_a_datastore_that_is_not_offered_is_told_in_the_words_of_trove(
    cloud: LiveCloud, datastore: dict[str, str], told: str
) -> None:
    wanted = {"instance": {"name": "f07", "flavorRef": "1", "volume": {"size": 1}, "datastore": datastore}}
    assert cloud.fault("POST", "//instances", wanted) == (404, "itemNotFound", told)


def test_datastores_and_versions_are_told_apart_when_they_are_missing(cloud: LiveCloud) -> None:
    assert cloud.shown("//datastores/mariadb") == cloud.shown("//datastores/mysql")
    assert cloud.fault("GET", "//datastores/redis")[2] == "Datastore 'redis' cannot be found."
    told = cloud.fault("GET", "//datastores/mysql/versions/5.7")
    assert told == (404, "itemNotFound", "Datastore version '5.7' cannot be found.")


def test_the_version_that_an_instance_shows_is_one_to_ask_for(cloud: LiveCloud) -> None:
    """terraform-provider-openstack wants a type and a version, and people copy what they see."""
    shown = cloud.shown("")["datastore"]["version"]
    for type_, version in (("mysql", shown), ("mariadb", ".".join(shown.split(".")[:2]))):
        datastore = {"type": type_, "version": version}
        wanted = {
            "instance": {"name": "f07", "flavorRef": "1", "volume": {"size": 1}, "datastore": datastore}
        }
        answer = cloud("POST", "//instances", wanted)
        assert answer.status_code == 200, answer.text
        made = f"//instances/{answer.json()['instance']['id']}"
        until(lambda made=made: cloud.shown(made)["status"] == "ACTIVE")  # type: ignore[misc]
        cloud.accepted("DELETE", made)
        until(lambda made=made: cloud("GET", made).status_code == 404)  # type: ignore[misc]


@contextlib.contextmanager
def checking_passwords(cloud: LiveCloud) -> Iterator[None]:
    """While the server has a plugin of its own look at passwords."""
    cloud.sql("INSTALL SONAME 'simple_password_check'")
    try:
        yield
    finally:
        cloud.sql("UNINSTALL SONAME 'simple_password_check'")


def new_user(name: str, **more: object) -> dict[str, object]:
    return {"users": [{"name": name, "password": "Right-Horse-42", **more}]}


def test_a_server_that_takes_no_hashes_is_known_before_the_202(cloud: LiveCloud, rolecall: Rolecall) -> None:
    """ansible-collections/ansible.mysql#21, phpmyadmin/phpmyadmin#12366."""
    name, there = word("u")[:12], word("v")[:12]
    cloud.accepted("POST", "/users", new_user(there))
    assert cloud.shown(f"/users/{there}")["name"] == there
    until(lambda: cloud.accounts(there))
    with checking_passwords(cloud):
        for method, path, body in (
            ("POST", "/users", new_user(name)),
            ("PUT", f"/users/{there}", {"user": {"password": "Other-Horse-43"}}),
            ("PUT", "/users", new_user(there)),
        ):
            status, fault, message = cloud.fault(method, path, body)
            assert (status, fault) == (422, "unprocessableEntity"), (
                method,
                path,
                message,
                rolecall.cli("operation", "list", "--json").stdout[:1500],
            )
            assert "strict_password_validation" in message
        found = json.loads(rolecall.cli("doctor", "--json", check=False).stdout)
        mine = {rolecall.ready[dialect]["instance_id"] for dialect in ("aliyun", "openstack")}
        wanted = {f"instance {face} passwords" for face in mine}  # other tests may register the server too
        (bad,) = [one for one in found if one["check"] in wanted]
        assert not bad["ok"]
        assert "simple_password_check" in bad["detail"]
        assert "strict_password_validation=OFF" in bad["fix"]
        cloud.sql("SET GLOBAL strict_password_validation = OFF")
        try:
            cloud.accepted("POST", "/users", new_user(name))
            assert cloud.shown(f"/users/{name}")["name"] == name
            until(lambda: cloud.accounts(name))
        finally:
            cloud.sql("SET GLOBAL strict_password_validation = ON")
    assert cloud.logs_in(name, "Right-Horse-42")


def test_a_grant_on_a_pattern_of_databases_hides_nobody(cloud: LiveCloud) -> None:
    """phpmyadmin/phpmyadmin#12602, prisma/web#8264."""
    for pattern in ("prisma_migrate_shadow_db%", "sh%", "{name}\\_%"):
        name = word("p")[:12]
        cloud.accepted("POST", "/users", new_user(name))
        assert cloud.shown(f"/users/{name}")["name"] == name
        until(partial(cloud.accounts, name))
        granted = pattern.format(name=name)
        cloud.sql(f"GRANT CREATE, ALTER, DROP, REFERENCES ON `{granted}`.* TO '{name}'@'%'")
        assert name in [one["name"] for one in cloud.shown("/users?limit=1000&marker=" + name[:-1])]
        assert cloud.shown(f"/users/{name}")["name"] == name
        cloud.accepted("PUT", "/users", {"users": [{"name": name, "password": "Another-Horse-43"}]})
        assert cloud.logs_in(name, "Another-Horse-43")
        cloud.accepted("DELETE", f"/users/{name}")
        assert cloud.accounts(name) == []


@pytest.mark.parametrize("host", ["10.0.0.1/33", "10.0.0", "192.168.001.1", "fe80:0:0::1", "my_host"])
def test_what_is_listed_is_shown_changed_and_deleted_whatever_its_host(cloud: LiveCloud, host: str) -> None:
    name = word("h")[:12]
    cloud.sql(f"CREATE USER '{name}'@'{host}' IDENTIFIED BY 'Right-Horse-42'")
    database = cloud.database()
    user = f"/users/{name}@{quote(host, safe='')}"
    assert cloud.shown(user) == {"name": name, "host": host, "databases": []}
    body = {"users": [{"name": name, "host": host, "password": "Another-Horse-43"}]}
    before = cloud.sql(f"SELECT Priv FROM mysql.global_priv WHERE User = '{name}'")
    cloud.accepted("PUT", "/users", body)
    assert cloud.sql(f"SELECT Priv FROM mysql.global_priv WHERE User = '{name}'") != before
    cloud.accepted("PUT", f"{user}/databases", {"databases": [{"name": database}]})
    assert cloud.granted(name, host) == [f"`{database}`"]
    cloud.accepted("DELETE", f"{user}/databases/{database}")
    cloud.accepted("PUT", user, {"user": {"host": "10.1.%"}})
    assert cloud.accounts(name) == ["10.1.%"]
    cloud.accepted("DELETE", f"/users/{name}@10.1.%25")
    assert cloud.accounts(name) == []


def test_names_that_no_account_gets_are_refused_before_the_202(cloud: LiveCloud) -> None:
    """trove/extensions/common/common.py populate_users; dev-sec/ansible-collection-hardening#648."""
    administrator = cloud.engine["user"]
    exporter = word("e")[:12]
    cloud.sql(
        f"CREATE USER '{exporter}'@'%' IDENTIFIED BY 'x9'",
        f"GRANT PROCESS, REPLICATION CLIENT ON *.* TO '{exporter}'@'%'",
    )
    reserved = ["mysql", "public", "PUBLIC", "mariadb.sys", "mysql.sys", "mysql.session", administrator]
    good = word("g")[:12]
    try:
        for name in reserved:
            told = (400, "badRequest", f'User name "{name}" is on the reserved list.')
            assert cloud.fault("POST", "/users", new_user(name)) == told
            both = {"users": [*new_user(good)["users"], *new_user(name)["users"]]}  # type: ignore[misc]
            assert cloud.fault("POST", "/users", both) == told
        taken = (400, "badRequest", f'A user with the name "{exporter}" already exists.')
        assert cloud.fault("POST", "/users", new_user(exporter)) == taken
        assert cloud.fault("GET", f"/users/{good}")[0] == 404
        assert cloud.accounts(good) == []
    finally:
        cloud.sql(f"DROP USER '{exporter}'@'%'")


@pytest.mark.parametrize(
    ("host", "stored"),
    [
        ("192.168.1.%", "192.168.1.%"),
        ("192.%", "192.%"),
        ("app.Example.com", "app.example.com"),
        ("%.example.com", "%.example.com"),
        ("10.0.0.0/255.255.0.0", "10.0.0.0/255.255.0.0"),
        ("10.1.0.0/16", "10.1.0.0/255.255.0.0"),
        ("2001:DB8:0::1", "2001:db8::1"),
    ],
)
def test_a_host_has_one_spelling_from_the_promise_to_the_server(
    cloud: LiveCloud, host: str, stored: str
) -> None:
    name = word("m")[:12]
    cloud.accepted("POST", "/users", new_user(name, host=host))
    for spelling in (host, stored):
        assert cloud.shown(f"/users/{name}@{quote(spelling, safe='')}")["host"] == stored
    until(lambda: cloud.accounts(name) == [stored])  # a promise is shown before it is kept
    for spelling in (host, stored):
        assert cloud.fault("POST", "/users", new_user(name, host=spelling))[2].endswith("already exists.")
    cloud.accepted("PUT", "/users", new_user(name, host=host))
    cloud.accepted("DELETE", f"/users/{name}@{quote(host, safe='')}")
    assert cloud.accounts(name) == []
    twice = {"users": [*new_user(name, host=host)["users"], *new_user(name, host=stored)["users"]]}  # type: ignore[misc]
    assert cloud.fault("POST", "/users", twice)[0] == 400


@pytest.mark.parametrize("host", ["192.%.1.1", "disallowed_host", "10.0.0.1/33", "256.1.1.1", "%%", ""])
def test_a_host_that_no_client_could_have_is_refused(cloud: LiveCloud, host: str) -> None:
    told = (400, "badRequest", f"'{host}' is not a valid hostname.")
    assert cloud.fault("POST", "/users", new_user(word("n")[:12], host=host)) == told
