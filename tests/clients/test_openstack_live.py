"""Database v1.0 by plain HTTP, in JSON and in XML as the guide prints it, over a real MariaDB server."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from tests.clients.openstack_live import NAMESPACE, OTHER_PASSWORD, PASSWORD, LiveCloud
from tests.conftest import Rolecall

ACCESS_DENIED, DATABASE_DENIED, COMMAND_DENIED = 1045, 1044, 1142

# Guide, Examples 4.61 and 4.62, "Create User Request"; the names of databases are filled in.
PAGE_XML = """<users xmlns="http://docs.openstack.org/database/api/v1.0">
<user password="password" name="dbuser1" database="{A}"/>
<user host="10.0.0.1" password="password" name="dbuser2">
<databases>
<database name="{B}"/>
<database name="{C}"/>
</databases>
</user>
<user password="password" name="dbuser3" database="{D}"/>
</users>"""
PAGE_JSON = """{
"users": [
{
"database": "%(A)s",
"name": "dbuser1",
"password": "password"
},
{
"databases": [
{
"name": "%(B)s"
},
{
"name": "%(C)s"
}
],
"host": "10.0.0.1",
"name": "dbuser2",
"password": "password"
},
{
"database": "%(D)s",
"name": "dbuser3",
"password": "password"
}
]
}"""
PAGE_DATABASES = {letter: f"database{letter}" for letter in "ABCD"}


@pytest.fixture(scope="module")
def cloud(rolecall: Rolecall) -> Iterator[LiveCloud]:
    live = LiveCloud(rolecall.endpoint, rolecall.ready["openstack"], rolecall.ready["engines"]["mysql"])
    yield live
    live.http.close()


@pytest.fixture
def user(cloud: LiveCloud, name: Callable[[str], str]) -> str:
    """A user without databases."""
    made = name("user")
    cloud.accepted("POST", "/users", {"users": [{"name": made, "password": PASSWORD}]})
    return made


@pytest.fixture(scope="module")
def page_databases(cloud: LiveCloud) -> Iterator[None]:
    cloud.accepted("POST", "/databases", {"databases": [{"name": one} for one in PAGE_DATABASES.values()]})
    yield
    for one in PAGE_DATABASES.values():
        cloud.accepted("DELETE", f"/databases/{one}")


@pytest.mark.parametrize("form", ["xml", "json"])
@pytest.mark.usefixtures("page_databases")
def test_the_guides_example_makes_three_users_that_are_listed_at_once_and_log_in(
    cloud: LiveCloud, form: str
) -> None:
    kind = f"application/{form}"
    body = PAGE_XML.format(**PAGE_DATABASES) if form == "xml" else PAGE_JSON % PAGE_DATABASES
    answer = cloud("POST", "/users", body, Accept=kind, Content_Type=kind, User_Agent="python-reddwarfclient")
    assert (answer.status_code, answer.content) == (202, b"")
    assert (answer.headers["content-type"], answer.headers["content-length"]) == (kind, "0")
    listed = [one for one in cloud.shown("/users?marker=dbuser") if one["name"].startswith("dbuser")]
    assert listed == [
        {"name": "dbuser1", "host": "%", "databases": [{"name": "databaseA"}]},
        {"name": "dbuser2", "host": "10.0.0.1", "databases": [{"name": "databaseB"}, {"name": "databaseC"}]},
        {"name": "dbuser3", "host": "%", "databases": [{"name": "databaseD"}]},
    ]
    for one in ("dbuser1", "dbuser2@10.0.0.1", "dbuser3"):
        shown = cloud.shown(f"/users/{one}")
        assert shown["name"] == one.partition("@")[0]
    # A change waits for the promised account, so that the server has all of them now.
    cloud.accepted("PUT", "/users/dbuser3/databases", {"databases": []})
    assert cloud.sql("SELECT 1", user="dbuser1", password="password", db="databaseA") == [(1,)]
    assert cloud.error(user="dbuser1", password="password", db="databaseB") == DATABASE_DENIED
    assert cloud.error(user="dbuser2", password="password") == ACCESS_DENIED  # from another host
    for one in ("dbuser1", "dbuser2@10.0.0.1", "dbuser3"):
        cloud.accepted("DELETE", f"/users/{one}")
    assert [cloud.accounts(one) for one in ("dbuser1", "dbuser2", "dbuser3")] == [[], [], []]


def test_a_user_may_do_everything_on_its_database_and_nothing_on_one_whose_name_its_wildcards_match(
    cloud: LiveCloud, name: Callable[[str], str]
) -> None:
    mine, user = cloud.database("shop"), name("user")
    other = mine.replace("_", "x")
    cloud.accepted("POST", "/databases", {"databases": [{"name": other}]})
    cloud.accepted("POST", "/users", {"users": [{"name": user, "password": PASSWORD, "database": mine}]})
    cloud.accepted("PUT", f"/users/{user}/databases", {"databases": []})
    login = {"user": user, "password": PASSWORD}
    rows = cloud.sql(
        f"USE {mine}", "CREATE TABLE t (n INT)", "INSERT INTO t VALUES (3)", "SELECT n FROM t", **login
    )
    assert rows == [(3,)]
    assert cloud.error(f"USE {other}", **login) == DATABASE_DENIED
    assert cloud.error(f"CREATE DATABASE {mine}2", **login) == DATABASE_DENIED
    assert cloud.error("SELECT * FROM mysql.global_priv", **login) == COMMAND_DENIED
    assert cloud.error("CREATE USER nobody", **login) != 0
    assert cloud.error(f"GRANT SELECT ON {mine}.* TO CURRENT_USER", **login) != 0
    databases = {database for (database,) in cloud.sql("SHOW DATABASES", **login)}
    assert databases == {"information_schema", mine}


def test_grants_are_listed_given_again_and_taken_once(cloud: LiveCloud, user: str) -> None:
    first, second = sorted([cloud.database("mail"), cloud.database("news")])
    path = f"/users/{user}/databases"
    for _ in range(2):
        cloud.accepted("PUT", path, {"databases": [{"name": first}, {"name": second}]})
    assert cloud.shown(path) == [{"name": first}, {"name": second}]
    assert cloud.sql("SELECT 1", user=user, password=PASSWORD, db=second) == [(1,)]
    cloud.accepted("DELETE", f"{path}/{first}")
    missing = f"Database {first} cannot be found on the instance."
    assert cloud.fault("DELETE", f"{path}/{first}") == (404, "itemNotFound", missing)
    assert cloud.shown(path) == [{"name": second}]
    assert cloud.error(user=user, password=PASSWORD, db=first) == DATABASE_DENIED
    absent = {"databases": [{"name": "absent_db"}]}
    assert cloud.fault("PUT", path, absent)[:2] == (404, "itemNotFound")
    assert cloud.fault("PUT", "/users/nobody/databases", {"databases": []})[:2] == (404, "itemNotFound")


def test_a_password_changed_twice_is_the_last_one_at_the_server(cloud: LiveCloud, user: str) -> None:
    cloud.accepted("PUT", "/users", {"users": [{"name": user, "password": "between1"}]})
    cloud.accepted("PUT", f"/users/{user}", {"user": {"password": OTHER_PASSWORD}})
    logins = [cloud.logs_in(user, word) for word in (PASSWORD, "between1", OTHER_PASSWORD)]
    assert logins == [False, False, True]


def test_no_password_changes_when_one_of_the_users_is_unknown(cloud: LiveCloud, user: str) -> None:
    both = [{"name": user, "password": OTHER_PASSWORD}, {"name": "nobody", "password": OTHER_PASSWORD}]
    told = (404, "itemNotFound", "User nobody@% cannot be found on the instance.")
    assert cloud.fault("PUT", "/users", {"users": both}) == told
    assert cloud.logs_in(user, PASSWORD)


def test_a_renamed_user_keeps_password_and_databases_and_its_old_name_is_free(
    cloud: LiveCloud, user: str, name: Callable[[str], str]
) -> None:
    database, new = cloud.database(), name("new")
    cloud.accepted("PUT", f"/users/{user}/databases", {"databases": [{"name": database}]})
    cloud.accepted("PUT", f"/users/{user}", {"user": {"name": new}})
    assert cloud.sql("SELECT 1", user=new, password=PASSWORD, db=database) == [(1,)]
    assert cloud.accounts(user) == []
    cloud.accepted("PUT", f"/users/{new}", {"user": {"host": "127.0.0.1", "password": OTHER_PASSWORD}})
    assert cloud.accounts(new) == ["127.0.0.1"]
    assert cloud.logs_in(new, OTHER_PASSWORD)
    assert cloud.fault("GET", f"/users/{new}")[0] == 404
    cloud.accepted("POST", "/users", {"users": [{"name": new, "password": PASSWORD}]})
    taken = {"user": {"host": "%"}}
    assert cloud.fault("PUT", f"/users/{new}@127.0.0.1", taken)[:2] == (400, "badRequest")


@pytest.mark.parametrize(
    "escaped", ["@10.0.0.1", "%4010.0.0.1", "%4010%2e0%2e0%2e1", "%4010%252e0%252e0%252e1"]
)
def test_a_user_at_a_host_is_found_however_its_address_is_escaped(
    cloud: LiveCloud, name: Callable[[str], str], escaped: str
) -> None:
    both = name("user")
    users = [{"name": both, "password": PASSWORD}, {"name": both, "password": PASSWORD, "host": "10.0.0.1"}]
    cloud.accepted("POST", "/users", {"users": users})
    assert cloud.shown(f"/users/{both}{escaped}")["host"] == "10.0.0.1"
    assert cloud.shown(f"/users/{both}%40%25")["host"] == "%"
    cloud.accepted("DELETE", f"/users/{both}{escaped}")
    assert cloud.accounts(both) == ["%"]


@pytest.mark.parametrize("odd", ["a b#{}?", "a@b{}", "d.ot-{}"])
def test_names_with_the_guides_inner_characters_become_accounts(
    cloud: LiveCloud, name: Callable[[str], str], odd: str
) -> None:
    wanted = odd.format(name("")[1:6])
    wanted += "z" if wanted[-1] == "?" else ""
    cloud.accepted("POST", "/users", {"users": [{"name": wanted, "password": PASSWORD}]})
    segment = "".join(f"%{ord(one):02x}" for one in f"{wanted}@%")
    assert cloud.shown(f"/users/{segment}") == {"name": wanted, "host": "%", "databases": []}
    cloud.accepted("PUT", f"/users/{segment}/databases", {"databases": []})
    assert cloud.logs_in(wanted, PASSWORD)
    cloud.accepted("DELETE", f"/users/{segment}")


def test_a_deleted_user_is_gone_at_once_and_starts_anew(cloud: LiveCloud, user: str) -> None:
    database = cloud.database()
    cloud.accepted("PUT", f"/users/{user}/databases", {"databases": [{"name": database}]})
    cloud.accepted("DELETE", f"/users/{user}")
    assert [cloud.fault(method, f"/users/{user}")[0] for method in ("GET", "DELETE")] == [404, 404]
    assert not cloud.logs_in(user, PASSWORD)
    cloud.accepted("POST", "/users", {"users": [{"name": user, "password": PASSWORD}]})
    assert cloud.shown(f"/users/{user}/databases") == []


def test_every_page_of_a_list_leads_to_the_next_and_the_last_to_none(cloud: LiveCloud) -> None:
    users = [{"name": f"paged{n}", "password": PASSWORD} for n in range(5)]
    cloud.accepted("POST", "/users", {"users": users})
    seen: list[str] = []
    path: str = "/users?limit=2&marker=paged"
    for _ in range(20):
        answer = cloud("GET", path).json()
        seen += [one["name"] for one in answer["users"]]
        if "links" not in answer:
            break
        assert answer["links"] == answer["users_links"]
        (link,) = answer["links"]
        assert link["rel"] == "next"
        query = urlsplit(link["href"]).query
        assert parse_qs(query)["marker"] == [f"{seen[-1]}@%"]
        path = f"/users?{query}"
    assert [one for one in seen if one.startswith("paged")] == [f"paged{n}" for n in range(5)]
    assert len(seen) == len(set(seen))
    for one in users:
        cloud.accepted("DELETE", f"/users/{one['name']}")


def test_databases_are_made_with_their_character_set_listed_and_deleted(cloud: LiveCloud) -> None:
    wanted = '<database name="made_a" character_set="utf8mb4"/><database name="made_b"/>'
    body = f'<databases xmlns="{NAMESPACE}">{wanted}</databases>'
    assert cloud.xml("POST", "/databases", body).status_code == 202
    names = {one["name"] for one in cloud.shown("/databases")}
    assert {"made_a", "made_b"} <= names
    assert names.isdisjoint({"mysql", "sys", "information_schema", "performance_schema", "rolecall_control"})
    asked = "SELECT DEFAULT_CHARACTER_SET_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = 'made_a'"
    assert cloud.sql(asked) == [("utf8mb4",)]
    again = {"databases": [{"name": "made_c"}, {"name": "made_a"}]}
    assert cloud.fault("POST", "/databases", again)[:2] == (400, "badRequest")
    wrong = {"databases": [{"name": "made_c", "character_set": "klingon"}]}
    assert cloud.fault("POST", "/databases", wrong)[:2] == (400, "badRequest")
    assert "made_c" not in {one["name"] for one in cloud.shown("/databases")}
    assert cloud.fault("GET", "/databases/made_a")[:2] == (501, "notImplemented")
    for one in ("made_a", "made_b"):
        cloud.accepted("DELETE", f"/databases/{one}")
    assert cloud.fault("DELETE", "/databases/made_a")[:2] == (404, "itemNotFound")


def test_documents_in_xml_have_the_guides_layout(cloud: LiveCloud, user: str) -> None:
    database = cloud.database()
    cloud.accepted("PUT", f"/users/{user}/databases", {"databases": [{"name": database}]})
    answer = cloud.xml("GET", f"/users/{user}")
    assert answer.headers["content-type"] == "application/xml"
    assert answer.text == (
        f'<user host="%" name="{user}" xmlns="{NAMESPACE}">\n'
        f'    <databases>\n        <database name="{database}"/>\n    </databases>\n</user>\n'
    )
    root = cloud("GET", "/root.xml")
    assert root.text == f'<rootEnabled xmlns="{NAMESPACE}">\n    False\n</rootEnabled>\n'
    for path in ("/users", "/databases", "", "//flavors", "//limits", "//instances", "//datastores"):
        tree = ET.fromstring(cloud.xml("GET", path).text)
        assert tree.tag.startswith(f"{{{NAMESPACE}}}")


def test_the_servers_own_superuser_is_never_enabled(cloud: LiveCloud) -> None:
    assert cloud.shown("/root") is False
    told = (422, "unprocessableEntity", "Operation not supported for this datastore.")
    assert [cloud.fault(method, "/root") for method in ("POST", "DELETE")] == [told, told]
    assert cloud.shown("/root") is False


def test_instances_are_shown_renamed_and_not_made_or_unmade(cloud: LiveCloud, rolecall: Rolecall) -> None:
    (listed,) = cloud.shown("//instances")
    shown = cloud.shown("")
    assert (listed["id"], listed["status"], listed["hostname"]) == (cloud.instance, "ACTIVE", "127.0.0.1")
    assert "MariaDB" in shown["datastore"]["version"]
    before = shown["name"]
    cloud.accepted("PUT", "", {"instance": {"name": "another"}})
    assert cloud.shown("")["name"] == "another"
    cloud.accepted("PATCH", "", {"instance": {"name": before}})
    new = {"instance": {"name": "new", "flavorRef": "1", "volume": {"size": 1}}}
    refusals = [
        cloud.fault("POST", "//instances", new),
        cloud.fault("DELETE", ""),
        cloud.fault("POST", "/action", {"restart": {}}),
        cloud.fault("POST", "/action", {"resize": {"flavorRef": "2"}}),
    ]
    assert [one[:2] for one in refusals] == [(501, "notImplemented")] * 4
    assert rolecall.process.poll() is None


def test_flavors_datastores_limits_and_versions_are_told(cloud: LiveCloud) -> None:
    (flavor,) = cloud.shown("//flavors")
    assert cloud.shown(f"//flavors/{flavor['id']}") == flavor
    (store,) = cloud.shown("//datastores")
    assert cloud.shown("//datastores/mysql") == store
    assert cloud.shown(f"//datastores/{store['id']}/versions") == store["versions"]
    assert [one["verb"] for one in cloud.shown("//limits")] == ["ABSOLUTE", "DELETE", "GET", "POST", "PUT"]
    for path, status in (("/", 300), ("/v3", 200), ("/v3/", 200), ("/v2.0", 200), ("/v1.0/", 200)):
        answer = cloud.http.get(cloud.endpoint + path, headers={"Accept": "application/json"})
        assert (path, answer.status_code) == (path, status)
        assert json.dumps(answer.json()).count(cloud.endpoint) >= 1
    answer = cloud.http.get(cloud.endpoint + "/", headers={"X-Auth-Token": cloud.token})
    assert [one["id"] for one in answer.json()["versions"]] == ["v1.0"]


@pytest.mark.parametrize(
    "credentials",
    [
        {"passwordCredentials": {"username": "{username}", "password": "{password}"}},
        {
            "passwordCredentials": {"username": "{username}", "password": "{password}"},
            "tenantName": "{tenant_id}",
        },
        {"RAX-KSKEY:apiKeyCredentials": {"username": "{username}", "apiKey": "{api_key}"}},
    ],
)
def test_identity_v2_leads_to_the_databases(cloud: LiveCloud, credentials: Any) -> None:
    body = json.dumps({"auth": credentials})
    for key, value in cloud.settings.items():
        body = body.replace(f"{{{key}}}", value)
    answer = cloud.http.post(
        f"{cloud.endpoint}/v2.0/tokens", content=body, headers={"Content-Type": "application/json"}
    )
    access = answer.json()["access"]
    (service,) = (one for one in access["serviceCatalog"] if one["type"] == "rax:database")
    url = service["endpoints"][0]["publicURL"]
    assert url == cloud.settings["database_url"]
    listed = cloud.http.get(f"{url}/instances", headers={"x-auth-token": access["token"]["id"]})
    assert [one["id"] for one in listed.json()["instances"]] == [cloud.instance]
