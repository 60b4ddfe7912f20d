"""One MariaDB seen through two dialects: what one makes, the other lists, changes and deletes; the server agrees."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import httpx
import pytest
from tests.clients.petadata_cloud import OTHER_PASSWORD, PASSWORD, Cloud, word
from tests.conftest import Rolecall
from tests.waiting import until

MANY = "Four_More4"


class Stack:
    """OpenStack's Database API on the quickstart instance, with a token of its own."""

    def __init__(self, rolecall: Rolecall) -> None:
        self._place = rolecall.ready["openstack"]
        self._users = f"{self._place['database_url']}/instances/{self._place['instance_id']}"
        self._token = self._issue()

    def _issue(self) -> str:
        user = {
            "name": self._place["username"],
            "domain": {"id": "default"},
            "password": self._place["password"],
        }
        identity = {"methods": ["password"], "password": {"user": user}}
        scope = {"project": {"id": self._place["project_id"]}}
        asked = {"auth": {"identity": identity, "scope": scope}}
        answer = httpx.post(f"{self._place['auth_url']}/auth/tokens", json=asked, timeout=60)
        assert answer.status_code == 201, answer.text
        return answer.headers["x-subject-token"]

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        """`body` is JSON, or XML as text."""
        content = {"content": body} if isinstance(body, str) else {} if body is None else {"json": body}
        kind = {"Content-Type": "application/xml"} if isinstance(body, str) else {}
        return httpx.request(
            method,
            self._users + path,
            headers={"X-Auth-Token": self._token, **kind, **headers},
            timeout=60,
            **content,
        )

    def ok(self, method: str, path: str, body: Any = None) -> Any:
        answer = self.send(method, path, body)
        assert answer.status_code in (200, 202), answer.text
        return answer.json() if answer.content else None

    def create(self, name: str, password: str = PASSWORD, *databases: str, host: str = "") -> None:
        named = [{"name": each} for each in databases]
        user = {"name": name, "password": password, "databases": named, **({"host": host} if host else {})}
        self.ok("POST", "/users", {"users": [user]})

    def users(self) -> dict[str, set[str]]:
        """name@host -> databases."""
        listed = self.ok("GET", "/users")["users"]
        return {
            f"{one['name']}@{one.get('host', '%')}": {each["name"] for each in one["databases"]}
            for one in listed
        }


@pytest.fixture
def stack(rolecall: Rolecall) -> Stack:
    return Stack(rolecall)


def database(cloud: Cloud) -> str:
    name = word("d")
    cloud.ok("CreateDatabase", DBName=name)
    cloud.server.sql(f"CREATE TABLE {name}.t (id int)")
    return name


def test_made_by_petadata_changed_and_deleted_through_openstack(cloud: Cloud, stack: Stack) -> None:
    one, name = database(cloud), word()
    cloud.create(name, DBName=one, AccountPrivilege="ReadOnly", AccountDescription="described")
    assert cloud.server.users() == [(name, "%")]
    assert stack.users() == {f"{name}@%": {one}}

    stack.ok("PUT", "/users", {"users": [{"name": name, "password": OTHER_PASSWORD}]})
    assert cloud.server.can_log_in(name, OTHER_PASSWORD)
    assert not cloud.server.can_log_in(name, PASSWORD)
    assert not cloud.server.may(name, OTHER_PASSWORD, one, "INSERT INTO t VALUES (1)")
    assert cloud.privileges(name) == {one: "ReadOnly"}
    assert cloud.code("ModifyAccountPassword", AccountName=name, OldPassword=PASSWORD, NewPassword=MANY)
    cloud.ok("ModifyAccountPassword", AccountName=name, OldPassword=OTHER_PASSWORD, NewPassword=MANY)
    assert cloud.server.can_log_in(name, MANY)

    stack.ok("PUT", f"/users/{name}/databases", {"databases": [{"name": one}]})
    assert cloud.server.may(name, MANY, one, "INSERT INTO t VALUES (1)")
    stack.ok("DELETE", f"/users/{name}/databases/{one}")
    assert not cloud.server.may(name, MANY, one, "SELECT * FROM t")
    found = cloud.account(name)
    assert found is not None
    assert (found["AccountDescription"], cloud.privileges(name)) == ("described", {})

    stack.ok("DELETE", f"/users/{name}")
    until(lambda: cloud.server.users() == [])
    assert cloud.account(name) is None
    assert cloud.code("DeleteAccount", AccountName=name) == "InvalidAccountName.NotFound"


def test_made_by_openstack_changed_and_deleted_through_petadata(cloud: Cloud, stack: Stack) -> None:
    one, two, name = database(cloud), database(cloud), word()
    stack.create(name, PASSWORD, one)
    found = cloud.account(name)  # at once: it is promised
    assert found is not None
    until(lambda: cloud.server.users() == [(name, "%")])
    assert cloud.server.may(name, PASSWORD, one, "INSERT INTO t VALUES (1)")
    assert set(cloud.privileges(name)) == {one}
    shape = {"AccountName": name, "AccountPassword": PASSWORD}
    assert cloud.code("CreateAccount", **shape) == "InvalidAccountName.Duplicate"

    cloud.ok("ResetAccountPassword", AccountName=name, NewPassword=OTHER_PASSWORD)
    assert cloud.server.can_log_in(name, OTHER_PASSWORD)
    cloud.ok("GrantAccountPrivilege", AccountName=name, DBName=one, AccountPrivilege="ReadOnly")
    cloud.ok("GrantAccountPrivilege", AccountName=name, DBName=two, AccountPrivilege="DDLOnly")
    assert stack.users() == {f"{name}@%": {one, two}}
    assert not cloud.server.may(name, OTHER_PASSWORD, one, "INSERT INTO t VALUES (1)")
    assert not cloud.server.may(name, OTHER_PASSWORD, two, "SELECT * FROM t")
    cloud.ok("RevokeAccountPrivilege", AccountName=name, DBName=one)
    assert stack.users() == {f"{name}@%": {two}}

    cloud.ok("DeleteAccount", AccountName=name)
    assert cloud.server.users() == []
    assert stack.users() == {}
    assert stack.send("GET", f"/users/{name}").status_code == 404


def test_made_in_xml_listed_in_xml_by_both(cloud: Cloud, stack: Stack) -> None:
    one, name = database(cloud), word()
    body = (
        '<?xml version="1.0" encoding="UTF-8"?><users xmlns="http://docs.openstack.org/database/api/v1.0">'
        f'<user name="{name}" password="{PASSWORD}" database="{one}"/></users>'
    )
    assert stack.send("POST", "/users", body, Accept="application/xml").status_code == 202
    until(lambda: cloud.server.can_log_in(name, PASSWORD))
    assert cloud.server.may(name, PASSWORD, one, "SELECT * FROM t")
    listed = cloud.answer("DescribeAccounts", {"InstanceId": cloud.instance}, Format="XML").text
    assert f"<AccountName>{name}</AccountName>" in listed
    assert f"<DBName>{one}</DBName>" in listed
    assert f'name="{name}"' in stack.send("GET", "/users", Accept="application/xml").text
    cloud.ok("DeleteAccount", AccountName=name)
    assert stack.users() == {}


def test_a_user_of_one_host_is_listed_by_petadata_but_only_openstack_can_name_it(
    cloud: Cloud, stack: Stack
) -> None:
    name = word()
    stack.create(name, PASSWORD, host="10.1.2.3")
    until(lambda: cloud.server.users() == [(name, "10.1.2.3")])
    assert cloud.account(name) is not None
    assert cloud.code("DeleteAccount", AccountName=name) == "InvalidAccountName.NotFound"
    reset = cloud.code("ResetAccountPassword", AccountName=name, NewPassword=OTHER_PASSWORD)
    assert reset == "InvalidAccountName.NotFound"
    cloud.create(name)
    assert cloud.server.users() == [(name, "%"), (name, "10.1.2.3")]
    stack.ok("DELETE", f"/users/{quote(name + '@10.1.2.3', safe='')}")
    until(lambda: cloud.server.users() == [(name, "%")])
    assert cloud.server.can_log_in(name, PASSWORD)


def test_databases_and_super_accounts_are_the_same_for_both(cloud: Cloud, stack: Stack) -> None:
    name = word("d")
    stack.ok("POST", "/databases", {"databases": [{"name": name}]})
    until(lambda: (name,) in cloud.server.sql("SHOW DATABASES"))
    assert [one["DBName"] for one in cloud.ok("DescribeDatabases")["Databases"]["Database"]] == [name]
    cloud.ok("DeleteDatabase", DBName=name)
    assert stack.ok("GET", "/databases")["databases"] == []
    boss = word()
    cloud.create(boss, AccountType="Super")
    assert set(stack.users()) == {f"{boss}@%"}
    before = cloud.server.snapshot()
    refused = stack.send("PUT", f"/users/{boss}/databases", {"databases": [{"name": name}]})
    assert 400 <= refused.status_code < 500
    assert cloud.server.snapshot() == before


def test_users_of_openstack_count_towards_the_three_accounts(cloud: Cloud, stack: Stack) -> None:
    for _ in range(3):
        stack.create(word())
    until(lambda: len(cloud.server.users()) == 3)
    shape = {"AccountName": word(), "AccountPassword": PASSWORD}
    assert cloud.refused("CreateAccount", **shape) == ("QuotaExceeded.AccountName", 403)
    stack.create(word())  # that API has no such limit
    until(lambda: len(cloud.server.users()) == 4)
