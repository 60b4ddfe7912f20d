"""The narrow waist: what the domain asks of any kind of database server, in neutral words.

Rules of every engine (the engine suite checks them on each):

- A change carries the id of its operation. The engine writes that id to the account as a `marker`, in the same
  transaction as the change if the server has such transactions. After a crash the marker shows whether it happened.
- Engines get verifiers, never plaintext passwords.
- A change is whole or absent. `drop_account` succeeds if the account does not exist.
- A change names the account or database that it is meant for (`domain.engine.identity`). If another one has the
  name, the engine does nothing and raises `Superseded`. With None the change applies to any account of the name.
- A refusal by the server is raised as `Refused`; a connection lost during a commit as `OutcomeUnknown`.
- A change can be repeated with the same operation id: what the marker shows is not applied again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

from rolecall.domain.engine.identity import (
    EARLIER_KEPT,
    Expected,
    Fence,
    next_order,
    require_identity,
    require_order,
    superseded_database,
)
from rolecall.values import Secret

if TYPE_CHECKING:  # these are described in terms of what is below
    from rolecall.domain.engine import capabilities
    from rolecall.domain.engine.pages import AccountListing
    from rolecall.domain.engine.roles import Roles
    from rolecall.domain.engine.states import AccountStates


class AccountKind(StrEnum):
    """`NORMAL` can log in and nothing else; `SUPER` may use every tenant's objects but is not a superuser."""

    NORMAL = "normal"
    SUPER = "super"


class VerifierWrite(StrEnum):
    """How verifiers are stored: by statements on accounts, or in the catalog, past what checks or audits those."""

    STATEMENT = "statement"
    CATALOG = "catalog"


@dataclass(frozen=True, slots=True)
class EngineFacts:
    """What a server reports of itself. `version` is (major, minor), for comparison; `version_text` is for display."""

    version: tuple[int, int]
    version_text: str
    administrator: str
    is_superuser: bool
    can_read_verifiers: bool
    refuses_verifiers: str = ""
    """What makes the server refuse hashed passwords, for display; empty if it accepts them."""
    verifier_write: VerifierWrite = VerifierWrite.STATEMENT
    catalog_withheld: str = ""
    """Why the catalog is not updated although the instance wants it, for display; empty if it is, or is not wanted."""


class Access(StrEnum):
    """A template of privileges on a whole database."""

    READ_ONLY = "read-only"
    READ_WRITE = "read-write"
    DDL_ONLY = "ddl-only"
    ALL = "all"
    OTHER = "other"
    """Privileges of no template: read from a server, never granted."""


@dataclass(frozen=True, slots=True)
class DatabaseGrant:
    """One template on one database, by its exact name. `privileges`: what OTHER holds, in the server's words."""

    database: str
    access: Access
    privileges: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AccountFacts:
    """One account as the server has it now. `marker` is the last operation of Rolecall's that changed it, if any.

    `earlier` are the operations before that one, the newest first, as far as the server remembers them. `host` and
    `grants`: where an account is a name at a host and is granted whole databases (the MySQL family); `oid` is 0 there.
    `is_protected`: it has or leads to more than a tenant may have: it is listed, and changes are ACCOUNT_PROTECTED.
    `identity` distinguishes it from others of its name; empty if SQL created it and it has none yet. `orders` are those
    of `operations`. Of the change that returns these facts: how it stored a verifier, and that one's `fingerprint`.
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
    verifier_write: VerifierWrite | None = field(default=None, compare=False)
    password: str | None = field(default=None, compare=False)

    @property
    def operations(self) -> tuple[UUID, ...]:
        """Every operation of Rolecall's that the server remembers for the account, the newest first."""
        return self.earlier if self.marker is None else (self.marker, *self.earlier)

    @property
    def order(self) -> int:
        """Of Rolecall's last change; 0 without one."""
        return self.orders[0] if self.orders else 0

    def order_of(self, operation: UUID) -> int:
        return dict(zip(self.operations, self.orders, strict=False)).get(operation, 0)

    @property
    def expected(self) -> Expected:
        """The account as it is now, for a change that is accepted now."""
        return Expected(self.identity, self.order)

    def changed_by(self, operation: UUID) -> AccountFacts:
        """The account with one more operation in its marker."""
        known = list(zip(self.operations, self.orders, strict=False))
        kept = [(other, order) for other, order in known if other != operation][:EARLIER_KEPT]
        return replace(
            self,
            marker=operation,
            earlier=tuple(other for other, _ in kept),
            orders=(next_order(self.order), *(order for _, order in kept)),
        )

    def was_changed_by(self, operation: UUID, expected: Expected | None) -> bool:
        """Whether the operation is applied. `Superseded` if this is not the expected account; `ChangedMeanwhile` if
        another operation is applied instead, which is not expected.
        """
        require_identity(expected, self.name, self.identity)
        if operation in self.operations:
            return True
        require_order(expected, self.name, self.order)
        return False


@dataclass(frozen=True, slots=True)
class NewAccount:
    """With `allow_missing`, a grant on a missing database is for a future database of that name."""

    name: str
    kind: AccountKind
    verifier: Secret | None
    operation: UUID
    host: str = ""
    grants: tuple[DatabaseGrant, ...] = ()
    allow_missing: bool = False
    fence: Fence | None = None


@dataclass(frozen=True, slots=True)
class AccountChange:
    """Fields that are None do not change. `end_sessions` ends its open sessions, `new_name` and `new_host` move it."""

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
    """An object by its path. Unused parts are empty: a database has only `name`, a column has all parts.

    The `name` of a function or procedure may include its argument types: ``f(integer, text)``.
    """

    type: ObjectType
    name: str
    database: str = ""
    schema: str = ""
    table: str = ""


@dataclass(frozen=True, slots=True)
class PrivilegeChange:
    """Grant or revoke privileges (PostgreSQL's words in upper case) on one object."""

    object: DatabaseObject
    privileges: tuple[str, ...]
    grant: bool
    cascade: bool = False


@dataclass(frozen=True, slots=True)
class DatabaseFacts:
    """One database. `acl` is the server's own text, joined by commas; empty for the default.

    `identity` distinguishes it from others of its name; empty if SQL created it and the server does not distinguish
    such databases. `operations` are those of Rolecall's that the server remembers: the creation, and perhaps others.
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
        """`Superseded` if it is not the expected database."""
        require_database(expected, self.name, self.identity, self.owner)


@dataclass(frozen=True, slots=True)
class ExpectedDatabase:
    """The database that a change is meant for; with `owner`, only while that role owns it."""

    identity: str
    owner: str | None = None


NO_DATABASE = ExpectedDatabase("-")
"""No database had the name: one that has it now stays."""


def require_database(expected: ExpectedDatabase | None, name: str, identity: str, owner: str) -> None:
    """`Superseded` if it is another database, or has another owner. None expects nothing."""
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
    """What the domain has to know of a kind of server without asking one.

    `has_quick_verifier`: `Engine.verifier` takes no longer than the way to another thread and back. `creates_in_steps`:
    an interrupted creation leaves a half-made account, which has to be dropped. `writers`: how many changes may be
    under way at once; None for the width of lanes.
    """

    has_quick_verifier: bool = False
    creates_in_steps: bool = False
    renames_accounts: bool = False
    writers: int | None = None


class Engine(Protocol):
    """One registered server. Methods raise `Refused` (see each) or `OutcomeUnknown`.

    Any method may refuse with ENGINE_UNREACHABLE, INSTANCE_RESTARTING, ENGINE_BUSY or ENGINE_REFUSED. If accounts
    are names at hosts, an empty `host` means every host (``%``). New accounts have hosts as `canonical_host` spells
    them; for others `host` is what the server has.
    """

    @property
    def traits(self) -> EngineTraits: ...
    @property
    def listing(self) -> AccountListing: ...
    @property
    def states(self) -> AccountStates: ...
    @property
    def objects(self) -> capabilities.ObjectPrivileges | None: ...
    @property
    def ownership(self) -> capabilities.DatabaseOwnership | None: ...
    @property
    def roles(self) -> Roles | None: ...
    @property
    def grants(self) -> capabilities.DatabaseGrants | None: ...
    @property
    def superuser(self) -> capabilities.TenantSuperuser | None: ...
    @property
    def password_check(self) -> capabilities.PasswordCheck | None: ...

    async def facts(self) -> EngineFacts: ...

    def verifier(self, account: str, password: Secret) -> Secret:
        """The server's own verifier for a password. Pure; CPU-bound, so called off the event loop unless quick."""

    def canonical_host(self, host: str) -> str:
        """The canonical spelling of a host for new accounts. Pure.

        HOST_MALFORMED for a host that no client could have; for any host if accounts have none.
        """

    def require_new_name(self, name: str) -> None:
        """ACCOUNT_NAME_MALFORMED or ACCOUNT_NAME_RESERVED for a name that tenants' accounts cannot have. Pure."""

    async def create_account(self, new: NewAccount) -> AccountFacts:
        """ACCOUNT_TAKEN, ACCOUNT_NAME_RESERVED, ENGINE_TOO_OLD. A repeat with the same operation succeeds."""

    async def change_account(self, change: AccountChange) -> AccountFacts:
        """ACCOUNT_MISSING, ACCOUNT_PROTECTED (see `AccountFacts.is_protected`), ENGINE_TOO_OLD.

        Removing the login comes first, before the marker, and never waits for a lock that a tenant can hold.
        """

    async def drop_account(
        self, name: str, operation: UUID, host: str = "", expected: Expected | None = None
    ) -> bool:
        """Lock it, end its sessions, hand over its objects, drop it. False if it did not exist. ACCOUNT_PROTECTED.
        With `NO_ACCOUNT` as `expected`, a whole account stays, and a half-made one is dropped. Objects go to a role
        without power, never to a superuser: code in them runs as their owner.
        """

    async def account(self, name: str, host: str = "") -> AccountFacts | None:
        """The account, if `accounts` lists it. Waits for changes of it that are under way."""

    async def identify(self, name: str, host: str = "") -> AccountFacts | None:
        """As `account`; an account that SQL created gets an identity."""

    async def accounts(self) -> Sequence[AccountFacts]:
        """Every account that can log in, or that Rolecall has locked; superusers and the like as protected.
        Without the administrator and accounts of the server or Rolecall itself.
        """

    async def databases(self) -> Sequence[DatabaseFacts]:
        """Tenants' databases and the maintenance one, without templates, by name."""

    async def create_database(self, new: NewDatabase) -> None:
        """DATABASE_TAKEN, ACCOUNT_MISSING (the owner), ENCODING_UNSUPPORTED, LOCALE_UNSUPPORTED.

        `owner` is ignored if databases have no owners (the MySQL family).
        """

    async def drop_database(self, name: str, expected: ExpectedDatabase | None = None) -> bool:
        """Drop it and every grant on it. Once the expected one is gone, none that was given since on one to come.
        False if it did not exist. DATABASE_PROTECTED, `Superseded`.
        """

    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class EngineAddress:
    """How to connect to a registered server as its administrator."""

    kind: str
    host: str
    port: int
    user: str
    password: Secret
    database: str
    options: Mapping[str, str]
    """Per instance: ``super_role`` and ``heir_role`` (the role of super accounts, and the role that gets the objects of
    dropped accounts), ``verifier_write`` (`VerifierWrite`), and how to connect: ``sslmode``, ``sslrootcert`` and the
    like. In the MySQL family ``flavor`` (``mariadb`` or ``mysql``) and ``control_schema``."""
    public_ids: tuple[str, ...] = ()  # of the instance, one for each dialect: for traces
