"""One account in each of the five systems, created through the API, then used to sign in."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Mapping
from typing import Any

import asyncmy
import psycopg
from asyncmy.errors import MySQLError
from rich.console import Console
from rich.table import Table

from rolecall.cli import demo_calls
from rolecall.cli.errors import CommandError
from rolecall.domain.accounts.credentials import new_managed_password

_ROLE = "select oid, rolname, rolcanlogin, rolsuper, rolcreatedb from pg_roles where rolname = %s"
_ROLE_COLUMNS = ("oid", "rolname", "rolcanlogin", "rolsuper", "rolcreatedb")
_DEFERRED_SECONDS = 10.0
"""How long an account that is created after its answer may take."""


def run_demo(ready: Mapping[str, Any]) -> None:
    """`ready` is the content of a ready file."""
    table = Table(
        "through",
        "answer",
        "signed in with it",
        title="rolecall demo",
        title_justify="left",
        header_style="bold",
    )
    table.add_row("Tencent postgres CreateAccount", *_through_tencent(ready))
    if "mysql" in ready["engines"]:
        table.add_row("Alibaba PetaData CreateAccount", *_through_aliyun(ready))
        table.add_row("OpenStack Databases Create User", *_through_openstack(ready))
    table.add_row("Tencent CAM AddUser", *_through_cam(ready))
    table.add_row("Tencent CIAM CreateUser", *_through_ciam(ready))
    Console().print(table)


def _new_account() -> tuple[str, str]:
    return f"demo_{secrets.token_hex(2)}", new_managed_password().reveal()


def _through_tencent(ready: Mapping[str, Any]) -> tuple[str, str]:
    name, password = _new_account()
    instance = ready["tencent"]["postgres_instance_id"]
    answer = demo_calls.tencent(
        ready,
        "postgres",
        "CreateAccount",
        {
            "DBInstanceId": instance,
            "UserName": name,
            "Password": password,
            "Type": "normal",
            "Remark": "rolecall demo",
        },
    )
    engine = ready["engines"]["postgres"]
    with psycopg.connect(
        host=engine["host"], port=engine["port"], dbname=engine["database"], user=name, password=password
    ) as connection:
        row = connection.execute(_ROLE, (name,)).fetchone() or ()
    columns = ", ".join(f"{column}={value}" for column, value in zip(_ROLE_COLUMNS, row, strict=True))
    return f"Oid {answer['Oid']}", f"logged in; pg_roles: {columns}"


def _through_cam(ready: Mapping[str, Any]) -> tuple[str, str]:
    """Create a sub-user, call GetCallerIdentity with its key, and delete it."""
    name, _ = _new_account()
    made = demo_calls.tencent(ready, "cam", "AddUser", {"Name": name, "Remark": "rolecall demo", "UseApi": 1})
    key = made["SecretId"], made["SecretKey"]
    identity = demo_calls.tencent(ready, "sts", "GetCallerIdentity", {}, key)
    demo_calls.tencent(ready, "cam", "DeleteUser", {"Name": name, "Force": 1})
    return f"Uin {made['Uin']}", f"its key signs: {identity['Type']} {identity['Arn']}"


def _through_ciam(ready: Mapping[str, Any]) -> tuple[str, str]:
    name, password = _new_account()
    params = {
        "UserStoreId": ready["tencent"]["user_store_id"],
        "UserName": name,
        "Password": password,
        "PhoneNumber": f"1{secrets.randbelow(10**10):010d}",
        "Email": f"{name}@example.com",
    }
    user = demo_calls.tencent(ready, "ciam", "CreateUser", params)["User"]
    claims = demo_calls.password_grant(ready, name, password)
    return f"UserId {user['UserId']}", f"signed in (OpenID Connect): sub={claims['sub']}"


def _through_aliyun(ready: Mapping[str, Any]) -> tuple[str, str]:
    name, password = _new_account()
    instance = ready["aliyun"]["instance_id"]
    # The vendor allows three accounts per instance, so the demo deletes those that it creates there.
    params = {"InstanceId": instance, "AccountName": name, "AccountPassword": password}
    try:
        answer = demo_calls.aliyun(ready, "CreateAccount", params)
    except CommandError as error:
        if "QuotaExceeded.AccountName" not in str(error):
            raise
        return (
            "QuotaExceeded.AccountName",
            f"the quota is reached; `rolecall instance set {instance}` changes it",
        )
    grants = asyncio.run(_mysql_grants(ready, name, password))
    demo_calls.aliyun(ready, "DeleteAccount", {"InstanceId": instance, "AccountName": name})
    return f"RequestId {answer['RequestId']}", grants


def _through_openstack(ready: Mapping[str, Any]) -> tuple[str, str]:
    name, password = _new_account()
    status = demo_calls.openstack(ready, "users", {"users": [{"name": name, "password": password}]})
    grants = asyncio.run(_mysql_grants(ready, name, password))
    # The instance is the same, so either API deletes the account.
    demo_calls.aliyun(
        ready, "DeleteAccount", {"InstanceId": ready["aliyun"]["instance_id"], "AccountName": name}
    )
    return f"HTTP {status}", grants


async def _mysql_grants(ready: Mapping[str, Any], name: str, password: str) -> str:
    """The grants that the account sees when it logs in, which it may do a moment after its creation is answered."""
    engine = ready["engines"]["mysql"]
    deadline = time.monotonic() + _DEFERRED_SECONDS
    while True:
        try:
            connection = await asyncmy.connect(
                host=engine["host"], port=engine["port"], user=name, password=password
            )
        except MySQLError:
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.05)
            continue
        async with connection, connection.cursor() as cursor:
            await cursor.execute("show grants")
            grants = [str(row[0]).split(" IDENTIFIED")[0] for row in await cursor.fetchall()]
        return "logged in; " + "; ".join(grants)
