"""The seed file: TOML, checked against typed tables before anything is changed.

An error names the line of its table and the path of its key, such as ``seed.toml:12: accounts[0].name: ...``.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from rolecall.cli.errors import CommandError
from rolecall.domain.engine import Access, AccountKind

_NAME = r"^[A-Za-z0-9+=,.@_-]{1,128}$"
"""Of policies, roles and groups, as the vendor's pages allow them."""

Text = Annotated[str, Meta(max_length=512)]
Name = Annotated[str, Meta(min_length=1, max_length=128)]
IamName = Annotated[str, Meta(pattern=_NAME)]
SubUserName = Annotated[str, Meta(pattern=r"^[A-Za-z0-9+=,.@_-]{1,64}$")]
Port = Annotated[int, Meta(ge=1, le=65535)]


class Password(Struct, forbid_unknown_fields=True, kw_only=True):
    """Where a password is taken from: a file, a variable of the environment, or generated and kept."""

    password_file: str | None = None
    password_env: str | None = None
    generate: bool = False

    def sources(self) -> Sequence[str]:
        """The keys that are given."""
        given = {
            "password_file": self.password_file is not None,
            "password_env": self.password_env is not None,
            "generate": self.generate,
        }
        return [name for name, is_given in given.items() if is_given]


class SeedInstance(Password, forbid_unknown_fields=True, kw_only=True):
    """A server, as `rolecall instance add` registers it; `id` is its public id."""

    name: Name
    url: str
    id: str | None = None
    region: str | None = None
    zone: str | None = None
    sslmode: str | None = None
    sslrootcert: str | None = None
    account_quota: Annotated[int, Meta(ge=0, le=999_999_999)] | None = None
    unchecked: bool = False


class SeedAccount(Password, forbid_unknown_fields=True, kw_only=True):
    instance: Name
    name: Name
    host: str = ""
    kind: AccountKind = AccountKind.NORMAL
    remark: Annotated[str, Meta(max_length=256)] = ""
    locked: bool = False
    managed: bool = False
    grants: dict[str, Access] = {}


class SeedTag(Struct, forbid_unknown_fields=True, kw_only=True):
    key: Name
    value: Annotated[str, Meta(max_length=256)]


class SeedPolicy(Struct, forbid_unknown_fields=True, kw_only=True):
    name: IamName
    description: Text = ""
    document: dict[str, Any] | str | None = None
    document_file: str | None = None
    tags: dict[str, str] = {}


class SeedGroup(Struct, forbid_unknown_fields=True, kw_only=True):
    name: IamName
    remark: Text = ""
    policies: list[str] = []


class SeedRole(Struct, forbid_unknown_fields=True, kw_only=True):
    name: IamName
    description: Text = ""
    trust: dict[str, Any] | str | None = None
    trust_file: str | None = None
    session_seconds: Annotated[int, Meta(ge=0, le=43200)] = 0
    console_login: bool = False
    policies: list[str] = []
    tags: dict[str, str] = {}


class SeedSubUser(Password, forbid_unknown_fields=True, kw_only=True):
    """`key` creates an access key where the sub-user has none."""

    name: SubUserName
    remark: Text = ""
    console_login: bool = False
    key: bool = False
    groups: list[str] = []
    policies: list[str] = []


class SeedUserStore(Struct, forbid_unknown_fields=True, kw_only=True):
    """`groups` are names of groups of users."""

    name: Name
    description: Text = ""
    groups: list[Name] = []


class SeedUser(Password, forbid_unknown_fields=True, kw_only=True):
    store: Name
    name: Name
    phone: str | None = None
    email: str | None = None
    nickname: Text | None = None
    groups: list[str] = []


class SeedApplication(Struct, forbid_unknown_fields=True, kw_only=True):
    store: Name
    name: Annotated[str, Meta(min_length=1, max_length=64)]
    redirect_uris: list[str]
    logout_uris: list[str] = []
    public: bool = False
    password_grant: bool = False


class Seed(Struct, forbid_unknown_fields=True, kw_only=True):
    """The tables of a seed file, in the order in which they are created."""

    instances: list[SeedInstance] = []
    tags: list[SeedTag] = []
    policies: list[SeedPolicy] = []
    groups: list[SeedGroup] = []
    roles: list[SeedRole] = []
    sub_users: list[SeedSubUser] = []
    accounts: list[SeedAccount] = []
    user_stores: list[SeedUserStore] = []
    users: list[SeedUser] = []
    applications: list[SeedApplication] = []


class SeedFile:
    """A seed file that was read: its tables, and where each stands."""

    def __init__(self, path: Path) -> None:
        """Raises `CommandError`."""
        self.path = path
        try:
            text = path.read_text("utf-8")
            content = tomllib.loads(text)
        except OSError as error:
            raise CommandError(f"cannot read {path}: {error.strerror}") from None
        except UnicodeDecodeError:
            raise CommandError(f"{path}: it is not UTF-8") from None
        except tomllib.TOMLDecodeError as error:
            raise CommandError(f"{path}: it is not TOML: {error}") from None
        except RecursionError:
            raise CommandError(f"{path}: it is nested too deeply") from None
        self._lines = _lines_of_tables(text)
        if (where := _place_of_nul(content)) is not None:
            raise self.error(where, "it has the character NUL, which neither a name nor a text may have")
        try:
            self.seed = msgspec.convert(content, Seed)
        except msgspec.ValidationError as error:
            what, _, where = str(error).partition(" - at `$.")
            raise self.error(where.rstrip("`"), what) from None

    def error(self, where: str, what: str) -> CommandError:
        """`where` is the path of a key, such as ``accounts[0].name``."""
        found = re.match(r"(\w+)\[(\d+)\]", where)
        line = None if found is None else self._lines.get((found[1], int(found[2])))
        place = str(self.path) if line is None else f"{self.path}:{line}"
        return CommandError(f"{place}: {where}: {what}" if where else f"{place}: {what}")

    def beside(self, name: str) -> Path:
        """A file that the seed names: its path begins at the seed's directory."""
        return self.path.parent / name


def _place_of_nul(value: object, where: str = "") -> str | None:
    """The path of the first key or value with the character NUL, which no file's name and no text of PostgreSQL has."""
    if isinstance(value, str):
        return where if "\0" in value else None
    if isinstance(value, list):
        parts = [(f"{where}[{position}]", part) for position, part in enumerate(value)]
    elif isinstance(value, dict):
        if any("\0" in key for key in value):
            return where
        parts = [(f"{where}.{key}".lstrip("."), part) for key, part in value.items()]
    else:
        return None
    return next((found for place, part in parts if (found := _place_of_nul(part, place)) is not None), None)


def _lines_of_tables(text: str) -> Mapping[tuple[str, int], int]:
    """The line of each ``[[table]]``, by table and position."""
    lines: dict[tuple[str, int], int] = {}
    counts: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if found := re.match(r"\s*\[\[\s*(\w+)\s*\]\]", line):
            position = counts.get(found[1], 0)
            lines[found[1], position] = number
            counts[found[1]] = position + 1
    return lines
