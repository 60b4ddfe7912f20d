"""Revoked tokens in the store: kept until they would have expired, known to every replica, asked for once."""

from __future__ import annotations

import time
from typing import Any

import psycopg
from tests.store.test_store import store
from tests.waiting import reached

from rolecall.domain.access.revocations import Revocations
from rolecall.domain.reasons import Reason, Refused
from rolecall.signing.token import CredentialsClaim, TokenClaim
from rolecall.store import Store
from rolecall.values import Secret

__all__ = ["store"]

ONE, OTHER, OLD = (bytes([number]) * 16 for number in (1, 2, 3))


def bought() -> TokenClaim:
    claim = CredentialsClaim("AKIDx", Secret("key"), "password")
    return TokenClaim(claim.prove(Secret("key"), time.time()).issue(time.time(), 1).text)


async def test_a_revoked_token_is_known_by_its_id_and_revoking_twice_is_no_error(store: Store) -> None:
    soon = int(time.time()) + 60
    for _ in range(2):
        await store.revocations.revoke(ONE, soon)
        assert await store.revocations.is_revoked(ONE)
        assert not await store.revocations.is_revoked(OTHER)


async def test_what_has_expired_is_forgotten_at_the_next_revocation(store: Store, dsn: Secret) -> None:
    await store.revocations.revoke(OLD, int(time.time()) - 7200)
    await store.revocations.revoke(ONE, int(time.time()) + 60)
    with psycopg.connect(dsn.reveal()) as connection:
        rows = connection.execute("select id from rolecall.revoked_tokens").fetchall()
    assert [bytes(row[0]) for row in rows] == [ONE]


async def test_a_replica_remembers_that_a_token_is_good_until_another_revokes_it(
    store: Store, dsn: Secret, monkeypatch: Any
) -> None:
    other = Store(dsn, pool_size=2)
    await other.open()
    try:
        await store.join()
        assert not await store.revocations.is_revoked(ONE)
        monkeypatch.setattr(store.revocations, "_pool", None)  # what it knows it does not ask for
        assert not await store.revocations.is_revoked(ONE)
        monkeypatch.undo()
        generation = store.revocations._cache.generation
        await other.revocations.revoke(ONE, int(time.time()) + 60)
        await reached(lambda: store.revocations._cache.generation > generation)
        assert await store.revocations.is_revoked(ONE)
    finally:
        await other.close()


async def test_only_claims_made_with_a_token_are_asked_about(store: Store) -> None:
    revocations, token, good = Revocations(store.revocations), bought(), bought()
    await revocations.revoke(token)
    await revocations.require_good(good)
    await revocations.require_good(CredentialsClaim("AKIDx", Secret("key"), "password"))
    try:
        await revocations.require_good(TokenClaim(token.text))
    except Refused as refusal:
        reason = refusal.reason
    assert reason is Reason.TOKEN_INVALID
