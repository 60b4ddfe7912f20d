"""The outbox: each webhook gets every record of the chain in its order, at least once.

A record is posted after the one before it was confirmed by an answer of the 2xx kind, and the confirmation was stored
under the condition that no other process stored one meanwhile. So two processes that deliver at once, one of which was
paused and considered dead, may repeat a record, and neither skip one nor post one before its time. The order is that
of the chain, which has committed records only: no record can appear behind the position of a webhook.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

import structlog

from rolecall import ambient
from rolecall.domain.operations.audit import Link
from rolecall.domain.secrets.sealing import SealBroken, Sealer
from rolecall.domain.webhooks.events import CONTENT_TYPE, Event, events
from rolecall.domain.webhooks.model import (
    Answer,
    DeliveryRepository,
    Figures,
    NotPosted,
    Pause,
    Poster,
    Webhook,
)
from rolecall.domain.webhooks.signatures import signed_headers
from rolecall.domain.webhooks.targets import OpenedWebhook, open_webhook

_log = structlog.get_logger(__name__)

_GONE = 410

_REPORTED_EVERY = 15.0
"""Seconds between two looks at how far webhooks are."""

_LONGEST_RETRY_AFTER = 3600.0


@dataclass(frozen=True, slots=True)
class Rhythm:
    """Seconds: between two looks for webhooks to run, and for new records; the first and the longest pause after a
    failure, which doubles from one to the next."""

    round: float = 2.0
    poll: float = 1.0
    first_pause: float = 1.0
    longest_pause: float = 300.0


class Chain(Protocol):
    """The chained records: `domain.operations.audit.AuditRepository`."""

    def links(self, after: int) -> AsyncIterator[Sequence[Link]]: ...


@dataclass(frozen=True, slots=True)
class _Running:
    revision: int
    task: asyncio.Task[None]


class Outbox:
    """`make_poster` is called once there is a webhook to run."""

    def __init__(
        self,
        repository: DeliveryRepository,
        chain: Chain,
        sealer: Sealer,
        make_poster: Callable[[], Poster],
        figures: Figures,
        rhythm: Rhythm = Rhythm(),
    ) -> None:
        self._repository = repository
        self._chain = chain
        self._sealer = sealer
        self._make_poster = make_poster
        self._poster: Poster | None = None
        self._figures = figures
        self._rhythm = rhythm
        self._running: dict[UUID, _Running] = {}
        self._claims = False
        """Whether any webhook may be this process's."""
        self._report_at = ambient.monotonic()

    async def run(self) -> None:
        """Round after round, until cancelled; then other processes may run the webhooks."""
        try:
            while True:
                try:
                    await self.round()
                except Exception:  # noqa: BLE001 - the next round may fare better
                    _log.exception("a round of the webhooks failed")
                await asyncio.sleep(self._rhythm.round)
        finally:
            await self.close()

    async def round(self) -> None:
        """Stop what was changed or removed, and run what no other process runs."""
        registered = {webhook.id: webhook for webhook in await self._repository.registered()}
        active = {name: webhook for name, webhook in registered.items() if not webhook.paused}
        for identity, running in list(self._running.items()):
            current = active.get(identity)
            if running.task.done() or current is None or current.revision > running.revision:
                del self._running[identity]
                await _stop(running.task)
        if idle := [identity for identity in active if identity not in self._running]:
            self._claims = True
            for webhook in await self._repository.claim(idle):
                task = asyncio.create_task(self._deliver(webhook))
                self._running[webhook.id] = _Running(webhook.revision, task)
        await self._report(present=bool(registered))

    async def close(self) -> None:
        await _stop(*(running.task for running in self._running.values()))
        self._running.clear()
        if self._claims:
            with contextlib.suppress(
                Exception
            ):  # the store may be out of reach: they are claimed once this one ends
                await self._repository.release()
        if self._poster is not None:
            await self._poster.close()

    async def _report(self, *, present: bool) -> None:
        if self._report_at > ambient.monotonic():
            return
        self._report_at = ambient.monotonic() + _REPORTED_EVERY
        standings = await self._repository.standings() if present else ()
        self._figures.webhooks(standings)
        now = ambient.now()
        if any(standing.previous_until and standing.previous_until <= now for standing in standings):
            await self._repository.forget_previous()

    async def _deliver(self, webhook: Webhook) -> None:
        """Until the webhook is another process's, or an operator changed it."""
        position = webhook.position
        try:
            opened = open_webhook(webhook, self._sealer)
        except SealBroken as error:
            _log.error("a webhook cannot be opened", webhook=webhook.name, error=str(error))
            await self._repository.fail(webhook, position, str(error))
            await asyncio.sleep(self._rhythm.longest_pause)
            return
        failures = webhook.failures
        while True:
            async for links in self._chain.links(position):
                for event in events(webhook.id, position, links):
                    if event.lost:
                        _log.warning(
                            "records are lost to a webhook", webhook=webhook.name, records=event.lost
                        )
                    if not await self._confirm(webhook, opened, position, event, failures):
                        return
                    position, failures = event.position, 0
            await asyncio.sleep(self._rhythm.poll)

    async def _confirm(
        self, webhook: Webhook, opened: OpenedWebhook, position: int, event: Event, failures: int
    ) -> bool:
        """Post an event until it is confirmed. False once the webhook is not this process's to run."""
        while True:
            answer, error = await self._attempt(opened, event)
            self._figures.posted(webhook.name, confirmed=not error)
            if not error:
                if failures:
                    _log.warning("a webhook is confirmed again", webhook=webhook.name, failures=failures)
                return await self._repository.advance(webhook, position, event.position)
            if not failures:
                _log.warning("a webhook was not confirmed", webhook=webhook.name, error=error)
            if answer is not None and answer.status == _GONE:
                await self._repository.suspend(webhook, Pause.GONE, error)
                return False
            if not await self._repository.fail(webhook, position, error):
                return False
            asked = None if answer is None else answer.retry_after
            await asyncio.sleep(self._pause(failures, asked))
            failures += 1

    async def _attempt(self, opened: OpenedWebhook, event: Event) -> tuple[Answer | None, str]:
        """The answer, if there is any, and what is wrong with it."""
        if self._poster is None:
            self._poster = self._make_poster()
        signed = signed_headers(opened.secrets(), event.id, int(ambient.unix()), event.body)
        headers: Mapping[str, str] = {"content-type": CONTENT_TYPE, **signed}
        try:
            answer = await self._poster.post(opened.url, headers, event.body)
        except NotPosted as error:
            return None, str(error)
        return answer, "" if 200 <= answer.status < 300 else f"the receiver answered {answer.status}"

    def _pause(self, failures: int, asked: float | None) -> float:
        """Doubled with every failure, and shortened by up to a half at random, so that receivers are not asked in step.
        Not shorter than the receiver asked for."""
        longest = min(self._rhythm.first_pause * 2.0 ** min(failures, 30), self._rhythm.longest_pause)
        drawn = longest * ambient.draws().uniform(0.5, 1)
        return max(drawn, min(asked or 0, _LONGEST_RETRY_AFTER))


async def _stop(*tasks: asyncio.Task[None]) -> None:
    """Cancel tasks and wait for their ends; an error of their own is logged."""
    for task in tasks:
        task.cancel()
    for end in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(end, Exception):  # the webhook is claimed again
            _log.error("the delivery to a webhook failed", exc_info=end)
