"""TLS of connections to servers of the MySQL family, configured by libpq's ``sslmode``."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

from rolecall.domain.engine import EngineAddress
from rolecall.domain.instances.channels import sslmode
from rolecall.domain.reasons import Reason, Refused

_FILES = ("sslrootcert", "sslcert", "sslkey")


def mode_of(address: EngineAddress) -> str:
    """The default is ``verify-full``, and ``disable`` on this machine."""
    return sslmode(address.host, address.options, on_loopback="disable")


class TlsContexts:
    """The TLS context of one server, made at first use and again when its files have changed.

    Reading the system's authorities takes some 20 ms, so it is done off the event loop.
    """

    def __init__(self, address: EngineAddress) -> None:
        self._address = address
        self._files = [Path(address.options[name]) for name in _FILES if name in address.options]
        self._known: tuple[list[tuple[int, int]], ssl.SSLContext] | None = None
        self._making = asyncio.Lock()

    async def context(self) -> ssl.SSLContext | None:
        """``prefer`` encrypts if the server can, ``require`` always; ``verify-ca`` and ``verify-full`` also
        authenticate the server. None for ``disable``. ENGINE_UNREACHABLE for another mode; OSError.
        """
        mode = mode_of(self._address)
        if mode == "disable":
            return None
        if mode not in {"prefer", "require", "verify-ca", "verify-full"}:
            raise Refused(Reason.ENGINE_UNREACHABLE, note=f"sslmode {mode} is not known")
        async with self._making:
            state = [(found.st_mtime_ns, found.st_size) for found in (path.stat() for path in self._files)]
            if self._known is None or self._known[0] != state:
                self._known = state, await asyncio.to_thread(_make, self._address)
            return self._known[1]


def _make(address: EngineAddress) -> ssl.SSLContext:
    mode = mode_of(address)
    context = ssl.create_default_context(cafile=address.options.get("sslrootcert"))
    context.check_hostname = mode == "verify-full"
    if mode in {"prefer", "require"}:
        context.verify_mode = ssl.CERT_NONE
    if certificate := address.options.get("sslcert"):
        context.load_cert_chain(certificate, address.options.get("sslkey"))
    return context
