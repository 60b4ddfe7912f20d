"""The application's own secrets: made once, sealed in the store, the same on every replica."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from rolecall.domain.secrets import bearer
from rolecall.domain.secrets.deciphering import new_private_key
from rolecall.domain.secrets.sealing import Sealer, check_master_key
from rolecall.values import Secret


class FactRepository(Protocol):
    async def fact(self, name: str) -> bytes | None: ...
    async def settle_fact(self, name: str, value: bytes) -> bytes:
        """Store the value unless there is one; returns the one that is stored then."""


@dataclass(frozen=True, slots=True)
class ApplicationSecrets:
    """`deciphering` is an RSA key in PEM; the others are keys of HMACs."""

    deciphering: Secret
    engine_lock: Secret
    audit_chain: Secret
    client_tokens: Secret
    sub_user_tokens: Secret
    account_states: Secret


async def load(facts: FactRepository, sealer: Sealer) -> ApplicationSecrets:
    """SealBroken if the store was sealed with another master key."""
    await check_master_key(facts, sealer)

    async def settled(name: str, make: Callable[[], Secret] = bearer.fresh) -> Secret:
        sealed = await facts.fact(name)
        if sealed is None:
            sealed = await facts.settle_fact(name, sealer.seal(await asyncio.to_thread(make), name))
        return sealer.open(sealed, name)

    return ApplicationSecrets(
        await settled("password deciphering key", new_private_key),
        await settled("engine lock key"),
        await settled("audit chain key"),
        await settled("client token key"),
        await settled("sub-user token key"),
        await settled("account state key"),
    )
