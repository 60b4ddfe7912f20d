"""Details: what finishing a change takes, beside its target. Each kind of change has a type of its own.

An operation keeps its detail as JSON, and `Change` is the tag by which it is read. A field with a default may be absent
in rows of earlier releases.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Self

import msgspec

from rolecall.domain.engine import AccountKind, DatabaseGrant, PrivilegeChange
from rolecall.domain.engine.roles import DefaultPrivileges, MembershipChange
from rolecall.domain.engine.states import AccountState

if TYPE_CHECKING:
    from rolecall.domain.operations.model import Intent, Operation


class Detail(msgspec.Struct, frozen=True, kw_only=True):
    @classmethod
    def of(cls, operation: Intent | Operation) -> Self:
        """`msgspec.ValidationError` if it is not of this kind."""
        return msgspec.convert(operation.detail, cls)

    def encode(self) -> Mapping[str, object]:
        """As JSON can hold it."""
        encoded: dict[str, object] = msgspec.to_builtins(self)
        return encoded


class CreateAccount(Detail, frozen=True, kw_only=True, rename={"allow_missing": "to_come"}):
    """`allow_missing`: grants may be on databases that are not there yet."""

    remark: str
    kind: AccountKind = AccountKind.NORMAL
    managed: bool = False
    grants: tuple[DatabaseGrant, ...] = ()
    allow_missing: bool = False


class ChangeRemark(Detail, frozen=True, kw_only=True):
    remark: str


class MoveAccount(Detail, frozen=True, kw_only=True):
    new_name: str = ""
    new_host: str = ""
    password_changed: bool = False


class ChangePrivileges(Detail, frozen=True, kw_only=True):
    changes: tuple[PrivilegeChange, ...]
    kind: AccountKind | None = None
    former_kind: AccountKind | None = None
    """As it was when `kind` was accepted."""
    memberships: tuple[MembershipChange, ...] = ()


class ChangeGrants(Detail, frozen=True, kw_only=True, rename={"allow_missing": "to_come"}):
    grant: tuple[DatabaseGrant, ...]
    revoke: tuple[str, ...]
    allow_missing: bool = False


class ChangeLimit(Detail, frozen=True, kw_only=True):
    connection_limit: int


class ChangeExpiry(Detail, frozen=True, kw_only=True):
    """None: never."""

    valid_until: datetime | None


class ChangeMembership(Detail, frozen=True, kw_only=True):
    change: MembershipChange


class ChangeDefaults(Detail, frozen=True, kw_only=True):
    """`owned_by` is the identity of the defaults' owner."""

    defaults: DefaultPrivileges
    owned_by: str
    grant: bool


class ChangePublic(Detail, frozen=True, kw_only=True):
    privileges: tuple[str, ...]
    grant: bool


class AdoptAccount(Detail, frozen=True, kw_only=True):
    """Without the password, of which an audit record shows nothing.

    `has_recorded_password`: the one that was recorded, which SQL has not changed.
    """

    state: AccountState
    has_recorded_password: bool = False


class ReassertAccount(Detail, frozen=True, kw_only=True):
    state: AccountState


class CreateDatabase(Detail, frozen=True, kw_only=True):
    """`encoding` and `collate` empty: the server's default."""

    owner: str = ""
    encoding: str = ""
    collate: str = ""


class ChangeDatabaseOwner(Detail, frozen=True, kw_only=True, rename={"former": "from"}):
    """`former` is the owner's name at the time of accepting; `owned_by` the new owner's identity, where it has one."""

    owner: str
    former: str
    owned_by: str | None = None


class CreateInstance(Detail, frozen=True, kw_only=True):
    engine: str
