"""A visit: a request to one user store's provider or to the console, with what is known before it is looked into."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from rolecall.domain.directories.model import UserStore
from rolecall.signin import forms
from rolecall.values import Language, Request

_HOST = re.compile(r"[A-Za-z0-9._-]+(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]+\](:[0-9]{1,5})?", re.ASCII)


def origin(request: Request, public_url: str) -> str:
    """The URL that clients reach this server by, without a slash at its end. Raises `forms.Malformed`."""
    if public_url:
        return public_url.rstrip("/")
    host = request.header("host")
    if not _HOST.fullmatch(host):
        raise forms.Malformed("the Host header names no host")
    return f"{'https' if request.secure else 'http'}://{host}"


def moment(request: Request) -> datetime:
    return datetime.fromtimestamp(request.received, UTC)


@dataclass(frozen=True, slots=True)
class Visit:
    """`issuer` is the provider's identifier (OpenID Connect Discovery 3), and where its paths begin."""

    request: Request
    store: UserStore
    issuer: str
    path: str
    """The path under the issuer, beginning with a slash."""

    @property
    def now(self) -> datetime:
        return moment(self.request)

    @property
    def base(self) -> str:
        """The issuer's path, for links and cookies."""
        return f"/oidc/{self.store.id.hex}"

    @property
    def realm(self) -> str:
        """Whose cookies these are."""
        return self.store.id.hex

    @property
    def language(self) -> Language:
        return forms.language(self.request)
