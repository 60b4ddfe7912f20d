"""Headers that every answer has unless it sets its own: answers are not pages, and must not be stored.

Answers may contain secrets (CreateAccessKey, AssumeRole, a token) and always describe an owner's resources, so no cache
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
    """An answer's headers, completed. `strict_transport`: tell browsers to use TLS only from then on."""
    names = {name.lower() for name, _ in own}
    missing = (*_ALWAYS, *(_OVER_TLS if strict_transport else ()))
    return [*own, *(header for header in missing if header[0] not in names)]
