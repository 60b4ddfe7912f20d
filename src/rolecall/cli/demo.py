"""`rolecall demo`: one account made through the wire, as an SDK would, then used on the engine itself."""

from __future__ import annotations

import http.client
import json
import secrets
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import psycopg
import typer
from rich.console import Console
from rich.table import Table

from rolecall.cli.data import DataDirectory, DataOption, default_directory
from rolecall.domain.credentials import new_managed_password
from rolecall.settings import SettingsError
from rolecall.signing import tc3
from rolecall.values import Secret

_ROW = "select oid, rolname, rolcanlogin, rolsuper, rolcreatedb from pg_roles where rolname = %s"


def demo(
    data: DataOption = None,
    ready_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The ready file of `rolecall up`.")
    ] = None,
) -> None:
    """Create an account through the API, log in to the engine with it, and print its pg_roles row."""
    file = ready_file or DataDirectory(data or default_directory()).ready
    try:
        ready = json.loads(file.read_text("utf-8"))
    except FileNotFoundError:
        raise SettingsError(f"{file} is not there: start `rolecall up` first") from None
    run_demo(ready)


def run_demo(ready: Mapping[str, Any]) -> None:
    """`ready` is the content of a ready file."""
    name, password = f"demo_{secrets.token_hex(4)}", new_managed_password()
    answer = call(
        ready,
        "CreateAccount",
        {
            "DBInstanceId": ready["tencent"]["postgres_instance_id"],
            "UserName": name,
            "Password": password.reveal(),
            "Type": "normal",
            "Remark": "rolecall demo",
        },
    )
    engine = ready["engines"]["postgres"]
    with psycopg.connect(
        host=engine["host"],
        port=engine["port"],
        dbname=engine["database"],
        user=name,
        password=password.reveal(),
    ) as connection:
        row = connection.execute(_ROW, (name,)).fetchone()
        who = connection.execute("select current_user").fetchone()
    assert row is not None  # noqa: S101 - it logged in
    assert who is not None  # noqa: S101
    table = Table(
        "what", "system", "answer", title="rolecall demo", title_justify="left", header_style="bold"
    )
    table.add_row(
        "CreateAccount", "tencent postgres", f"Oid {answer['Oid']}, RequestId {answer['RequestId']}"
    )
    table.add_row("log in", "PostgreSQL", f"current_user = {who[0]}")
    columns = ("oid", "rolname", "rolcanlogin", "rolsuper", "rolcreatedb")
    table.add_row(
        "pg_roles",
        "PostgreSQL",
        ", ".join(f"{column}={value}" for column, value in zip(columns, row, strict=True)),
    )
    Console().print(table)


def call(ready: Mapping[str, Any], action: str, params: Mapping[str, object]) -> dict[str, Any]:
    """One signed Tencent postgres call; returns its Response. Raises `SettingsError` with the vendor's error."""
    tencent = ready["tencent"]
    address = urlsplit(ready["endpoint"])
    payload = json.dumps(params).encode()
    headers = tc3.post_headers(
        tencent["secret_id"],
        Secret(tencent["secret_key"]),
        service="postgres",
        version="2017-03-12",
        action=action,
        region=tencent["region"],
        timestamp=int(time.time()),
        host=address.netloc,
        payload=payload,
    )
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=30)
    try:
        connection.request("POST", "/", payload, headers)
        response: dict[str, Any] = json.loads(connection.getresponse().read())["Response"]
    finally:
        connection.close()
    if "Error" in response:
        raise SettingsError(f"{action}: {response['Error']['Code']}: {response['Error']['Message']}")
    return response
