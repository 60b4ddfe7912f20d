"""Client tokens: a client's word that two calls are the same call."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Protocol
from weakref import WeakValueDictionary

from rolecall.domain.commands import ClientToken
from rolecall.domain.operations import StillUnknown
from rolecall.domain.reasons import Reason, Refused
from rolecall.values import Secret


class TokenBook(Protocol):
    """Where tokens are kept."""

    async def claim_token(self, owner_id: int, text: str, digest: str) -> str | None:
        """Keep a token; the digest that was kept with it before, or None if it is new."""

    async def release_token(self, owner_id: int, text: str) -> None: ...


class ClientTokens:
    """`key` is a secret of the house: a digest covers a password, so whoever reads the store must not guess at it."""

    def __init__(self, book: TokenBook, key: Callable[[], Secret]) -> None:
        self._book = book
        self._key = key
        self._turns: WeakValueDictionary[tuple[int, str], asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def claimed(self, owner_id: int, token: ClientToken) -> AsyncIterator[bool]:
        """Whether the token was used before. CLIENT_TOKEN_MISMATCH if it was, with other parameters.

        A first call that is refused frees its token: nothing was done, and another try is another call.
        """
        turn = self._turns.setdefault((owner_id, token.text), asyncio.Lock())
        async with turn:  # a repetition that comes while the first call is under way waits for its end
            digest = hmac.new(self._key().reveal().encode(), token.digest.encode(), "sha256").hexdigest()
            kept = await self._book.claim_token(owner_id, token.text, digest)
            if kept is not None and not hmac.compare_digest(kept, digest):
                raise Refused(Reason.CLIENT_TOKEN_MISMATCH, facts={"value": token.text})
            try:
                yield kept is not None
            except StillUnknown:
                raise
            except Refused:
                if kept is None:
                    await self._book.release_token(owner_id, token.text)
                raise
