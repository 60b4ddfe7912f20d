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

# Guide, Examples 4.61 and 4.62, "Create User Request", as printed. No database of these names is there.
PAGE_XML = """<users xmlns="http://docs.openstack.org/database/api/v1.0">
<user password="password" name="dbuser1" database="databaseA"/>
<user host="10.0.0.1" password="password" name="dbuser2">
<databases>
<database name="databaseB"/>
<database name="databaseC"/>
</databases>
</user>
<user password="password" name="dbuser3" database="databaseD"/>
</users>"""
PAGE_JSON = """{
"users": [
{
"database": "databaseA",
"name": "dbuser1",
"password": "password"
},
{
"databases": [
{
"name": "databaseB"
},
{
"name": "databaseC"
}
],
"host": "10.0.0.1",
"name": "dbuser2",
"password": "password"
},
{
"database": "databaseD",
"name": "dbuser3",
"password": "password"
}
]
}"""
PAGE_USERS = ("dbuser1", "dbuser2@10.0.0.1", "dbuser3")


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


@pytest.mark.parametrize(("form", "body"), [("xml", PAGE_XML), ("json", PAGE_JSON)])
def test_the_guides_example_as_printed_makes_three_users_with_grants_that_open_the_databases_to_come(
    cloud: LiveCloud, form: str, body: str
) -> None:
    kind = f"application/{form}"
    answer = cloud("POST", "/users", body, Accept=kind, Content_Type=kind, User_Agent="python-reddwarfclient")
    assert (answer.status_code, answer.content) == (202, b"")
    assert (answer.headers["content-type"], answer.headers["content-length"]) == (kind, "0")
    listed = [one for one in cloud.shown("/users?marker=dbuser") if one["name"].startswith("dbuser")]
    assert listed == [
        {"name": "dbuser1", "host": "%", "databases": [{"name": "databaseA"}]},
        {"name": "dbuser2", "host": "10.0.0.1", "databases": [{"name": "databaseB"}, {"name": "databaseC"}]},
        {"name": "dbuser3", "host": "%", "databases": [{"name": "databaseD"}]},
    ]
    for one in PAGE_USERS:
        assert cloud.shown(f"/users/{one}")["name"] == one.partition("@")[0]
        # A change waits for the promised account, so that the server has all of them now.
        cloud.accepted("PUT", f"/users/{one}/databases", {"databases": []})
    assert cloud.granted("dbuser1") == ["`databaseA`"]
    assert cloud.granted("dbuser2", "10.0.0.1") == ["`databaseB`", "`databaseC`"]
    assert cloud.granted("dbuser3") == ["`databaseD`"]
    assert {one["name"] for one in cloud.shown("/databases")}.isdisjoint({f"database{one}" for one in "ABCD"})
    cloud.accepted("POST", "/databases", {"databases": [{"name": "databaseA"}]})
    assert cloud.sql("SELECT 1", user="dbuser1", password="password", db="databaseA") == [(1,)]
    assert cloud.error(user="dbuser3", password="password", db="databaseA") == DATABASE_DENIED
    assert cloud.error(user="dbuser2", password="password") == ACCESS_DENIED  # from another host
    cloud.accepted("DELETE", "/databases/databaseA")
    assert cloud.granted("dbuser1") == []
    for one in PAGE_USERS:
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


@pytest.mark.parametrize("escaped", ["@10.0.0.1", "%4010.0.0.1", "%4010%2e0%2e0%2e1"])
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


def test_a_host_that_is_escaped_twice_is_read_and_never_changed(
    cloud: LiveCloud, name: Callable[[str], str]
) -> None:
    """The guide has dots escaped twice. What was decoded once is no host; a change must name what it changes."""
    user = name("user")
    cloud.accepted("POST", "/users", {"users": [{"name": user, "password": PASSWORD, "host": "10.0.0.1"}]})
    twice = f"/users/{user}%4010%252e0%252e0%252e1"
    assert cloud.shown(twice)["host"] == "10.0.0.1"
    assert cloud.fault("DELETE", twice)[0] in (400, 404)
    assert cloud.fault("PUT", twice, {"user": {"password": OTHER_PASSWORD}})[0] in (400, 404)
    assert cloud.fault("GET", f"/users/{user}%4010%252e0%252e0%252e2")[0] == 404
    assert cloud.accounts(user) == ["10.0.0.1"]


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
    for _ in range(200):
        answer = cloud("GET", path).json()
        seen += [f"{one['name']}@{one['host']}" for one in answer["users"]]
        if "links" not in answer:
            break
        assert answer["links"] == answer["users_links"]
        (link,) = answer["links"]
        assert link["rel"] == "next"
        query = urlsplit(link["href"]).query
        last = answer["users"][-1]
        assert parse_qs(query)["marker"] == [f"{last['name']}@{last['host']}"]
        path = f"/users?{query}"
    assert [one for one in seen if one.startswith("paged")] == [f"paged{n}@%" for n in range(5)]
    assert len(seen) == len(set(seen))
    for one in users:
        cloud.accepted("DELETE", f"/users/{one['name']}")


def test_databases_are_made_with_their_character_set_listed_and_deleted(cloud: LiveCloud) -> None:
    wanted = '<database name="made_a" character_set="utf8mb4"/><database name="made_b"/>'
    body = f'<databases xmlns="{NAMESPACE}">{wanted}</databases>'
    assert cloud.xml("POST", "/databases", body).status_code == 202
    names = {one["name"] for one in cloud.shown("/databases?limit=1000&marker=made")}  # others leave more
    assert {"made_a", "made_b"} <= names
    assert names.isdisjoint({"mysql", "sys", "information_schema", "performance_schema", "rolecall_control"})
    asked = "SELECT DEFAULT_CHARACTER_SET_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = 'made_a'"
    assert cloud.sql(asked) == [("utf8mb4",)]
    again = {"databases": [{"name": "made_c"}, {"name": "made_a"}]}
    assert cloud.fault("POST", "/databases", again)[:2] == (400, "badRequest")
    wrong = {"databases": [{"name": "made_c", "character_set": "klingon"}]}
    assert cloud.fault("POST", "/databases", wrong)[:2] == (400, "badRequest")
    assert "made_c" not in {one["name"] for one in cloud.shown("/databases?marker=made")}
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


def test_a_grant_on_a_database_that_is_not_there_is_kept_shown_and_taken_like_any_other(
    cloud: LiveCloud, user: str, name: Callable[[str], str]
) -> None:
    kept, taken = name("k"), name("t")
    path = f"/users/{user}/databases"
    for _ in range(2):
        cloud.accepted("PUT", path, {"databases": [{"name": taken}, {"name": kept}]})
    cloud.accepted("DELETE", f"{path}/{taken}")
    assert cloud.fault("DELETE", f"{path}/{taken}")[:2] == (404, "itemNotFound")
    assert cloud.shown(path) == [{"name": kept}]
    assert cloud.error(user=user, password=PASSWORD, db=kept) != 0
    cloud.accepted("POST", "/databases", {"databases": [{"name": kept}, {"name": taken}]})
    assert cloud.sql("SELECT 1", user=user, password=PASSWORD, db=kept) == [(1,)]
    assert cloud.error(user=user, password=PASSWORD, db=taken) == DATABASE_DENIED
    for one in (kept, taken):
        cloud.accepted("DELETE", f"/databases/{one}")


@pytest.fixture
def root_off(cloud: LiveCloud) -> Iterator[None]:
    yield
    assert cloud("DELETE", "/root").status_code == 204


@pytest.mark.usefixtures("root_off")
def test_root_is_an_account_that_rules_the_databases_and_nothing_else(
    cloud: LiveCloud, rolecall: Rolecall
) -> None:
    assert cloud.shown("/root") is False
    enabled = [cloud("POST", "/root") for _ in range(2)]
    first, second = [answer.json()["user"] for answer in enabled]
    assert [answer.status_code for answer in enabled] == [200, 200]
    assert (first["name"], set(first)) == ("root", {"name", "password"})
    assert first["password"] != second["password"]
    assert cloud.shown("/root") is True
    assert not cloud.logs_in("root", first["password"])
    login = {"user": "root", "password": second["password"]}
    database = cloud.database()
    assert cloud.sql(f"CREATE TABLE {database}.t (n INT)", "SELECT CURRENT_USER()", **login) == [("root@%",)]
    assert cloud.error("SELECT * FROM rolecall_control.accounts", **login) == COMMAND_DENIED
    assert cloud.error("SELECT * FROM mysql.global_priv", **login) == COMMAND_DENIED
    assert cloud.error("CREATE USER nobody", **login) != 0
    assert {row[1] for row in cloud.sql("SHOW PROCESSLIST", **login)} == {"root"}
    assert "root" not in {one["name"] for one in cloud.shown("/users?marker=r")}
    assert cloud.fault("GET", "/users/root")[:2] == (400, "badRequest")
    answer = cloud("DELETE", "/root")
    assert (answer.status_code, answer.content) == (204, b"")
    assert cloud.shown("/root") is False
    assert not cloud.logs_in("root", second["password"])
    assert cloud.accounts("root") == []
    rows = json.loads(rolecall.cli("operation", "list", "--json").stdout)
    changes = [one["change"] for one in rows if one["target"] == "root@%"]
    assert changes[:3] == ["superuser.disable", "superuser.enable", "superuser.enable"]


@pytest.mark.usefixtures("root_off")
def test_root_takes_a_password_of_ones_own_in_both_formats(cloud: LiveCloud) -> None:
    given = cloud("POST", "/root", {"password": PASSWORD}).json()
    assert given == {"user": {"name": "root", "password": PASSWORD}}
    assert cloud.logs_in("root", PASSWORD)
    answer = cloud.xml("POST", "/root", f"<password>{OTHER_PASSWORD}</password>")
    assert answer.text == f'<user name="root" password="{OTHER_PASSWORD}" xmlns="{NAMESPACE}"/>\n'
    assert cloud.logs_in("root", OTHER_PASSWORD)
    assert cloud.xml("GET", "/root").text == f'<rootEnabled xmlns="{NAMESPACE}">\n    True\n</rootEnabled>\n'
    told = cloud.fault("POST", "/root", {"password": "with;semicolon"})
    assert told == (400, "badRequest", "The password is not valid.")
    made = cloud.xml("POST", "/root")
    assert cloud.logs_in("root", str(ET.fromstring(made.text).get("password")))


def test_instances_are_shown_and_renamed_and_not_resized(cloud: LiveCloud) -> None:
    (listed,) = (one for one in cloud.shown("//instances") if one["id"] == cloud.instance)
    shown = cloud.shown("")
    assert (listed["id"], listed["status"], listed["hostname"]) == (cloud.instance, "ACTIVE", "127.0.0.1")
    assert "MariaDB" in shown["datastore"]["version"]
    before = shown["name"]
    cloud.accepted("PUT", "", {"instance": {"name": "another"}})
    assert cloud.shown("")["name"] == "another"
    cloud.accepted("PATCH", "", {"instance": {"name": before}})
    resize = {"resize": {"flavorRef": "2"}}
    assert cloud.fault("POST", "/action", resize)[:2] == (501, "notImplemented")


def test_flavors_datastores_limits_and_versions_are_told(cloud: LiveCloud) -> None:
    (flavor,) = cloud.shown("//flavors")
    assert cloud.shown(f"//flavors/{flavor['id']}") == flavor
    (store,) = cloud.shown("//datastores")
    assert cloud.shown("//datastores/mysql") == store
    assert cloud.shown(f"//datastores/{store['id']}/versions") == store["versions"]
    assert cloud.shown("//limits")[0]["verb"] == "ABSOLUTE"
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
    assert cloud.instance in [one["id"] for one in listed.json()["instances"]]
