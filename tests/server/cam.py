"""Calls of `cam` and `tag` over raw HTTP, for the tests here."""

from __future__ import annotations

import secrets
from typing import Any

from tests.conftest import Rolecall

VERSIONS = {"cam": "2019-01-16", "tag": "2018-08-13", "sts": "2018-08-13"}
PASSWORD = "Right-Horse-42"


class Cam:
    """One caller, by default the owner."""

    def __init__(self, rolecall: Rolecall, secret_id: str = "", secret_key: str = "") -> None:
        self.rolecall = rolecall
        self._key = {"secret_id": secret_id, "secret_key": secret_key} if secret_id else {}

    def call(self, action: str, service: str = "cam", **params: Any) -> dict[str, Any]:
        """The content of `Response`."""
        return self.rolecall.call(
            action, params, service=service, version=VERSIONS[service], region="", **self._key
        )

    def ok(self, action: str, service: str = "cam", **params: Any) -> dict[str, Any]:
        response = self.call(action, service, **params)
        assert "Error" not in response, response
        return response

    def code(self, action: str, service: str = "cam", **params: Any) -> str:
        """The error code, empty if it succeeds."""
        return str(self.call(action, service, **params).get("Error", {}).get("Code", ""))

    def as_user(self, added: dict[str, Any]) -> Cam:
        """The sub-user that AddUser answered, calling with its own key."""
        return Cam(self.rolecall, added["SecretId"], added["SecretKey"])

    def add(self, name: str = "", **params: Any) -> dict[str, Any]:
        """A new sub-user."""
        return self.ok("AddUser", Name=name or f"u{secrets.token_hex(6)}", **params)
