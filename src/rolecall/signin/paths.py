"""Where the OpenID providers are. Imported by every server; their pages and tokens only once a request is for one."""

from __future__ import annotations

PROVIDERS = "/oidc/"
DISCOVERY = "/.well-known/openid-configuration"
BEFORE_THE_PATH = ("/.well-known/oauth-authorization-server", DISCOVERY)
"""Where RFC 8414 3.1 looks for the metadata of an issuer with a path: the well-known part stands before that path."""


def below_issuer(path: str) -> str:
    """A path of RFC 8414 as the issuer's own; any other as it is."""
    for prefix in BEFORE_THE_PATH:
        if path.startswith(f"{prefix}{PROVIDERS}"):
            return path.removeprefix(prefix).rstrip("/") + DISCOVERY
    return path


def concerns(path: str) -> bool:
    """Whether the providers answer requests to that path."""
    return below_issuer(path).startswith(PROVIDERS)
