"""Which users are looked for: conditions on fields, all of which hold, and an order."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID


class UserField(StrEnum):
    """What can be asked of a user. PROFILE and CUSTOM are families: a condition's `key` says which of them."""

    ID = "id"
    NAME = "name"
    PHONE = "phone"
    EMAIL = "email"
    GROUP = "group"
    STATUS = "status"
    NICKNAME = "nickname"
    ADDRESS = "address"
    BIRTHDATE = "birthdate"
    CREATED = "created"
    MODIFIED = "modified"
    INDEXED_1 = "indexed-1"
    INDEXED_2 = "indexed-2"
    INDEXED_3 = "indexed-3"
    INDEXED_4 = "indexed-4"
    INDEXED_5 = "indexed-5"
    PROFILE = "profile"
    CUSTOM = "custom"
    ANY = "any"
    """The id exactly, or a part of name, phone number or mail address, in any case."""


class Operator(StrEnum):
    EQUAL = "="
    UNEQUAL = "!="
    LESS = "<"
    LESS_OR_EQUAL = "<="
    GREATER = ">"
    GREATER_OR_EQUAL = ">="
    BETWEEN = "between"
    """Two values, both included."""


@dataclass(frozen=True, slots=True)
class Condition:
    """`values` have the field's own type (UUID, datetime, int, else text). Of several, EQUAL is any, UNEQUAL none."""

    field: UserField
    operator: Operator
    values: tuple[object, ...]
    key: str = ""


@dataclass(frozen=True, slots=True)
class Order:
    field: UserField
    descending: bool
    key: str = ""


class UserKey(NamedTuple):
    """Where a user is among all of its store, the newest first."""

    created_at: datetime
    id: UUID
