"""The server's side of TLS: versions and ciphers, and certificates that are read again on SIGHUP.

TLS 1.2 and 1.3 with forward secrecy and authenticated encryption only (RFC 9325 4.2).
"""

from __future__ import annotations

import signal
import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import structlog
from cryptography import x509

from rolecall.settings import SettingsError

_log = structlog.get_logger(__name__)

_CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""Of TLS 1.2; those of 1.3 are all of that kind."""


def server_context(certificate: Path, key: Path) -> ssl.SSLContext:
    """`certificate` is PEM, with the chain behind it; `key` PEM, without a password. Raises `SettingsError`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(_CIPHERS)
    context.set_alpn_protocols(["http/1.1"])
    _load(context, certificate, key)
    return context


def reloading_context(certificate: Path, key: Path, *_: object) -> ssl.SSLContext:
    """The same; at SIGHUP new connections get what the files hold then. To be called in the main thread.

    Files that cannot be used are logged, and what was read before stays. (The other arguments are uvicorn's.)
    """
    context = server_context(certificate, key)

    def reload(*_: object) -> None:
        try:
            server_context(certificate, key)  # a certificate without its key would take the old one along
            _load(context, certificate, key)
        except SettingsError as error:
            _log.error("the certificate is not reloaded", found=str(error))
        else:
            _log.warning("the certificate is reloaded", certificate=str(certificate))

    signal.signal(signal.SIGHUP, reload)
    return context


def context_factory(certificate: Path | None, key: Path | None) -> Callable[..., ssl.SSLContext] | None:
    """What uvicorn makes its context with, in each process; None for plain HTTP."""
    if certificate is None or key is None:
        return None
    return partial(reloading_context, certificate, key)


def time_left(certificate: Path) -> timedelta:
    """Until the certificate ends; negative if it has. Raises `SettingsError`."""
    try:
        leaf = x509.load_pem_x509_certificate(certificate.read_bytes())
    except (OSError, ValueError) as error:
        raise SettingsError(f"the certificate {certificate} cannot be used: {error}") from None
    return leaf.not_valid_after_utc - datetime.now(UTC)


def _load(context: ssl.SSLContext, certificate: Path, key: Path) -> None:
    try:
        context.load_cert_chain(certificate, key, password="")  # never asked for at a terminal
    except (OSError, ValueError) as error:
        raise SettingsError(
            f"the certificate {certificate} with the key {key} cannot be used: {error}"
        ) from None
