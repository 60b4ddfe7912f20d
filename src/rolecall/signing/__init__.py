"""Signatures, sans I/O: every function is pure over (request, key, now), and every stage can be looked at alone."""

from __future__ import annotations


def host_candidates(header: str, public_hosts: tuple[str, ...] = ()) -> tuple[str, ...]:
    """The names a client may have signed for the server it calls, likeliest first, without repeats.

    - The Host header as sent. It may carry a scheme or a path: the Python SDK (3.1.195) and tccli put the whole
      configured endpoint there, and sign it.
    - The same without its scheme, for a proxy in between that corrects the header.
    - The same without its port: the Node SDK (4.1.220) signs ``endpoint.split(":")[0]``.
    - Names this server is known by in public, for a gateway that replaces Host after signing.
    """
    bare = header.partition("://")[2] or header
    name = bare.partition("/")[0]
    host, colon, port = name.rpartition(":")
    portless = host if colon and port.isdigit() else name
    return tuple(dict.fromkeys((header, bare, portless, *public_hosts)))
