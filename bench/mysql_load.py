"""The same for the MySQL family: PetaData and OpenStack calls beside a raw CREATE USER and GRANT."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any
from urllib.parse import urlencode, urlsplit
from urllib.request import Request, urlopen
from uuid import uuid4

import asyncmy

from bench.load import PASSWORD, Make, read_body
from rolecall.domain.engine import Access, DatabaseGrant
from rolecall.engines.mysql import control, hashes, statements, templates
from rolecall.engines.mysql.flavors import MARIADB
from rolecall.signing import acs1
from rolecall.values import Secret

DATABASE = "benchdb"


async def connect(ready: Mapping[str, Any]) -> Any:
    engine = ready["engines"]["mysql"]
    return await asyncmy.connect(
        host=engine["host"],
        port=engine["port"],
        user=engine["user"],
        password=engine["password"],
        autocommit=True,
    )


async def prepare(ready: Mapping[str, Any]) -> None:
    """The database that accounts are granted."""
    async with await connect(ready) as connection, connection.cursor() as cursor:
        await cursor.execute("show databases like %s", (DATABASE,))
        if not await cursor.fetchall():
            await cursor.execute(f"create database {DATABASE}")


@asynccontextmanager
async def engine_clients(ready: Mapping[str, Any], count: int) -> AsyncIterator[list[Make]]:
    """Clients that send the raw pair, with a hash made beforehand."""
    async with _engine_connections(ready, count) as connections:
        yield [_engine_client(connection, hashes.native(PASSWORD.reveal())) for connection in connections]


@asynccontextmanager
async def careful_clients(ready: Mapping[str, Any], count: int) -> AsyncIterator[list[Make]]:
    """Clients that send what Rolecall sends for an account made alone: marked, noted, granted and completed."""
    async with _engine_connections(ready, count) as connections:
        yield [_careful_client(connection, hashes.native(PASSWORD.reveal())) for connection in connections]


@asynccontextmanager
async def _engine_connections(ready: Mapping[str, Any], count: int) -> AsyncIterator[list[Any]]:
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(await connect(ready)) for _ in range(count)]


def _engine_client(connection: Any, hashed: str) -> Make:
    async def make(name: str, _password: bool) -> None:
        async with connection.cursor() as cursor:
            await cursor.execute(
                f"create user '{name}'@'%' identified via mysql_native_password using '{hashed}'"
            )
            await cursor.execute(f"grant select, insert, update, delete on {DATABASE}.* to '{name}'@'%'")

    return make


def _careful_client(connection: Any, hashed: str) -> Make:
    grant = DatabaseGrant(DATABASE, Access.READ_WRITE)
    holding = statements.holding(grant, templates.MARIADB_COLUMNS)

    async def make(name: str, _password: bool) -> None:
        place = (name, "%")
        steps = (
            statements.create_accounts(MARIADB, {place: hashed}),
            control.made(control.SCHEMA, {place: uuid4()}),
            statements.grant([place], holding, complete=True),
        )
        async with connection.cursor() as cursor:
            await cursor.execute(";".join(steps))
            while await cursor.nextset():
                pass

    return make


@asynccontextmanager
async def petadata_clients(ready: Mapping[str, Any], count: int) -> AsyncIterator[list[Make]]:
    async with _connections(ready, count) as connections:
        yield [_petadata_client(reader, writer, ready) for reader, writer in connections]


def _petadata_client(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, ready: Mapping[str, Any]
) -> Make:
    keys = ready["aliyun"]
    key = Secret(keys["access_key_secret"])

    async def make(name: str, _password: bool) -> None:
        params = {
            "Action": "CreateAccount", "Version": "2016-01-01", "Format": "JSON",
            "AccessKeyId": keys["access_key_id"], "SignatureMethod": "HMAC-SHA1", "SignatureVersion": "1.0",
            "SignatureNonce": str(uuid4()),
            "Timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "InstanceId": keys["instance_id"], "AccountName": name, "AccountPassword": PASSWORD.reveal(),
            "DBName": DATABASE, "AccountPrivilege": "ReadWrite",
        }  # fmt: skip
        params["Signature"] = acs1.sign("POST", params.items(), key)
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        body = await _post(reader, writer, "/", headers, urlencode(params).encode())
        if b'"Code"' in body:
            raise RuntimeError(body.decode())

    return make


@asynccontextmanager
async def openstack_clients(ready: Mapping[str, Any], count: int) -> AsyncIterator[list[Make]]:
    token = await asyncio.to_thread(_token, ready)
    async with _connections(ready, count) as connections:
        yield [_openstack_client(reader, writer, ready, token) for reader, writer in connections]


def _token(ready: Mapping[str, Any]) -> str:
    keys = ready["openstack"]
    credential = {"id": keys["username"], "secret": keys["password"]}
    ask = {
        "auth": {"identity": {"methods": ["application_credential"], "application_credential": credential}}
    }
    request = Request(
        keys["auth_url"] + "/auth/tokens", json.dumps(ask).encode(), {"Content-Type": "application/json"}
    )
    with urlopen(request, timeout=30) as response:
        return str(response.headers["X-Subject-Token"])


def _openstack_client(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, ready: Mapping[str, Any], token: str
) -> Make:
    keys = ready["openstack"]
    path = urlsplit(keys["database_url"]).path + f"/instances/{keys['instance_id']}/users"
    headers = {"Content-Type": "application/json", "Accept": "application/json", "X-Auth-Token": token}

    async def make(name: str, _password: bool) -> None:
        user = {"name": name, "password": PASSWORD.reveal(), "databases": [{"name": DATABASE}]}
        body = await _post(reader, writer, path, headers, json.dumps({"users": [user]}).encode())
        if body:
            raise RuntimeError(body.decode())

    return make


async def settle(ready: Mapping[str, Any], names: list[str]) -> None:
    """Wait until promised accounts are there, and complete. One look for all of them, so that looking costs little."""
    query = (
        "select count(*) from mysql.global_priv where host = '%%' and user in %s"
        " and coalesce(json_value(priv, '$.x509_subject'), '') = ''"
    )
    async with await connect(ready) as connection, connection.cursor() as cursor:
        while True:
            await cursor.execute(query, (tuple(names),))
            if (await cursor.fetchone())[0] == len(names):
                return
            await asyncio.sleep(0.005)


@asynccontextmanager
async def _connections(
    ready: Mapping[str, Any], count: int
) -> AsyncIterator[list[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]:
    address = urlsplit(ready["endpoint"])
    connections = [await asyncio.open_connection(address.hostname, address.port) for _ in range(count)]
    try:
        yield connections
    finally:
        for _, writer in connections:
            writer.close()
            await writer.wait_closed()


async def _post(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    path: str,
    headers: Mapping[str, str],
    payload: bytes,
) -> bytes:
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    head = f"POST {path} HTTP/1.1\r\nHost: bench\r\n{lines}Content-Length: {len(payload)}\r\n\r\n"
    writer.write(head.encode() + payload)
    return await read_body(reader)
