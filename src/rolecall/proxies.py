"""Whose word on where a request came from is taken: that of the proxies that the operator names, and of nobody else.

A proxy says the client's address in ``X-Forwarded-For``, appending to what is there, and the client's protocol in
``X-Forwarded-Proto``. From every other peer these headers are a stranger's text: they are dropped, which is logged once
for a process.
"""

from __future__ import annotations

import ipaddress
from collections.abc import MutableMapping, Sequence
from typing import Any

import structlog

_log = structlog.get_logger(__name__)

_FOR, _PROTO = b"x-forwarded-for", b"x-forwarded-proto"
_CLAIMS = (b"x-forwarded-", b"forwarded", b"x-real-ip")
"""How the names of headers begin that say where a request came from."""

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Proxies:
    """`trusted` are the networks of the proxies."""

    def __init__(self, trusted: Sequence[Network]) -> None:
        self._trusted = trusted
        self._told = False

    def settle(self, scope: MutableMapping[str, Any]) -> None:
        """Put the client's address and protocol into an ASGI scope, and take out the headers that claim them."""
        headers: list[tuple[bytes, bytes]] = scope["headers"]
        claims = [one for one in headers if one[0].startswith(_CLAIMS)]
        if not claims:
            return
        scope["headers"] = [one for one in headers if not one[0].startswith(_CLAIMS)]
        peer = _address(scope["client"][0] if scope.get("client") else "")
        if peer is None or not self._trusts(peer):
            self._tell(peer)
            return
        protocols = [value.strip().lower() for name, value in claims if name == _PROTO]
        if protocols:  # two that differ are nobody's word
            scope["scheme"] = "https" if set(protocols) == {b"https"} else "http"
        passed = b",".join(value for name, value in claims if name == _FOR)
        scope["client"] = (str(self._client(passed.decode("latin-1"), peer)), 0)

    def _client(self, passed: str, peer: Address) -> Address:
        """The last address that no trusted proxy has; what stands before it may be the client's own invention."""
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

    def _tell(self, peer: Address | None) -> None:
        if not self._told:
            self._told = True
            _log.warning(
                "X-Forwarded headers are dropped: the peer is no trusted proxy",
                peer=str(peer),
                setting="ROLECALL_TRUSTED_PROXIES",
            )


def _address(text: str) -> Address | None:
    """An IPv4 address that came as IPv6 (``::ffff:192.0.2.1``) is the IPv4 address."""
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
