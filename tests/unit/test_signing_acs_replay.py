"""A nonce is good once per access key, for as long as its request could be."""

from __future__ import annotations

import pytest

from rolecall.domain.reasons import Reason, Refused
from rolecall.signing.acs1 import Acs1Claim
from rolecall.signing.replay import PROVING, NonceMemory, Numbered


def _refusal(memory: NonceMemory, key: str, nonce: str, now: float) -> Reason:
    with pytest.raises(Refused) as refused:
        memory.check(key, nonce, now)
    return refused.value.reason


def test_a_nonce_is_refused_until_its_request_would_be() -> None:
    memory = NonceMemory(900)
    memory.check("a", "n", 0)
    assert _refusal(memory, "a", "n", 0) is Reason.NONCE_REUSED
    assert _refusal(memory, "a", "n", 1800 + PROVING) is Reason.NONCE_REUSED
    memory.check("a", "n", 1801 + PROVING)
    assert _refusal(memory, "a", "n", 1802 + PROVING) is Reason.NONCE_REUSED


def test_each_key_has_nonces_of_its_own() -> None:
    memory = NonceMemory(900)
    memory.check("a", "n", 0)
    memory.check("b", "n", 0)


def test_it_is_bounded_and_a_full_one_refuses_rather_than_forgets() -> None:
    memory = NonceMemory(900, per_key=2)
    memory.check("a", "1", 0)
    memory.check("a", "2", 10)
    assert _refusal(memory, "a", "3", 11) is Reason.RATE_EXCEEDED
    assert _refusal(memory, "a", "1", 11) is Reason.NONCE_REUSED
    memory.check("b", "3", 11)
    memory.check("a", "3", 1801 + PROVING)
    assert _refusal(memory, "a", "2", 1801 + PROVING) is Reason.NONCE_REUSED


def test_what_is_over_is_forgotten_whichever_key_comes_next() -> None:
    """Temporary keys never come again (A17)."""
    memory = NonceMemory(900)
    for number in range(5000):
        memory.check(f"temporary-{number}", "n", number / 100)
    assert len(memory) == 5000
    memory.check("another", "n", 5000)
    assert len(memory) == 1


def test_all_keys_together_are_bounded() -> None:
    memory = NonceMemory(900, most=3)
    for key in "abc":
        memory.check(key, "n", 0)
    assert _refusal(memory, "d", "n", 1) is Reason.RATE_EXCEEDED
    memory.check("d", "n", 1801 + PROVING)


def test_looking_remembers_nothing() -> None:
    memory = NonceMemory(900)
    memory.require_new("a", "n", 0)
    memory.check("a", "n", 0)
    with pytest.raises(Refused):
        memory.require_new("a", "n", 1)


def test_a_nonce_may_be_long_and_of_any_characters() -> None:
    memory = NonceMemory(900)
    memory.check("a", "\udcff" * 100_000, 0)
    assert _refusal(memory, "a", "\udcff" * 100_000, 0) is Reason.NONCE_REUSED


def test_claims_of_the_rpc_signatures_are_numbered() -> None:
    assert isinstance(Acs1Claim("a", "GET", (), 0, "n", "s"), Numbered)
