"""Ambient: the port through which the domain gets the time, randomness and fresh ids.

A task sees the `Ambient` of the context that it was started in, by default the real one. A simulation enters one of its
own (`entered`), so that a run is decided by its seed. Pauses are the event loop's, which a simulation brings too.
"""

from __future__ import annotations

import base64
import random
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Ambient:
    """`unix` is in seconds since 1970, `monotonic` in seconds since any moment. `draws` must be fit for secrets."""

    unix: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic
    new_id: Callable[[], UUID] = uuid.uuid4
    draws: random.Random = field(default_factory=random.SystemRandom)


_ambient: ContextVar[Ambient] = ContextVar("ambient", default=Ambient())  # noqa: B039 - it is frozen


@contextmanager
def entered(other: Ambient) -> Iterator[None]:
    """Replace the ambient of this context, and of the tasks that are started in it."""
    token = _ambient.set(other)
    try:
        yield
    finally:
        _ambient.reset(token)


def unix() -> float:
    """Seconds since 1970."""
    return _ambient.get().unix()


def now() -> datetime:
    """The time, in UTC."""
    return datetime.fromtimestamp(unix(), UTC)


def monotonic() -> float:
    """Seconds of a clock that is never set."""
    return _ambient.get().monotonic()


def new_id() -> UUID:
    return _ambient.get().new_id()


def draws() -> random.Random:
    """A source of random choices, fit for secrets."""
    return _ambient.get().draws


def random_bytes(size: int) -> bytes:
    return draws().randbytes(size)


def random_text(alphabet: str, characters: int) -> str:
    """That many characters, each drawn from the alphabet: by one number, since each draw asks the system."""
    drawn = draws().randrange(len(alphabet) ** characters)
    text = []
    for _ in range(characters):
        drawn, index = divmod(drawn, len(alphabet))
        text.append(alphabet[index])
    return "".join(text)


def token(size: int) -> str:
    """`size` random bytes, as text that is safe in a URL."""
    return base64.urlsafe_b64encode(random_bytes(size)).rstrip(b"=").decode()
