"""Alibaba PetaData on the quickstart MariaDB, asked through the API, and the server itself, asked behind its back."""

from __future__ import annotations

import asyncio
import base64
import secrets
from collections.abc import Coroutine, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import asyncmy
import httpx
import pytest
from asyncmy.errors import MySQLError
from tests.conftest import Rolecall

from rolecall.signing import acs1
from rolecall.values import Secret

VERSION = "2016-01-01"
PASSWORD, OTHER_PASSWORD = "Pw123456", "Zz_9+new"

# Access denied: to log in, to a database, to a table, to a column, for want of a privilege, to a routine.
_DENIED = {1044, 1045, 1142, 1143, 1227, 1370, 1698, 4151}
_SYSTEM = "'rolecall', 'root', 'mysql', 'mariadb.sys', 'PUBLIC', ''"


class MariaDb:
    """The quickstart server; a loop of its own, as the tests' clients are synchronous."""

    def __init__(self, rolecall: Rolecall) -> None:
        self._engine = rolecall.ready["engines"]["mysql"]
        self._loop = asyncio.new_event_loop()

    def close(self) -> None:
        self._loop.close()

    def sql(
        self, *statements: str, user: str = "", password: str = "", database: str | None = None
    ) -> list[tuple[Any, ...]]:
        """Run statements one by one, by default as the administrator; the rows of the last."""
        engine = self._engine
        login = (user, password) if user else (engine["user"], engine["password"])
        return self._run(self._sql(statements, *login, database))

    async def _sql(
        self, statements: tuple[str, ...], user: str, password: str, database: str | None
    ) -> list[tuple[Any, ...]]:
        connection = await asyncmy.connect(
            host=self._engine["host"], port=self._engine["port"], user=user, password=password.encode(),
            database=database, autocommit=True,
        )  # fmt: skip
        try:
            async with connection.cursor() as cursor:
                for statement in statements:
                    await cursor.execute(statement)
                return list(await cursor.fetchall()) if cursor.description else []
        finally:
            await connection.ensure_closed()

    def _run(self, work: Coroutine[Any, Any, list[tuple[Any, ...]]]) -> list[tuple[Any, ...]]:
        return self._loop.run_until_complete(work)

    def may(self, user: str, password: str, database: str | None, *statements: str) -> bool:
        """Whether the server lets the account log in and do that."""
        try:
            self.sql(*statements, user=user, password=password, database=database)
        except MySQLError as error:
            if error.args[0] in _DENIED:
                return False
            raise
        return True

    def can_log_in(self, user: str, password: str) -> bool:
        return self.may(user, password, None, "SELECT 1")

    def users(self) -> list[tuple[str, str]]:
        """Tenants' accounts: name and host."""
        query = f"SELECT User, Host FROM mysql.global_priv WHERE User NOT IN ({_SYSTEM}) ORDER BY 1, 2"
        return [(str(user), str(host)) for user, host in self.sql(query)]

    def grants(self, user: str) -> dict[str, set[str]]:
        """The rows of mysql.db: pattern -> names of the privileges' columns that say Y."""
        rows = self.sql(f"SHOW GRANTS FOR '{user}'@'%'")
        found: dict[str, set[str]] = {}
        for (text,) in rows:
            words, _, rest = str(text).removeprefix("GRANT ").partition(" ON ")
            pattern = rest.partition(".*")[0]
            if pattern != "*":
                found[pattern.strip("`")] = set(words.split(", "))
        return found

    def snapshot(self) -> tuple[Any, ...]:
        """All that a change could leave behind."""
        accounts = self.sql("SELECT User, Host, Priv FROM mysql.global_priv ORDER BY 1, 2")
        return (
            accounts,
            self.sql("SELECT * FROM mysql.db ORDER BY Host, User, Db"),
            self.sql("SHOW DATABASES"),
        )


class Cloud:
    """Calls signed with signature version 1.0, and what they did."""

    def __init__(self, rolecall: Rolecall) -> None:
        self.rolecall = rolecall
        self.endpoint = rolecall.endpoint
        aliyun = rolecall.ready["aliyun"]
        self.key_id: str = aliyun["access_key_id"]
        self.key = Secret(aliyun["access_key_secret"])
        self.region: str = aliyun["region_id"]
        self.instance: str = aliyun["instance_id"]
        self.server = MariaDb(rolecall)

    def clear(self) -> None:
        """Nobody and nothing but what the server began with."""
        for name, host in self.server.users():
            if host != "%" or self.code("DeleteAccount", AccountName=name):
                self.server.sql(f"DROP USER '{name}'@'{host}'")
        for one in self.ok("DescribeDatabases")["Databases"]["Database"]:
            self.ok("DeleteDatabase", DBName=one["DBName"])

    def close(self) -> None:
        self.clear()
        self.server.close()

    def signed(
        self, action: str, params: Mapping[str, str], method: str = "GET", **changes: str
    ) -> dict[str, str]:
        """The parameters with the common ones and the signature; `changes` replace what is signed."""
        key = Secret(changes.pop("key", self.key.reveal()))
        whole = {
            "Action": action,
            "Version": VERSION,
            "Format": "JSON",
            "AccessKeyId": self.key_id,
            "SignatureMethod": "HMAC-SHA1",
            "SignatureVersion": "1.0",
            "SignatureNonce": str(uuid4()),
            "Timestamp": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            **params,
            **changes,
        }
        return {**whole, "Signature": acs1.sign(method, tuple(whole.items()), key, whole["SignatureMethod"])}

    def send(self, params: Mapping[str, str], method: str = "GET") -> httpx.Response:
        """GET in the query, POST as a form."""
        if method == "GET":
            return httpx.get(self.endpoint + "/", params=dict(params), timeout=60)
        return httpx.post(self.endpoint + "/", data=dict(params), timeout=60)

    def answer(self, action: str, params: Mapping[str, str], **changes: str) -> httpx.Response:
        return self.send(self.signed(action, params, **changes))

    def ok(self, action: str, **params: str) -> dict[str, Any]:
        """A call on the quickstart instance that must succeed."""
        answer = self.answer(action, {"InstanceId": self.instance, **params})
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        assert found["RequestId"] == answer.headers["x-acs-request-id"]
        return found

    def refused(self, action: str, **params: str) -> tuple[str, int]:
        """Code and HTTP status of a call on the quickstart instance; ("", 200) if it succeeds."""
        answer = self.answer(action, {"InstanceId": self.instance, **params})
        return str(answer.json().get("Code", "")), answer.status_code

    def code(self, action: str, **params: str) -> str:
        return self.refused(action, **params)[0]

    def create(self, name: str, password: str = PASSWORD, **params: str) -> dict[str, Any]:
        return self.ok("CreateAccount", AccountName=name, AccountPassword=password, **params)

    def account(self, name: str) -> dict[str, Any] | None:
        """Its entry in DescribeAccounts."""
        listed = self.ok("DescribeAccounts")["AccountList"]["Account"]
        return next((one for one in listed if one["AccountName"] == name), None)

    def privileges(self, name: str) -> dict[str, str]:
        """What DescribeAccounts says of it: database -> privilege."""
        one = self.account(name)
        assert one is not None
        entries = one["DatabasePrivileges"]["DatabasePrivilege"]
        return {entry["DBName"]: entry["AccountPrivilege"] for entry in entries if "DBName" in entry}


def word(prefix: str = "a") -> str:
    """A name of ten characters that no other test uses."""
    return prefix + base64.b32encode(secrets.token_bytes(8)).decode().lower()[: 10 - len(prefix)].rstrip("=")


@pytest.fixture
def cloud(rolecall: Rolecall) -> Iterator[Cloud]:
    """PetaData without accounts and databases."""
    cloud = Cloud(rolecall)
    cloud.clear()
    yield cloud
    cloud.close()
