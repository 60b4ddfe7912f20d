"""Tokens of an outside Keystone: who is let in, who is not, and what is remembered; over real HTTP on loopback."""

from __future__ import annotations

import asyncio
import ipaddress
import ssl
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import SecretStr
from tests.unit.keystone_server import PASSWORD, PROJECT, SERVICE, KeystonePlay, playing

from rolecall.auth import keystone
from rolecall.auth.keystone import KeystoneTokens, keystone_tokens
from rolecall.domain.access.authenticator import Presented
from rolecall.domain.access.keys import Owner
from rolecall.domain.reasons import Reason, Refused
from rolecall.settings import Settings, SettingsError
from rolecall.signing.token import AnonymousClaim, CredentialsClaim, OutsideTokenClaim
from rolecall.values import Caller, Secret

OWNER = Owner(7, 100000000001, 1250000001)
ALICE = 100000000123


@pytest.fixture
def play() -> KeystonePlay:
    return KeystonePlay()


@pytest.fixture
def url(play: KeystonePlay) -> Iterator[str]:
    with playing(play) as address:
        yield address


async def owners() -> Sequence[Owner]:
    return [OWNER]


async def sub_user(owner_id: int, name: str) -> Any:
    return SimpleNamespace(number=ALICE) if (owner_id, name) == (OWNER.id, "alice") else None


@asynccontextmanager
async def callers(url: str, **changes: Any) -> AsyncIterator[KeystoneTokens]:
    settings: dict[str, Any] = {
        "keystone_url": url,
        "keystone_username": SERVICE,
        "keystone_password": SecretStr(PASSWORD),
        "keystone_projects": {PROJECT: OWNER.number},
        **changes,
    }
    made = keystone_tokens(Settings(**settings), owners, sub_user)
    try:
        yield made
    finally:
        await made.close()


async def caller(outside: KeystoneTokens, token: str, tenant: str = "", now: float = 0) -> Caller:
    claim = OutsideTokenClaim(Secret(token), tenant)
    proven = await outside.authenticate(Presented(claim, now or time.time()))
    assert proven is not None
    return proven.caller


async def reason(outside: KeystoneTokens, token: str, tenant: str = "", now: float = 0) -> Reason:
    with pytest.raises(Refused) as caught:
        await caller(outside, token, tenant, now)
    assert token not in str(caught.value)
    return caught.value.reason


async def test_a_user_is_the_sub_user_of_the_same_name(url: str, play: KeystonePlay) -> None:
    async with callers(url) as outside:
        found = await caller(outside, play.issue("alice"), PROJECT)
        assert found == Caller(7, OWNER.number, OWNER.app_id, ALICE, "keystone:id-of-alice")
        assert await caller(outside, play.issue("alice"), str(OWNER.number)) == found
        assert await reason(outside, play.issue("alice"), "another") is Reason.TENANT_FOREIGN


async def test_the_admin_role_makes_the_owner_of_whoever_is_no_sub_user(url: str, play: KeystonePlay) -> None:
    roles = [{"id": "1", "name": "db_admin"}, {"id": "2", "name": "member"}]
    async with callers(url, keystone_admin_role="db_admin") as outside:
        assert (await caller(outside, play.issue("carol", roles=roles))).is_owner
        assert (await caller(outside, play.issue("alice", roles=roles))).principal == ALICE
        assert await reason(outside, play.issue("carol")) is Reason.NOT_PERMITTED
    async with callers(url) as outside:
        assert await reason(outside, play.issue("carol", roles=roles)) is Reason.NOT_PERMITTED
        assert await reason(outside, play.issue("carol", roles=[{"name": ""}])) is Reason.NOT_PERMITTED


async def test_a_namesake_of_another_domain_is_somebody_else(url: str, play: KeystonePlay) -> None:
    user = {"id": "x", "name": "alice", "domain": {"id": "elsewhere", "name": "Elsewhere"}}
    async with callers(url) as outside:
        assert await reason(outside, play.issue(user=user)) is Reason.NOT_PERMITTED
    async with callers(url, keystone_caller_domain="elsewhere") as outside:
        assert (await caller(outside, play.issue(user=user))).principal == ALICE


async def test_a_token_for_another_project_or_for_none_is_not_permitted(url: str, play: KeystonePlay) -> None:
    other = {"id": "f" * 32, "name": "shop", "domain": {"id": "default", "name": "Default"}}
    async with callers(url, keystone_projects={PROJECT: OWNER.number, "f" * 32: 1}) as outside:
        assert await reason(outside, play.issue(project=other)) is Reason.NOT_PERMITTED
        assert await reason(outside, play.issue(project={})) is Reason.NOT_PERMITTED
        assert await reason(outside, play.issue(project={}), PROJECT) is Reason.NOT_PERMITTED


async def test_an_unknown_or_expired_token_is_refused(url: str, play: KeystonePlay) -> None:
    async with callers(url) as outside:
        assert await reason(outside, "gAAAAABnobodys") is Reason.TOKEN_INVALID
        assert await reason(outside, play.issue(lifetime=-1)) is Reason.TOKEN_INVALID


async def test_only_claims_with_an_outside_token_are_asked_about(url: str, play: KeystonePlay) -> None:
    async with callers(url) as outside:
        for claim in (AnonymousClaim(), CredentialsClaim("a", Secret("b"), "password")):
            assert await outside.authenticate(Presented(claim, 0)) is None
    assert play.asked == play.signed_in == 0


async def test_an_answer_is_believed_for_the_time_that_is_set_and_no_longer(
    url: str, play: KeystonePlay
) -> None:
    token, now = play.issue(), time.time()
    async with callers(url, keystone_cache_seconds=30) as outside:
        await caller(outside, token, now=now)
        play.tokens.clear()  # revoked at Keystone
        await caller(outside, token, now=now + 29)
        assert play.asked == 1
        assert await reason(outside, token, now=now + 30) is Reason.TOKEN_INVALID


async def test_an_answer_is_not_believed_beyond_the_tokens_own_end(url: str, play: KeystonePlay) -> None:
    token, now = play.issue(lifetime=10), time.time()
    async with callers(url, keystone_cache_seconds=300) as outside:
        await caller(outside, token, now=now)
        assert await reason(outside, token, now=now + 11) is Reason.TOKEN_INVALID


async def test_a_refusal_is_remembered_for_seconds_and_with_no_time_set_nothing_else_is(
    url: str, play: KeystonePlay
) -> None:
    token, now = play.issue(), time.time()
    document = play.tokens.pop(token)
    async with callers(url, keystone_cache_seconds=0) as outside:
        for later in (0, 4):
            assert await reason(outside, token, now=now + later) is Reason.TOKEN_INVALID
        assert play.asked == 1
        play.tokens[token] = document
        for _ in range(2):
            await caller(outside, token, now=now + 5)
    assert (play.asked, play.signed_in) == (3, 1)


async def test_an_answer_that_is_neither_yes_nor_no_is_not_remembered(url: str, play: KeystonePlay) -> None:
    token, now = play.issue(), time.time()
    async with callers(url) as outside:
        await caller(outside, play.issue(), now=now)
        play.trouble = 503
        assert await reason(outside, token, now=now) is Reason.IDENTITY_UNREACHABLE
        play.trouble = 0
        await caller(outside, token, now=now)


async def test_refusals_take_no_more_memory_than_is_set_for_them(
    url: str, play: KeystonePlay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keystone, "_CACHED", 2)
    now = time.time()
    async with callers(url) as outside:
        for name in ("one", "two", "three", "three", "one"):
            assert await reason(outside, f"gAAAAAB{name}", now=now) is Reason.TOKEN_INVALID
    assert play.asked == 4


async def test_a_client_address_has_no_more_than_some_tokens_asked_about_at_once(
    url: str, play: KeystonePlay
) -> None:
    async def ask(outside: KeystoneTokens, client: str) -> Reason | None:
        try:
            claim = OutsideTokenClaim(Secret(play.issue()))
            await outside.authenticate(Presented(claim, time.time(), client))
        except Refused as refusal:
            return refusal.reason
        return None

    async with callers(url) as outside:
        play.pause.clear()
        work = [asyncio.create_task(ask(outside, "192.0.2.1")) for _ in range(10)]
        await asyncio.sleep(0)
        assert await ask(outside, "192.0.2.1") is Reason.RATE_EXCEEDED
        another = asyncio.create_task(ask(outside, "192.0.2.2"))
        await asyncio.sleep(0)
        play.pause.set()
        assert set(await asyncio.gather(*work, another)) == {None}
        assert await ask(outside, "192.0.2.1") is None


async def test_a_token_that_comes_many_times_at_once_is_asked_about_once(
    url: str, play: KeystonePlay
) -> None:
    token = play.issue()
    async with callers(url) as outside:
        play.pause.clear()
        work = [asyncio.create_task(caller(outside, token)) for _ in range(50)]
        await asyncio.sleep(0)
        work[0].cancel()
        play.pause.set()
        found = await asyncio.gather(*work[1:])
    assert {one.principal for one in found} == {ALICE}
    assert play.asked == 1


async def test_our_own_token_is_renewed_when_keystone_has_ended_it(url: str, play: KeystonePlay) -> None:
    async with callers(url, keystone_cache_seconds=0) as outside:
        await caller(outside, play.issue())
        play.own.clear()
        await caller(outside, play.issue())
        assert play.signed_in == 2
        await caller(outside, play.issue(lifetime=9000), now=time.time() + 3600)
        assert play.signed_in == 3


@pytest.mark.parametrize("status", [300, 403, 429, 500, 503])
async def test_nobody_is_let_in_while_keystone_gives_no_clear_answer(
    url: str, play: KeystonePlay, status: int
) -> None:
    async with callers(url) as outside:
        await caller(outside, play.issue())
        play.trouble = status
        assert await reason(outside, play.issue()) is Reason.IDENTITY_UNREACHABLE


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b"{}", b'{"token": {}}', b'{"token": null}', b"\xff"]
)
async def test_nobody_is_let_in_by_an_answer_that_is_no_token_document(
    url: str, play: KeystonePlay, body: bytes
) -> None:
    async with callers(url) as outside:
        await caller(outside, play.issue())
        play.body = body
        assert await reason(outside, play.issue()) is Reason.IDENTITY_UNREACHABLE


async def test_nobody_is_let_in_while_keystone_is_away_or_knows_no_such_service_user(
    url: str, play: KeystonePlay
) -> None:
    async with callers(url, keystone_password=SecretStr("wrong")) as outside:
        assert await reason(outside, play.issue()) is Reason.IDENTITY_UNREACHABLE
    async with callers("http://127.0.0.1:1") as outside:
        assert await reason(outside, play.issue()) is Reason.IDENTITY_UNREACHABLE


async def test_a_url_may_name_the_version_or_not(url: str, play: KeystonePlay) -> None:
    for spelling in (f"{url}/", f"{url}/v3", f"{url}/v3/"):
        async with callers(spelling) as outside:
            await caller(outside, play.issue())


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate for 127.0.0.1 with its key, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "keystone")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "keystone.pem"
    plain = serialization.NoEncryption()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    path.write_bytes(pem + made.public_bytes(serialization.Encoding.PEM))
    return path


async def test_a_certificate_is_verified(play: KeystonePlay, certificate: Path) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)
    with playing(play, tls=tls) as url:
        async with callers(url, keystone_ca_file=certificate) as outside:
            await caller(outside, play.issue())
        async with callers(url) as outside:
            assert await reason(outside, play.issue()) is Reason.IDENTITY_UNREACHABLE
    assert play.asked == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"keystone_url": "http://keystone.example:5000"},
        {"keystone_url": "keystone.example"},
        {"keystone_url": "ftp://127.0.0.1"},
        {"keystone_url": "https://"},
        {"keystone_username": ""},
        {"keystone_password": None},
        {"keystone_ca_file": Path("/nonexistent")},
    ],
)
async def test_settings_that_would_be_unsafe_or_useless_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(SettingsError):
        async with callers("https://keystone.example", **wrong):
            pass


@pytest.mark.parametrize("text", ["", "with space", "é", "x" * 8193, "line\nbreak"])
def test_what_could_not_stand_in_a_header_is_no_token(text: str) -> None:
    with pytest.raises(Refused) as caught:
        OutsideTokenClaim(Secret(text))
    assert caught.value.reason is Reason.TOKEN_INVALID
