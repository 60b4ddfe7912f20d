"""What signing in keeps: it ends with what it hangs on, is forgotten when it has expired, and is resealed."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from rolecall.domain.access.browser_sessions import ABSOLUTE, IDLE, BrowserSession, BrowserSessions
from rolecall.domain.access.keys import Keys
from rolecall.domain.access.sign_in_links import VALID, SignInLinks
from rolecall.domain.access.sign_ins import AddressLimit, SignInSource
from rolecall.domain.directories.applications import ApplicationRefused, register
from rolecall.domain.directories.provider import Application, Code, Grant, Token, TokenKind
from rolecall.domain.directories.signing_keys import PUBLISHED, SigningKeys
from rolecall.domain.maintenance.resealing import reseal
from rolecall.domain.reasons import Reason, Refused
from rolecall.domain.secrets.sealing import SealBroken, Sealer, new_master_key, parse_master_keys
from rolecall.store import Store
from rolecall.store.provider import MOST_CODES
from rolecall.values import Secret

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
URI = "https://shop.example/cb"


@pytest.fixture
async def store(dsn: Secret) -> AsyncIterator[Store]:
    """A database of its own on the run's store server."""
    one = Store(dsn, pool_size=3)
    await one.open()
    yield one
    await one.close()


async def run(store: Store, statement: str, *values: Any) -> list[tuple[Any, ...]]:
    async with store.browser_sessions._pool.connection() as connection:
        cursor = await connection.execute(statement.encode(), values)
        return await cursor.fetchall() if cursor.description else []


@pytest.fixture
async def directory(store: Store) -> UUID:
    """A user store."""
    owner = await store.keys.add_owner(100000000001, 1250000001)
    made = uuid4()
    await run(store, "insert into user_stores (id, owner_id, name) values (%s, %s, 'shop')", made, owner.id)
    return made


async def user(store: Store, directory: UUID) -> UUID:
    made = uuid4()
    await run(store, "insert into users (id, store_id, name) values (%s, %s, %s)", made, directory, made.hex)
    return made


async def application(store: Store, directory: UUID) -> Application:
    return (await register(store.provider, directory, None, [URI], public=True))[0]


def code_for(application: Application, user_id: UUID) -> Code:
    return Code(
        secrets.token_bytes(32), application.id, user_id, uuid4(), URI, "openid", "n", "c", b"mark", NOW,
        NOW + timedelta(minutes=1),
    )  # fmt: skip


def grant_for(application: Application, user_id: UUID | None, grant_id: UUID | None = None) -> Grant:
    return Grant(
        grant_id or uuid4(), application.id, user_id, "openid", b"mark", NOW, NOW, NOW + timedelta(days=30)
    )


def token(kind: TokenKind = TokenKind.REFRESH, lasts: timedelta = timedelta(days=30)) -> Token:
    return Token(secrets.token_bytes(32), kind, "openid", NOW, NOW + lasts)


async def test_what_is_added_is_read_again_as_it_was(store: Store, directory: UUID) -> None:
    person, relying = await user(store, directory), await application(store, directory)
    assert await store.provider.application(relying.id) == relying
    code = code_for(relying, person)
    assert await store.provider.add_code(code)
    assert await store.provider.code(code.digest) == code
    grant, refresh = grant_for(relying, person, code.grant_id), token()
    assert await store.provider.redeem(code, grant, [refresh], NOW)
    assert await store.provider.code(code.digest) == replace(code, used=True)
    held = await store.provider.held(refresh.digest)
    assert held is not None
    assert (held.token, held.grant) == (refresh, grant)
    assert not await store.provider.redeem(code, grant_for(relying, person), [token()], NOW)


async def test_a_user_has_only_so_many_unused_codes(store: Store, directory: UUID) -> None:
    """B8: each look at the authorization endpoint by a signed-in browser leaves one."""
    person, other = await user(store, directory), await user(store, directory)
    relying = await application(store, directory)
    used, theirs = code_for(relying, person), code_for(relying, other)
    for code in (used, theirs):
        assert await store.provider.add_code(code)
    assert await store.provider.redeem(used, grant_for(relying, person, used.grant_id), [token()], NOW)
    codes = [
        replace(code_for(relying, person), expires_at=NOW + timedelta(seconds=one))
        for one in range(MOST_CODES + 5)
    ]
    for code in codes:
        assert await store.provider.add_code(code)
    assert [await store.provider.code(one.digest) is not None for one in codes] == [False] * 5 + [
        True
    ] * MOST_CODES
    for code in (used, theirs):
        assert await store.provider.code(code.digest) is not None


async def test_the_password_grant_is_kept_with_its_application(store: Store, directory: UUID) -> None:
    relying = await application(store, directory)
    assert not relying.password_grant
    assert await store.provider.set_password_grant(relying.id, allowed=True)
    assert await store.provider.application(relying.id) == replace(relying, password_grant=True)
    assert not await store.provider.set_password_grant("nobody", allowed=True)


async def test_a_refresh_token_is_used_once_and_its_grant_lives_on(store: Store, directory: UUID) -> None:
    person, relying = await user(store, directory), await application(store, directory)
    grant, first, second = grant_for(relying, person), token(), token()
    assert await store.provider.add_grant(grant, [first])
    held = await store.provider.held(first.digest)
    assert held is not None
    later = NOW + timedelta(days=40)
    assert await store.provider.rotate(held, [second], later, NOW)
    assert not await store.provider.rotate(held, [token()], later, NOW)
    used, fresh = await store.provider.held(first.digest), await store.provider.held(second.digest)
    assert used is not None
    assert fresh is not None
    assert (used.token.used, fresh.token.used) == (True, False)
    assert fresh.grant.expires_at == later
    await store.provider.revoke_grant(grant.id)
    assert await store.provider.held(second.digest) is None


async def test_everything_ends_with_its_user(store: Store, directory: UUID) -> None:
    person, relying = await user(store, directory), await application(store, directory)
    code, refresh = code_for(relying, person), token()
    await store.provider.add_code(code)
    await store.provider.add_grant(grant_for(relying, person), [refresh])
    session = BrowserSession(secrets.token_bytes(32), person, None, b"mark", False, NOW, NOW)
    assert await store.browser_sessions.add_session(session)
    assert await store.browser_sessions.session(session.digest) == session
    await run(store, "delete from users where id = %s", person)
    assert await store.provider.code(code.digest) is None
    assert await store.provider.held(refresh.digest) is None
    assert await store.browser_sessions.session(session.digest) is None


async def test_nothing_is_added_for_a_user_or_an_application_that_is_gone(
    store: Store, directory: UUID
) -> None:
    person, relying = await user(store, directory), await application(store, directory)
    code = code_for(relying, person)
    await store.provider.add_code(code)
    for user_id, client in ((uuid4(), relying), (person, replace(relying, id="gone"))):
        assert not await store.provider.add_code(code_for(client, user_id))
        assert not await store.provider.add_grant(grant_for(client, user_id), [token()])
    assert not await store.provider.redeem(code, grant_for(relying, uuid4()), [token()], NOW)
    nobody = BrowserSession(secrets.token_bytes(32), uuid4(), None, b"", False, NOW, NOW)
    assert not await store.browser_sessions.add_session(nobody)
    assert not await store.browser_sessions.add_session(replace(nobody, user_id=None, sub_user=1))


async def test_an_application_ends_with_all_its_tokens_and_a_store_with_its_applications(
    store: Store, directory: UUID
) -> None:
    one, other = await application(store, directory), await application(store, directory)
    refresh = token()
    await store.provider.add_grant(grant_for(one, None), [refresh])
    assert [found.id for found in await store.provider.applications(directory)] == [one.id, other.id]
    assert await store.provider.delete_application(one.id)
    assert not await store.provider.delete_application(one.id)
    assert await store.provider.held(refresh.digest) is None
    await run(store, "delete from user_stores where id = %s", directory)
    assert await store.provider.applications() == []


async def test_an_application_has_a_name_of_its_own(store: Store, directory: UUID) -> None:
    await register(store.provider, directory, "Till", [URI], public=True)
    with pytest.raises(ApplicationRefused, match="already"):
        await register(store.provider, directory, "Till", [URI], public=False)
    for name in ("", "x" * 65, "a\nb"):
        with pytest.raises(ApplicationRefused, match="name"):
            await register(store.provider, directory, name, [URI], public=False)


async def test_what_has_expired_is_forgotten_and_nothing_else(store: Store, directory: UUID) -> None:
    person, relying = await user(store, directory), await application(store, directory)
    code, grant = code_for(relying, person), grant_for(relying, person)
    access, refresh = token(TokenKind.ACCESS, timedelta(minutes=15)), token()
    await store.provider.add_code(code)
    await store.provider.add_grant(grant, [access, refresh])
    keys = SigningKeys(store.provider, Sealer(parse_master_keys(new_master_key())))
    before = (await keys.published(directory, NOW))[0]
    await keys.rotate(directory, NOW + timedelta(minutes=1))

    async def purge(at: datetime) -> tuple[bool, bool, bool, int]:
        await store.provider.purge(at, at - PUBLISHED)
        return (
            await store.provider.code(code.digest) is not None,
            await store.provider.held(access.digest) is not None,
            await store.provider.held(refresh.digest) is not None,
            len(await store.provider.signing_keys(directory)),
        )

    assert await purge(NOW) == (True, True, True, 2)
    assert await purge(NOW + timedelta(minutes=30)) == (True, False, True, 2)
    assert await purge(NOW + timedelta(hours=25)) == (False, False, True, 1)
    assert await purge(NOW + timedelta(days=31)) == (False, False, False, 1)
    assert before.id != (await store.provider.signing_keys(directory))[0].id


async def test_sessions_are_forgotten_when_nobody_has_seen_them_for_long(
    store: Store, directory: UUID
) -> None:
    sessions, person = BrowserSessions(store.browser_sessions), await user(store, directory)
    begun = await sessions.begin(user_id=person, fingerprint=b"m", at=NOW, seen_at=NOW)
    assert begun is not None
    assert await sessions.find(begun, NOW + IDLE - timedelta(seconds=1)) is not None
    await sessions.purge(NOW + IDLE + timedelta(seconds=1))
    assert await sessions.find(begun, NOW + IDLE + timedelta(minutes=10)) is not None  # it was seen again
    await sessions.purge(NOW + 3 * IDLE)
    assert await run(store, "select 1 from browser_sessions") == []
    begun = await sessions.begin(user_id=person, fingerprint=b"m", at=NOW, seen_at=NOW + ABSOLUTE)
    assert begun is not None
    assert await sessions.find(begun, NOW + ABSOLUTE) is None
    first = await sessions.begin(user_id=person, fingerprint=b"m", at=NOW, seen_at=NOW)
    second = await sessions.begin(user_id=person, fingerprint=b"m", at=NOW, seen_at=NOW, instead_of=first)
    assert first is not None
    assert second is not None
    assert await sessions.find(first, NOW) is None
    await sessions.end_all(user_id=person)
    assert await sessions.find(second, NOW) is None


async def test_failures_are_counted_for_a_while_and_then_forgotten(store: Store) -> None:
    limit = AddressLimit(store.failures, store.audit, 2, 900)

    async def shown(client: str, at: datetime, *, right: bool = False) -> tuple[Reason, object] | None:
        try:
            async with limit.guarded(client, at, SignInSource()) as attempt:
                await attempt.require_admitted()
                if not right:
                    raise Refused(Reason.CREDENTIALS_INVALID)
        except Refused as refused:
            return refused.reason, refused.facts.get("retry_after")
        return None

    wrong = (Reason.CREDENTIALS_INVALID, None)

    for _ in range(2):
        assert await shown("192.0.2.1", NOW) == wrong
    for right in (True, False):
        then = NOW + timedelta(seconds=100)
        assert await shown("192.0.2.1", then, right=right) == (Reason.RATE_EXCEEDED, 801)
    assert await shown("192.0.2.2", NOW, right=True) is None
    later = NOW + timedelta(seconds=901)
    assert await shown("192.0.2.1", later) == wrong
    assert await shown("192.0.2.1", later, right=True) is None  # the count began again
    await limit.purge(later + timedelta(seconds=901))
    assert await run(store, "select 1 from sign_in_failures") == []


async def test_a_store_has_one_key_that_signs_whoever_makes_it(store: Store, directory: UUID) -> None:
    sealer = Sealer(parse_master_keys(new_master_key()))
    one, other = SigningKeys(store.provider, sealer), SigningKeys(store.provider, sealer)
    first = (await one.published(directory, NOW))[0]
    assert not await store.provider.add_signing_key(replace(first, id="second"))
    assert [key.id for key in await other.published(directory, NOW)] == [first.id]
    fresh = await one.rotate(directory, NOW)
    assert [key.id for key in await other.published(directory, NOW)] == [fresh.id, first.id]
    assert [key.id for key in await other.published(directory, NOW + PUBLISHED)] == [fresh.id]


async def test_signing_keys_are_sealed_and_resealed_with_everything_else(
    store: Store, directory: UUID
) -> None:
    old, new = new_master_key(), new_master_key()
    key = (await SigningKeys(store.provider, Sealer(parse_master_keys(old))).published(directory, NOW))[0]
    assert b"PRIVATE" not in key.sealed
    rotated = Sealer(parse_master_keys(f"{new}\n{old}"))
    assert await reseal(store.sealed, rotated) == 1
    alone = SigningKeys(store.provider, Sealer(parse_master_keys(new)))
    with pytest.raises(SealBroken):
        alone.open(key)
    assert alone.open((await alone.published(directory, NOW))[0]).reveal().startswith("-----BEGIN PRIVATE")


async def test_a_sign_in_link_is_taken_once_and_in_time(store: Store) -> None:
    owner = await Keys(store.keys, Sealer(parse_master_keys(new_master_key()))).create_owner()
    links, now = SignInLinks(store.sign_in_links), datetime.now(UTC)
    text = await links.create(owner, now)
    assert await links.redeem(text, now) == owner
    assert await links.redeem(text, now) is None
    late = await links.create(owner, now)
    assert await links.redeem(late, now + VALID) is None


async def test_an_owners_session_ends_with_its_key(store: Store) -> None:
    keys = Keys(store.keys, Sealer(parse_master_keys(new_master_key())))
    owner, now = await keys.create_owner(), datetime.now(UTC)
    key_id, _ = await keys.create(owner)
    sessions = BrowserSessions(store.browser_sessions)
    by_key = await sessions.begin(owner_id=owner.id, key_id=key_id, at=now, seen_at=now)
    by_link = await sessions.begin(owner_id=owner.id, at=now, seen_at=now)
    assert by_key is not None
    assert by_link is not None
    found = await sessions.find(by_key, now)
    assert found is not None
    assert (found.owner_id, found.key_id) == (owner.id, key_id)
    async with store.browser_sessions._pool.connection() as connection:
        await connection.execute("delete from access_keys where id = %s", (key_id,))
    assert await sessions.find(by_key, now) is None
    assert await sessions.find(by_link, now) is not None
