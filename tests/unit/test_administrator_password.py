"""What a false server learns of the administrator's password, and of the store's: nothing."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import psycopg
import pytest
from asyncmy.errors import MySQLError
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from psycopg.conninfo import conninfo_to_dict

from rolecall.domain.engine import EngineAddress
from rolecall.domain.instances.channels import is_loopback, sslmode, weakness
from rolecall.domain.reasons import Reason, Refused
from rolecall.engines.mysql import MySqlEngine
from rolecall.engines.mysql.login import GuardedConnection
from rolecall.engines.postgresql import PostgresEngine
from rolecall.engines.postgresql.connections import channel
from rolecall.store.address import guarded, weakness_of
from rolecall.values import Secret

PASSWORD = "S3cret-admin"
SALT = b"abcdefgh" + b"ijklmnopqrst"


class FalseServer:
    """Takes one connection after the other, plays `scene` with each and keeps all that it is told."""

    def __init__(self, scene: Callable[[FalseServer, socket.socket], None]) -> None:
        self._scene = scene
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self.heard = b""
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            connection.settimeout(60)
            with connection, contextlib.suppress(OSError, struct.error):
                self._scene(self, connection)

    def take(self, connection: socket.socket) -> bytes:
        data = connection.recv(65536)
        self.heard += data
        return data

    def listen_to_the_end(self, connection: socket.socket) -> None:
        while self.take(connection):
            pass

    def close(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join()

    def address(self, kind: str, **options: str) -> EngineAddress:
        database = "postgres" if kind == "postgresql" else "mysql"
        return EngineAddress(kind, "127.0.0.1", self.port, "admin", Secret(PASSWORD), database, options)


@contextlib.asynccontextmanager
async def playing(scene: Callable[[FalseServer, socket.socket], None]) -> AsyncIterator[FalseServer]:
    server = FalseServer(scene)
    try:
        yield server
    finally:
        await asyncio.to_thread(server.close)  # the driver closes its end in this loop


def postgres_asking(authentication: bytes) -> Callable[[FalseServer, socket.socket], None]:
    """Answers `N` to the request for TLS, then asks for the password in its own way."""

    def scene(server: FalseServer, connection: socket.socket) -> None:
        if server.take(connection)[4:8] == struct.pack(">i", 80877103):
            connection.sendall(b"N")
            server.take(connection)
        connection.sendall(b"R" + struct.pack(">i", 4 + len(authentication)) + authentication)
        server.listen_to_the_end(connection)

    return scene


CLEAR_TEXT, MD5, NONE = struct.pack(">i", 3), struct.pack(">i", 5) + b"salt", struct.pack(">i", 0)


@pytest.mark.parametrize("authentication", [CLEAR_TEXT, MD5, NONE], ids=["clear text", "md5", "none"])
async def test_postgresql_administrators_prove_themselves_by_scram_alone(authentication: bytes) -> None:
    async with playing(postgres_asking(authentication)) as server:
        engine = PostgresEngine(server.address("postgresql", sslmode="prefer"))
        with pytest.raises(Refused) as caught:
            await engine.facts()
        await engine.close()
    assert caught.value.reason is Reason.ENGINE_UNREACHABLE
    assert "auth" in caught.value.note
    assert PASSWORD.encode() not in server.heard
    assert b"md5" not in server.heard


async def test_a_server_without_tls_gets_no_login_where_tls_is_asked_for() -> None:
    async with playing(postgres_asking(CLEAR_TEXT)) as server:
        engine = PostgresEngine(server.address("postgresql", sslmode="require"))
        with pytest.raises(Refused, match=r"ENGINE_UNREACHABLE|TLS|SSL"):
            await engine.facts()
        await engine.close()
    assert b"admin" not in server.heard


@pytest.mark.parametrize("authentication", [CLEAR_TEXT, MD5], ids=["clear text", "md5"])
async def test_the_stores_password_is_not_shown_either(authentication: bytes) -> None:
    async with playing(postgres_asking(authentication)) as server:
        dsn = guarded(Secret(f"postgresql://rolecall:{PASSWORD}@127.0.0.1:{server.port}/rolecall"))
        with pytest.raises(psycopg.OperationalError, match="auth"):
            psycopg.connect(dsn.reveal())
    assert PASSWORD.encode() not in server.heard
    assert b"md5" not in server.heard


def packet(number: int, payload: bytes) -> bytes:
    return struct.pack("<I", len(payload))[:3] + bytes([number]) + payload


def greeting(plugin: str, *, tls: bool = False) -> bytes:
    # LONG_PASSWORD, PROTOCOL_41, SECURE_CONNECTION, PLUGIN_AUTH, PLUGIN_AUTH_LENENC_CLIENT_DATA; SSL
    capabilities = 0x1 | 0x200 | 0x8000 | 0x80000 | 0x200000 | (0x800 if tls else 0)
    low, high = struct.pack("<I", capabilities)[:2], struct.pack("<I", capabilities)[2:]
    return packet(
        0,
        b"\x0a8.0.30\0" + struct.pack("<I", 7) + SALT[:8] + b"\0" + low + b"\x21\x02\x00" + high
        + bytes([21]) + b"\0" * 10 + SALT[8:] + b"\0" + plugin.encode() + b"\0",
    )  # fmt: skip


def mysql_asking(
    default: str, then: bytes, tls: ssl.SSLContext | None = None
) -> Callable[[FalseServer, socket.socket], None]:
    """Greets with its default plugin, and once the client has answered asks for the password by `then`."""

    def scene(server: FalseServer, connection: socket.socket) -> None:
        connection.sendall(greeting(default, tls=tls is not None))
        number = 2
        if tls is not None:
            connection.recv(36)  # the request for TLS
            connection = tls.wrap_socket(connection, server_side=True)
            number = 3
        server.take(connection)
        connection.sendall(packet(number, then))
        server.take(connection)
        connection.close()

    return scene


def switch(plugin: str) -> bytes:
    return b"\xfe" + plugin.encode() + b"\0" + SALT + b"\0"


FULL = b"\x01\x04"


@pytest.mark.parametrize("sslmode", ["disable", "prefer"])
@pytest.mark.parametrize("plugin", ["mysql_clear_password", "dialog", "mysql_old_password", "unheard_of"])
async def test_mysql_servers_cannot_ask_for_the_password_itself(plugin: str, sslmode: str) -> None:
    then = switch(plugin) + (b"\x02Password: " if plugin == "dialog" else b"")
    async with playing(mysql_asking("mysql_native_password", then)) as server:
        engine = MySqlEngine(server.address("mysql", sslmode=sslmode, flavor="mysql"))
        with pytest.raises(Refused) as caught:
            await engine.facts()
        await engine.close()
    assert caught.value.reason is Reason.ENGINE_UNREACHABLE
    assert PASSWORD.encode() not in server.heard


def driver(server: FalseServer, tls: ssl.SSLContext | None = None) -> GuardedConnection:
    return GuardedConnection(
        is_local=False, host="127.0.0.1", port=server.port, user="admin", password=PASSWORD.encode(), ssl=tls
    )


@pytest.mark.parametrize(
    ("default", "then"),
    [
        ("caching_sha2_password", FULL),
        ("mysql_native_password", switch("caching_sha2_password")),
        ("sha256_password", b"\x01-----BEGIN PUBLIC KEY-----"),
        ("mysql_native_password", switch("sha256_password")),
        ("mysql_clear_password", switch("mysql_clear_password")),
    ],
)
async def test_beyond_this_machine_no_unknown_server_gets_the_password_under_its_own_key(
    default: str, then: bytes
) -> None:
    """The key under which the driver would encrypt the password is sent by the same server."""
    async with playing(mysql_asking(default, then)) as server:
        connection = driver(server)
        with pytest.raises((MySQLError, OSError)):
            await connection.connect()
        connection.close()
    assert PASSWORD.encode() not in server.heard
    # Neither were the server's key asked for (a packet of one byte) nor anything sent after it.
    assert b"\x01\x00\x00\x03\x02" not in server.heard
    assert b"\x01\x00\x00\x03\x01" not in server.heard


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1, and its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    file = tmp_path_factory.mktemp("certificate") / "server.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(made.public_bytes(serialization.Encoding.PEM) + private)
    return file


@pytest.mark.parametrize(
    ("default", "then"),
    [
        ("caching_sha2_password", FULL),
        ("sha256_password", b"\x01\x04"),
        ("mysql_native_password", switch("mysql_clear_password")),
    ],
)
@pytest.mark.parametrize("verified", [False, True], ids=["unverified", "verified"])
async def test_over_tls_the_password_itself_goes_to_a_verified_server_alone(
    certificate: Path, default: str, then: bytes, verified: bool
) -> None:
    theirs = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    theirs.load_cert_chain(certificate)
    ours = ssl.create_default_context(cafile=str(certificate))
    if not verified:
        ours.check_hostname = False
        ours.verify_mode = ssl.CERT_NONE
    async with playing(mysql_asking(default, then, theirs)) as server:
        connection = driver(server, ours)
        with pytest.raises((MySQLError, OSError)):
            await connection.connect()
        connection.close()
    assert (PASSWORD.encode() in server.heard) is verified


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("localhost", True), ("127.0.0.1", True), ("127.8.9.1", True), ("::1", True), ("/run/postgresql", True),
        ("", True), ("db.example", False), ("10.0.0.1", False), ("0.0.0.0", False), ("localhost.example", False),
    ],
)  # fmt: skip
def test_loopback_is_this_machine(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected
    assert sslmode(host, {}) == ("prefer" if expected else "verify-full")
    assert sslmode(host, {"sslmode": "require"}) == "require"
    assert bool(weakness(host, {"sslmode": "require"})) is not expected
    assert weakness(host, {}) == ""


def test_beyond_loopback_postgresql_is_verified_and_bound_to_its_certificate() -> None:
    def told(host: str, **options: str) -> Mapping[str, str]:
        return channel(EngineAddress("postgresql", host, 5432, "admin", Secret("x"), "postgres", options))

    far = told("db.example")
    assert (far["sslmode"], far["channel_binding"], far["require_auth"]) == (
        "verify-full",
        "require",
        "scram-sha-256",
    )
    assert far["sslrootcert"]
    assert told("db.example", sslmode="require")["channel_binding"] == "require"
    assert told("db.example", sslrootcert="/ca.pem")["sslrootcert"] == "/ca.pem"
    near = told("127.0.0.1")
    assert (near["sslmode"], near["require_auth"]) == ("prefer", "scram-sha-256")


@pytest.mark.parametrize(
    ("dsn", "expected"),
    [
        ("postgresql://u:p@db.example/x", ("verify-full", "scram-sha-256", "require")),
        ("postgresql://u@db.example/x", ("verify-full", "!password,!md5", None)),
        ("postgresql://u:p@db.example/x?sslmode=require", ("require", "scram-sha-256", "require")),
        ("postgresql://u:p@db.example/x?channel_binding=prefer", ("verify-full", "scram-sha-256", "prefer")),
        ("postgresql://u:p@db.example/x?require_auth=md5", ("verify-full", "md5", "require")),
        ("postgresql://u:p@127.0.0.1,db.example/x", ("verify-full", "scram-sha-256", "require")),
        ("postgresql://u:p@127.0.0.1/x", (None, "scram-sha-256", None)),
        ("host=/run/postgresql user=u", (None, "!password,!md5", None)),
        ("service=rolecall", (None, "!password,!md5", None)),
    ],
)
def test_the_stores_address_is_closed_where_it_is_silent(
    dsn: str, expected: tuple[str | None, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("PGHOST", "PGPASSWORD", "PGSSLMODE", "PGREQUIREAUTH", "PGCHANNELBINDING", "PGSERVICE"):
        monkeypatch.delenv(name, raising=False)
    words = conninfo_to_dict(guarded(Secret(dsn)).reveal())
    assert tuple(words.get(word) for word in ("sslmode", "require_auth", "channel_binding")) == expected
    assert bool(weakness_of(Secret(dsn))) is ("sslmode=require" in dsn)


def test_libpqs_variables_count_as_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGSSLMODE", "require")
    monkeypatch.setenv("PGPASSWORD", "p")
    words = conninfo_to_dict(guarded(Secret("postgresql://u@db.example/x")).reveal())
    assert "sslmode" not in words
    assert words["require_auth"] == "scram-sha-256"
    assert "require" in weakness_of(Secret("postgresql://u@db.example/x"))
