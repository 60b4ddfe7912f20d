"""The security of connections to database servers, in libpq's `sslmode` for every kind of server.

``disable``, ``allow`` and ``prefer`` may connect unencrypted; ``require`` encrypts without authenticating the server;
``verify-ca`` checks the certificate's authority, ``verify-full`` also the name in the certificate.
"""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Mapping

VERIFIED = frozenset({"verify-ca", "verify-full"})
ENCRYPTED = VERIFIED | {"require"}


def is_loopback(host: str) -> bool:
    """Whether a host is this machine: a loopback address, ``localhost``, a socket's directory, or empty."""
    if not host or host.startswith(("/", "@")) or host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def sslmode(host: str, options: Mapping[str, str], on_loopback: str = "prefer") -> str:
    """The configured mode; without one ``verify-full`` for every host but this machine."""
    return options.get("sslmode") or (on_loopback if is_loopback(host) else "verify-full")


def socket_directory(host: str, options: Mapping[str, str]) -> str:
    """Where the server's Unix socket is, if it may take the place of TCP; empty if not.

    Only servers that Rolecall runs itself have the option. A socket is for this machine's address and never encrypted.
    """
    near = is_loopback(host) and sslmode(host, options) not in ENCRYPTED
    return options.get("socket", "") if near else ""


def weakness(host: str, options: Mapping[str, str]) -> str:
    """What an attacker on the network could do, as a sentence for operators; empty if nothing."""
    mode = sslmode(host, options)
    if is_loopback(host) or mode == "verify-full":
        return ""
    if mode == "verify-ca":
        return "sslmode verify-ca: any server with a certificate of that authority can impersonate it"
    if mode == "require":
        return "sslmode require: any server can impersonate it"
    return f"sslmode {mode}: any server can impersonate it, and traffic may be unencrypted"


def system_authorities() -> str:
    """The file of the system's certificate authorities; ``system``, which libpq resolves, if Python knows none."""
    return ssl.get_default_verify_paths().cafile or "system"
