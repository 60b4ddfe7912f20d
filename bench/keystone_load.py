"""The same work on Keystone: users made, and signed in by password.

Keystone knows no argon2. It is given bcrypt: of the cost that the OWASP Password Storage Cheat Sheet has as the least,
beside our row of argon2id, and once more of the highest cost that is not slower on this machine. Its database is on the
PostgreSQL server that Rolecall's own store is on; it has fernet tokens, a cache in memory, and gunicorn with two
processes a processor, each with one request at a time: threads of one process meet each other's half-read policies. It
comes from the package index that pip is set to, into a virtual environment outside this repository.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen
from uuid import uuid4

import bcrypt
import psycopg
from psycopg.conninfo import conninfo_to_dict

from bench import environments
from bench.costs import owner_url
from bench.load import PASSWORD, Make
from bench.people_load import Wire, bare_hash, connections

_PACKAGES = ("keystone", "gunicorn", "psycopg2-binary")
_START_SECONDS = 60

OWASP_COST = 10

_PROCESSES = 2 * (os.cpu_count() or 1)
_ADMIN = "Bench_admin1"

_CONFIGURATION = """
[DEFAULT]
debug = false
log_file = {place}/keystone.log
default_log_levels = keystone=WARN,keystonemiddleware=WARN
[database]
connection = {database}
[identity]
password_hash_algorithm = bcrypt
password_hash_rounds = {cost}
max_password_length = 72
[token]
provider = fernet
[fernet_tokens]
key_repository = {place}/fernet
[credential]
key_repository = {place}/credential
[cache]
enabled = true
backend = dogpile.cache.memory
"""


# Keystone reads the command line of whoever loads it.
_APPLICATION = """
import sys

sys.argv = ["keystone"]
from keystone.wsgi.api import application
"""


@dataclass(frozen=True)
class Keystone:
    url: str
    token: str


def missing(place: Path | None) -> str:
    """Why there is no Keystone to compare with; empty if there is one, installed now if need be."""
    return environments.missing(place, "--keystone", _PACKAGES, "keystone, gunicorn, psycopg2")


def bcrypt_cost() -> int:
    """The costliest bcrypt that takes no longer than our hash."""
    ours = _best(bare_hash)
    cost = 4
    while _best(partial(_bcrypt, cost + 1)) <= ours:
        cost += 1
    return cost


def _bcrypt(cost: int) -> None:
    bcrypt.hashpw(PASSWORD.reveal().encode(), bcrypt.gensalt(cost))


def _best(work: Callable[[], object]) -> float:
    taken = []
    for _ in range(7):
        started = time.perf_counter()
        work()
        taken.append(time.perf_counter() - started)
    return min(taken)


@contextmanager
def running_keystone(virtual: Path, ready: Mapping[str, Any], cost: int) -> Iterator[Keystone]:
    with tempfile.TemporaryDirectory(prefix="rolecall-keystone-") as name:
        place = Path(name)
        configuration = place / "keystone.conf"
        database = _database(ready)
        configuration.write_text(_CONFIGURATION.format(place=place, database=database, cost=cost))
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            address = f"127.0.0.1:{free.getsockname()[1]}"
        environment = {**os.environ, "OS_KEYSTONE_CONFIG_FILES": str(configuration)}
        _prepare(virtual, configuration, address)
        (place / "bench_keystone.py").write_text(_APPLICATION)
        process = subprocess.Popen(
            [
                virtual / "bin" / "gunicorn", "--bind", address, "--workers", str(_PROCESSES), "--log-level", "error",
                "bench_keystone:application",
            ],
            env=environment, cwd=place, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            yield _wait(process, f"http://{address}")
        finally:
            process.terminate()
            process.wait(30)


def _database(ready: Mapping[str, Any]) -> str:
    """A new database on the server of Rolecall's store."""
    url = owner_url(ready)
    name = f"keystone_{uuid4().hex[:8]}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"create database {name}".encode())
    parts = conninfo_to_dict(url)
    return f"postgresql+psycopg2://{parts['user']}:{parts['password']}@{parts['host']}:{parts['port']}/{name}"


def _prepare(virtual: Path, configuration: Path, address: str) -> None:
    manage = [virtual / "bin" / "keystone-manage", "--config-file", configuration]
    group = subprocess.run(["id", "-gn"], check=True, capture_output=True, text=True).stdout.strip()
    user = subprocess.run(["id", "-un"], check=True, capture_output=True, text=True).stdout.strip()
    whose = ["--keystone-user", user, "--keystone-group", group]
    for arguments in (
        ["db_sync"],
        ["fernet_setup", *whose],
        ["credential_setup", *whose],
        ["bootstrap", "--bootstrap-password", _ADMIN, "--bootstrap-public-url", f"http://{address}/v3"],
    ):
        done = subprocess.run([*manage, *arguments], check=False, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"keystone-manage {arguments[0]}: {done.stderr[-500:]}")


def _wait(process: subprocess.Popen[bytes], url: str) -> Keystone:
    """Ready when it gives the administrator a token."""
    ask = _sign_in("admin", _ADMIN)
    ask["auth"]["scope"] = {"system": {"all": True}}
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            request = Request(
                f"{url}/v3/auth/tokens", json.dumps(ask).encode(), {"Content-Type": "application/json"}
            )
            with urlopen(request, timeout=30) as response:
                return Keystone(url, str(response.headers["X-Subject-Token"]))
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("Keystone did not become ready") from None
            time.sleep(0.2)


def _sign_in(name: str, password: str) -> dict[str, Any]:
    user = {"name": name, "domain": {"id": "default"}, "password": password}
    return {"auth": {"identity": {"methods": ["password"], "password": {"user": user}}}}


@asynccontextmanager
async def clients(keystone: Keystone, count: int) -> AsyncIterator[tuple[list[Make], list[Make]]]:
    """Clients that make users, and clients that sign in with those that were made."""
    made: list[str] = []
    async with connections(keystone.url, count, kept=False) as wires:
        yield [_creating(wire, keystone, made) for wire in wires], [_signing_in(wire, made) for wire in wires]


def _creating(wire: Wire, keystone: Keystone, made: list[str]) -> Make:
    headers = {"Host": "bench", "Content-Type": "application/json", "X-Auth-Token": keystone.token}

    async def make(name: str, _password: bool) -> None:
        user = {
            "name": name,
            "domain_id": "default",
            "password": PASSWORD.reveal(),
            "email": f"{name}@example.com",
        }
        body = await wire.post("/v3/users", headers, json.dumps({"user": user}).encode())
        if b'"error"' in body:
            raise RuntimeError(body.decode())
        made.append(name)

    return make


def _signing_in(wire: Wire, made: list[str]) -> Make:
    headers = {"Host": "bench", "Content-Type": "application/json"}

    async def make(name: str, _password: bool) -> None:
        chosen = made[hash(name) % len(made)]
        ask = _sign_in(chosen, PASSWORD.reveal())
        body = await wire.post("/v3/auth/tokens", headers, json.dumps(ask).encode())
        if b'"error"' in body:
            raise RuntimeError(body.decode())

    return make
