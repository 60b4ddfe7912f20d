"""What is kept of a webhook, and the ports of its delivery."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from rolecall.values import Secret

MOST = 20
"""Webhooks of a store: each has a series of every metric, and a task in one process."""


class Pause(StrEnum):
    """Why nothing is posted to a webhook."""

    NONE = ""
    OPERATOR = "operator"
    GONE = "gone"
    """The receiver answered 410."""
    RESTORED = "restored"
    """The store was restored from a backup: the original may still post."""


@dataclass(frozen=True, slots=True)
class Registered:
    """A webhook as far as every process knows it. Each change by an operator makes a new `revision`."""

    id: UUID
    revision: int
    paused: Pause


@dataclass(frozen=True, slots=True)
class Webhook:
    """A webhook with its progress: records up to `position` of the chain were confirmed by the receiver.

    `origin` is the part of the URL that is shown: scheme, host and port. `previous_until` is when the secret before
    the present one stops to sign.
    """

    id: UUID
    revision: int
    name: str
    origin: str
    sealed_url: bytes
    sealed_secret: bytes
    sealed_previous: bytes | None
    previous_until: datetime | None
    position: int
    failures: int


@dataclass(frozen=True, slots=True)
class NewWebhook:
    id: UUID
    name: str
    origin: str
    sealed_url: bytes
    sealed_secret: bytes
    position: int


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a webhook is. `failures` are attempts since the last confirmation. `lag_seconds` is the age of the oldest
    record that is chained and not confirmed; 0 if there is none."""

    name: str
    origin: str
    paused: str
    position: int
    lag_records: int
    lag_seconds: float
    failures: int
    last_error: str
    attempted_at: datetime | None
    delivered_at: datetime | None
    created_at: datetime
    previous_until: datetime | None


class NameTaken(Exception):
    """There is a webhook of that name."""


class TooMany(Exception):
    """There are as many webhooks as a store may have."""


class WebhookRepository(Protocol):
    """Webhooks by their names, for operators."""

    async def add(self, new: NewWebhook) -> None:
        """NameTaken, TooMany."""

    async def identity(self, name: str) -> UUID | None: ...
    async def remove(self, name: str) -> bool:
        """False, as of all of these, if there is none of that name."""

    async def set_paused(self, name: str, paused: Pause) -> bool: ...
    async def set_position(self, name: str, position: int) -> bool: ...
    async def set_secret(self, name: str, sealed: bytes, overlap: timedelta) -> bool:
        """The present secret signs beside the new one until the overlap has passed."""

    async def standings(self) -> Sequence[Standing]: ...


class DeliveryRepository(Protocol):
    """What the processes that deliver share. One of them runs a webhook: the one that claimed it, for as long as it
    lives. Its changes succeed only while it is that, at the same revision and position."""

    async def registered(self) -> Sequence[Registered]:
        """All of them. Costs no statement while none was changed."""

    async def claim(self, webhooks: Sequence[UUID]) -> Sequence[Webhook]:
        """Those of them that no other living process runs, which this one runs from now on; paused ones excluded."""

    async def release(self) -> None:
        """Let other processes run what this one claimed."""

    async def advance(self, webhook: Webhook, position: int, to: int) -> bool:
        """The records behind `position`, up to `to`, are confirmed. May be lost with the store's server: they are
        posted again then."""

    async def fail(self, webhook: Webhook, position: int, error: str) -> bool: ...
    async def suspend(self, webhook: Webhook, paused: Pause, error: str) -> bool: ...
    async def forget_previous(self) -> None:
        """Delete secrets that have stopped to sign."""

    async def standings(self) -> Sequence[Standing]: ...


@dataclass(frozen=True, slots=True)
class Answer:
    """What a receiver answered. `retry_after` in seconds, if it asked for a pause."""

    status: int
    retry_after: float | None = None


class NotPosted(Exception):
    """A receiver did not answer; the text says why, without the URL."""


class Poster(Protocol):
    async def post(self, url: Secret, headers: Mapping[str, str], body: bytes) -> Answer:
        """NotPosted."""

    async def close(self) -> None: ...


class Figures(Protocol):
    """Where deliveries are counted: `rolecall.metrics`."""

    def posted(self, webhook: str, *, confirmed: bool) -> None: ...
    def webhooks(self, standings: Sequence[Standing]) -> None: ...
