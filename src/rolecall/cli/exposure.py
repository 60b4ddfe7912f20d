"""How the program is reached, and how safely: TLS, the endpoint, the listener of health and metrics."""

from __future__ import annotations

import os
import re
import socket
import sys
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

from rolecall.domain.instances.channels import is_loopback
from rolecall.services import VENDOR_HOSTS
from rolecall.settings import Settings, SettingsError
from rolecall.tls import server_context

TlsCertOption = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Speak TLS with this certificate (PEM, its chain behind it)."),
]
TlsKeyOption = Annotated[Path | None, typer.Option(metavar="FILE", help="The certificate's key (PEM).")]
AdminListenOption = Annotated[
    str | None,
    typer.Option(
        metavar="HOST:PORT",
        help="Answer /healthz, /readyz and /metrics here, by plain HTTP, and nowhere else.",
    ),
]

_NAME = re.compile(r"[A-Za-z0-9.:-]{1,253}")

Files = tuple[Path, Path]
"""A certificate and its key."""


def tls_files(settings: Settings) -> Files | None:
    """What TLS is spoken with; None for plain HTTP. Raises `SettingsError` if they cannot be used."""
    certificate, key = settings.tls_cert, settings.tls_key
    if certificate is None and key is None:
        return None
    if certificate is None or key is None:
        raise SettingsError("--tls-cert and --tls-key (ROLECALL_TLS_CERT, ROLECALL_TLS_KEY) go together")
    server_context(certificate, key)
    return certificate, key


def endpoint_of(host: str, port: int, *, secure: bool) -> str:
    scheme = "https" if secure else "http"
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


def server_names(settings: Settings, host: str) -> tuple[str, ...]:
    """The names that a certificate for trying is for, beside this machine's own."""
    public = (name.partition(":")[0] for name in settings.public_hosts)
    url = urlsplit(settings.public_url).hostname
    names = (host, socket.gethostname(), *public, *((url,) if url else ()), *VENDOR_HOSTS)
    return tuple(name for name in names if _NAME.fullmatch(name))


def exposure(settings: Settings, host: str) -> str:
    """What is not safe, or will not work, about how the API is reached; empty if nothing."""
    if is_loopback(host) or settings.tls_cert is not None:
        return ""
    if settings.require_tls == "off":
        return "plain HTTP beyond this machine, with ROLECALL_REQUIRE_TLS=off: passwords and keys are sent in clear"
    if not settings.trusted_proxies:
        return (
            "plain HTTP beyond this machine: calls that carry secrets, tokens and sign-ins are refused. Give --tls-cert"
            " and --tls-key, or name the proxy that speaks TLS in ROLECALL_TRUSTED_PROXIES"
        )
    return ""


def warn_of_exposure(settings: Settings, host: str) -> None:
    if found := exposure(settings, host):
        print(f"Rolecall: {found}", file=sys.stderr)
    if "FORWARDED_ALLOW_IPS" in os.environ:
        print(
            "Rolecall: FORWARDED_ALLOW_IPS is not read; ROLECALL_TRUSTED_PROXIES names proxies",
            file=sys.stderr,
        )
