"""A row of a file of users, as another directory exported it, becomes a user to be kept, or is refused with a reason.

Reasons are sentences for the owner of the file. They hold no value of the row, so that a report of them may be passed
on.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeVar
from uuid import UUID

import msgspec

from rolecall import ambient
from rolecall.domain.directories.attributes import (
    LONGEST_NAME,
    LONGEST_TEXT,
    is_mail,
    is_phone,
    is_text,
    is_user_name,
)
from rolecall.domain.directories.model import VERIFIED_EMAIL, CustomAttribute, UserStatus
from rolecall.domain.secrets.imported_hashes import HashRefused, admit
from rolecall.values import Secret

T = TypeVar("T")

_INDEXED = tuple(f"indexed_{number}" for number in range(1, 6))
_CUSTOM = "custom."
_PROFILE = "profile."
_GENDERS = frozenset({"MALE", "FEMALE", "UNKNOWN"})

COLUMNS = (
    "user_name", "phone", "email", "email_verified", "password_hash", "password", "must_reset", "status", "groups",
    "nickname", "address", "birthdate", "created_at", *_INDEXED,
)  # fmt: skip
"""Beside these, ``custom.NAME`` is a custom attribute, and ``profile.KEY`` a field of the profile; which of those there
are is given. docs/import.md says what each holds."""

MOST_CUSTOM = 64
_LONGEST_CUSTOM_NAME = 64
_YES = frozenset({"true", "yes", "1"})
_NO = frozenset({"false", "no", "0"})


class RowRefused(Exception):
    """Why a row is not imported."""


@dataclass(frozen=True, slots=True)
class NewUser:
    """A user to be kept. One of `password_hash` and `password` at most; the latter is still to be hashed."""

    line: int
    id: UUID
    name: str | None
    phone: str | None
    email: str | None
    password_hash: str | None = field(repr=False)
    password: Secret | None
    must_reset: bool
    status: UserStatus
    nickname: str | None
    address: str | None
    birthdate: int | None
    custom: tuple[CustomAttribute, ...]
    indexed: tuple[str | None, ...]
    profile: Mapping[str, str]
    groups: tuple[UUID, ...]
    created_at: datetime


def unknown_columns(names: Iterable[str], profile: Collection[str]) -> list[str]:
    """Names that no column has. `profile`: the keys of a profile."""
    return [name for name in names if not _is_known(name, profile)]


def no_column(name: str) -> str:
    """A sentence that quotes the name only if it shows: the store takes no NUL, and terminals obey controls."""
    return f"there is no column `{name[:64]}`" if is_text(name[:64]) else "there is a column of another name"


def _is_known(name: str, profile: Collection[str]) -> bool:
    return (
        name in COLUMNS
        or (name.removeprefix(_PROFILE) in profile and name.startswith(_PROFILE))
        or _is_custom(name)
    )


def _is_custom(name: str) -> bool:
    return name.startswith(_CUSTOM) and 0 < len(name) - len(_CUSTOM) <= _LONGEST_CUSTOM_NAME and is_text(name)


class RowReader:
    """`groups` are the store's, by name. `now` stands where a row does not say when its user was made. `profile`: the
    keys of a profile."""

    def __init__(self, groups: Mapping[str, UUID], now: datetime, profile: Collection[str]) -> None:
        self._groups = groups
        self._now = now
        self._profile = profile

    def read(self, line: int, row: Mapping[str, object]) -> NewUser:
        """`row` has texts, or what JSON has; absent, null and empty are one. Raises `RowRefused`."""
        if unknown := unknown_columns(row, self._profile):
            raise RowRefused(no_column(unknown[0]))
        name = _kept(row, "user_name", is_user_name, f"1 to {LONGEST_NAME} visible characters")
        phone = _kept(row, "phone", _is_unmasked_phone, "a phone number such as +86-13800138000")
        email = _kept(row, "email", is_mail, "a mail address")
        if name is None and phone is None and email is None:
            raise RowRefused("a user needs a user_name, a phone or an email")
        stored, password = _credential(row)
        text = f"visible text of at most {LONGEST_TEXT} characters"
        return NewUser(
            line=line,
            id=ambient.new_id(),
            name=name,
            phone=phone,
            email=email,
            password_hash=stored,
            password=password,
            must_reset=_flag(row, "must_reset"),
            status=_status(row),
            nickname=_kept(row, "nickname", is_text, text),
            address=_kept(row, "address", is_text, text),
            birthdate=_birthdate(row),
            custom=_custom(row),
            indexed=tuple(_kept(row, column, is_text, text) for column in _INDEXED),
            profile=_profile(row, self._profile) | _verified(row, email),
            groups=self._in_groups(row),
            created_at=self._created(row),
        )

    def _in_groups(self, row: Mapping[str, object]) -> tuple[UUID, ...]:
        """Names with semicolons between them, or a list of names."""
        given = row.get("groups")
        if not given:
            return ()
        names = [name.strip() for name in given.split(";")] if isinstance(given, str) else given
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise RowRefused("groups is a list of names")
        found: dict[UUID, None] = {}
        for name in filter(None, names):
            if name not in self._groups:
                raise RowRefused("a group of that name is not in the store")
            found[self._groups[name]] = None
        return tuple(found)

    def _created(self, row: Mapping[str, object]) -> datetime:
        text = _text(row, "created_at")
        if text is None:
            return self._now
        moment = _moment(text, "created_at")
        if moment > self._now:
            raise RowRefused("created_at is in the future")
        return moment


def _text(row: Mapping[str, object], column: str) -> str | None:
    value = row.get(column)
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise RowRefused(f"{column} is not a text")
    return value


def _kept(row: Mapping[str, object], column: str, rule: Callable[[str], bool], wanted: str) -> str | None:
    text = _text(row, column)
    if text is not None and not rule(text):
        raise RowRefused(f"{column} is not {wanted}")
    return text


def _is_unmasked_phone(text: str) -> bool:
    """A masked number is not a number."""
    return "*" not in text and is_phone(text)


def _credential(row: Mapping[str, object]) -> tuple[str | None, Secret | None]:
    stored, plain = row.get("password_hash"), _text(row, "password")
    if isinstance(stored, dict):  # a credential as JSON within JSON
        stored = msgspec.json.encode(stored).decode()
    if not stored:
        return None, None if plain is None else Secret(plain)
    if plain is not None:
        raise RowRefused("there is a password and a password_hash")
    if not isinstance(stored, str):
        raise RowRefused("password_hash is not a text")
    try:
        return admit(stored), None
    except HashRefused as refusal:
        raise RowRefused(f"password_hash: {refusal}") from None


def _flag(row: Mapping[str, object], column: str) -> bool:
    value = row.get(column)
    if value is None or value == "":
        return False
    if isinstance(value, bool):
        return value
    text = str(value).lower()
    if text not in _YES and text not in _NO:
        raise RowRefused(f"{column} is not true or false")
    return text in _YES


def _status(row: Mapping[str, object]) -> UserStatus:
    text = _text(row, "status")
    try:
        return UserStatus.NORMAL if text is None else UserStatus(text.lower())
    except ValueError:
        raise RowRefused("status is not normal, locked or frozen") from None


def _birthdate(row: Mapping[str, object]) -> int | None:
    """In milliseconds of the epoch; a text is a date."""
    value = row.get("birthdate")
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**53:
        return value
    text = _text(row, "birthdate")
    return None if text is None else round(_moment(text, "birthdate").timestamp() * 1000)


def _moment(text: str, column: str) -> datetime:
    """ISO 8601; without a zone it is UTC."""
    try:
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise RowRefused(f"{column} is not a date such as 2024-05-17 or 2024-05-17T08:30:00Z") from None


def _profile(row: Mapping[str, object], keys: Collection[str]) -> dict[str, str]:
    found = {}
    for key in keys:
        value = _kept(row, _PROFILE + key, is_text, f"visible text of at most {LONGEST_TEXT} characters")
        if value is not None:
            found[key] = value
    if "gender" in found:
        found["gender"] = found["gender"].upper()
        if found["gender"] not in _GENDERS:
            raise RowRefused("profile.gender is not MALE, FEMALE or UNKNOWN")
    return found


def _verified(row: Mapping[str, object], email: str | None) -> dict[str, str]:
    """The address that was verified; an address that the user gets later is not."""
    if not _flag(row, "email_verified"):
        return {}
    if email is None:
        raise RowRefused("email_verified is said of a user without an email")
    return {VERIFIED_EMAIL: email}


def _custom(row: Mapping[str, object]) -> tuple[CustomAttribute, ...]:
    found = []
    for column in row:
        if column.startswith(_CUSTOM):
            text = f"visible text of at most {LONGEST_TEXT} characters"
            value = _kept(row, column, is_text, text)
            if value is not None:
                found.append(CustomAttribute(column.removeprefix(_CUSTOM), value))
    if len(found) > MOST_CUSTOM:
        raise RowRefused(f"a user has at most {MOST_CUSTOM} custom attributes")
    return tuple(found)
