"""Passwords of people: what is hashed, what is replaced, what is told of a name, and how much may wait."""

from __future__ import annotations

import asyncio
import platform
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from argon2 import PasswordHasher, Type, extract_parameters
from argon2.exceptions import VerifyMismatchError
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.waiting import reached

from rolecall.domain.reasons import Reason, Refused
from rolecall.domain.secrets import passwords as module
from rolecall.domain.secrets.imported_hashes import FOREIGN
from rolecall.domain.secrets.passwords import LONGEST, Passwords
from rolecall.values import Secret

PLAIN = Secret("correct horse battery staple")
BCRYPT = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"  # of U*U
OWN = "$argon2id$v=19$m=19456,t=2,p=1$"


@pytest.fixture(scope="module")
def passwords() -> Iterator[Passwords]:
    one = Passwords(threads=2, queue=64, foreign=FOREIGN)
    yield one
    one.close()


async def test_a_hash_says_which_row_of_owasps_sheet_it_has_and_is_salted(passwords: Passwords) -> None:
    first, second = await passwords.hash(PLAIN), await passwords.hash(PLAIN)
    assert first.startswith(OWN)
    assert first != second
    assert (extract_parameters(first).salt_len, extract_parameters(first).hash_len) == (16, 32)
    for stored in (first, second):
        verdict = await passwords.verify(stored, PLAIN)
        assert verdict.matches
        assert verdict.renewed is None
    assert not (await passwords.verify(first, Secret("correct horse battery stapl"))).matches


@settings(max_examples=12, deadline=None)
@given(text=st.text(min_size=1, max_size=LONGEST // 4))
def test_any_text_that_is_short_enough_matches_itself_and_not_another(text: str) -> None:
    one = Passwords(threads=1, queue=4)

    async def run() -> tuple[bool, bool]:
        stored = await one.hash(Secret(text))
        other = await one.verify(stored, Secret(text + "x"))
        return (await one.verify(stored, Secret(text))).matches, other.matches

    try:
        assert asyncio.run(run()) == (True, False)
    finally:
        one.close()


async def test_a_password_that_is_too_long_is_refused_before_it_is_hashed(
    passwords: Passwords, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object) -> str:
        raise AssertionError("it was hashed")

    monkeypatch.setattr(passwords, "_run", never)
    for text in ("x" * (LONGEST + 1), "ü" * LONGEST, "x" * 1_000_000):
        with pytest.raises(Refused) as refusal:
            await passwords.hash(Secret(text))
        assert refusal.value.reason is Reason.PASSWORD_LENGTH
        assert not (await passwords.verify(None, Secret(text))).matches


async def test_the_hash_that_nobody_has_is_of_the_same_cost_as_every_other(passwords: Passwords) -> None:
    assert extract_parameters(module.ABSENT) == extract_parameters(await passwords.hash(PLAIN))
    with pytest.raises(VerifyMismatchError):
        PasswordHasher().verify(module.ABSENT, PLAIN.reveal())


class Counting(PasswordHasher):
    """Counts what is hashed: that, and not a clock, is what a stranger can measure."""

    calls: list[str]

    def verify(self, hash: str | bytes, password: str | bytes) -> bool:  # noqa: A002 - the library's name
        self.calls.append("verify")
        return super().verify(hash, password)

    def hash(self, password: str | bytes, *, salt: bytes | None = None) -> str:
        self.calls.append("hash")
        return super().hash(password, salt=salt)


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Passwords, list[str]]]:
    monkeypatch.setattr(module, "PasswordHasher", Counting)
    Counting.calls = []
    one = Passwords(threads=1, queue=8, foreign=FOREIGN)
    Counting.calls.clear()
    yield one, Counting.calls
    one.close()


async def test_a_name_that_nobody_has_costs_as_many_hashes_as_a_wrong_password(
    counted: tuple[Passwords, list[str]],
) -> None:
    passwords, calls = counted
    stored = await passwords.hash(PLAIN)
    wrong = Secret("wrong")
    # nobody of that name, no password set, a wrong password, an imported hash, a hash of no known make
    for kept in (None, "", stored, BCRYPT, "{CLEARTEXT}secret", "!"):
        calls.clear()
        assert not (await passwords.verify(kept, wrong)).matches
        assert calls == ["verify"], kept


async def test_a_foreign_hash_is_replaced_at_the_first_sign_in_and_only_then(
    counted: tuple[Passwords, list[str]],
) -> None:
    passwords, calls = counted
    assert not (await passwords.verify(BCRYPT, Secret("U*V"))).matches
    verdict = await passwords.verify(BCRYPT, Secret("U*U"))
    assert verdict.matches
    assert verdict.renewed is not None
    assert verdict.renewed.startswith(OWN)
    calls.clear()
    again = await passwords.verify(verdict.renewed, Secret("U*U"))
    assert (again.matches, again.renewed) == (True, None)
    assert calls == ["verify"]


@pytest.mark.parametrize(
    "other",
    [
        PasswordHasher(time_cost=1, memory_cost=64, parallelism=1),
        PasswordHasher(time_cost=3, memory_cost=19 * 1024, parallelism=1),
        PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=2),
        PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1, hash_len=16),
        PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1, salt_len=8),
        PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1, hash_len=32, type=Type.I),
    ],
    ids=["weaker", "more passes", "more lanes", "shorter", "less salt", "argon2i"],
)
async def test_argon2_with_other_parameters_is_verified_and_replaced(
    passwords: Passwords, other: PasswordHasher
) -> None:
    stored = other.hash(PLAIN.reveal())
    verdict = await passwords.verify(stored, PLAIN)
    assert verdict.matches
    assert verdict.renewed is not None
    assert verdict.renewed.startswith(OWN)
    refused = await passwords.verify(stored, Secret("wrong"))
    assert (refused.matches, refused.renewed) == (False, None)


@pytest.fixture
def held() -> Iterator[tuple[Passwords, threading.Event]]:
    """One thread, one place to wait, and verifying that stands still until the event."""
    go = threading.Event()

    def stand(stored: str, plain: bytes) -> bool:
        go.wait(30)
        return False

    one = Passwords(threads=1, queue=1, foreign={"$held$": stand})
    yield one, go
    go.set()
    one.close()


async def test_more_than_may_wait_is_refused_at_once_and_there_is_room_again_later(
    held: tuple[Passwords, threading.Event],
) -> None:
    passwords, go = held
    waiting = [asyncio.create_task(passwords.verify("$held$", PLAIN)) for _ in range(2)]
    await asyncio.sleep(0)  # both have been handed over
    with pytest.raises(Refused) as refusal:
        await passwords.verify(None, PLAIN)
    assert refusal.value.reason is Reason.HASHING_BUSY
    with pytest.raises(Refused):
        await passwords.hash(PLAIN)
    go.set()
    await asyncio.gather(*waiting)
    assert (await passwords.hash(PLAIN)).startswith(OWN)


async def test_new_passwords_leave_half_of_the_places_to_those_who_sign_in() -> None:
    """B7: making users filled the queue, and signing in was refused."""
    go = threading.Event()

    def stand(stored: str, plain: bytes) -> bool:
        go.wait(30)
        return False

    one = Passwords(threads=1, queue=7, foreign={"$held$": stand})
    try:
        first = asyncio.create_task(one.verify("$held$", PLAIN))
        await asyncio.sleep(0)  # the only thread stands
        new = [asyncio.create_task(one.hash(PLAIN)) for _ in range(20)]
        await asyncio.sleep(0)
        signing_in = [asyncio.create_task(one.verify(None, PLAIN)) for _ in range(3)]
        await asyncio.sleep(0)
        go.set()
        made = await asyncio.gather(*new, return_exceptions=True)
        assert sum(isinstance(result, str) for result in made) == 4
        assert {result.reason for result in made if isinstance(result, Refused)} == {Reason.HASHING_BUSY}
        await asyncio.gather(first, *signing_in)
        assert (await one.hash(PLAIN)).startswith(OWN)
    finally:
        go.set()
        one.close()


async def test_who_goes_away_does_not_make_room_while_the_thread_still_works(
    held: tuple[Passwords, threading.Event],
) -> None:
    passwords, go = held
    gone = [asyncio.create_task(passwords.verify("$held$", PLAIN)) for _ in range(2)]
    await asyncio.sleep(0)
    await reached(lambda: passwords.pool.waiting == 1)  # the thread has begun with the first
    for task in gone:
        task.cancel()
    await asyncio.gather(*gone, return_exceptions=True)
    # The second was only waiting and has made room; the first is being worked at.
    third = asyncio.create_task(passwords.verify("$held$", PLAIN))
    await asyncio.sleep(0)
    with pytest.raises(Refused) as refusal:
        await passwords.verify("$held$", PLAIN)
    assert refusal.value.reason is Reason.HASHING_BUSY
    go.set()
    await third
    assert not (await passwords.verify(None, PLAIN)).matches


async def test_what_is_asked_after_the_end_fails_and_holds_no_place() -> None:
    one = Passwords(threads=1, queue=0)
    one.close()
    for _ in range(3):
        with pytest.raises(RuntimeError):
            await one.hash(PLAIN)


@pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc" or not Path("/sys/kernel/mm/transparent_hugepage").exists(),
    reason="needs large pages and glibc's heaps",
)
async def test_the_memory_of_hashes_asks_for_large_pages(passwords: Passwords) -> None:
    await asyncio.gather(*(passwords.hash(PLAIN) for _ in range(4)))
    assert largest_that_asks_for_large_pages() > module.MEMORY_KIB * 0.9


def largest_that_asks_for_large_pages() -> int:
    """Resident KiB of a mapping of this process with the flag ``hg`` of proc_pid_smaps(5)."""
    resident, most = 0, 0
    for line in Path("/proc/self/smaps").read_text().splitlines():
        if line.startswith("Rss:"):
            resident = int(line.split()[1])
        elif line.startswith("VmFlags:") and "hg" in line.split():
            most = max(most, resident)
    return most
