"""Calls of `ciam` over raw HTTP, for the tests here and those of the clients."""

from __future__ import annotations

import itertools
import secrets
from typing import Any

from tests.conftest import Rolecall

FIRST_PAGE = {"PageSize": 20, "PageNumber": 1}
NOBODY = "0" * 32
_numbers = itertools.count(secrets.randbelow(10**8))


class Ciam:
    """One caller, by default the owner, and one user store, by default the quickstart one."""

    def __init__(self, rolecall: Rolecall, store: str = "", **signing: Any) -> None:
        self.rolecall = rolecall
        self.store = store or rolecall.tencent["user_store_id"]
        self._signing = signing

    def call(self, action: str, params: dict[str, Any], **signing: Any) -> dict[str, Any]:
        """The content of `Response`."""
        how = {"service": "ciam", "version": "2022-03-31"} | self._signing | signing
        return self.rolecall.call(action, params, **how)

    def ok(self, action: str, **params: Any) -> dict[str, Any]:
        """A call on the store that must succeed."""
        response = self.call(action, {"UserStoreId": self.store} | params)
        assert "Error" not in response, response
        return response

    def code(self, action: str, **params: Any) -> str:
        """The error code of a call on the store, empty if it succeeds."""
        response = self.call(action, {"UserStoreId": self.store} | params)
        return str(response.get("Error", {}).get("Code", ""))

    def create(self, **params: Any) -> dict[str, Any]:
        """A new user; its `User`."""
        user: dict[str, Any] = self.ok("CreateUser", **somebody() | params)["User"]
        return user

    def shown(self, user_id: str, *, original: bool = True) -> dict[str, Any] | None:
        found: dict[str, Any] | None = self.ok("DescribeUserById", UserId=user_id, Original=original)["User"]
        return found

    def group(self, name: str = "") -> str:
        return str(self.ok("CreateUserGroup", DisplayName=name or f"g{secrets.token_hex(4)}")["UserGroupId"])


def somebody() -> dict[str, Any]:
    """What CreateUser needs, of nobody that is there."""
    number = next(_numbers)
    return {
        "UserName": f"user{number:09}",
        "PhoneNumber": f"+86-13{number:09}",
        "Email": f"user{number:09}@example.com",
        "Password": "Right-Horse-42",
    }
