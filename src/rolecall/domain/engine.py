"""The narrow waist: what the domain asks of any kind of database server, in neutral words.

Rules every engine keeps (the engine suite runs them on each):

- A change carries the id of its operation; the engine leaves that id on the account as a `marker`, in the same
  transaction as the change where the server has such transactions. After a crash the marker tells whether it happened.
- Only verifiers arrive here, never a plaintext password.
- A change is whole or absent. `drop_account` succeeds when the account is already gone.
- A refusal by the server is raised as `Refused`; a lost connection during a commit as `OutcomeUnknown`.
- Every change method is safe to repeat with the same operation id.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, runtime_checkable
from uuid import UUID

from rolecall.domain.reasons import Reason, Refused
from rolecall.values import Secret


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


class Access(StrEnum):
    """What an account may do in a whole database, where privileges are given by template."""

    READ_ONLY = "read-only"
    READ_WRITE = "read-write"
    DDL_ONLY = "ddl-only"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class DatabaseGrant:
    """One template on one database, by its exact name."""

    database: str
    access: Access


@dataclass(frozen=True, slots=True)
class AccountFacts:
    """One account as the server holds it now. `marker` is the last operation of ours that changed it, if any.

    `earlier` are operations of ours before that one, the newest first, as far as the server remembers them.
    `host` and `grants` are of servers where an account is a name at a host and is granted whole databases (the
    MySQL family); `oid` is 0 there. `is_protected`: it leads to more than a tenant may have, so it is shown, and every
    change of it is refused with ACCOUNT_PROTECTED.
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

    @property
    def operations(self) -> tuple[UUID, ...]:
        """Every operation of ours that the server remembers to have changed it, the newest first."""
        return self.earlier if self.marker is None else (self.marker, *self.earlier)


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
    """One database. `acl` is the server's own text, joined by commas, empty for the default."""

    name: str
    owner: str
    encoding: str
    collate: str
    ctype: str
    allows_connections: bool
    connection_limit: int
    acl: str


@dataclass(frozen=True, slots=True)
class NewDatabase:
    """`encoding`, `collate` and `ctype` are the server's own words; empty means the server's default."""

    name: str
    owner: str
    operation: UUID
    encoding: str = ""
    collate: str = ""
    ctype: str = ""


class Engine(Protocol):
    """One registered server. Methods raise `Refused` (see each) or `OutcomeUnknown`.

    Any method may refuse with ENGINE_UNREACHABLE, INSTANCE_RESTARTING, ENGINE_BUSY or ENGINE_REFUSED. Where an
    account is a name at a host, `host` empty stands for every host (``%``), and PARAMETER_VALUE with field ``host``
    refuses one that no client could have; elsewhere any `host` but the empty one is refused so.
    """

    async def facts(self) -> EngineFacts: ...

    def verifier(self, account: str, password: Secret) -> Secret:
        """The server's own verifier for a password. CPU-bound and pure: call it off the event loop, unless quick."""

    @property
    def has_quick_verifier(self) -> bool:
        """Whether `verifier` takes no longer than the way to another thread and back."""

    async def create_account(self, new: NewAccount) -> AccountFacts:
        """ACCOUNT_TAKEN, ACCOUNT_NAME_RESERVED, ENGINE_TOO_OLD. Repeating with the same operation is no refusal."""

    async def change_account(self, change: AccountChange) -> AccountFacts:
        """ACCOUNT_MISSING, ACCOUNT_PROTECTED (whatever leads to more than a tenant may have), ENGINE_TOO_OLD.

        Taking away login never waits for a lock that a tenant can hold: it comes first, before the marker.
        """

    async def drop_account(self, name: str, operation: UUID, host: str = "") -> bool:
        """Lock, end sessions, hand over its objects, drop. False if it was not there. ACCOUNT_PROTECTED.

        Objects go to a role without power or to nobody, never to a superuser: code in them would run as that one.
        """

    async def account(self, name: str, host: str = "") -> AccountFacts | None:
        """The account if it is one that `accounts` lists. Waits for any change of it that is still under way."""

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

    async def drop_database(self, name: str) -> bool:
        """Drop it with every grant on it. False if it was not there. DATABASE_PROTECTED."""

    async def close(self) -> None: ...


@runtime_checkable
class ObjectPrivileges(Engine, Protocol):
    """An engine whose accounts own objects and are granted privileges on each (PostgreSQL)."""

    async def privileges(self, account: str, objects: Sequence[DatabaseObject]) -> Sequence[tuple[str, ...]]:
        """What the account itself holds on each object (the owner's implied rights too, PUBLIC's not), in order.

        ACCOUNT_MISSING, OBJECT_MISSING, DATABASE_MISSING.
        """

    async def change_privileges(
        self, account: str, changes: Sequence[PrivilegeChange], operation: UUID
    ) -> None:
        """All or none. ACCOUNT_MISSING, OBJECT_MISSING, DATABASE_MISSING, PRIVILEGE_UNKNOWN, PRIVILEGE_DEPENDENT.

        ACCOUNT_PROTECTED, OBJECT_PROTECTED and DATABASE_PROTECTED where a tenant does not own what is granted on.
        """

    async def change_database_owner(self, name: str, owner: str, operation: UUID) -> None:
        """DATABASE_MISSING, DATABASE_PROTECTED, ACCOUNT_MISSING, ACCOUNT_PROTECTED (the new owner)."""

    async def objects(
        self, kind: ObjectType, database: str = "", schema: str = "", table: str = ""
    ) -> Sequence[str]:
        """Names of the objects of a type, sorted; the system's and extensions' left out.

        Of more than 100000 objects the first by name. DATABASE_MISSING, OBJECT_MISSING.
        """


@runtime_checkable
class DatabaseGrants(Engine, Protocol):
    """An engine whose accounts are granted whole databases by template (the MySQL family)."""

    async def change_grants(
        self,
        name: str,
        host: str,
        grant: Sequence[DatabaseGrant],
        revoke: Sequence[str],
        operation: UUID,
        *,
        to_come: bool = False,
    ) -> AccountFacts:
        """Set templates, each in place of an earlier one on its database, and take databases away by exact name.

        Revoking what is not held is no error. The account's sessions end if it lost anything. `to_come` as in
        `NewAccount`. ACCOUNT_MISSING, ACCOUNT_PROTECTED, DATABASE_MISSING (a grant on a database that is not there).
        """

    def may_be_database(self, name: str) -> bool:
        """Whether a tenant's database could have that name. The server is not asked."""


@runtime_checkable
class TenantSuperuser(Engine, Protocol):
    """An engine with an account of a fixed name that rules every tenant's database (the MySQL family's ``root``).

    It has what a super account has and no more, is listed nowhere, and is never Rolecall's own administrator: each
    method refuses with ENGINE_UNSUITED on a server that is administered under that name.
    """

    def superuser_name(self) -> str: ...

    async def superuser(self) -> AccountFacts | None:
        """The account, if it was enabled through us."""

    async def enable_superuser(self, verifier: Secret, operation: UUID) -> AccountFacts:
        """Make it, or give it another password. ACCOUNT_PROTECTED if an account of that name is somebody else's."""

    async def disable_superuser(self, operation: UUID) -> bool:
        """End its sessions and drop it. False if it was not there. ACCOUNT_PROTECTED as for enabling."""


@runtime_checkable
class PasswordChecks(Engine, Protocol):
    """An engine that can tell whether a password is an account's present one (the MySQL family)."""

    async def has_password(self, name: str, host: str, password: Secret) -> bool:
        """Compared with the stored verifier; no login is tried. False for an account that logs in some other way.

        ACCOUNT_MISSING.
        """


def object_privileges(engine: Engine) -> ObjectPrivileges:
    """The engine, if it can grant on objects. ENGINE_REFUSED."""
    if not isinstance(engine, ObjectPrivileges):
        raise Refused(Reason.ENGINE_REFUSED, note="this kind of server has no privileges on objects")
    return engine


def database_grants(engine: Engine) -> DatabaseGrants:
    """The engine, if it can grant whole databases. ENGINE_REFUSED."""
    if not isinstance(engine, DatabaseGrants):
        raise Refused(Reason.ENGINE_REFUSED, note="this kind of server grants no whole databases")
    return engine


def tenant_superuser(engine: Engine) -> TenantSuperuser:
    """The engine, if it can give tenants a superuser. ENGINE_UNSUITED."""
    if not isinstance(engine, TenantSuperuser):
        raise Refused(Reason.ENGINE_UNSUITED, note="this kind of server has no superuser for tenants")
    return engine


def password_checks(engine: Engine) -> PasswordChecks:
    """The engine, if it can compare passwords. ENGINE_UNSUITED."""
    if not isinstance(engine, PasswordChecks):
        raise Refused(Reason.ENGINE_UNSUITED, note="this kind of server compares no passwords")
    return engine


@dataclass(frozen=True, slots=True)
class StorePlace:
    """Where Rolecall's own store is, so that no engine touches it. `system` is the server's system identifier, None
    if the store does not tell it; `user` is the role that Rolecall is there.
    """

    system: int | None
    database: str
    user: str


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
