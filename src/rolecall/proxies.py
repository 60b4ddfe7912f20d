"""The client's address and protocol behind proxies that the operator trusts.

A proxy appends the client's address to ``X-Forwarded-For``, and sets ``X-Forwarded-Proto`` to the client's protocol.
From every other peer these headers are dropped, since a client can send any value; that is logged once per process.
"""

from __future__ import annotations

import ipaddress
from collections.abc import MutableMapping, Sequence
from typing import Any

import structlog

_log = structlog.get_logger(__name__)

_FOR, _PROTO = b"x-forwarded-for", b"x-forwarded-proto"
_CLAIMS = (b"x-forwarded-", b"forwarded", b"x-real-ip")
"""Prefixes of headers about the origin of a request."""

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Proxies:
    """`trusted` are the networks of the proxies."""

    def __init__(self, trusted: Sequence[Network]) -> None:
        self._trusted = trusted
        self._logged = False

    def settle(self, scope: MutableMapping[str, Any]) -> None:
        """Set the client's address and protocol in an ASGI scope, and remove the headers that claim them."""
        headers: list[tuple[bytes, bytes]] = scope["headers"]
        claims = [header for header in headers if header[0].startswith(_CLAIMS)]
        if not claims:
            return
        scope["headers"] = [header for header in headers if not header[0].startswith(_CLAIMS)]
        peer = _address(scope["client"][0] if scope.get("client") else "")
        if peer is None or not self._trusts(peer):
            self._log_dropped(peer)
            return
        protocols = [value.strip().lower() for name, value in claims if name == _PROTO]
        if protocols:  # different values are not trusted as https
            scope["scheme"] = "https" if set(protocols) == {b"https"} else "http"
        passed = b",".join(value for name, value in claims if name == _FOR)
        scope["client"] = (str(self._client(passed.decode("latin-1"), peer)), 0)

    def _client(self, passed: str, peer: Address) -> Address:
        """The last address that is not a trusted proxy's. The client may have made up the addresses before it."""
        client = peer
        for text in reversed(passed.split(",")):
            if not self._trusts(client):
                break
            address = _address(_without_port(text.strip()))
            if address is None:
                break
            client = address
        return client

    def _trusts(self, address: Address) -> bool:
        return any(address in network for network in self._trusted)

    def _log_dropped(self, peer: Address | None) -> None:
        if not self._logged:
            self._logged = True
            _log.warning(
                "X-Forwarded headers are dropped: the peer is not a trusted proxy",
                peer=str(peer),
                setting="ROLECALL_TRUSTED_PROXIES",
            )


def _address(text: str) -> Address | None:
    """An address; an IPv4-mapped IPv6 address (``::ffff:192.0.2.1``) is the IPv4 address."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def _without_port(text: str) -> str:
    """``192.0.2.1:4711`` and ``[2001:db8::1]:4711``, as some proxies write them."""
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0] if text.count(":") == 1 else text
