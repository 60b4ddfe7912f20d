"""The reconciler of the audit trail: what was added is chained, and what is too old is pruned."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta

import structlog

from rolecall import ambient
from rolecall.domain.operations.audit import (
    HEAD_FACT,
    AuditRepository,
    ChainBroken,
    Head,
    HeadSeal,
    Verified,
    verify,
)
from rolecall.domain.secrets.sealing import SealBroken, Sealer
from rolecall.values import Secret

_log = structlog.get_logger(__name__)

_PERIOD = 5.0
"""Seconds between two rounds."""

_PRUNED_EVERY = 3600.0


class SealedHead(HeadSeal):
    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer

    def seal(self, head: Head) -> bytes:
        return self._sealer.seal(Secret(f"{head.position} {head.digest.hex()}"), HEAD_FACT)

    def open(self, sealed: bytes) -> Head:
        try:
            position, digest = self._sealer.open(sealed, HEAD_FACT).reveal().split(" ")
            return Head(int(position), bytes.fromhex(digest))
        except (SealBroken, ValueError):
            raise ChainBroken("what was kept of the end of the chain does not open") from None


class Auditing:
    """Records are kept for `retention` days; 0 keeps them all. `key` is of the chain's HMAC."""

    def __init__(self, repository: AuditRepository, sealer: Sealer, retention: int, key: Secret) -> None:
        self._repository = repository
        self._seal = SealedHead(sealer)
        self._retention = retention
        self._known = Head()
        self._prune_at = ambient.monotonic()
        self._key = key

    async def run(self) -> None:
        """Round after round, until cancelled."""
        while True:
            try:
                await self.round()
            except ChainBroken as error:
                _log.error("the audit trail was tampered with: `rolecall audit verify`", found=str(error))
            except Exception:  # noqa: BLE001 - the next round may fare better
                _log.exception("a round of the audit trail's reconciler failed")
            await asyncio.sleep(_PERIOD)

    async def round(self) -> None:
        """ChainBroken."""
        await self.chain()
        if self._retention and self._prune_at <= ambient.monotonic():
            self._prune_at = ambient.monotonic() + _PRUNED_EVERY
            await self.prune(self._retention)

    async def chain(self) -> None:
        """ChainBroken."""
        self._known = await self._repository.chain(self._key, self._seal, self._known) or self._known

    async def prune(self, days: int) -> int:
        """How many records were removed."""
        return await self._repository.prune(ambient.now() - timedelta(days=days))

    async def verify(self, passed: Callable[[int], None] = lambda _: None) -> Verified:
        """`passed` is given the number of records of each page that was verified."""
        return await verify(self._repository, self._key, self._seal, passed)
