"""`rolecall demo`: one account in each of the five systems, made through the wire, then signed in with."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import asyncmy
import psycopg
import typer
from asyncmy.errors import MySQLError
from rich.console import Console
from rich.table import Table

from rolecall.cli import demo_calls
from rolecall.cli.data import DataDirectory, DataOption, default_directory
from rolecall.domain.accounts.credentials import new_managed_password
from rolecall.settings import SettingsError

_ROLE = "select oid, rolname, rolcanlogin, rolsuper, rolcreatedb from pg_roles where rolname = %s"
_ROLE_COLUMNS = ("oid", "rolname", "rolcanlogin", "rolsuper", "rolcreatedb")
_PROMISE_SECONDS = 10.0


def demo(
    data: DataOption = None,
    ready_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The ready file of `rolecall up`.")
    ] = None,
) -> None:
    """Create an account in each of the five systems, sign in with it, and show what is said to it."""
    file = ready_file or DataDirectory(data or default_directory()).ready
    try:
        ready = json.loads(file.read_text("utf-8"))
    except FileNotFoundError:
        raise SettingsError(f"{file} is not there: start `rolecall up` first") from None
    run_demo(ready)


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
    told = ", ".join(f"{column}={value}" for column, value in zip(_ROLE_COLUMNS, row, strict=True))
    return f"Oid {answer['Oid']}", f"logged in; pg_roles: {told}"


def _through_cam(ready: Mapping[str, Any]) -> tuple[str, str]:
    """A sub-user with a key, who asks with it who it is; it is taken away again."""
    name, _ = _new_account()
    made = demo_calls.tencent(ready, "cam", "AddUser", {"Name": name, "Remark": "rolecall demo", "UseApi": 1})
    key = made["SecretId"], made["SecretKey"]
    told = demo_calls.tencent(ready, "sts", "GetCallerIdentity", {}, key)
    demo_calls.tencent(ready, "cam", "DeleteUser", {"Name": name, "Force": 1})
    return f"Uin {made['Uin']}", f"its key signs: {told['Type']} {told['Arn']}"


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
    told = demo_calls.password_grant(ready, name, password)
    return f"UserId {user['UserId']}", f"signed in (OpenID Connect): sub={told['sub']}"


def _through_aliyun(ready: Mapping[str, Any]) -> tuple[str, str]:
    name, password = _new_account()
    instance = ready["aliyun"]["instance_id"]
    # The vendor allows three accounts an instance: the demo takes its own away again.
    params = {"InstanceId": instance, "AccountName": name, "AccountPassword": password}
    try:
        answer = demo_calls.aliyun(ready, "CreateAccount", params)
    except SettingsError as refused:
        if "QuotaExceeded.AccountName" not in str(refused):
            raise
        return (
            "QuotaExceeded.AccountName",
            f"as many as may be; `rolecall instance set {instance}` changes that",
        )
    told = asyncio.run(_mysql_says(ready, name, password))
    demo_calls.aliyun(ready, "DeleteAccount", {"InstanceId": instance, "AccountName": name})
    return f"RequestId {answer['RequestId']}", told


def _through_openstack(ready: Mapping[str, Any]) -> tuple[str, str]:
    name, password = _new_account()
    status = demo_calls.openstack(ready, "users", {"users": [{"name": name, "password": password}]})
    return f"HTTP {status}", asyncio.run(_mysql_says(ready, name, password))


async def _mysql_says(ready: Mapping[str, Any], name: str, password: str) -> str:
    """What the account sees of itself; an account that was promised may take a moment."""
    engine = ready["engines"]["mysql"]
    deadline = time.monotonic() + _PROMISE_SECONDS
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
