"""Changes and grants as plain data, for an operation's detail, and back."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from rolecall.domain.engine import DatabaseGrant, PrivilegeChange


def encode_changes(changes: Sequence[PrivilegeChange]) -> object:
    """Lists and dicts that JSON can hold."""
    return msgspec.to_builtins(list(changes))


def decode_changes(data: object) -> tuple[PrivilegeChange, ...]:
    return tuple(msgspec.convert(data, list[PrivilegeChange]))


def encode_grants(grants: Sequence[DatabaseGrant]) -> object:
    return msgspec.to_builtins(list(grants))


def decode_grants(data: object) -> tuple[DatabaseGrant, ...]:
    return tuple(msgspec.convert(data, list[DatabaseGrant]))
