"""The port of time, randomness and ids."""

from __future__ import annotations

import asyncio
import random
from datetime import UTC, datetime
from uuid import UUID

from rolecall import ambient
from rolecall.ambient import Ambient
from rolecall.domain.accounts.credentials import new_managed_password


def fixed(seed: int) -> Ambient:
    draws = random.Random(seed)
    return Ambient(lambda: 1e9, lambda: 7.0, lambda: UUID(int=draws.getrandbits(128)), draws)


async def drawn() -> tuple[datetime, float, UUID, str]:
    return ambient.now(), ambient.monotonic(), ambient.new_id(), new_managed_password().reveal()


async def test_a_seed_decides_everything_that_is_drawn() -> None:
    with ambient.entered(fixed(1)):
        first = await asyncio.create_task(drawn())
    with ambient.entered(fixed(1)):
        again = await drawn()
    assert first == again
    assert first[:2] == (datetime.fromtimestamp(1e9, UTC), 7.0)


async def test_outside_of_it_all_is_real() -> None:
    with ambient.entered(fixed(1)):
        pass
    assert abs((datetime.now(UTC) - ambient.now()).total_seconds()) < 60
    assert ambient.new_id() != ambient.new_id()
    assert isinstance(ambient.draws(), random.SystemRandom)


def test_a_token_is_as_long_as_its_bytes_in_base64() -> None:
    assert len(ambient.token(24)) == 32
    assert set(ambient.random_text("ab", 64)) == {"a", "b"}
