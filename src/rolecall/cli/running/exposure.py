"""How clients reach the program, and whether that is safe: TLS, the endpoint, the listener of health and metrics."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from rolecall.domain.instances.channels import is_loopback
from rolecall.settings import Settings, SettingsError

Files = tuple[Path, Path]
"""A certificate and its key."""


def tls_files(settings: Settings) -> Files | None:
    """The files to serve TLS with; None for plain HTTP. Raises `SettingsError` if they cannot be used."""
    certificate, key = settings.tls_cert, settings.tls_key
    if certificate is None and key is None:
        return None
    if certificate is None or key is None:
        raise SettingsError(
            "--tls-cert and --tls-key (ROLECALL_TLS_CERT, ROLECALL_TLS_KEY) must be set together"
        )
    from rolecall.tls import server_context

    server_context(certificate, key)
    return certificate, key


def endpoint_of(host: str, port: int, *, secure: bool) -> str:
    scheme = "https" if secure else "http"
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


def reached_at(host: str) -> str:
    """The address by which clients on this machine reach a listener: loopback for one that listens on all addresses."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound


def exposure(settings: Settings, host: str) -> str:
    """Why serving on `host` is unsafe or will refuse calls; empty if it is safe."""
    if is_loopback(host) or settings.tls_cert is not None:
        return ""
    if settings.require_tls == "off":
        return "plain HTTP beyond this machine with ROLECALL_REQUIRE_TLS=off: passwords and keys are sent in clear text"
    if not settings.trusted_proxies:
        return (
            "plain HTTP beyond this machine: calls that carry secrets, tokens and sign-ins are refused. Set --tls-cert"
            " and --tls-key, or list the proxy that terminates TLS in ROLECALL_TRUSTED_PROXIES"
        )
    return ""


def warn_of_exposure(settings: Settings, host: str) -> None:
    if found := exposure(settings, host):
        print(f"Rolecall: {found}", file=sys.stderr)
    if "FORWARDED_ALLOW_IPS" in os.environ:
        print(
            "Rolecall: FORWARDED_ALLOW_IPS is ignored; list proxies in ROLECALL_TRUSTED_PROXIES",
            file=sys.stderr,
        )
