"""Passwords of people: argon2id, in a bounded pool beside the event loop.

The parameters are a row of the OWASP Password Storage Cheat Sheet: 19 MiB of memory, 2 passes, 1 lane. Hashes describe
themselves, so that others than these may be verified and are replaced at the next sign-in.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError

from rolecall.domain.reasons import Reason, Refused
from rolecall.domain.secrets.hash_memory import prefer_large_pages
from rolecall.domain.secrets.hashing import HashingThreads
from rolecall.values import Secret

MEMORY_KIB = 19 * 1024
PASSES = 2
LANES = 1

LONGEST = 1024
"""Bytes of a password that is hashed at all; a longer one is refused before."""

# What a stranger's password is compared with, so that a name's existence shows in no timing; but where a foreign hash,
# or one of another cost, is compared with, that takes its own time. No known password has it: salt and hash are zeros.
ABSENT = f"$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p={LANES}${'A' * 22}${'A' * 43}"

T = TypeVar("T")

ForeignVerifier = Callable[[str, bytes], bool]
"""A hash's text and a password -> whether they match."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """`renewed` is a new hash of the same password, where the old one was made with other means."""

    matches: bool
    renewed: str | None = None


class Passwords:
    """`threads` hash at once; `queue` more may wait, and what comes then is refused with HASHING_BUSY.

    New passwords take half of these places at most, so that no number of users being made keeps others from signing in.

    `foreign` verifies hashes of other makes by their prefix, such as ``$2b$``.
    """

    def __init__(
        self, threads: int, queue: int, foreign: Mapping[str, ForeignVerifier] | None = None
    ) -> None:
        self._hasher = PasswordHasher(
            time_cost=PASSES,
            memory_cost=MEMORY_KIB,
            parallelism=LANES,
            hash_len=32,
            salt_len=16,
            type=Type.ID,
        )
        self.pool = HashingThreads(
            threads, "passwords", prepare=partial(prefer_large_pages, MEMORY_KIB * 1024)
        )
        self.threads = threads
        self._room = threading.BoundedSemaphore(threads + queue)
        self._room_for_new = threading.BoundedSemaphore(max(1, (threads + queue) // 2))
        self._foreign = foreign or {}

    async def hash(self, password: Secret) -> str:
        """HASHING_BUSY, PASSWORD_LENGTH."""
        plain = _plain(password)
        return await self._run(lambda: self._hasher.hash(plain), self._room_for_new, self._room)

    async def verify(self, stored: str | None, password: Secret) -> Verdict:
        """Takes as long when `stored` is None, and then never matches. HASHING_BUSY."""
        try:
            plain = _plain(password)
        except Refused:  # no account has a password that is too long to be hashed
            return Verdict(matches=False)
        return await self._run(lambda: self._verify(stored, plain), self._room)

    def close(self) -> None:
        self.pool.shutdown(wait=False, cancel_futures=True)

    async def _run(self, work: Callable[[], T], *rooms: threading.BoundedSemaphore) -> T:
        """`rooms`: each must have a place."""
        taken: list[threading.BoundedSemaphore] = []

        def leave() -> None:
            for room in taken:
                room.release()

        for room in rooms:
            if not room.acquire(blocking=False):
                leave()
                self.pool.refused += 1
                raise Refused(Reason.HASHING_BUSY)
            taken.append(room)
        try:
            future = self.pool.submit(work)
        except RuntimeError:  # the pool is closed
            leave()
            raise
        # Its place is free when the work has ended, not when the caller stops waiting: callers that disconnect
        # again and again would otherwise fill the queue without end.
        future.add_done_callback(lambda _: leave())
        return await asyncio.wrap_future(future)

    def _verify(self, stored: str | None, plain: bytes) -> Verdict:
        if stored is None or not stored.startswith("$argon2id$"):
            verifier = self._verifier(stored)
            matches = verifier is not None and stored is not None and verifier(stored, plain)
            self._matches(ABSENT, plain)
            return Verdict(matches, self._hasher.hash(plain) if matches else None)
        if not self._matches(stored, plain):
            return Verdict(matches=False)
        renewed = self._hasher.hash(plain) if self._hasher.check_needs_rehash(stored) else None
        return Verdict(True, renewed)

    def _matches(self, stored: str, plain: bytes) -> bool:
        try:
            return self._hasher.verify(stored, plain)
        except (VerifyMismatchError, VerificationError, InvalidHashError):
            return False

    def _verifier(self, stored: str | None) -> ForeignVerifier | None:
        if stored is None:
            return None
        return next((verify for prefix, verify in self._foreign.items() if stored.startswith(prefix)), None)


def _plain(password: Secret) -> bytes:
    plain = password.reveal().encode("utf-8", "surrogatepass")
    if len(plain) > LONGEST:
        raise Refused(Reason.PASSWORD_LENGTH, note="the password is too long to be hashed")
    return plain
