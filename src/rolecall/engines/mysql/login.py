"""Authentication as the administrator, without revealing the password to a server that is not authenticated.

The server chooses the authentication plugin. What it may choose, and what it learns:

- ``mysql_native_password``, ``caching_sha2_password`` (its fast way) and ``client_ed25519``: a scramble.
- ``caching_sha2_password`` in full, ``sha256_password``: the password itself, over TLS as it is, else encrypted under
  a key that the same server sends. Only for a server whose certificate was verified, or on this machine.
- ``mysql_clear_password``, ``dialog``: the password itself. Only for a server whose certificate was verified.
- ``mysql_old_password`` and all others: never.

Sources: MySQL Internals Manual, "Connection Phase"; MariaDB documentation, "Connection", "Authentication plugins".
"""

from __future__ import annotations

import ssl
from typing import Any

from asyncmy.connection import Connection
from asyncmy.errors import OperationalError

_SCRAMBLES = frozenset({"mysql_native_password", "caching_sha2_password", "client_ed25519"})
_SEALED = frozenset({"sha256_password"})
_CLEAR = frozenset({"mysql_clear_password", "dialog"})
_FULL = b"\x01\x04"
"""`caching_sha2_password`: the server asks for the password itself."""

_REFUSED = 2059
"""The client library's own number for a plugin that it does not have (CR_AUTH_PLUGIN_CANNOT_LOAD)."""


_Driver: Any = Connection  # its stub lacks the methods that are overridden below


class GuardedConnection(_Driver):  # type: ignore[misc]
    """A connection that refuses to reveal the password; `is_local`: the server is on this machine."""

    _auth_plugin_name: str

    def __init__(self, *, is_local: bool, **options: Any) -> None:
        super().__init__(**options)
        self._is_local = is_local

    async def _request_authentication(self) -> Any:
        if not self._may_choose(self._auth_plugin_name):
            # The greeting names the server's default plugin, not the account's: start with another.
            self._auth_plugin_name = "mysql_native_password"
        self.read_packet = self._read_guarded
        try:
            return await super()._request_authentication()
        finally:
            del self.read_packet

    async def _process_auth(self, plugin_name: bytes, auth_packet: Any) -> Any:
        name = plugin_name.decode("ascii", "replace")
        if not self._may_choose(name):
            raise _refusal(name)
        return await super()._process_auth(plugin_name, auth_packet)

    async def _read_guarded(self, *arguments: Any) -> Any:
        packet = await super().read_packet(*arguments)
        if packet.get_all_data()[:2] == _FULL and not (self._is_local or self._knows_server()):
            raise _refusal("caching_sha2_password, in full")
        return packet

    def _may_choose(self, plugin: str) -> bool:
        if plugin in _CLEAR:
            return self._knows_server()
        if plugin in _SEALED:
            return self._is_local or self._knows_server()
        return plugin in _SCRAMBLES or not plugin

    def _knows_server(self) -> bool:
        """Whether TLS verifies the server's certificate before the password is sent."""
        context = self._ssl_context
        return isinstance(context, ssl.SSLContext) and context.verify_mode is ssl.CERT_REQUIRED


def _refusal(plugin: str) -> OperationalError:
    asked = f"the server asks for the administrator's password itself ({plugin})"
    return OperationalError(_REFUSED, f"{asked}; verify its certificate: sslmode verify-full")
