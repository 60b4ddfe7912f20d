"""Every fault of the guide's Create User, each by its real cause, as fault documents in JSON and XML."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from tests.clients.openstack_live import NAMESPACE, PASSWORD, Gate, LiveCloud, add_instance
from tests.conftest import Rolecall
from tests.waiting import until

from rolecall.contracts.openstack.databases.contract import PAGE_CODES


@pytest.fixture(scope="module")
def cloud(rolecall: Rolecall) -> Iterator[LiveCloud]:
    live = LiveCloud(rolecall.endpoint, rolecall.ready["openstack"], rolecall.ready["engines"]["mysql"])
    yield live
    live.http.close()


@pytest.fixture(scope="module")
def add(rolecall: Rolecall) -> Iterator[Callable[..., str]]:
    """Registers the run's MariaDB once more, as told; forgotten afterwards."""
    dsn = json.loads((rolecall.data / "connection.json").read_text())["database_url"]
    master_key = json.loads((rolecall.data / "secrets.json").read_text())["master_key"]
    added: list[str] = []

    def register(**changes: Any) -> str:
        added.append(add_instance(dsn, master_key, rolecall.ready["engines"]["mysql"], **changes))
        return added[-1]

    yield register
    for one in added:
        rolecall.cli("instance", "remove", one)


@dataclass
class Gated:
    """The run's MariaDB as an instance behind a gate."""

    cloud: LiveCloud
    gate: Gate
    instance: str


@pytest.fixture(scope="module")
def gated(rolecall: Rolecall, add: Callable[..., str]) -> Iterator[Gated]:
    engine = rolecall.ready["engines"]["mysql"]
    gate = Gate(engine["host"], engine["port"])
    gate.open()
    settings = dict(rolecall.ready["openstack"])
    instance = settings["instance_id"] = add(port=gate.port)
    live = LiveCloud(rolecall.endpoint, settings, engine)
    yield Gated(live, gate, instance)
    gate.shut()
    live.http.close()


def body(name: str, **more: object) -> dict[str, object]:
    return {"users": [{"name": name, "password": PASSWORD, **more}]}


SEEN: set[str] = set()
"""The faults provoked so far."""


@pytest.fixture
def fault(cloud: LiveCloud) -> Callable[..., tuple[int, str, str]]:
    """A call that is refused in JSON and, asked again, just so in XML; status, fault and message."""

    def refused(
        method: str, path: str, sent: object = None, on: LiveCloud = cloud, **headers: str
    ) -> tuple[int, str, str]:
        status, name, message = on.fault(method, path, sent, **headers)
        answer = on(method, path, sent, **{**headers, "Accept": "application/xml"})
        tree = ET.fromstring(answer.text)
        assert answer.headers["content-type"] == "application/xml"
        assert (answer.status_code, tree.tag, tree.get("code")) == (
            status,
            f"{{{NAMESPACE}}}{name}",
            str(status),
        )
        if name != "instanceFault":  # its message names the request
            assert tree.findtext(f"{{{NAMESPACE}}}message") == message
        SEEN.add(name)
        return status, name, message

    return refused


Refusal = Callable[..., tuple[int, str, str]]

BAD_USERS = [
    {"name": "root"},
    {"name": "OS_Admin"},
    {"name": "x" * 17},
    {"name": "user,"},
    {"name": "trailing "},
    {"name": "     "},
    {"name": ""},
    {"name": None},
    {"password": "sdf;"},
    {"password": ""},
    {"host": "disallowed_host"},
    {"host": "192.%.1.1"},
    {"host": ""},
    {"host": None},
    {"database": "my/sql"},
    {"database": "mysql"},
    {"databases": [{}]},
    {"databases": ["shop"]},
    {"databases": [{"name": "shop"}, {"name": "shop"}]},
]


@pytest.mark.parametrize("bad", BAD_USERS, ids=str)
def test_nothing_of_a_list_happens_when_its_third_user_is_invalid(
    cloud: LiveCloud,
    fault: Refusal,
    store: Callable[..., Any],
    name: Callable[[str], str],
    bad: dict[str, object],
) -> None:
    users = [{"name": name("user"), "password": PASSWORD} for _ in range(3)]
    before = store("select count(*) from operations")
    assert fault("POST", "/users", {"users": [*users[:2], {**users[2], **bad}]})[:2] == (400, "badRequest")
    assert store("select count(*) from operations") == before
    assert [cloud.accounts(str(one["name"])) for one in users] == [[], [], []]


def test_a_name_is_taken_once_whether_promised_made_or_said_twice(
    cloud: LiveCloud, fault: Refusal, name: Callable[[str], str]
) -> None:
    first, other = name("user"), name("user")
    twice = {"users": [*body(other)["users"], *body(other, host="%")["users"]]}  # type: ignore[misc]
    assert "share the same name and host" in fault("POST", "/users", twice)[2]
    cloud.accepted("POST", "/users", body(first))
    taken = (400, "badRequest", f'A user with the name "{first}" already exists.')
    assert fault("POST", "/users", body(first, host="%")) == taken
    until(lambda: cloud.accounts(first))
    assert fault("POST", "/users", body(first)) == taken
    cloud.accepted("POST", "/users", body(first, host="10.0.0.1"))
    both = {"users": [*body(other)["users"], *body(first)["users"]]}  # type: ignore[misc]
    assert fault("POST", "/users", both) == taken
    assert cloud.accounts(other) == []


@pytest.mark.parametrize("never", ["rolecall_control", "a" + "_" * 63])
def test_what_no_database_can_be_called_is_told_before_anything_is_promised(
    cloud: LiveCloud, fault: Refusal, name: Callable[[str], str], never: str
) -> None:
    told = (404, "itemNotFound", f"Database {never} cannot be found on the instance.")
    user = name("user")
    assert fault("POST", "/users", body(user, database=never)) == told
    assert cloud.accounts(user) == []


_BOMB = '<!DOCTYPE u [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>'
_FILE = '<!DOCTYPE u [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
_XML_USERS = '<users><user name="{}" password="{}"/></users>'


@pytest.mark.parametrize(
    ("sent", "kind"),
    [
        ('{"users"', "application/json"),
        ("[]", "application/json"),
        ("{}", "application/json"),
        ('{"users": {}}', "application/json"),
        ("<users", "application/xml"),
        ("<nobody/>", "application/xml"),
        ('<users xmlns="urn:other"><user name="a1" password="b1"/></users>', "application/xml"),
        (_BOMB + _XML_USERS.format("&b;", "b1"), "application/xml"),
        (_FILE + _XML_USERS.format("a1", "&x;"), "application/xml"),
    ],
)
def test_a_body_that_is_no_such_document_is_a_bad_request(fault: Refusal, sent: str, kind: str) -> None:
    assert fault("POST", "/users", sent, Content_Type=kind)[:2] == (400, "badRequest")


def test_bodies_of_other_kinds_and_other_methods_are_refused(fault: Refusal, cloud: LiveCloud) -> None:
    assert fault("POST", "/users", "name=a1", Content_Type="text/plain")[:2] == (415, "badMediaType")
    assert fault("PATCH", "/users", {})[:2] == (405, "badMethod")
    assert cloud("DELETE", "/users").headers["allow"] == "GET, POST, PUT"
    assert fault("GET", "/nothing")[:2] == (404, "itemNotFound")
    assert fault("GET", "/databases/shop")[:2] == (501, "notImplemented")


def test_without_a_good_token_nothing_is_told(cloud: LiveCloud, fault: Refusal) -> None:
    half = cloud.token[: len(cloud.token) // 2]
    for token in ("", "nonsense", half, cloud.token[:-1] + ("A" if cloud.token[-1] != "A" else "B")):
        assert fault("POST", "/users", body("user1"), X_Auth_Token=token)[:2] == (401, "unauthorized")
    answer = cloud("GET", "/users", X_Auth_Token="")
    assert answer.headers["www-authenticate"] == f'Keystone uri="{cloud.endpoint}/v3"'


def test_a_token_dies_with_its_key(rolecall: Rolecall, cloud: LiveCloud, fault: Refusal) -> None:
    key = json.loads(rolecall.cli("key", "create", "--json").stdout)[0]
    token = cloud.new_token(username=key["secret_id"], apiKey=key["secret_key"])
    assert cloud("GET", "/users", X_Auth_Token=token).status_code == 200
    rolecall.cli("key", "disable", key["secret_id"])
    assert fault("GET", "/users", X_Auth_Token=token)[:2] == (401, "unauthorized")
    assert fault("POST", "/users", body("user1"), X_Auth_Token=token)[:2] == (401, "unauthorized")


def test_another_tenants_address_is_forbidden(cloud: LiveCloud, fault: Refusal) -> None:
    foreign = LiveCloud(cloud.endpoint, {**cloud.settings, "tenant_id": "1234"}, cloud.engine)
    status, name, message = fault("POST", "/users", body("user1"), on=foreign)
    foreign.http.close()
    assert (status, name, message) == (
        403,
        "forbidden",
        "User with tenant ID 1234 cannot access this resource.",
    )


@pytest.mark.parametrize("instance", ["9cccb45e-e15d-4bcc-aedc-61a4bf3e4ad9", "nonsense"])
def test_an_unknown_instance_is_not_found_unless_the_body_is_wrong(
    cloud: LiveCloud, fault: Refusal, instance: str
) -> None:
    path = f"//instances/{instance}/users"
    assert fault("POST", path, body("user1")) == (
        404,
        "itemNotFound",
        f"Resource {instance} cannot be found.",
    )
    assert fault("POST", path, body("root"))[0] == 400
    assert fault("GET", path)[0] == 404


def test_an_isolated_instance_is_not_ready(rolecall: Rolecall, gated: Gated, fault: Refusal) -> None:
    rolecall.cli("instance", "set", gated.instance, "--isolated")
    try:
        told = fault("POST", "/users", body("user1"), on=gated.cloud)
        assert told[:2] == (422, "unprocessableEntity")
        assert gated.cloud.shown("")["status"] == "SHUTDOWN"
    finally:
        rolecall.cli("instance", "set", gated.instance, "--running")
    assert gated.cloud("GET", "/users").status_code == 200


def test_an_administrator_who_may_do_nothing_is_an_instance_fault(
    cloud: LiveCloud, add: Callable[..., str], fault: Refusal, name: Callable[[str], str]
) -> None:
    weak = name("weak")
    cloud.sql(f"CREATE USER {weak} IDENTIFIED BY 'weak'")
    instance = add(user=weak, password="weak")
    told = fault("POST", f"//instances/{instance}/users", body("user1"))
    assert told == (500, "instanceFault", "The instance refused the operation.")
    cloud.sql(f"DROP USER {weak}")


def test_while_the_server_is_gone_users_are_promised_and_made_when_it_is_back(
    gated: Gated, fault: Refusal, name: Callable[[str], str], until: Callable[[Callable[[], bool]], None]
) -> None:
    cloud, user = gated.cloud, name("user")
    gated.gate.shut()
    try:
        cloud.accepted("POST", "/users", body(user))
        assert cloud.shown(f"/users/{user}")["name"] == user
        assert fault("POST", "/users", body(user), on=cloud)[:2] == (400, "badRequest")
        for method, path in (("GET", "/users"), ("DELETE", f"/users/{user}"), ("GET", "/databases")):
            assert fault(method, path, on=cloud)[:2] == (503, "serviceUnavailable")
        assert cloud.shown("")["status"] == "ERROR"
        assert not cloud.logs_in(user, PASSWORD)
    finally:
        gated.gate.open()
    until(lambda: cloud.logs_in(user, PASSWORD))
    until(lambda: cloud("GET", "/users").status_code == 200)  # the lane learns of it a moment later
    (listed,) = cloud.shown(f"/users?limit=1&marker={user}")
    assert listed["name"] == user  # a marker stands before its page: "user" < "user@%"


def test_a_change_of_the_last_of_very_many_promised_users_waits_until_it_is_made(
    cloud: LiveCloud, name: Callable[[str], str]
) -> None:
    """More than may wait for one instance at a time."""
    made = [f"{name('')}_{n}" for n in range(300)]
    cloud.accepted("POST", "/users", {"users": [{"name": one[1:], "password": PASSWORD} for one in made]})
    cloud.accepted("DELETE", f"/users/{made[-1][1:]}")
    assert cloud.accounts(made[-1][1:]) == []
    for one in made[:-1]:
        cloud.accepted("DELETE", f"/users/{one[1:]}")


def test_a_promise_that_fails_for_good_is_an_operation_refused(
    rolecall: Rolecall, gated: Gated, name: Callable[[str], str], until: Callable[[Callable[[], bool]], None]
) -> None:
    """Somebody makes an account of that name by SQL while the server is out of Rolecall's reach."""
    cloud, user = gated.cloud, name("user")
    gated.gate.shut()
    try:
        cloud.accepted("POST", "/users", body(user))
        cloud.sql(f"CREATE USER {user}")
    finally:
        gated.gate.open()

    def told() -> list[tuple[str, str, str]]:
        rows = json.loads(rolecall.cli("operation", "list", "--state", "refused", "--json").stdout)
        return [(one["change"], one["reason"], one["action"]) for one in rows if one["target"] == f"{user}@%"]

    until(lambda: bool(told()))
    assert told() == [("account.create", "account-taken", "CreateUsers")]
    cloud.sql(f"DROP USER {user}")


@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_a_server_that_rolecall_administers_as_root_has_no_root_for_tenants(
    cloud: LiveCloud, add: Callable[..., str], fault: Refusal, method: str
) -> None:
    cloud.sql(
        "CREATE OR REPLACE USER root@'127.0.0.1' IDENTIFIED BY 'rooted'",
        "GRANT ALL ON *.* TO root@'127.0.0.1' WITH GRANT OPTION",
    )
    try:
        path = f"//instances/{add(user='root', password='rooted')}/root"
        told = (422, "unprocessableEntity", "Operation not supported for this datastore.")
        assert fault(method, path) == told
        assert cloud.shown(path) is False
    finally:
        cloud.sql("DROP USER root@'127.0.0.1'")


@pytest.mark.parametrize("form", ["json", "xml"])
def test_the_201st_call_of_a_method_in_a_minute_is_over_the_limit_and_told_when_to_come_again(
    strict: Rolecall, cloud: LiveCloud, form: str
) -> None:
    """Each method has its own count, for the whole tenant, and the limits tell the truth about it."""
    replica = LiveCloud(strict.endpoint, cloud.settings, cloud.engine)
    verb, path, body = (
        ("POST", "/users", {"users": []}) if form == "json" else ("DELETE", "/users/nobody", None)
    )

    def told() -> dict[str, object]:
        (found,) = (one for one in replica.shown("//limits") if one["verb"] == verb)
        assert (found["value"], found["unit"]) == (200, "MINUTE")
        return dict(found)

    assert told()["remaining"] == 200
    for _ in range(3):
        replica(verb, path, body)
    assert told()["remaining"] == 197
    statuses = {replica(verb, path, body).status_code for _ in range(197)}
    assert statuses == ({202} if form == "json" else {404})
    assert told()["remaining"] == 0
    answer = replica(verb, path, body, Accept=f"application/{form}")
    wait = answer.headers["retry-after"]
    assert answer.status_code == 413
    assert 1 <= int(wait) <= 60
    details = f"Only 200 {verb} request(s) can be made to * every minute."
    if form == "json":
        over = {
            "code": 413,
            "message": "This request was rate-limited.",
            "details": details,
            "retryAfter": wait,
        }
        assert answer.json() == {"overLimit": over}
    else:
        over_limit = ET.fromstring(answer.text)
        assert (over_limit.tag, over_limit.get("retryAfter")) == (f"{{{NAMESPACE}}}overLimit", wait)
        assert over_limit.findtext(f"{{{NAMESPACE}}}details") == details
    assert replica("GET", "//flavors").status_code == 200
    SEEN.add("overLimit")
    replica.http.close()


def test_where_rates_are_lifted_the_limits_say_so(cloud: LiveCloud) -> None:
    assert [one["verb"] for one in cloud.shown("//limits")] == ["ABSOLUTE"]


def test_every_error_code_of_the_guides_page_was_provoked() -> None:
    """Comes last, and looks at what the tests above have seen."""
    if len(SEEN) < 3:
        pytest.skip("the other tests of this file were not run")
    assert PAGE_CODES <= SEEN
