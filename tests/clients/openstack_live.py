"""A running Rolecall seen as an OpenStack cloud: plain HTTP with a token, and the MariaDB server behind it."""

from __future__ import annotations

import asyncio
import json
import re
import secrets
import selectors
import socket
import threading
from collections.abc import Mapping
from contextlib import closing, suppress
from typing import Any
from uuid import uuid4

import asyncmy
import httpx
from asyncmy.errors import MySQLError

from rolecall.app.application import Application
from rolecall.app.opening import open_application
from rolecall.domain.instances.registry import NewInstance, register
from rolecall.domain.secrets.sealing import parse_master_keys
from rolecall.settings import Settings
from rolecall.values import Secret

NAMESPACE = "http://docs.openstack.org/database/api/v1.0"
PASSWORD, OTHER_PASSWORD = "p@ss w0rd#1", "0ther?Password"


class LiveCloud:
    """`settings` and `engine` are ``openstack`` and ``engines.mysql`` of the ready file."""

    def __init__(self, endpoint: str, settings: Mapping[str, str], engine: Mapping[str, Any]) -> None:
        self.endpoint = endpoint
        self.settings = settings
        self.engine = engine
        self.tenant = settings["tenant_id"]
        self.instance = settings["instance_id"]
        self.http = httpx.Client(timeout=60, trust_env=False)
        self.token = self.new_token()

    def new_token(self, **credentials: str) -> str:
        """By API key, as Rackspace's clients ask."""
        given = {"username": self.settings["username"], "apiKey": self.settings["api_key"], **credentials}
        answer = self.http.post(
            f"{self.endpoint}/v2.0/tokens", json={"auth": {"RAX-KSKEY:apiKeyCredentials": given}}
        )
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access"]["token"]["id"])

    def __call__(self, method: str, path: str, body: object = None, **headers: str) -> httpx.Response:
        """`path` is relative to the instance, or with ``//`` in front to the tenant."""
        base = f"{self.endpoint}/v1.0/{self.tenant}"
        url = base + path[1:] if path.startswith("//") else f"{base}/instances/{self.instance}{path}"
        raw = body if isinstance(body, str | bytes) else b"" if body is None else json.dumps(body)
        kind = {"Content-Type": "application/json"} if raw else {}
        sent = {"X-Auth-Token": self.token, **kind}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        return self.http.request(method, url, content=raw, headers={k: v for k, v in sent.items() if v})

    def xml(self, method: str, path: str, body: str = "") -> httpx.Response:
        kind = "application/xml"
        return self(method, path, body, Accept=kind, Content_Type=kind if body else "")

    def accepted(self, method: str, path: str, body: object = None) -> None:
        """A change that must be answered 202 with no body."""
        answer = self(method, path, body)
        assert (answer.status_code, answer.content) == (202, b""), answer.text

    def shown(self, path: str) -> Any:
        """What a GET that must succeed says, inside its root."""
        answer = self("GET", path)
        assert answer.status_code == 200, answer.text
        return next(iter(answer.json().values()))

    def fault(self, method: str, path: str, body: object = None, **headers: str) -> tuple[int, str, str]:
        """Status, fault and message of a call that must be refused."""
        answer = self(method, path, body, **headers)
        ((fault, inside),) = answer.json().items()
        assert inside["code"] == answer.status_code
        assert answer.headers["content-type"] == "application/json"
        return answer.status_code, fault, inside["message"]

    def database(self, prefix: str = "shop") -> str:
        """A new database, made through the API."""
        made = f"{prefix}_{secrets.token_hex(3)}"
        self.accepted("POST", "/databases", {"databases": [{"name": made}]})
        return made

    def sql(
        self, *statements: str, user: str = "", password: str = "", **where: Any
    ) -> list[tuple[Any, ...]]:
        """Rows of the last of some statements; by default as the server's administrator."""
        login = {"user": user or self.engine["user"], "password": password or self.engine["password"]}
        with asyncio.Runner() as runner:
            return runner.run(
                _sql(statements, {"host": self.engine["host"], "port": self.engine["port"]} | login | where)
            )

    def logs_in(self, user: str, password: str) -> bool:
        return not self.error("SELECT 1", user=user, password=password)

    def error(self, *statements: str, **login: Any) -> int:
        """The server's number of the error that statements end in; 0 if there is none."""
        try:
            self.sql(*statements, **login)
        except MySQLError as error:
            return int(error.args[0])
        return 0

    def granted(self, name: str, host: str = "%") -> list[str]:
        """The databases on which an account has everything, as the server itself says it."""
        rows = [row for (row,) in self.sql(f"SHOW GRANTS FOR '{name}'@'{host}'")]
        whole = re.compile(r"GRANT ALL PRIVILEGES ON (`[^`]+`)\.\* TO ")
        return sorted(found[1].replace("\\_", "_") for row in rows if (found := whole.match(row)))

    def accounts(self, name: str) -> list[str]:
        """The hosts at which the server knows a name."""
        return [
            host
            for (host,) in self.sql(f"SELECT Host FROM mysql.global_priv WHERE User = '{name}' ORDER BY 1")
        ]


async def _sql(statements: tuple[str, ...], login: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    words = {**login, "password": str(login["password"]).encode()}
    connection = await asyncmy.connect(**words, autocommit=True)
    try:
        async with connection.cursor() as cursor:
            for statement in statements:
                await cursor.execute(statement)
            return list(await cursor.fetchall())
    finally:
        await connection.ensure_closed()


def add_instance(dsn: str, master_key: str, engine: Mapping[str, Any], **changes: Any) -> str:
    """Register a MariaDB server as a further instance, without looking at it; its id for OpenStack."""

    async def work() -> str:
        opening = open_application(Settings(), Secret(dsn), parse_master_keys(master_key))
        async with opening as application:
            (owner,) = await application.store.keys.owners()
            return await _register(application, owner.id, {**engine, **changes})

    with asyncio.Runner() as runner:
        return runner.run(work())


async def _register(application: Application, owner_id: int, engine: Mapping[str, Any]) -> str:
    public_id = str(uuid4())
    new = NewInstance(
        owner_id=owner_id,
        engine="mysql",
        name=f"test {public_id}",
        host=str(engine["host"]),
        port=int(engine["port"]),
        administrator=str(engine["user"]),
        password=Secret(str(engine["password"])),
        database="mysql",
        options={"flavor": "mariadb"},
        region="cn-hangzhou",
        zone="cn-hangzhou-a",
        faces={"openstack": public_id},
    )
    await register(application.store.instances, application.sealer, new)
    return public_id


class Gate:
    """A TCP port in front of a server that can be shut, as if the server were gone, and opened again.

    `source` is the address from which the server sees clients come, ``127.0.0.2`` for example.
    """

    def __init__(self, host: str, port: int, *, source: str = "") -> None:
        self._server = (host, port)
        self._source = (source, 0) if source else None
        self._listener: socket.socket | None = None
        self._open: list[socket.socket] = []
        with closing(socket.create_server(("127.0.0.1", 0))) as probe:
            self.port = int(probe.getsockname()[1])

    def open(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def shut(self) -> None:
        """Nobody gets in, and who is in is thrown out."""
        if self._listener is not None:
            self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None
        while self._open:
            one = self._open.pop()
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                server = socket.create_connection(self._server, source_address=self._source)
                self._open += [client, server]
                threading.Thread(target=_carry, args=(client, server), daemon=True).start()


def _carry(one: socket.socket, other: socket.socket) -> None:
    """Bytes both ways until either side ends."""
    with one, other, selectors.DefaultSelector() as ready, suppress(OSError):
        ready.register(one, selectors.EVENT_READ, other)
        ready.register(other, selectors.EVENT_READ, one)
        while True:
            for key, _ in ready.select():
                received = key.fileobj.recv(65536)  # type: ignore[union-attr]
                if not received:
                    return
                key.data.sendall(received)
