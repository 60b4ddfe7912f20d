"""Revoked tokens.

A token carries its own proof, so only its revocation is stored: until the token would have expired. It is looked up at
every use.
"""

from __future__ import annotations

from typing import Protocol, TypeGuard, runtime_checkable

from rolecall.domain.reasons import Reason, Refused
from rolecall.values import Claim, conforms


@runtime_checkable
class Revocable(Claim, Protocol):
    """A claim made with a token; `token_id` is its own among all, `expires_at` unix time in seconds."""

    @property
    def token_id(self) -> bytes: ...
    @property
    def expires_at(self) -> int: ...


class RevocationRepository(Protocol):
    """An answer may be cached until a change is notified."""

    async def is_revoked(self, token_id: bytes) -> bool: ...
    async def revoke(self, token_id: bytes, expires_at: int) -> None:
        """Durable when it returns. Revoking twice has no further effect."""


class Revocations:
    def __init__(self, repository: RevocationRepository) -> None:
        self._repository = repository

    async def require_good(self, claim: Claim) -> None:
        """TOKEN_INVALID for a claim that was proven and is made with a revoked token."""
        if _is_revocable(claim) and await self._repository.is_revoked(claim.token_id):
            raise Refused(Reason.TOKEN_INVALID, note="the token was revoked")

    async def revoke(self, claim: Revocable) -> None:
        await self._repository.revoke(claim.token_id, claim.expires_at)


def _is_revocable(claim: Claim) -> TypeGuard[Revocable]:
    return conforms(claim, Revocable)
