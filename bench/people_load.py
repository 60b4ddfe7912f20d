"""Clients for users of a store: made, read and signed in through the wire; and bare hashing."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit
from uuid import UUID, uuid4

from argon2 import PasswordHasher, Type

from bench.load import PASSWORD, Make, read_body
from rolecall.domain.directories.importing import BATCH
from rolecall.domain.directories.model import UserStatus
from rolecall.domain.directories.rows import NewUser
from rolecall.domain.operations.model import Change
from rolecall.domain.operations.records import Record
from rolecall.domain.secrets.passwords import LANES, MEMORY_KIB, PASSES
from rolecall.signing import tc3
from rolecall.store import Store
from rolecall.values import Caller, Origin, Secret

CIAM, CAM = ("ciam", "2022-03-31"), ("cam", "2019-01-16")
"""Services and their versions."""

Params = Callable[[str], Mapping[str, object]]
"""What a call about a user of that name says."""

_HASHER = PasswordHasher(
    time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=LANES, hash_len=32, salt_len=16, type=Type.ID
)
_COUNTER = itertools.count()


def bare_hash() -> str:
    return _HASHER.hash(PASSWORD.reveal())


@asynccontextmanager
async def hashing_clients(count: int, threads: int) -> AsyncIterator[list[Make]]:
    """Clients that hash, in as many threads as the server has for it, and do nothing else."""
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(threads) as pool:

        async def make(_name: str, _password: bool) -> None:
            await loop.run_in_executor(pool, bare_hash)

        yield [make] * count


class Wire:
    """A kept connection, opened anew where the server has closed it meanwhile: other ways had their turn.

    Not `kept`: one for each request, for servers that keep none.
    """

    def __init__(self, url: str, *, kept: bool) -> None:
        self._address = urlsplit(url)
        self._kept = kept
        self._open: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def post(self, path: str, headers: Mapping[str, str], payload: bytes) -> bytes:
        """The answer's body, whatever its status."""
        if self._open is None or not self._kept or self._open[0].at_eof():
            await self.close()
            self._open = await asyncio.open_connection(self._address.hostname, self._address.port)
        reader, writer = self._open
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        head = f"POST {path} HTTP/1.1\r\n{lines}Content-Length: {len(payload)}\r\n\r\n"
        writer.write(head.encode() + payload)
        return await read_body(reader)

    async def close(self) -> None:
        if self._open is not None:
            self._open[1].close()
            with contextlib.suppress(OSError):
                await self._open[1].wait_closed()


@asynccontextmanager
async def connections(url: str, count: int, *, kept: bool = True) -> AsyncIterator[list[Wire]]:
    wires = [Wire(url, kept=kept) for _ in range(count)]
    try:
        yield wires
    finally:
        for wire in wires:
            await wire.close()


def calling(
    wire: Wire, ready: Mapping[str, Any], action: str, params: Params, service: tuple[str, str] = CIAM
) -> Make:
    """A client of the directory API, or of another one."""

    async def make(name: str, _password: bool) -> None:
        body = await call(wire, ready, action, params(name), service)
        if b'"Error"' in body:
            raise RuntimeError(body.decode())

    return make


async def call(
    wire: Wire,
    ready: Mapping[str, Any],
    action: str,
    params: Mapping[str, object],
    service: tuple[str, str] = CIAM,
) -> bytes:
    tencent = ready["tencent"]
    name, version = service
    host = urlsplit(ready["endpoint"]).netloc
    payload = json.dumps(params).encode()
    headers = tc3.post_headers(
        tencent["secret_id"], Secret(tencent["secret_key"]), service=name, version=version, action=action,
        region=tencent["region"], timestamp=int(time.time()), host=host, payload=payload,
    )  # fmt: skip
    return await wire.post("/", headers, payload)


def signing_in(wire: Wire, ready: Mapping[str, Any], users: Sequence[NewUser]) -> Make:
    """A client of the OpenID provider: the password grant, with the users in turn."""
    tencent = ready["tencent"]
    address = urlsplit(tencent["oidc_issuer"])
    headers = {"Host": address.netloc, "Content-Type": "application/x-www-form-urlencoded"}
    turn = itertools.cycle(users)

    async def make(_name: str, _password: bool) -> None:
        form = {
            "grant_type": "password", "client_id": tencent["oidc_client_id"], "username": next(turn).name,
            "password": PASSWORD.reveal(), "scope": "openid",
        }  # fmt: skip
        body = await wire.post(f"{address.path}/oauth2/token", headers, urlencode(form).encode())
        if b'"id_token"' not in body:
            raise RuntimeError(body.decode())

    return make


def new_user(store: str) -> Params:
    """Everything that CreateUser must be told, never the same twice."""

    def params(name: str) -> Mapping[str, object]:
        return {
            "UserStoreId": store, "UserName": name, "PhoneNumber": f"+86-{20_000_000_000 + next(_COUNTER)}",
            "Email": f"{name}@example.com", "Password": PASSWORD.reveal(),
        }  # fmt: skip

    return params


async def load(ready: Mapping[str, Any], store: str, count: int) -> list[NewUser]:
    """Put users into a store as an import does; a thousand of them, spread over all, to be looked for."""
    url = json.loads((Path(ready["data"]) / "connection.json").read_text())["database_url"]
    owner = ready["owner"]
    caller = Caller(1, owner["uin"], owner["app_id"], owner["uin"], "")
    record = Record(Change.USER_IMPORT, store, Origin(caller, "bench", "load", str(uuid4())))
    hashed = bare_hash()
    kept: list[NewUser] = []
    house = Store(Secret(url), pool_size=2)
    await house.open()
    try:
        async with house.imports.session(UUID(store), uuid4().bytes, record) as session:
            for first in range(0, count, BATCH):
                users = [_loaded(number, hashed) for number in range(first, min(first + BATCH, count))]
                done = await session.keep(users, [], first + len(users), first + len(users))
                kept += users[:: max(count // 1000, 1)]
            if done.imported != count:
                raise RuntimeError(f"{done.refused} users were refused")
            await session.finish()
    finally:
        await house.close()
    return kept


def _loaded(number: int, hashed: str) -> NewUser:
    return NewUser(
        line=number + 1, id=uuid4(), name=f"loaded_{number}", phone=f"+86-{13_000_000_000 + number}",
        email=f"loaded_{number}@example.com", password_hash=hashed, password=None, must_reset=False,
        status=UserStatus.NORMAL, nickname=f"Loaded {number}", address=None, birthdate=None, custom=(),
        indexed=(f"department-{number % 100}", None, None, None, None), profile={}, groups=(),
        created_at=datetime.now(UTC),
    )  # fmt: skip
