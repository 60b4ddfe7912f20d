"""Database v1.0 over the whole river but its engine: the conformance table, and what a bad request is told."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from tests.unit.openstack_cloud import BUILDING, INSTANCE, KEY_ID, KEY_SECRET, TENANT, Cloud

from rolecall.dialects.openstack.xml_bodies import NAMESPACE
from rolecall.values import Reply

UNKNOWN = "11111111-2222-4333-8444-555555555555"
PAGE_XML = """<users xmlns="http://docs.openstack.org/database/api/v1.0">
<user password="password" name="dbuser1" database="databaseA"/>
<user host="10.0.0.1" password="password" name="dbuser2">
<databases>
<database name="databaseB"/>
<database name="databaseC"/>
</databases>
</user>
<user password="password" name="dbuser3" database="databaseD"/>
</users>
"""
PAGE_JSON = {
    "users": [
        {"database": "databaseA", "name": "dbuser1", "password": "password"},
        {
            "databases": [{"name": "databaseB"}, {"name": "databaseC"}],
            "host": "10.0.0.1",
            "name": "dbuser2",
            "password": "password",
        },
        {"database": "databaseD", "name": "dbuser3", "password": "password"},
    ]
}
PAGE_USERS = {
    ("dbuser1", "%"): {"databaseA"},
    ("dbuser2", "10.0.0.1"): {"databaseB", "databaseC"},
    ("dbuser3", "%"): {"databaseD"},
}
BOB = {"name": "bob", "password": "secret1"}


class Caller:
    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.token = cloud.token()

    def __call__(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        instance: str | None = INSTANCE,
        **headers: str,
    ) -> Reply:
        """`path` is relative to the instance, or to the tenant if there is none; `_` in a header's name is ``-``."""
        root = f"/v1.0/{TENANT}" + (f"/instances/{instance}" if instance else "")
        raw = body if isinstance(body, bytes | str) else json.dumps(body) if body is not None else b""
        kind = {"Content-Type": "application/json"} if raw else {}
        sent = {"X-Auth-Token": self.token, **kind}
        sent.update({name.replace("_", "-"): value for name, value in headers.items()})
        return self.cloud.send(method, root + path, raw, headers=sent)

    def xml(self, method: str, path: str, body: str | bytes = "", **how: Any) -> Reply:
        return self(method, path, body, Accept="application/xml", Content_Type="application/xml", **how)


@pytest.fixture
def cloud() -> Cloud:
    return Cloud()


@pytest.fixture
def call(cloud: Cloud) -> Caller:
    return Caller(cloud)


def said(reply: Reply) -> Any:
    return json.loads(reply.body)


def fault(reply: Reply) -> tuple[int, str, str]:
    """Status, name and message; the status stands in the document too."""
    ((name, inside),) = said(reply).items()
    assert inside["code"] == reply.status
    assert reply.code == name
    return reply.status, name, inside["message"]


def users(*changes: dict[str, object]) -> dict[str, object]:
    return {"users": [{**BOB, **change} for change in changes]}


# Creating users


def test_the_vendor_pages_json_example_is_accepted_and_grants(call: Caller, cloud: Cloud) -> None:
    reply = call("POST", "/users", json.dumps(PAGE_JSON, indent=4), Accept="application/json")
    assert (reply.status, reply.body, dict(reply.headers)["content-type"]) == (202, b"", "application/json")
    assert cloud.server.accounts == PAGE_USERS


def test_the_vendor_pages_xml_example_is_accepted_and_grants(call: Caller, cloud: Cloud) -> None:
    reply = call.xml("POST", "/users", PAGE_XML)
    assert (reply.status, reply.body, dict(reply.headers)["content-type"]) == (202, b"", "application/xml")
    assert cloud.server.accounts == PAGE_USERS


def test_an_empty_list_is_accepted(call: Caller) -> None:
    assert call("POST", "/users", {"users": []}).status == 202


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": ""}, "'' is not a valid user name."),
        ({"name": "@@@"}, "'@@@' is not a valid user name."),
        ({"name": "a" * 17}, f"User name '{'a' * 17}' is too long. Max length = 16."),
        ({"name": "user,"}, "'user,' is not a valid user name."),
        ({"name": " " * 5}, "'     ' is not a valid user name."),
        ({"name": "bob "}, "'bob ' is not a valid user name."),
        ({"name": "#bob"}, "'#bob' is not a valid user name."),
        ({"name": "bøb"}, "'bøb' is not a valid user name."),
        ({"name": "---"}, "'---' is not a valid user name."),
        ({"name": "root"}, 'User name "root" is on the reserved list.'),
        ({"name": "os_admin"}, 'User name "os_admin" is on the reserved list.'),
        ({"name": "ROOT"}, 'User name "ROOT" is on the reserved list.'),
        ({"name": 7}, "Validation error: users[0]['name'] '7' is not of type 'string'"),
        ({"password": ""}, "The password is not valid."),
        ({"password": "sdf,;"}, "The password is not valid."),
        ({"password": " secret"}, "The password is not valid."),
        ({"password": "secret?"}, "The password is not valid."),
        ({"password": 5}, "Validation error: users[0]['password'] '***' is not of type 'string'"),
        ({"host": "disallowed_host"}, "'disallowed_host' is not a valid hostname."),
        ({"host": "192.%.1.1"}, "'192.%.1.1' is not a valid hostname."),
        ({"host": "256.0.0.1"}, "'256.0.0.1' is not a valid hostname."),
        ({"host": "10.0.0.1 "}, "'10.0.0.1 ' is not a valid hostname."),
        ({"host": "10.0.0.1/33"}, "'10.0.0.1/33' is not a valid hostname."),
        ({"host": ""}, "'' is not a valid hostname."),
        ({"host": None}, "Validation error: users[0]['host'] 'None' is not of type 'string'"),
        ({"databases": [{}]}, "Validation error: users[0]['databases'][0] 'name' is a required property"),
        ({"databases": ["a1"]}, "Validation error: users[0]['databases'][0] 'a1' is not of type 'object'"),
        ({"databases": [{"name": "a;b"}]}, "'a;b' is not a valid database name."),
        ({"databases": [{"name": "a" * 65}]}, f"'{'a' * 65}' is not a valid database name."),
        ({"databases": [{"name": "mysql"}]}, 'Database name "mysql" is on the reserved list.'),
        ({"database": ""}, "'' is not a valid database name."),
    ],
)
def test_a_bad_user_is_refused_before_the_202_and_nothing_of_the_list_happens(
    call: Caller, cloud: Cloud, change: dict[str, object], message: str
) -> None:
    good = [{"name": "good1", "password": "secret1"}, {"name": "good2", "password": "secret1"}]
    alone = call("POST", "/users", users(change))
    assert fault(alone) == (400, "badRequest", message)
    assert fault(call("POST", "/users", {"users": [*good, *users(change)["users"]]}))[0] == 400  # type: ignore[misc]
    assert cloud.server.accounts == {}


def test_a_user_without_a_name_or_password_is_refused(call: Caller) -> None:
    for key in ("name", "password"):
        reply = call("POST", "/users", {"users": [{name: BOB[name] for name in BOB if name != key}]})
        assert fault(reply)[2] == f"Validation error: users[0] '{key}' is a required property"


def test_a_database_named_twice_for_a_user_is_refused(call: Caller) -> None:
    reply = call("POST", "/users", users({"databases": [{"name": "a1"}, {"name": "a1"}]}))
    assert fault(reply)[:2] == (400, "badRequest")


def test_the_shorthand_beside_the_list_grants_both(call: Caller, cloud: Cloud) -> None:
    assert call("POST", "/users", users({"database": "a1", "databases": [{"name": "a2"}]})).status == 202
    assert cloud.server.accounts == {("bob", "%"): {"a1", "a2"}}


@pytest.mark.parametrize(
    "change",
    [
        {"name": "test.user"},
        {"name": "a b@c?d#e"},
        {"name": "_x_"},
        {"name": "a" * 16},
        {"password": "p" * 5000},
        {"password": "a b@c?d#e_!"},
        {"host": "%"},
        {"host": "192.168.0.1"},
        {"host": "192.168.1.%"},
        {"host": "10.0.0.0/8"},
        {"host": "::1"},
        {"host": "%.example.com"},
        {"bogosity": True},
        {"databases": [{"name": "never made"}]},
        {"databases": []},
    ],
)
def test_what_the_page_allows_is_accepted(call: Caller, change: dict[str, object]) -> None:
    assert call("POST", "/users", users(change)).status == 202


def test_a_user_is_a_name_at_a_host(call: Caller) -> None:
    assert call("POST", "/users", users({"host": "192.168.0.1"}, {"host": "192.168.0.2"})).status == 202
    assert call("POST", "/users", users({})).status == 202
    again = call("POST", "/users", users({"host": "%"}))
    assert fault(again) == (400, "badRequest", 'A user with the name "bob" already exists.')


def test_the_same_user_twice_in_one_request_is_refused(call: Caller, cloud: Cloud) -> None:
    reply = call("POST", "/users", users({}, {"host": "%", "password": "other1"}))
    assert fault(reply)[:2] == (400, "badRequest")
    assert fault(reply)[2].startswith("Two or more users share the same name and host")
    assert cloud.server.accounts == {}


def test_no_answer_repeats_a_password(call: Caller) -> None:
    for body in (users({"password": "hunter2;"}), {"users": [{"name": 5, "password": "hunter2;"}]}):
        assert b"hunter2" not in call("POST", "/users", body).body


def test_an_instance_that_is_not_there_or_not_ready_or_anothers(call: Caller, cloud: Cloud) -> None:
    assert fault(call("POST", "/users", users({}), instance=UNKNOWN)) == (
        404,
        "itemNotFound",
        f"Resource {UNKNOWN} cannot be found.",
    )
    assert fault(call("POST", "/users", users({}), instance="no-uuid"))[:2] == (404, "itemNotFound")
    assert fault(call("POST", "/users", users({}), instance=BUILDING))[:2] == (422, "unprocessableEntity")
    assert fault(call("POST", "/users", users({"name": ""}), instance=UNKNOWN))[0] == 400
    other = cloud.send(
        "GET",
        f"/v1.0/{TENANT + 1}/instances/{INSTANCE}/users",
        headers={"X-Auth-Token": cloud.token("2")},
    )
    assert fault(other)[:2] == (404, "itemNotFound")


# The family


def test_users_are_listed_by_pages_without_the_reserved_ones(call: Caller, cloud: Cloud) -> None:
    cloud.server.accounts.update({(name, "%"): set() for name in ("e", "d", "c", "b", "a", "f", "root")})
    first = said(call("GET", "/users?limit=2"))
    assert [one["name"] for one in first["users"]] == ["a", "b"]
    (link,) = first["links"]
    assert first["users_links"] == first["links"]
    assert link == {
        "rel": "next",
        "href": f"http://cloud.test:8779/v1.0/{TENANT}/instances/{INSTANCE}/users?limit=2&marker=b%40%25",
    }
    for marker in ("b%40%25", "b%2540%2525"):
        assert [one["name"] for one in said(call("GET", f"/users?marker={marker}"))["users"]] == [
            "c", "d", "e", "f",
        ]  # fmt: skip
    last = said(call("GET", "/users?limit=2&marker=d%40%25"))
    assert [one["name"] for one in last["users"]] == ["e", "f"]
    assert "links" not in last


def test_a_page_has_20_items_at_most(call: Caller, cloud: Cloud) -> None:
    cloud.server.accounts.update({(f"u{n:02}", "%"): set() for n in range(30)})
    for query in ("", "?limit=0", "?limit=100", "?limit="):
        assert len(said(call("GET", "/users" + query))["users"]) == 20


@pytest.mark.parametrize("limit", ["abc", "-1", "1.5", "9" * 30])
def test_a_limit_that_is_no_number_is_refused(call: Caller, limit: str) -> None:
    assert fault(call("GET", f"/users?limit={limit}"))[:2] == (400, "badRequest")


def test_page_links_keep_the_scheme_of_the_client(cloud: Cloud) -> None:
    cloud.server.accounts.update({("a", "%"): set(), ("b", "%"): set()})
    reply = cloud.send(
        "GET",
        f"/v1.0/{TENANT}/instances/{INSTANCE}/users.json?limit=1",
        headers={"X-Auth-Token": cloud.token()},
        secure=True,
    )
    assert said(reply)["links"][0]["href"].startswith("https://cloud.test:8779/v1.0/")


def test_a_user_is_found_by_every_spelling_of_its_host(call: Caller, cloud: Cloud) -> None:
    cloud.server.accounts["m2", "10.0.0.1"] = {"a1"}
    for path in ("m2@10.0.0.1", "m2%4010%2e0%2e0%2e1", "m2%4010%252e0%252e0%252e1"):
        assert said(call("GET", f"/users/{path}")) == {
            "user": {"name": "m2", "host": "10.0.0.1", "databases": [{"name": "a1"}]}
        }


@pytest.mark.parametrize(
    ("path", "key"),
    [
        ("bob", ("bob", "%")),
        ("bob%40%25", ("bob", "%")),
        ("bob@", ("bob@", "%")),
        ("user@name", ("user", "name")),
        ("user%40name%40%25", ("user@name", "%")),
        ("x%252ejson", ("x.json", "%")),
        ("a%2Fb", ("a/b", "%")),
        ("test.user", ("test.user", "%")),
    ],
)
def test_a_path_names_a_user_and_a_host(call: Caller, cloud: Cloud, path: str, key: tuple[str, str]) -> None:
    cloud.server.accounts[key] = set()
    assert said(call("GET", f"/users/{path}"))["user"] == {"name": key[0], "host": key[1], "databases": []}


SPELLINGS = ("{}.json", "{}%2Ejson", "{}%2ejson", "{}.xml", "{}%252Ejson")


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_change_reaches_no_user_but_the_one_that_is_named(
    call: Caller, cloud: Cloud, spelling: str
) -> None:
    """A name that ends in a suffix is a name (Trove bugs 1252327 and 1652889)."""
    path = "/users/" + spelling.format("u")
    cloud.server.accounts["u", "%"] = {"a1"}
    before = dict(cloud.server.passwords)
    assert call("DELETE", path).status == 404
    assert call("PUT", path, {"user": {"name": "taken", "password": "secret1"}}).status == 404
    assert call("PUT", f"{path}/databases", {"databases": [{"name": "a2"}]}).status == 404
    assert call("DELETE", f"{path}/databases/a1").status == 404
    assert cloud.server.accounts == {**cloud.server.accounts, ("u", "%"): {"a1"}}
    assert cloud.server.passwords == before
    if "%25" not in spelling:
        name = "u" + spelling[2:].lower().replace("%2e", ".")
        cloud.server.accounts[name, "%"] = set()
        assert call("DELETE", path).status == 202
        assert (name, "%") not in cloud.server.accounts
        assert ("u", "%") in cloud.server.accounts


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_change_reaches_no_database_but_the_one_that_is_named(
    call: Caller, cloud: Cloud, spelling: str
) -> None:
    cloud.server.accounts["u", "%"] = {"d"}
    cloud.server.databases.append("d")
    call("DELETE", "/databases/" + spelling.format("d"))
    call("DELETE", "/users/u/databases/" + spelling.format("d"))
    assert "d" in cloud.server.databases
    assert cloud.server.accounts["u", "%"] == {"d"}


def test_a_name_is_decoded_once_for_a_change(call: Caller, cloud: Cloud) -> None:
    cloud.server.accounts.update({("n%41", "%"): set(), ("nA", "%"): set()})
    assert said(call("GET", "/users/n%2541"))["user"]["name"] == "n%41"
    assert call("DELETE", "/users/n%2541").status == 202
    assert call("DELETE", "/users/n%2541").status == 404
    assert ("nA", "%") in cloud.server.accounts
    cloud.server.databases += ["d%41", "dA"]
    assert call("DELETE", "/databases/d%2541").status == 202
    assert "dA" in cloud.server.databases
    assert "d%41" not in cloud.server.databases


def test_an_unknown_user_is_missing_and_a_reserved_one_refused(call: Caller) -> None:
    assert fault(call("GET", "/users/nobody")) == (
        404,
        "itemNotFound",
        "User nobody@% cannot be found on the instance.",
    )
    for method, body in (("GET", None), ("DELETE", None), ("PUT", {"user": {"password": "secret1"}})):
        assert fault(call(method, "/users/root", body))[:2] == (400, "badRequest")


def test_attributes_are_changed_as_far_as_they_are_good(call: Caller, cloud: Cloud) -> None:
    cloud.server.accounts.update({("bob", "%"): {"a1"}, ("eve", "%"): set()})
    assert fault(call("PUT", "/users/bob", {"user": {"name": "eve"}}))[:2] == (400, "badRequest")
    assert fault(call("PUT", "/users/bob", {"user": {"host": ""}}))[:2] == (400, "badRequest")
    assert fault(call("PUT", "/users/bob", {"user": {}}))[2] == (
        "Validation error: user {} should be non-empty"
    )
    assert fault(call("PUT", "/users/nobody", {"user": {"name": "x1"}}))[0] == 404
    assert fault(call("PUT", "/users/bob", {}))[2] == "Validation error: 'user' is a required property"
    assert call("PUT", "/users/bob", {"user": {"name": "rob", "host": "10.0.0.9"}}).status == 202
    assert cloud.server.accounts["rob", "10.0.0.9"] == {"a1"}


def test_passwords_are_changed_all_or_none(call: Caller, cloud: Cloud) -> None:
    cloud.server.accounts["bob", "%"] = set()
    both = {"users": [BOB, {"name": "nobody", "password": "secret2"}]}
    assert fault(call("PUT", "/users", both))[:2] == (404, "itemNotFound")
    assert fault(call("PUT", "/users", users({"name": "root"})))[0] == 400
    assert fault(call("PUT", "/users", users({"name": "a,b"})))[0] == 400
    assert fault(call("PUT", "/users", {}))[0] == 400
    assert cloud.server.passwords == {}
    assert call("PUT", "/users", users({})).status == 202
    assert cloud.server.passwords == {("bob", "%"): "secret1"}


def test_grants_are_repeatable_and_a_second_revocation_is_not(call: Caller, cloud: Cloud) -> None:
    cloud.server.accounts["bob", "%"] = set()
    for _ in range(3):
        assert call("PUT", "/users/bob/databases", {"databases": [{"name": "a1"}]}).status == 202
    assert said(call("GET", "/users/bob/databases")) == {"databases": [{"name": "a1"}]}
    assert call("PUT", "/users/bob/databases", {"databases": []}).status == 202
    assert call("DELETE", "/users/bob/databases/a1").status == 202
    assert fault(call("DELETE", "/users/bob/databases/a1"))[2] == (
        "Database a1 cannot be found on the instance."
    )
    assert fault(call("PUT", "/users/eve/databases", {"databases": [{"name": "a1"}]}))[0] == 404
    assert fault(call("PUT", "/users/bob/databases", {}))[0] == 400


def test_databases_are_made_listed_and_deleted(call: Caller) -> None:
    made = {"databases": [{"name": "a1"}, {"name": "a2", "character_set": "utf8mb4", "collate": "utf8_bin"}]}
    assert call("POST", "/databases", made).status == 202
    assert said(call("GET", "/databases")) == {"databases": [{"name": "a1"}, {"name": "a2"}]}
    assert fault(call("POST", "/databases", made))[:2] == (400, "badRequest")
    twice = {"databases": [{"name": "a3"}, {"name": "a3"}]}
    assert fault(call("POST", "/databases", twice))[2].startswith("Two or more databases share")
    assert fault(call("POST", "/databases", {"databases": [{"name": "sys"}]}))[0] == 400
    assert fault(call("GET", "/databases/a1"))[:2] == (501, "notImplemented")
    assert call("DELETE", "/databases/a1").status == 202
    assert fault(call("DELETE", "/databases/a1"))[0] == 404
    assert fault(call("DELETE", "/databases/mysql"))[0] == 400


def test_root_is_enabled_shown_and_disabled(call: Caller) -> None:
    assert said(call("GET", "/root")) == {"rootEnabled": False}
    first = said(call("POST", "/root"))["user"]
    assert first["name"] == "root"
    assert said(call("POST", "/root"))["user"]["password"] != first["password"]
    assert said(call("POST", "/root", {"password": "chosen1"}))["user"]["password"] == "chosen1"
    assert said(call("GET", "/root")) == {"rootEnabled": True}
    gone = call("DELETE", "/root")
    assert (gone.status, gone.body) == (204, b"")
    assert said(call("GET", "/root")) == {"rootEnabled": False}


def test_instances_are_acted_upon(call: Caller) -> None:
    for body in ({"restart": {}}, {"restart": None}):
        assert call("POST", "/action", body).status == 202
    assert fault(call("POST", "/action", {"resize": {"flavorRef": "2"}}))[:2] == (501, "notImplemented")
    for body in ({"explode": {}}, {}, {"restart": {}, "resize": {}}):
        assert fault(call("POST", "/action", body))[:2] == (400, "badRequest")
    assert call("PATCH", "", {"instance": {"name": "mail"}}).status == 202
    assert said(call("GET", ""))["instance"]["name"] == "mail"


def test_a_new_instances_users_may_only_reach_its_own_databases(call: Caller) -> None:
    def wanted(**change: object) -> dict[str, object]:
        return {"instance": {"name": "new", "flavorRef": "1", "volume": {"size": 2}, **change}}

    user = {**BOB, "databases": [{"name": "a1"}]}
    refused = call("POST", "/instances", wanted(users=[user]), instance=None)
    assert fault(refused) == (400, "badRequest", 'Database "a1" is not in the initial databases list.')
    assert fault(call("POST", "/instances", wanted(datastore={"type": "redis"}), instance=None))[0] == 404
    assert fault(call("POST", "/instances", wanted(users=[BOB, BOB]), instance=None))[0] == 400
    made = call("POST", "/instances", wanted(users=[user], databases=[{"name": "a1"}]), instance=None)
    assert (made.status, said(made)["instance"]["status"]) == (200, "BUILD")


# Envelope


@pytest.mark.parametrize(
    "body",
    [b"{", b"[]", b'"users"', b"\xff", b'{"users": [], "users": []}', b"[" * 100_000, b'{"users": NaN}'],
)
def test_malformed_json_is_a_bad_request_in_the_callers_format(call: Caller, body: bytes) -> None:
    assert fault(call("POST", "/users", body)) == (400, "badRequest", "Malformed request body")
    xml = call("POST", "/users", body, Accept="application/xml")
    assert (
        xml.body
        == (
            f'<badRequest code="400" xmlns="{NAMESPACE}"><message>Malformed request body</message></badRequest>'
        ).encode()
    )


BOMB = (
    '<?xml version="1.0"?><!DOCTYPE users [<!ENTITY a "aaaaaaaaaa">'
    + "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9))
    + f'<!ENTITY z SYSTEM "file:///etc/passwd">]><users xmlns="{NAMESPACE}"><user name="&j;" password="&z;"/></users>'
)


@pytest.mark.parametrize(
    "body",
    [
        BOMB,
        '<!DOCTYPE users SYSTEM "http://127.0.0.1:1/x.dtd"><users/>',
        "<users",
        "",
        "<users></user>",
        '<users xmlns="http://docs.openstack.org/database/api/v2.0"/>',
        '<users><user xmlns="urn:x" name="bob" password="secret1"/></users>',
        "<users><database name='x'/></users>",
        "<users>text<user name='bob' password='secret1'/></users>",
        "<users><user name='bob' password='secret1'><name>eve</name></user></users>",
        "<user name='bob' password='secret1'/>",
        "<users>" + "<user>" * 100_000,
        "<users>" + "<user/>" * 20_000 + "</users>",
        '<?xml version="1.0" encoding="no-such"?><users/>',
        "<users>&undefined;</users>",
        "<users><user/></users>",
    ],
    ids=range(16),
)
def test_bad_xml_is_a_bad_request_quickly(call: Caller, cloud: Cloud, body: str) -> None:
    started = time.perf_counter()
    reply = call.xml("POST", "/users", body or " ")
    assert time.perf_counter() - started < 20
    assert (reply.status, reply.code) == (400, "badRequest")
    assert reply.body.startswith(f'<badRequest code="400" xmlns="{NAMESPACE}"><message>'.encode())
    assert cloud.server.accounts == {}


@pytest.mark.parametrize(
    "body",
    [
        "<users><user name='bob' password='secret1'/></users>",
        f"<d:users xmlns:d='{NAMESPACE}'><d:user name='bob' password='secret1'/></d:users>",
        "<users><user><name>bob</name><password>secret1</password><databases/></user></users>",
        "<?xml version='1.0' encoding='UTF-8'?>\n<users>\n <user name='bob' password='secret1'/> </users>",
    ],
)
def test_xml_of_several_hands_is_understood(call: Caller, cloud: Cloud, body: str) -> None:
    assert call.xml("POST", "/users", body).status == 202
    assert cloud.server.passwords == {("bob", "%"): "secret1"}


def test_the_whole_family_can_be_read_and_written_in_xml(call: Caller, cloud: Cloud) -> None:
    cloud.server.accounts["bob", "%"] = {"a1"}
    xmlns = f'xmlns="{NAMESPACE}"'
    assert call.xml("GET", "/users").body.decode() == (
        f'<users {xmlns}>\n    <user host="%" name="bob">\n        <databases>\n'
        '            <database name="a1"/>\n        </databases>\n    </user>\n</users>\n'
    )
    assert call.xml("GET", "/root").body.decode() == f"<rootEnabled {xmlns}>\n    False\n</rootEnabled>\n"
    put = f'<user {xmlns} name="rob"/>'
    assert call.xml("PUT", "/users/bob", put).status == 202
    granted = f'<databases {xmlns}><database name="a2"/></databases>'
    assert call.xml("PUT", "/users/rob/databases", granted).status == 202
    assert cloud.server.accounts == {("rob", "%"): {"a1", "a2"}}
    assert call.xml("POST", "/action", f"<restart {xmlns}/>").status == 202
    new = (
        f'<instance {xmlns} name="new" flavorRef="1"><volume size="2"/>'
        '<databases><database name="a1" character_set="utf8"/></databases></instance>'
    )
    made = call.xml("POST", "/instances", new, instance=None)
    assert (made.status, made.body[:10]) == (200, b"<instance ")


def test_pages_in_xml_carry_their_link_inside(call: Caller, cloud: Cloud) -> None:
    cloud.server.databases = ["a1", "a2"]
    assert call.xml("GET", "/databases?limit=1").body.decode() == (
        f'<databases xmlns="{NAMESPACE}">\n    <database name="a1"/>\n    <links>\n'
        f'        <link href="http://cloud.test:8779/v1.0/{TENANT}/instances/{INSTANCE}'
        '/databases?limit=1&amp;marker=a1" rel="next"/>\n    </links>\n</databases>\n'
    )


@pytest.mark.parametrize(
    ("suffix", "accept", "expected"),
    [
        ("", None, "application/json"),
        ("", "*/*", "application/json"),
        ("", "text/html", "application/json"),
        ("", "application/xml", "application/xml"),
        ("", "application/json;q=0.5, application/xml", "application/xml"),
        ("", "application/xml;q=0.1, application/json;q=0.2", "application/json"),
        ("", "application/vnd.openstack.trove+xml;version=1.0", "application/xml"),
        (".json", "application/xml", "application/json"),
        (".xml", "application/json", "application/xml"),
        ("", "application/xml;q=x", "application/json"),
    ],
)
def test_the_answers_format_is_chosen_by_suffix_then_by_accept(
    call: Caller, suffix: str, accept: str | None, expected: str
) -> None:
    headers = {} if accept is None else {"Accept": accept}
    reply = call("GET", f"/users{suffix}", **headers)
    assert (reply.status, dict(reply.headers)["content-type"]) == (200, expected)
    missing = call("GET", f"/users/nobody/databases{suffix}", **headers)
    assert (missing.status, dict(missing.headers)["content-type"]) == (404, expected)
    named = call("GET", f"/users/nobody{suffix}", **headers)
    by_header = dict(call("GET", "/users/nobody", **headers).headers)["content-type"]
    assert (named.status, dict(named.headers)["content-type"]) == (404, by_header)


def test_a_body_of_another_type_is_a_bad_media_type_and_one_without_is_not_read(call: Caller) -> None:
    assert fault(call("POST", "/users", "x", Content_Type="text/plain"))[:2] == (415, "badMediaType")
    assert fault(call("POST", "/users", users({}), Content_Type=""))[:2] == (400, "badRequest")
    assert call("POST", "/users", users({}), Content_Type="application/json; charset=utf-8").status == 202


def test_an_unknown_version_of_the_media_type_is_not_acceptable(call: Caller) -> None:
    reply = call("GET", "/users", Accept="application/vnd.openstack.trove+json;version=9.9")
    assert fault(reply) == (406, "notAcceptable", "version not supported")


def test_the_media_types_version_stands_for_the_paths(cloud: Cloud) -> None:
    headers = {
        "X-Auth-Token": cloud.token(),
        "Accept": "application/vnd.openstack.trove+json;version=1.0",
    }
    assert said(cloud.send("GET", f"/{TENANT}/instances/{INSTANCE}/users", headers=headers)) == {"users": []}


def test_another_method_is_a_bad_method_and_another_path_is_not_found(call: Caller) -> None:
    for method in ("PATCH", "DELETE"):
        reply = call(method, "/users")
        assert fault(reply)[:2] == (405, "badMethod")
        assert dict(reply.headers)["allow"] == "GET, POST, PUT"
    for path in ("/users/", "/nothing", "//users", "/users/a/b/c/d"):
        assert fault(call("GET", path))[:2] == (404, "itemNotFound")


def test_who_shows_no_good_token_is_told_only_that(cloud: Cloud) -> None:
    old = Cloud(lifetime=-1).token()
    for path in (f"/v1.0/{TENANT}/instances/{INSTANCE}/users", "/v1.0/x/nothing"):
        for headers in ({}, {"X-Auth-Token": "notused"}, {"X-Auth-Token": ""}):
            reply = cloud.send("POST", path, "{", headers={"content-type": "application/json", **headers})
            assert fault(reply)[:2] == (401, "unauthorized")
            assert dict(reply.headers)["www-authenticate"] == 'Keystone uri="http://cloud.test:8779/v3"'
    expired = cloud.send(
        "POST",
        f"/v1.0/{TENANT}/instances/{INSTANCE}/users",
        "{",
        headers={"X-Auth-Token": old, "content-type": "application/json", "accept": "application/xml"},
    )
    assert expired.status == 401
    assert expired.body.startswith(b'<unauthorized code="401" xmlns=')


def test_a_token_of_another_tenant_is_forbidden_before_the_body_is_looked_at(cloud: Cloud) -> None:
    reply = cloud.send(
        "POST",
        f"/v1.0/{TENANT}/instances/{INSTANCE}/users",
        "{",
        headers={"X-Auth-Token": cloud.token("2"), "content-type": "application/json"},
    )
    assert fault(reply) == (
        403,
        "forbidden",
        f"User with tenant ID {TENANT} cannot access this resource.",
    )


def test_a_body_beyond_the_bound_is_over_the_limit(call: Caller) -> None:
    assert fault(call("POST", "/users", b" " * (1024 * 1024 + 1)))[:2] == (413, "overLimit")


def test_the_query_of_a_change_is_not_looked_at(call: Caller) -> None:
    assert said(call("POST", "/root?password=chosen1"))["user"]["password"] != "chosen1"
    assert fault(call("POST", "/users?users=x"))[2] == "Validation error: 'users' is a required property"


# Identity


def identity(cloud: Cloud, path: str, body: object) -> Reply:
    return cloud.send("POST", path, json.dumps(body), headers={"content-type": "application/json"})


PASSWORD_V3 = {"user": {"name": KEY_ID, "password": KEY_SECRET, "domain": {"name": "Default"}}}


def v3(method: str, given: object, **scope: object) -> dict[str, object]:
    return {"auth": {"identity": {"methods": [method], method: given}, **scope}}


@pytest.mark.parametrize(
    "body",
    [
        v3("password", PASSWORD_V3),
        v3("password", PASSWORD_V3, scope={"project": {"id": str(TENANT)}}),
        v3("password", PASSWORD_V3, scope={"project": {"name": str(TENANT)}}, tenantName="stray"),
        v3("password", {"user": {"id": KEY_ID, "password": KEY_SECRET}}, scope="unscoped"),
        v3("application_credential", {"id": KEY_ID, "secret": KEY_SECRET}),
    ],
    ids=["no scope", "project by id", "pkgcloud", "user by id", "application credential"],
)
def test_v3_issues_a_token_for_every_kind_of_credential(cloud: Cloud, body: object) -> None:
    reply = identity(cloud, "/v3/auth/tokens", body)
    assert reply.status == 201
    token = said(reply)["token"]
    assert token["project"]["id"] == str(TENANT)
    assert {one["type"] for one in token["catalog"]} == {"database", "rax:database", "identity"}
    url = f"http://cloud.test:8779/database/v1.0/{TENANT}"
    assert {one["url"] for one in token["catalog"][0]["endpoints"]} == {url}
    header = dict(reply.headers)["x-subject-token"]
    path = f"/v1.0/{TENANT}/instances/{INSTANCE}/users"
    assert cloud.send("GET", path, headers={"x-auth-token": header}).status == 200
    assert header.encode() not in reply.body


@pytest.mark.parametrize(
    ("auth", "method"),
    [
        ({"RAX-KSKEY:apiKeyCredentials": {"username": KEY_ID, "apiKey": KEY_SECRET}}, "APIKEY"),
        (
            {
                "RAX-KSKEY:apiKeyCredentials": {
                    "username": KEY_ID,
                    "apiKey": KEY_SECRET,
                    "tenantName": str(TENANT),
                }
            },
            "APIKEY",
        ),
        ({"passwordCredentials": {"username": KEY_ID, "password": KEY_SECRET}}, "PASSWORD"),
        (
            {
                "passwordCredentials": {"username": KEY_ID, "password": KEY_SECRET},
                "tenantId": str(TENANT),
            },
            "PASSWORD",
        ),
    ],
)
def test_v2_issues_a_token_for_every_kind_of_credential(
    cloud: Cloud, auth: dict[str, object], method: str
) -> None:
    reply = identity(cloud, "/v2.0/tokens", {"auth": auth})
    access = said(reply)["access"]
    assert reply.status == 200
    assert access["token"]["RAX-AUTH:authenticatedBy"] == [method]
    assert access["token"]["tenant"] == {"id": str(TENANT), "name": str(TENANT)}
    databases = [one for one in access["serviceCatalog"] if one["name"] == "cloudDatabases"]
    assert [(one["type"], one["endpoints"][0]["publicURL"]) for one in databases] == [
        ("rax:database", f"http://cloud.test:8779/database/v1.0/{TENANT}")
    ]
    path = f"/v1.0/{TENANT}/instances/{INSTANCE}/users"
    assert cloud.send("GET", path, headers={"x-auth-token": access["token"]["id"]}).status == 200
    rescoped = {"token": {"id": access["token"]["id"]}, "tenantName": str(TENANT)}
    assert identity(cloud, "/v2.0/tokens", {"auth": rescoped}).status == 200


@pytest.mark.parametrize(
    "body",
    [
        v3("password", {"user": {"name": KEY_ID, "password": "wrong"}}),
        v3("password", {"user": {"name": "nobody", "password": KEY_SECRET}}),
        v3("password", {"user": {**PASSWORD_V3["user"], "domain": {"id": "other"}}}),
        v3("password", PASSWORD_V3, scope={"project": {"id": "1234"}}),
        v3("password", PASSWORD_V3, scope={"domain": {"id": "default"}}),
        v3("totp", {}),
        v3("token", {"id": "nonsense"}),
    ],
)
def test_v3_refuses_wrong_credentials_and_tenants_with_the_same_words(cloud: Cloud, body: object) -> None:
    reply = identity(cloud, "/v3/auth/tokens", body)
    assert said(reply) == {
        "error": {
            "code": 401,
            "message": "Unable to authenticate user with credentials provided.",
            "title": "Unauthorized",
        }
    }


@pytest.mark.parametrize(
    "auth",
    [
        {"RAX-KSKEY:apiKeyCredentials": {"username": KEY_ID, "apiKey": "wrong"}},
        {"passwordCredentials": {"username": "nobody", "password": KEY_SECRET}},
        {"passwordCredentials": {"username": KEY_ID, "password": KEY_SECRET}, "tenantId": "1234"},
        {"token": {"id": "nonsense"}},
    ],
)
def test_v2_refuses_wrong_credentials_and_tenants_with_the_same_words(
    cloud: Cloud, auth: dict[str, object]
) -> None:
    reply = identity(cloud, "/v2.0/tokens", {"auth": auth})
    assert fault(reply) == (
        401,
        "unauthorized",
        "Unable to authenticate user with credentials provided.",
    )


@pytest.mark.parametrize("path", ["/v3/auth/tokens", "/v2.0/tokens"])
@pytest.mark.parametrize(
    "body",
    [{}, {"auth": None}, {"auth": 5}, {"auth": {}}, {"auth": {"identity": {"methods": "password"}}}, []],
)
def test_a_request_for_a_token_that_makes_no_sense_is_a_bad_request(
    cloud: Cloud, path: str, body: object
) -> None:
    assert identity(cloud, path, body).status == 400


def test_versions_are_shown_to_anybody(cloud: Cloud) -> None:
    root = cloud.send("GET", "/", headers={"accept": "application/json"})
    assert root.status == 300
    assert [one["id"] for one in said(root)["versions"]["values"]] == ["v3.14", "v2.0"]
    for path in ("/v3", "/v3/"):
        assert said(cloud.send("GET", path))["version"]["links"][0]["href"] == "http://cloud.test:8779/v3/"
    assert said(cloud.send("GET", "/v2.0"))["version"]["id"] == "v2.0"
    for path in ("/v1.0", "/v1.0/"):
        assert said(cloud.send("GET", path))["version"]["id"] == "v1.0"
    asked = {"accept": "application/vnd.openstack.trove+json"}
    assert said(cloud.send("GET", "/", headers=asked))["versions"][0]["status"] == "CURRENT"
    assert cloud.send("GET", "/v3/nothing").status == 404


def test_a_host_header_that_is_none_is_not_repeated(cloud: Cloud) -> None:
    reply = cloud.send("GET", "/v3", headers={"host": 'x"><script>'})
    assert said(reply)["version"]["links"][0]["href"] == "http://localhost/v3/"


@pytest.mark.parametrize("given", [{}, {"x-auth-token": "whoever's"}])
def test_the_database_service_has_its_own_versions_below_its_name(
    cloud: Cloud, given: dict[str, str]
) -> None:
    versions = cloud.send("GET", "/database/", headers=given)
    (version,) = said(versions)["versions"]
    assert (versions.status, version["id"]) == (200, "v1.0")
    assert version["links"][0]["href"] == "http://cloud.test:8779/database/v1.0/"
    assert said(cloud.send("GET", "/database/v1.0/", headers=given))["version"] == version
    assert [one["id"] for one in said(cloud.send("GET", "/"))["versions"]["values"]] == ["v3.14", "v2.0"]


def test_links_keep_the_place_that_the_client_used(cloud: Cloud) -> None:
    token = dict(identity(cloud, "/v3/auth/tokens", v3("password", PASSWORD_V3)).headers)["x-subject-token"]
    for place in ("", "/database"):
        path = f"{place}/v1.0/{TENANT}/instances/{INSTANCE}"
        shown = said(cloud.send("GET", path, headers={"x-auth-token": token}))["instance"]
        assert shown["links"][0]["href"] == f"http://cloud.test:8779{path}"
    for path in (
        "/database/v3",
        "/database/v1.0x",
        "/databases/",
        f"/database/database/v1.0/{TENANT}/instances",
    ):
        assert cloud.send("GET", path, headers={"x-auth-token": token}).status == 404
