"""Client tokens: a client's word that two calls are the same call.

A token is bound to the operation of a call in the commit that accepts it, whichever process does that. What became
of the operation says what the token is worth: it is free if nothing was done.
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Protocol, TypeVar

from rolecall.domain.messages import ClientToken
from rolecall.domain.operations.claims import Claim, Claimed, ClaimedBefore
from rolecall.domain.operations.model import State
from rolecall.domain.reasons import Reason, Refused
from rolecall.values import Secret

_FREE = frozenset({State.REFUSED, State.UNDONE})

_PATIENCE = 8.0
"""Seconds that a repetition waits for the end of the first call: less than the vendor's clients wait for an answer."""

_LOOK = 0.05
"""Seconds between two looks at how far that is."""

_Answer = TypeVar("_Answer")


class ClientTokenRepository(Protocol):
    """Where tokens are kept."""

    async def claimed(self, owner_id: int, token: str) -> Claimed | None:
        """What an owner's client token stands for; None if it is new."""


class ClientTokens:
    """`key` is secret: a digest covers a password, which must not be guessed from the store."""

    def __init__(self, repository: ClientTokenRepository, key: Secret) -> None:
        self._repository = repository
        self._key = key

    async def once(
        self,
        owner_id: int,
        token: ClientToken,
        call: Callable[[Claim], Awaitable[_Answer]],
        repeat: Callable[[Claimed], Awaitable[_Answer | None]],
        *,
        promised: bool = False,
    ) -> _Answer:
        """The answer of `call`, which has the claim accepted with its operation; for a repetition, of `repeat`.

        `repeat` gives None if nothing is left of what the operation made: then it is a first call again. With
        `promised`, calls are answered when they are accepted, and no later refusal frees the token for other
        parameters; otherwise a repetition waits for the first one's end.
        CLIENT_TOKEN_MISMATCH, CLIENT_TOKEN_BUSY if it does not end in time.
        """
        digest = hmac.new(self._key.reveal().encode(), token.digest.encode(), "sha256").hexdigest()
        claim = Claim(token.text, digest, waits=not promised)
        kept = await self._repository.claimed(owner_id, token.text)
        while True:
            if kept is not None:
                same = hmac.compare_digest(kept.digest, digest)
                if not same and (promised or kept.state not in _FREE):
                    raise Refused(Reason.CLIENT_TOKEN_MISMATCH, facts={"value": token.text})
                if same and kept.state is State.ACCEPTED and not promised:
                    kept = await self._ended(owner_id, token)
                    continue
                if same and (answer := await repeat(kept)) is not None:
                    return answer
                claim = replace(claim, renews=kept.operation)
            try:
                return await call(claim)
            except ClaimedBefore as earlier:
                kept = earlier.kept

    async def _ended(self, owner_id: int, token: ClientToken) -> Claimed | None:
        try:
            async with asyncio.timeout(_PATIENCE):
                while True:
                    kept = await self._repository.claimed(owner_id, token.text)
                    if kept is None or kept.state is not State.ACCEPTED:
                        return kept
                    await asyncio.sleep(_LOOK)
        except TimeoutError:
            raise Refused(Reason.CLIENT_TOKEN_BUSY, facts={"value": token.text}) from None
