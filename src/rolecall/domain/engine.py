"""The narrow waist: what the domain asks of any kind of database server, in neutral words.

Rules every engine keeps (the engine suite runs them on each):

- A change carries the id of its operation; the engine leaves that id on the account as a `marker`, in the same
  transaction as the change where the server has such transactions. After a crash the marker tells whether it happened.
- Only verifiers arrive here, never a plaintext password.
- A change is whole or absent. `drop_account` succeeds when the account is already gone.
- A change says which account, or database, it is meant for (`domain.identity`). If another one is found under the name,
  nothing is done and `Superseded` is raised. Where nothing is expected (None), whoever has the name is changed.
- A refusal by the server is raised as `Refused`; a lost connection during a commit as `OutcomeUnknown`.
- A change is safe to repeat with the same operation id: what the marker shows is not applied again, whatever came.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

from rolecall.domain.identity import (
    EARLIER_KEPT,
    Expected,
    Fence,
    next_order,
    require_identity,
    require_order,
    superseded_database,
)
from rolecall.values import Secret

if TYPE_CHECKING:  # the capabilities are described in terms of what is below
    from rolecall.domain.capabilities import (
        DatabaseGrants,
        DatabaseOwnership,
        ObjectPrivileges,
        PasswordCheck,
        TenantSuperuser,
    )


class AccountKind(StrEnum):
    """`NORMAL` can log in and nothing else; `SUPER` rules every tenant's objects but is no superuser."""

    NORMAL = "normal"
    SUPER = "super"


@dataclass(frozen=True, slots=True)
class EngineFacts:
    """What a server says of itself. `version` is comparable (major, minor); `version_text` is for people."""

    version: tuple[int, int]
    version_text: str
    administrator: str
    is_superuser: bool
    can_read_verifiers: bool
    refuses_verifiers: str = ""
    """What makes the server refuse passwords that are hashed already, for people; empty if it takes them."""


class Access(StrEnum):
    """What an account may do in a whole database, where privileges are given by template."""

    READ_ONLY = "read-only"
    READ_WRITE = "read-write"
    DDL_ONLY = "ddl-only"
    ALL = "all"
    OTHER = "other"
    """No template: only read from a server, never given."""


@dataclass(frozen=True, slots=True)
class DatabaseGrant:
    """One template on one database, by its exact name. `privileges`: what OTHER holds, in the server's words."""

    database: str
    access: Access
    privileges: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AccountFacts:
    """One account as the server holds it now. `marker` is the last operation of ours that changed it, if any.

    `earlier` are operations of ours before that one, the newest first, as far as the server remembers them.
    `host` and `grants` are of servers where an account is a name at a host and is granted whole databases (the
    MySQL family); `oid` is 0 there. `is_protected`: it leads to more than a tenant may have, so it is shown, and every
    change of it is refused with ACCOUNT_PROTECTED. `identity` tells it from any other account of that name, before or
    after; it is empty where an account that was made by SQL has none yet. `orders` are those of `operations`.
    """

    oid: int
    name: str
    kind: AccountKind
    may_log_in: bool
    has_password: bool
    marker: UUID | None
    host: str = ""
    grants: tuple[DatabaseGrant, ...] = ()
    earlier: tuple[UUID, ...] = ()
    is_protected: bool = False
    identity: str = ""
    orders: tuple[int, ...] = ()

    @property
    def operations(self) -> tuple[UUID, ...]:
        """Every operation of ours that the server remembers to have changed it, the newest first."""
        return self.earlier if self.marker is None else (self.marker, *self.earlier)

    @property
    def order(self) -> int:
        """The order of the last change; 0 if there was none of ours."""
        return self.orders[0] if self.orders else 0

    def order_of(self, operation: UUID) -> int:
        """The order of one of `operations`."""
        return dict(zip(self.operations, self.orders, strict=False)).get(operation, 0)

    @property
    def expected(self) -> Expected:
        """What a change that is accepted now is meant for."""
        return Expected(self.identity, self.order)

    def changed_by(self, operation: UUID) -> AccountFacts:
        """With the mark of one more operation."""
        known = list(zip(self.operations, self.orders, strict=False))
        kept = [one for one in known if one[0] != operation][:EARLIER_KEPT]
        return replace(
            self,
            marker=operation,
            earlier=tuple(one for one, _ in kept),
            orders=(next_order(self.order), *(order for _, order in kept)),
        )

    def was_changed_by(self, operation: UUID, expected: Expected | None) -> bool:
        """Whether that is applied already. `Superseded` if this is not the account that it is meant for;
        `ChangedMeanwhile` if it is not applied, and something else was that it does not expect.
        """
        require_identity(expected, self.name, self.identity)
        if operation in self.operations:
            return True
        require_order(expected, self.name, self.order)
        return False


@dataclass(frozen=True, slots=True)
class NewAccount:
    """With `to_come`, a grant on a database that is not there is kept for the one that will be made of that name."""

    name: str
    kind: AccountKind
    verifier: Secret | None
    operation: UUID
    host: str = ""
    grants: tuple[DatabaseGrant, ...] = ()
    to_come: bool = False
    fence: Fence | None = None


@dataclass(frozen=True, slots=True)
class AccountChange:
    """Fields left None are not asked for. `end_sessions` ends the account's open sessions after the change.

    `new_name` and `new_host` move the account with its grants (the MySQL family).
    """

    name: str
    operation: UUID
    verifier: Secret | None = None
    may_log_in: bool | None = None
    kind: AccountKind | None = None
    end_sessions: bool = False
    host: str = ""
    new_name: str | None = None
    new_host: str | None = None
    expected: Expected | None = None


class ObjectType(StrEnum):
    DATABASE = "database"
    SCHEMA = "schema"
    SEQUENCE = "sequence"
    PROCEDURE = "procedure"
    TYPE = "type"
    FUNCTION = "function"
    TABLE = "table"
    VIEW = "view"
    MATVIEW = "matview"
    COLUMN = "column"


@dataclass(frozen=True, slots=True)
class DatabaseObject:
    """An object by its path. Unused parts are empty: a database has only `name`; a column uses all of them.

    A function's or procedure's `name` may carry its argument types: ``f(integer, text)``.
    """

    type: ObjectType
    name: str
    database: str = ""
    schema: str = ""
    table: str = ""


@dataclass(frozen=True, slots=True)
class PrivilegeChange:
    """Grant to, or revoke from, one account some privileges (upper-case PostgreSQL words) on one object."""

    object: DatabaseObject
    privileges: tuple[str, ...]
    grant: bool
    cascade: bool = False


@dataclass(frozen=True, slots=True)
class DatabaseFacts:
    """One database. `acl` is the server's own text, joined by commas, empty for the default.

    `identity` tells it from any other of that name; empty where the server does not tell databases made by SQL apart.
    `operations` are those of ours that the server remembers: the one that made it, and perhaps others.
    """

    name: str
    owner: str
    encoding: str
    collate: str
    ctype: str
    allows_connections: bool
    connection_limit: int
    acl: str
    identity: str = ""
    operations: tuple[UUID, ...] = ()

    def require(self, expected: ExpectedDatabase | None) -> None:
        """`Superseded` if it is not the database that is expected."""
        require_database(expected, self.name, self.identity, self.owner)


@dataclass(frozen=True, slots=True)
class ExpectedDatabase:
    """The database that a change is meant for; with `owner`, only while it belongs to that role."""

    identity: str
    owner: str | None = None


NO_DATABASE = ExpectedDatabase("-")
"""There was none of that name: one that is there now is left alone."""


def require_database(expected: ExpectedDatabase | None, name: str, identity: str, owner: str) -> None:
    """`Superseded` if it is another database, or belongs to another role by now. None expects nothing."""
    if expected is None:
        return
    if expected.identity != identity or expected.owner not in (None, owner):
        raise superseded_database(name)


@dataclass(frozen=True, slots=True)
class NewDatabase:
    """`encoding`, `collate` and `ctype` are the server's own words; empty means the server's default.

    `owned_by` is the account that `owner` named when this was accepted.
    """

    name: str
    owner: str
    operation: UUID
    encoding: str = ""
    collate: str = ""
    ctype: str = ""
    owned_by: Expected | None = None
    fence: Fence | None = None


@dataclass(frozen=True, slots=True)
class EngineTraits:
    """What the domain has to know of a kind of server, and can know without asking one.

    `has_quick_verifier`: `Engine.verifier` takes no longer than the way to another thread and back.
    `creates_in_steps`: a creation that is cut short leaves a half-made account, which is shown to nobody and has to be
    dropped. `renames_accounts`: an account can be moved to another name. `writers`: how many changes may be under way
    at once, where that differs from the usual width of a lane.
    """

    has_quick_verifier: bool = False
    creates_in_steps: bool = False
    renames_accounts: bool = False
    writers: int | None = None


class Engine(Protocol):
    """One registered server. Methods raise `Refused` (see each) or `OutcomeUnknown`.

    Any method may refuse with ENGINE_UNREACHABLE, INSTANCE_RESTARTING, ENGINE_BUSY or ENGINE_REFUSED. Where an
    account is a name at a host, `host` empty stands for every host (``%``). New accounts have hosts as `canonical_host`
    spells them; for others `host` is what the server has, whatever it looks like.
    """

    @property
    def traits(self) -> EngineTraits: ...
    @property
    def objects(self) -> ObjectPrivileges | None: ...
    @property
    def ownership(self) -> DatabaseOwnership | None: ...
    @property
    def grants(self) -> DatabaseGrants | None: ...
    @property
    def superuser(self) -> TenantSuperuser | None: ...
    @property
    def password_check(self) -> PasswordCheck | None: ...

    async def facts(self) -> EngineFacts: ...

    def verifier(self, account: str, password: Secret) -> Secret:
        """The server's own verifier for a password. CPU-bound and pure: call it off the event loop, unless quick."""

    def canonical_host(self, host: str) -> str:
        """The one spelling of a host at which accounts are made; empty where accounts have none. Pure.

        HOST_MALFORMED for one that no client could have; elsewhere for any but the empty one.
        """

    def require_new_name(self, name: str) -> None:
        """ACCOUNT_NAME_MALFORMED or ACCOUNT_NAME_RESERVED for a name that no account of a tenant can get. Pure."""

    async def create_account(self, new: NewAccount) -> AccountFacts:
        """ACCOUNT_TAKEN, ACCOUNT_NAME_RESERVED, ENGINE_TOO_OLD. Repeating with the same operation is no refusal."""

    async def change_account(self, change: AccountChange) -> AccountFacts:
        """ACCOUNT_MISSING, ACCOUNT_PROTECTED (whatever leads to more than a tenant may have), ENGINE_TOO_OLD.

        Taking away login never waits for a lock that a tenant can hold: it comes first, before the marker.
        """

    async def drop_account(
        self, name: str, operation: UUID, host: str = "", expected: Expected | None = None
    ) -> bool:
        """Lock, end sessions, hand over its objects, drop. False if it was not there. ACCOUNT_PROTECTED.

        If `expected` is `NOBODY`, an account that is there is left alone; what is half made is taken away.
        Objects go to a role without power or to nobody, never to a superuser: code in them would run as that one.
        """

    async def account(self, name: str, host: str = "") -> AccountFacts | None:
        """The account if it is one that `accounts` lists. Waits for any change of it that is still under way."""

    async def identify(self, name: str, host: str = "") -> AccountFacts | None:
        """As `account`, and from now on it has an identity, also where it was made by SQL."""

    async def accounts(self) -> Sequence[AccountFacts]:
        """Every account that can log in, or that was locked through us; superusers and the like as protected.

        Without the administrator and what belongs to the server or to Rolecall itself.
        """

    async def databases(self) -> Sequence[DatabaseFacts]:
        """Tenants' databases and the maintenance one, without templates, by name."""

    async def create_database(self, new: NewDatabase) -> None:
        """DATABASE_TAKEN, ACCOUNT_MISSING (the owner), ENCODING_UNSUPPORTED, LOCALE_UNSUPPORTED.

        Where databases have no owner (the MySQL family), `owner` is not looked at.
        """

    async def drop_database(self, name: str, expected: ExpectedDatabase | None = None) -> bool:
        """Drop it with every grant on it. False if it was not there. DATABASE_PROTECTED."""

    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class StorePlace:
    """Where Rolecall's own store is, so that no engine touches it. `system` is the server's system identifier, None
    if the store does not tell it; `users` are the roles that Rolecall is there.
    """

    system: int | None
    database: str
    users: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EngineAddress:
    """Where a registered server is and how to administer it."""

    kind: str
    host: str
    port: int
    user: str
    password: Secret
    database: str
    options: Mapping[str, str]
    """Per instance: ``super_role`` and ``heir_role`` (the roles that super accounts belong to, and that objects of
    dropped accounts go to), and how to connect: ``sslmode``, ``sslrootcert`` and the like. In the MySQL family
    ``flavor`` (``mariadb`` or ``mysql``) and ``control_schema``."""
