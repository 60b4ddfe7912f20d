"""Headers that every answer carries unless it has its own: no answer is a page, and none is worth keeping.

Answers may tell secrets (CreateAccessKey, AssumeRole, a token) and always tell what an owner has, so nothing between
may store them. Sources: RFC 9111 5.2.2.5, RFC 6797, the Fetch standard ("nosniff"), Content Security Policy Level 3.
"""

from __future__ import annotations

from collections.abc import Sequence

Headers = Sequence[tuple[str, str]]

_ALWAYS: Headers = (
    ("cache-control", "no-store"),
    ("x-content-type-options", "nosniff"),
    ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
)
_OVER_TLS: Headers = (("strict-transport-security", "max-age=31536000"),)


def completed(own: Headers, *, strict_transport: bool) -> list[tuple[str, str]]:
    """An answer's headers with those that it lacks. `strict_transport`: browsers shall come by TLS from now on."""
    names = {name.lower() for name, _ in own}
    missing = (*_ALWAYS, *(_OVER_TLS if strict_transport else ()))
    return [*own, *(one for one in missing if one[0] not in names)]
