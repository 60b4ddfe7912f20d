"""Applications: the relying parties that may ask a user store's provider to sign users in."""

from __future__ import annotations

import hmac
import re
import string
from collections.abc import Sequence
from urllib.parse import urlsplit
from uuid import UUID

from rolecall import ambient
from rolecall.domain.directories.provider import Application, ApplicationRepository
from rolecall.domain.secrets import bearer
from rolecall.values import Secret

_ID_CHARACTERS = 24
_ALPHABET = string.ascii_letters + string.digits
_LONGEST_URI = 2000
_LONGEST_NAME = 64
_LOOPBACK = {"127.0.0.1", "::1", "localhost"}
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[!-~]+")
_HOST = re.compile(r"[a-z0-9._-]+|[0-9a-f:.]+")  # lower-cased, without the brackets of an IPv6 address
_NO_SCHEMES = {"javascript", "data", "file", "vbscript", "blob", "about"}


class ApplicationRefused(Exception):
    """It cannot be registered so; the text says why."""


async def register(
    repository: ApplicationRepository,
    store_id: UUID,
    name: str | None,
    redirect_uris: Sequence[str],
    *,
    logout_uris: Sequence[str] = (),
    public: bool,
    password_grant: bool = False,
) -> tuple[Application, Secret | None]:
    """A new application, and its secret, which is shown here and nowhere later. Raises `ApplicationRefused`.

    Without a name it is called by its id.
    """
    client_id = ambient.random_text(_ALPHABET, _ID_CHARACTERS)
    name = client_id if name is None else name
    check(name, redirect_uris, logout_uris)
    secret = None if public else bearer.fresh()
    application = Application(
        client_id,
        store_id,
        name,
        tuple(redirect_uris),
        tuple(logout_uris),
        None if secret is None else bearer.digest(secret),
        ambient.now(),
        password_grant,
    )
    if not await repository.add_application(application):
        raise ApplicationRefused(f"the store has an application `{name}` already")
    return application, secret


def check(name: str, redirect_uris: Sequence[str], logout_uris: Sequence[str]) -> None:
    """Return if an application can be named so and have these URIs. Raises `ApplicationRefused`."""
    if not 0 < len(name) <= _LONGEST_NAME or not name.isprintable():
        raise ApplicationRefused(f"a name has 1 to {_LONGEST_NAME} printable characters")
    for uri in (*redirect_uris, *logout_uris):
        _check(uri)
    if len(set(redirect_uris)) != len(redirect_uris):
        raise ApplicationRefused("a redirect URI stands there twice")


def knows(application: Application, secret: Secret) -> bool:
    """Whether it is the application's secret."""
    return application.secret_digest is not None and hmac.compare_digest(
        application.secret_digest, bearer.digest(secret)
    )


def _check(uri: str) -> None:
    """RFC 6749 3.1.2, RFC 8252 7 and 8.4, RFC 9700 2.1: absolute, no fragment, plain HTTP only on the machine."""
    if not _URI.fullmatch(uri) or len(uri) > _LONGEST_URI:
        raise ApplicationRefused(f"`{uri[:80]}` is not an absolute URI")
    try:
        parts = urlsplit(uri)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ApplicationRefused(f"`{uri[:80]}` is not an absolute URI") from None
    if "#" in uri:
        raise ApplicationRefused(f"`{uri[:80]}` has a fragment")
    if "@" in parts.netloc:
        raise ApplicationRefused(f"`{uri[:80]}` holds a user's name")
    if parts.scheme in ("http", "https") and not _HOST.fullmatch(host or ""):
        raise ApplicationRefused(f"`{uri[:80]}` names no host")
    if parts.scheme == "https":
        return
    if parts.scheme == "http":
        if host not in _LOOPBACK:
            raise ApplicationRefused(f"`{uri[:80]}`: plain http is only for 127.0.0.1, [::1] and localhost")
    elif parts.scheme in _NO_SCHEMES or "." not in parts.scheme:
        raise ApplicationRefused(
            f"`{uri[:80]}`: a scheme of one's own is a reversed domain name, such as com.example.app:/callback"
        )
