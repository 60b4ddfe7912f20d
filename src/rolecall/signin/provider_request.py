"""A request to the provider of one user store, with the store and the issuer."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from datetime import datetime

from rolecall.domain.directories.model import UserStore
from rolecall.values import Language, Request
from rolecall.web import forms
from rolecall.web.forms import moment

_HOST = re.compile(r"[A-Za-z0-9._-]+(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]+\](:[0-9]{1,5})?", re.ASCII)


def origin(request: Request, public_url: str) -> str:
    """The URL that clients reach this server by, without a slash at its end. Raises `forms.Malformed`.

    Without a `public_url` it is what the Host header says, but only on the machine itself: elsewhere any name would
    make an issuer, all of them with the same signing key, and a client that trusts one would take tokens of another.
    """
    if public_url:
        return public_url.rstrip("/")
    host = request.header("host")
    if not _HOST.fullmatch(host):
        raise forms.Malformed("the Host header names no host")
    if not (_is_loopback(request.client) and _is_loopback(host)):
        raise forms.Malformed("beyond this machine ROLECALL_PUBLIC_URL must be set for signing in")
    return f"{'https' if request.secure else 'http'}://{host}"


def _is_loopback(host: str) -> bool:
    """Of an address, or of a name, with or without a port."""
    name = host if _is_address(host) else re.sub(r":[0-9]+$", "", host).strip("[]")
    return name == "localhost" or (_is_address(name) and ipaddress.ip_address(name).is_loopback)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class ProviderRequest:
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
        """The realm of the cookies."""
        return self.store.id.hex

    @property
    def language(self) -> Language:
        return forms.language(self.request)
