"""Bound sockets, which a server listens on later."""

from __future__ import annotations

import socket

from rolecall.settings import SettingsError


def bound_socket(host: str, port: int, *, shared: bool = False) -> socket.socket:
    """A socket bound to an address, which does not listen yet. Raises `SettingsError`.

    `shared` lets several processes of one user listen on the address (SO_REUSEPORT).
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if shared:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        bound.bind((host, port))
    except OSError as error:
        bound.close()
        raise SettingsError(f"cannot listen on {host}:{port}: {error.strerror}") from None
    return bound
