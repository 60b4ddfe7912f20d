"""One life of accounts and databases, told through any client of the vendor, and what the engine says of it.

A client is driven as `call(action, params) -> Response`; a refusal is a `ClientRefused` with code and request id.
After every change the engine itself is asked: its catalog, and whether the account logs in or may do a thing.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from tests.clients.petadata_cloud import cloud as cloud  # a fixture
from tests.clients.tccli_runs import Tccli, serving

from rolecall.contracts.tencent.postgres.contract import CONTRACT, INSTANCE_ACTIONS

# Those that make and end servers have a life of their own: test_provisioning.
ACTIONS = frozenset(CONTRACT.actions) - {action.name for action in INSTANCE_ACTIONS}
FIRST, SECOND, THIRD = "p+A&9=%_x", "B2#?;'/slash~", "C3`()|{}[]:<>,.c"
SUPER_ROLE = "pg_tencentdb_superuser"

SCHEMA = """
CREATE SCHEMA shop;
CREATE TABLE shop.orders (id int PRIMARY KEY, note text);
INSERT INTO shop.orders VALUES (1, 'first');
CREATE VIEW shop.recent AS SELECT * FROM shop.orders;
CREATE MATERIALIZED VIEW shop.totals AS SELECT count(*) AS n FROM shop.orders;
CREATE SEQUENCE shop.numbers;
CREATE TYPE shop.colour AS ENUM ('red', 'blue');
CREATE FUNCTION shop.twice(n int) RETURNS int LANGUAGE sql AS 'SELECT n * 2';
CREATE PROCEDURE shop.tidy() LANGUAGE sql AS '';
REVOKE ALL ON TYPE shop.colour FROM PUBLIC;
REVOKE ALL ON FUNCTION shop.twice(int) FROM PUBLIC;
REVOKE ALL ON PROCEDURE shop.tidy() FROM PUBLIC;
"""

# ObjectType -> (ObjectName, TableName, the privilege that is given, what an account can do with nothing else).
OBJECTS: Mapping[str, tuple[str, str, str, str]] = {
    "database": ("", "", "CREATE", "CREATE SCHEMA own_{user}"),
    "schema": ("shop", "", "USAGE", "SELECT 'shop.orders'::regclass"),
    "table": ("orders", "", "SELECT", "SELECT id FROM shop.orders"),
    "view": ("recent", "", "SELECT", "SELECT id FROM shop.recent"),
    "matview": ("totals", "", "SELECT", "SELECT n FROM shop.totals"),
    "column": ("note", "orders", "UPDATE", "UPDATE shop.orders SET note = 'changed'"),
    "sequence": ("numbers", "", "USAGE", "SELECT nextval('shop.numbers')"),
    "function": ("twice(integer)", "", "EXECUTE", "SELECT shop.twice(2)"),
    "procedure": ("tidy()", "", "EXECUTE", "CALL shop.tidy()"),
    "type": ("colour", "", "USAGE", "CREATE TEMPORARY TABLE one (c shop.colour)"),
}
FORBIDDEN = (
    "DELETE FROM shop.orders",
    "UPDATE shop.orders SET id = 2",
    "SELECT last_value FROM shop.numbers",
)


class ClientRefused(Exception):
    """What a client makes of an `Error` in the answer."""

    def __init__(self, code: str, request_id: str) -> None:
        super().__init__(code)
        self.code, self.request_id = code, request_id


class Engine:
    """The quickstart server, asked directly."""

    def __init__(self, rolecall: Any) -> None:
        self._rolecall = rolecall
        self.sql = rolecall.sql
        self.can_log_in = rolecall.can_log_in

    @contextmanager
    def session(
        self, user: str, password: str, database: str = "postgres"
    ) -> Iterator[psycopg.Connection[Any]]:
        engine = self._rolecall.ready["engines"]["postgres"]
        where = {"host": engine["host"], "port": engine["port"], "dbname": database}
        with psycopg.connect(**where, user=user, password=password, autocommit=True) as connection:
            yield connection

    def role(self, name: str) -> tuple[Any, ...] | None:
        """(oid, may log in, is superuser) of a role, as pg_roles has it."""
        found = self.sql("SELECT oid, rolcanlogin, rolsuper FROM pg_roles WHERE rolname = %s", name)
        return found[0] if found else None

    def is_super_account(self, name: str) -> bool:
        query = "SELECT pg_has_role(%s, %s, 'MEMBER')"
        return bool(self.sql(query, name, SUPER_ROLE)[0][0])

    def verifier(self, name: str) -> str:
        found = self.sql("SELECT rolpassword FROM pg_authid WHERE rolname = %s", name)
        return str(found[0][0])

    def database_owner(self, name: str) -> str | None:
        query = "SELECT r.rolname FROM pg_database d JOIN pg_roles r ON r.oid = d.datdba WHERE d.datname = %s"
        found = self.sql(query, name)
        return str(found[0][0]) if found else None

    def may(self, user: str, password: str, database: str, statement: str) -> bool:
        """Whether the server lets an account do it; what was done is undone."""
        with self.session(user, password, database) as connection:
            try:
                with connection.transaction(force_rollback=True):
                    connection.execute(sql.SQL(statement))
            except psycopg.errors.InsufficientPrivilege:
                return False
            return True


@dataclass
class LifeCycle:
    """Every action of the contract in a natural order.

    `lacks`: actions that the client does not know. `listed`: object types to list, fewer where calls are slow.
    """

    call_client: Callable[[str, Mapping[str, Any]], Mapping[str, Any]]
    engine: Engine
    instance: str
    region: str
    name: Callable[[str], str]
    lacks: frozenset[str] = frozenset()
    listed: tuple[str, ...] = tuple(OBJECTS)
    called: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.clerk, self.chief, self.reader = self.name("Clerk"), self.name("_chief"), self.name("reader")
        self.database = self.name("Shop")

    def run(self) -> None:
        self.places()
        self.creation()
        self.remark_and_listing()
        self.password()
        self.lock()
        self.managed_password()
        self.databases()
        self.privileges()
        self.super_account_by_role_change()
        self.removal()
        assert self.called == ACTIONS - self.lacks

    def call(self, action: str, **params: Any) -> Mapping[str, Any]:
        self.called.add(action)
        response = self.call_client(action, params)
        assert len(response["RequestId"]) == 36
        return response

    def here(self, action: str, **params: Any) -> Mapping[str, Any]:
        return self.call(action, DBInstanceId=self.instance, **params)

    def on(self, user: str, action: str, **params: Any) -> Mapping[str, Any]:
        return self.here(action, UserName=user, **params)

    def refusal(self, user: str, action: str, **params: Any) -> str:
        with pytest.raises(ClientRefused) as refused:
            self.on(user, action, **params)
        assert len(refused.value.request_id) == 36
        return refused.value.code

    def account(self, user: str) -> Mapping[str, Any]:
        """The account's row in a list of the newest, which is the default order."""
        rows = self.here("DescribeAccounts")["Details"]
        return next(row for row in rows if row["UserName"] == user)

    def places(self) -> None:
        regions = self.call("DescribeRegions")
        assert self.region in {row["Region"] for row in regions["RegionSet"]}
        assert all(row["Zone"].startswith(self.region) for row in self.call("DescribeZones")["ZoneSet"])
        filters = [{"Name": "db-instance-id", "Values": [self.instance, "postgres-00000000"]}]
        listed = self.call(
            "DescribeDBInstances", Filters=filters, Limit=5, OrderBy="Name", OrderByType="desc"
        )
        assert [row["DBInstanceId"] for row in listed["DBInstanceSet"]] == [self.instance]
        shown = self.here("DescribeDBInstanceAttribute")["DBInstance"]
        assert shown["DBInstanceStatus"] == "running"
        ((version,),) = self.engine.sql("SELECT current_setting('server_version_num')::int / 10000")
        assert shown["DBMajorVersion"] == str(version)

    def creation(self) -> None:
        self.on(self.clerk, "CreateAccount", Type="normal", Password=FIRST, Remark="Ordinary account")
        self.on(self.chief, "CreateAccount", Type="tencentDBSuper", Password=FIRST, OpenCam=False)
        self.on(self.reader, "CreateAccount", Type="normal", Password=FIRST)
        for user, is_super in ((self.clerk, False), (self.chief, True)):
            role = self.engine.role(user)
            assert role is not None
            assert role[1:] == (True, False)
            assert self.engine.is_super_account(user) is is_super
            assert self.engine.can_log_in(user, FIRST)
        assert not self.engine.can_log_in(self.clerk, SECOND)

    def remark_and_listing(self) -> None:
        self.on(self.clerk, "ModifyAccountRemark", Remark="普通 account_1-a")
        listed = self.here("DescribeAccounts", Limit=100, Offset=0, OrderBy="name", OrderByType="asc")
        rows = {row["UserName"]: row for row in listed["Details"]}
        logins = self.engine.sql("SELECT count(*) FROM pg_roles WHERE rolcanlogin")[0][0]
        assert len(rows) <= listed["TotalCount"] <= logins
        clerk, chief = self.account(self.clerk), self.account(self.chief)
        assert (clerk["Remark"], clerk["UserType"], clerk["Status"]) == ("普通 account_1-a", "normal", 2)
        assert (chief["UserType"], chief["DBInstanceId"]) == ("tencentDBSuper", self.instance)

    def password(self) -> None:
        self.on(self.clerk, "ResetAccountPassword", Password=SECOND)
        assert self.engine.can_log_in(self.clerk, SECOND)
        assert not self.engine.can_log_in(self.clerk, FIRST)

    def lock(self) -> None:
        with self.engine.session(self.clerk, SECOND) as session:
            assert session.execute("SELECT current_user").fetchone() == (self.clerk,)
            self.on(self.clerk, "LockAccount")
            with pytest.raises(psycopg.OperationalError):
                session.execute("SELECT 1")
        assert not self.engine.can_log_in(self.clerk, SECOND)
        assert self.account(self.clerk)["Status"] == 5
        self.on(self.clerk, "UnlockAccount")
        assert self.engine.can_log_in(self.clerk, SECOND)
        assert self.account(self.clerk)["Status"] == 2

    def managed_password(self) -> None:
        """With CAM verification the password is the platform's, and only its verifier can be seen from here."""
        self.on(self.clerk, "OpenAccountCAM")
        assert not self.engine.can_log_in(self.clerk, SECOND)
        assert self.account(self.clerk)["OpenCam"] is True
        opened = self.engine.verifier(self.clerk)
        code = self.refusal(self.clerk, "ResetAccountPassword", Password=FIRST)
        assert code == "FailedOperation.CheckAccountCAMCloseError"
        assert self.engine.verifier(self.clerk) == opened
        self.on(self.clerk, "RefreshAccountPassword")
        assert self.engine.verifier(self.clerk) != opened
        self.on(self.clerk, "CloseAccountCAM", Password=THIRD)
        assert self.engine.can_log_in(self.clerk, THIRD)
        assert self.account(self.clerk)["OpenCam"] is False

    def databases(self) -> None:
        made = {"DatabaseName": self.database, "DatabaseOwner": self.clerk, "Encoding": "UTF8"}
        self.here("CreateDatabase", **made)
        assert self.engine.database_owner(self.database) == self.clerk
        self.engine.sql(SCHEMA, database=self.database, user=self.clerk, password=THIRD)
        row = self.described_database()
        assert (row["DatabaseOwner"], row["Encoding"], row["AllowConn"]) == (self.clerk, "UTF8", True)
        for kind in self.listed:
            assert self.stands_in_list(kind)
        self.here("ModifyDatabaseOwner", DatabaseName=self.database, DatabaseOwner=self.chief)
        assert self.engine.database_owner(self.database) == self.chief

    def described_database(self) -> Mapping[str, Any]:
        filters = [{"Name": "database-name", "Values": [self.database]}]
        listed = self.here("DescribeDatabases", Filters=filters, Limit=20, Offset=0)
        assert (listed["TotalCount"], listed["Items"]) == (1, [self.database])
        found: Mapping[str, Any] = listed["Databases"][0]
        return found

    def stands_in_list(self, kind: str) -> bool:
        """Routines are listed by name or by signature; the vendor does not say which."""
        where = self.object(kind)
        wanted = where.pop("ObjectName")
        listed = self.here("DescribeDatabaseObjects", Limit=100, **where)["ObjectSet"]
        return wanted.partition("(")[0] in {one.partition("(")[0] for one in listed}

    def object(self, kind: str) -> dict[str, str]:
        object_name, table, _, _ = OBJECTS[kind]
        named = {"ObjectType": kind, "ObjectName": object_name or self.database}
        named |= {} if kind == "database" else {"DatabaseName": self.database}
        named |= {} if kind in ("database", "schema") else {"SchemaName": "shop"}
        return named | ({"TableName": table} if table else {})

    def modification(self, kind: str, how: str) -> dict[str, Any]:
        privilege = {"Object": self.object(kind), "PrivilegeSet": [OBJECTS[kind][2]]}
        return {"DatabasePrivilege": privilege, "ModifyType": how, "IsCascade": how == "revokeObject"}

    def privileges(self) -> None:
        assert self.enforced(wanted=False)
        changes = [self.modification(kind, "grantObject") for kind in OBJECTS]
        self.on(self.reader, "ModifyAccountPrivileges", ModifyPrivilegeSet=changes)
        assert self.enforced(wanted=True)
        for statement in FORBIDDEN:
            assert not self.engine.may(self.reader, FIRST, self.database, statement)
        self.held_privileges()
        # The schema goes last, so that each of the others is refused for a reason of its own.
        for kinds in (list(OBJECTS)[2:], list(OBJECTS)[:2]):
            changes = [self.modification(kind, "revokeObject") for kind in kinds]
            self.on(self.reader, "ModifyAccountPrivileges", ModifyPrivilegeSet=changes)
            assert not any(self.reader_may(kind) for kind in kinds)

    def reader_may(self, kind: str) -> bool:
        return self.engine.may(self.reader, FIRST, self.database, OBJECTS[kind][3].format(user=self.reader))

    def enforced(self, *, wanted: bool) -> bool:
        return {kind: self.reader_may(kind) for kind in OBJECTS} == dict.fromkeys(OBJECTS, wanted)

    def held_privileges(self) -> None:
        asked = [self.object(kind) for kind in OBJECTS]
        asked.append({"ObjectType": "account", "ObjectName": self.reader})
        answer = self.on(self.reader, "DescribeAccountPrivileges", DatabaseObjectSet=asked)["PrivilegeSet"]
        assert len(answer) == len(asked)
        for question, entry in zip(asked, answer, strict=True):
            kind = question["ObjectType"]
            assert {key: value for key, value in entry["Object"].items() if value} == question
            assert ("normal" if kind == "account" else OBJECTS[kind][2]) in entry["PrivilegeSet"]

    def super_account_by_role_change(self) -> None:
        for kind, is_super in (("tencentDBSuper", True), ("normal", False)):
            object_ = {"ObjectType": "account", "ObjectName": self.reader}
            privilege = {"Object": object_, "PrivilegeSet": [kind]}
            changes = [{"DatabasePrivilege": privilege, "ModifyType": "alterRole"}]
            self.on(self.reader, "ModifyAccountPrivileges", ModifyPrivilegeSet=changes)
            assert self.engine.is_super_account(self.reader) is is_super

    def removal(self) -> None:
        """What a deleted account owned stays; one that is gone already is deleted with success."""
        self.deletion(self.clerk)
        assert self.engine.sql("SELECT id FROM shop.orders", database=self.database) == [(1,)]
        self.drop_database()
        assert self.engine.database_owner(self.database) is None
        for user in (self.reader, self.chief, self.clerk):
            self.deletion(user)

    def deletion(self, user: str) -> None:
        self.on(user, "DeleteAccount")
        assert self.engine.role(user) is None

    def drop_database(self) -> None:
        if "DeleteDatabase" in self.lacks:
            self.engine.sql(f'DROP DATABASE "{self.database}"')
        else:
            self.here("DeleteDatabase", DatabaseName=self.database)


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The vendor's clients obey proxy variables even for the loopback."""
    for variable in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(variable, raising=False)
        monkeypatch.delenv(variable.lower(), raising=False)


@pytest.fixture(scope="session")
def engine(rolecall: Any) -> Engine:
    return Engine(rolecall)


@pytest.fixture
def refused() -> type[ClientRefused]:
    """The exception in which a test's client tells a refusal to the life cycle."""
    return ClientRefused


@pytest.fixture
def live(rolecall: Any, engine: Engine, name: Callable[[str], str]) -> Callable[..., None]:
    """Live the life cycle through a client: `live(call)`, with `lacks` and `listed` as the life cycle has them."""

    def run(call: Callable[[str, Mapping[str, Any]], Mapping[str, Any]], **limits: Any) -> None:
        LifeCycle(call, engine, rolecall.instance_id, rolecall.tencent["region"], name, **limits).run()

    return run


INTERNATIONAL = Path(sys.executable).parent.parent / "intl"


@pytest.fixture
def international(rolecall: Any, refused: type[Exception]) -> Iterator[Callable[..., Mapping[str, Any]]]:
    """`call(service, action, params, key)` by the international SDK, in a process of its own."""
    variables = {
        **os.environ,
        "PYTHONPATH": str(INTERNATIONAL),
        "PYTHONWARNINGS": "ignore",  # its models do not know the keys of the newer specification
        "TENCENTCLOUD_SECRET_ID": rolecall.tencent["secret_id"],
        "TENCENTCLOUD_SECRET_KEY": rolecall.tencent["secret_key"],
    }
    driver = Path(__file__).with_name("intl_driver.py")
    command = [sys.executable, driver, rolecall.netloc, rolecall.tencent["region"]]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, env=variables, **pipes) as process:

        def call(
            service: str, action: str, params: Mapping[str, Any], key: tuple[str, ...] | None = None
        ) -> Mapping[str, Any]:
            sent = {**params, ":key": key} if key else dict(params)
            process.stdin.write(json.dumps([action, sent, service]) + "\n")
            process.stdin.flush()
            answer: dict[str, Any] = json.loads(process.stdout.readline())
            if "response" not in answer:
                raise refused(answer["code"], answer["request_id"])
            response: Mapping[str, Any] = answer["response"]
            return response

        yield call
        process.stdin.close()
        assert process.wait(120) == 0


@pytest.fixture(scope="session")
def tccli_runs() -> Iterator[Tccli]:
    with serving() as runs:
        yield runs


@pytest.fixture
def tccli_call(
    tccli_runs: Tccli, rolecall: Any, refused: type[Exception], tmp_path: Path
) -> Callable[..., Mapping[str, Any]]:
    """`call(service, action, params, key)` by tccli, with the parameters in one JSON document.

    A region must be set; it is sent on to regional services alone. `key`: id, secret and perhaps a token.
    """

    def call(
        service: str, action: str, params: Mapping[str, Any], key: Sequence[str] | None = None
    ) -> Mapping[str, Any]:
        secret_id, secret_key, *token = key or (rolecall.tencent["secret_id"], rolecall.tencent["secret_key"])
        variables = {
            **os.environ,
            "HOME": str(tmp_path),
            "TENCENTCLOUD_SECRET_ID": secret_id,
            "TENCENTCLOUD_SECRET_KEY": secret_key,
            "TENCENTCLOUD_REGION": rolecall.tencent["region"],
            **({"TENCENTCLOUD_TOKEN": token[0]} if token else {}),
        }
        document = tmp_path / "input.json"
        document.write_text(json.dumps(params))
        arguments = [service, action, "--endpoint", rolecall.endpoint]
        arguments += ["--cli-input-json", f"file://{document}"] if params else []
        done = tccli_runs.run(arguments, variables)
        if done.returncode:
            assert "code:" in done.stderr, done
            code = done.stderr.partition("code:")[2].split(" ", 1)[0]
            raise refused(code, done.stderr.rpartition("requestId:")[2].strip())
        answer: Mapping[str, Any] = json.loads(done.stdout)
        return answer

    return call
