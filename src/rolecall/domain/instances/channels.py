"""How safely a database server is reached: over which network, and how sure it is that it is the right one.

The words are libpq's `sslmode` for every kind of server: ``disable``, ``allow`` and ``prefer`` may go unencrypted,
``require`` encrypts to whom it does not know, ``verify-ca`` and ``verify-full`` look at the certificate, the last one
also at the name in it.
"""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Mapping

VERIFIED = frozenset({"verify-ca", "verify-full"})
ENCRYPTED = VERIFIED | {"require"}


def is_loopback(host: str) -> bool:
    """Whether a host is this machine: its loopback addresses and name, or a socket's directory (or none)."""
    if not host or host.startswith(("/", "@")) or host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def sslmode(host: str, options: Mapping[str, str], on_loopback: str = "prefer") -> str:
    """The mode that is asked for, else ``verify-full`` for every host but this machine."""
    return options.get("sslmode") or (on_loopback if is_loopback(host) else "verify-full")


def weakness(host: str, options: Mapping[str, str]) -> str:
    """What an attacker on the network could do, as a sentence for the operator; empty if nothing."""
    mode = sslmode(host, options)
    if is_loopback(host) or mode == "verify-full":
        return ""
    if mode == "verify-ca":
        return "sslmode verify-ca: any server with a certificate of that authority is taken for it"
    if mode == "require":
        return "sslmode require: any server is taken for it"
    return f"sslmode {mode}: any server is taken for it, and what is sent may go unencrypted"


def system_authorities() -> str:
    """The file of the system's certificate authorities, or ``system``, libpq's word for its own idea of them."""
    return ssl.get_default_verify_paths().cafile or "system"
