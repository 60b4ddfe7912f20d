"""Client tokens: a client's word that two calls are the same call."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol

from rolecall.domain.commands import ClientToken
from rolecall.domain.operations import StillUnknown
from rolecall.domain.reasons import Reason, Refused


class TokenBook(Protocol):
    """Where tokens are kept."""

    async def claim_token(self, owner_id: int, text: str, digest: str) -> str | None:
        """Keep a token; the digest that was kept with it before, or None if it is new."""

    async def release_token(self, owner_id: int, text: str) -> None: ...


class ClientTokens:
    def __init__(self, book: TokenBook) -> None:
        self._book = book

    @asynccontextmanager
    async def claimed(self, owner_id: int, token: ClientToken) -> AsyncIterator[bool]:
        """Whether the token was used before. CLIENT_TOKEN_MISMATCH if it was, with other parameters.

        A first call that is refused frees its token: nothing was done, and another try is another call.
        """
        kept = await self._book.claim_token(owner_id, token.text, token.digest)
        if kept is not None and kept != token.digest:
            raise Refused(Reason.CLIENT_TOKEN_MISMATCH, facts={"value": token.text})
        try:
            yield kept is not None
        except StillUnknown:
            raise
        except Refused:
            if kept is None:
                await self._book.release_token(owner_id, token.text)
            raise
