"""Adding webhooks and changing their secrets: where records may be posted to, and how URL and secret are kept.

The URL is sealed too: its path may be a credential of the receiver, and who may only write to the store must not be
able to send records elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit
from uuid import UUID

from rolecall import ambient
from rolecall.domain.instances.channels import is_loopback
from rolecall.domain.secrets.sealing import Sealer
from rolecall.domain.webhooks.model import NewWebhook, Webhook, WebhookRepository
from rolecall.domain.webhooks.signatures import new_secret
from rolecall.values import Secret

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
_URL = re.compile(r"[!-~]{1,2000}")
_HOST = re.compile(r"[A-Za-z0-9._-]+|[0-9A-Fa-f:.]+")


class UrlRefused(ValueError):
    """Records may not be posted there; the text says why, without the URL."""


@dataclass(frozen=True, slots=True)
class OpenedWebhook:
    """A webhook with its secrets, the present one first; the one before it signs until `previous_until`."""

    url: Secret
    secret: Secret
    previous: Secret | None
    previous_until: datetime | None

    def secrets(self) -> Sequence[Secret]:
        if self.previous is None or self.previous_until is None or self.previous_until <= ambient.now():
            return (self.secret,)
        return (self.secret, self.previous)


def secret_purpose(webhook: str) -> str:
    """What a secret is sealed for."""
    return f"webhook secret:{webhook}"


def url_purpose(webhook: str) -> str:
    return f"webhook URL:{webhook}"


def open_webhook(webhook: Webhook, sealer: Sealer) -> OpenedWebhook:
    """SealBroken."""
    purpose, previous = secret_purpose(str(webhook.id)), webhook.sealed_previous
    return OpenedWebhook(
        sealer.open(webhook.sealed_url, url_purpose(str(webhook.id))),
        sealer.open(webhook.sealed_secret, purpose),
        None if previous is None else sealer.open(previous, purpose),
        webhook.previous_until,
    )


def is_name(text: str) -> bool:
    """Whether it may name a webhook, as a label of metrics."""
    return _NAME.fullmatch(text) is not None


def origin_of(url: str) -> str:
    """Scheme, host and port of a URL. UrlRefused unless it is https, or http to this machine, without a user."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise UrlRefused("the URL is not valid") from None
    if not _URL.fullmatch(url) or not _HOST.fullmatch(host) or parts.scheme not in ("http", "https"):
        raise UrlRefused("the URL must be https:// and a host, a port and a path")
    if "@" in parts.netloc:
        raise UrlRefused("the URL must not contain a user or a password")
    if parts.fragment:
        raise UrlRefused("the URL must not contain a fragment")
    if parts.scheme == "http" and not is_loopback(host):
        raise UrlRefused("http:// is for this machine only; use https://")
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}" + ("" if port is None else f":{port}")


async def add(
    repository: WebhookRepository,
    sealer: Sealer,
    name: str,
    url: Secret,
    origin: str,
    position: int,
    secret: Secret | None,
) -> Secret:
    """Its secret, which is a new one if none is given. NameTaken, TooMany."""
    identity, secret = ambient.new_id(), secret or new_secret()
    sealed_url = sealer.seal(url, url_purpose(str(identity)))
    sealed = sealer.seal(secret, secret_purpose(str(identity)))
    await repository.add(NewWebhook(identity, name, origin, sealed_url, sealed, position))
    return secret


async def rotate(
    repository: WebhookRepository, sealer: Sealer, name: str, overlap: timedelta, secret: Secret | None
) -> Secret | None:
    """The secret that signs from now on; None if there is no webhook of that name."""
    identity: UUID | None = await repository.identity(name)
    if identity is None:
        return None
    secret = secret or new_secret()
    sealed = sealer.seal(secret, secret_purpose(str(identity)))
    return secret if await repository.set_secret(name, sealed, overlap) else None
