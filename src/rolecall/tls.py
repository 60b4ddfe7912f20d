"""TLS of the server: versions, ciphers, and certificates that are reloaded on SIGHUP.

Only TLS 1.2 and 1.3 with forward secrecy and authenticated encryption (RFC 9325 4.2).
"""

from __future__ import annotations

import signal
import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import structlog

from rolecall.settings import SettingsError

_log = structlog.get_logger(__name__)

_CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""For TLS 1.2; all ciphers of 1.3 are of that kind."""


def server_context(certificate: Path, key: Path) -> ssl.SSLContext:
    """`certificate` is PEM, followed by its chain; `key` is PEM, without a password. Raises `SettingsError`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(_CIPHERS)
    context.set_alpn_protocols(["http/1.1"])
    _load(context, certificate, key)
    return context


def reloading_context(certificate: Path, key: Path, *_: object) -> ssl.SSLContext:
    """A server context that reloads its files at SIGHUP, for new connections. Call it in the main thread.

    If the files cannot be used, that is logged and the old certificate stays. (The other arguments are uvicorn's.)
    """
    context = server_context(certificate, key)

    def reload(*_: object) -> None:
        try:
            server_context(certificate, key)  # loading a certificate without its key would break the old one
            _load(context, certificate, key)
        except SettingsError as error:
            _log.error("cannot reload the certificate", error=str(error))
        else:
            _log.warning("reloaded the certificate", certificate=str(certificate))

    signal.signal(signal.SIGHUP, reload)
    return context


def context_factory(certificate: Path | None, key: Path | None) -> Callable[..., ssl.SSLContext] | None:
    """The factory of uvicorn's context in each process; None for plain HTTP."""
    if certificate is None or key is None:
        return None
    return partial(reloading_context, certificate, key)


def time_left(certificate: Path) -> timedelta:
    """Time until the certificate expires; negative if it has. Raises `SettingsError`."""
    from cryptography import x509  # a large library, not needed to serve

    try:
        leaf = x509.load_pem_x509_certificate(certificate.read_bytes())
    except (OSError, ValueError) as error:
        raise SettingsError(f"the certificate {certificate} cannot be used: {error}") from None
    return leaf.not_valid_after_utc - datetime.now(UTC)


def _load(context: ssl.SSLContext, certificate: Path, key: Path) -> None:
    try:
        context.load_cert_chain(
            certificate, key, password=""
        )  # without a password OpenSSL would prompt for one
    except (OSError, ValueError) as error:
        raise SettingsError(
            f"the certificate {certificate} with the key {key} cannot be used: {error}"
        ) from None
