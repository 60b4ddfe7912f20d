"""`Watched`: what every engine gets from outside: a lane, timing, redaction, and no exception but refusals."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Any, TypeVar
from uuid import UUID

from rolecall.domain.capabilities import database_grants, object_privileges, password_checks, tenant_superuser
from rolecall.domain.engine import (
    AccountChange,
    AccountFacts,
    AccountKind,
    DatabaseFacts,
    DatabaseGrant,
    DatabaseObject,
    Engine,
    EngineFacts,
    ExpectedDatabase,
    NewAccount,
    NewDatabase,
    ObjectType,
    PrivilegeChange,
)
from rolecall.domain.identity import Expected
from rolecall.domain.instances.lanes import Lane
from rolecall.domain.reasons import OutcomeUnknown, Reason, Refused
from rolecall.values import Secret

T = TypeVar("T")

Watcher = Callable[[str, float, str], None]
"""Called after each method with its name, its seconds, and ``done``, ``unknown``, ``cancelled`` or a reason's value."""


_LOOKS = frozenset(
    {
        "account",
        "accounts",
        "databases",
        "require_new",
        "facts",
        "has_password",
        "identify",
        "objects",
        "privileges",
        "superuser",
    }
)
"""Methods that change nothing that anybody waits for."""


def ignore(method: str, seconds: float, outcome: str) -> None:
    """The watcher that does not look."""


class Watched:
    """An engine around another; what the other cannot do is refused.

    `secrets` are texts that must never stand in a note: the administrator's password. Whoever has no place in the
    `lane` gets one for as long as the method runs.
    """

    def __init__(
        self,
        inner: Engine,
        *,
        watcher: Watcher = ignore,
        secrets: Sequence[Secret] = (),
        lane: Lane | None = None,
    ) -> None:
        self._inner = inner
        self._lane = lane
        self._watcher = watcher
        self._secrets = tuple(secrets)

    async def facts(self) -> EngineFacts:
        return await self._watch("facts", self._inner.facts())

    def verifier(self, account: str, password: Secret) -> Secret:
        return self._inner.verifier(account, password)

    @property
    def has_quick_verifier(self) -> bool:
        return self._inner.has_quick_verifier

    def canonical_host(self, host: str) -> str:
        return self._inner.canonical_host(host)

    def require_new_name(self, name: str) -> None:
        self._inner.require_new_name(name)

    async def create_account(self, new: NewAccount) -> AccountFacts:
        return await self._watch("create_account", self._inner.create_account(new), new.verifier)

    async def change_account(self, change: AccountChange) -> AccountFacts:
        return await self._watch("change_account", self._inner.change_account(change), change.verifier)

    async def drop_account(
        self, name: str, operation: UUID, host: str = "", expected: Expected | None = None
    ) -> bool:
        return await self._watch("drop_account", self._inner.drop_account(name, operation, host, expected))

    async def account(self, name: str, host: str = "") -> AccountFacts | None:
        return await self._watch("account", self._inner.account(name, host))

    async def identify(self, name: str, host: str = "") -> AccountFacts | None:
        return await self._watch("identify", self._inner.identify(name, host))

    async def accounts(self) -> Sequence[AccountFacts]:
        return await self._watch("accounts", self._inner.accounts())

    async def privileges(self, account: str, objects: Sequence[DatabaseObject]) -> Sequence[tuple[str, ...]]:
        return await self._watch("privileges", object_privileges(self._inner).privileges(account, objects))

    async def change_privileges(
        self,
        account: str,
        changes: Sequence[PrivilegeChange],
        operation: UUID,
        *,
        kind: AccountKind | None = None,
        expected: Expected | None = None,
    ) -> AccountFacts:
        inner = object_privileges(self._inner)
        work = inner.change_privileges(account, changes, operation, kind=kind, expected=expected)
        return await self._watch("change_privileges", work)

    async def databases(self) -> Sequence[DatabaseFacts]:
        return await self._watch("databases", self._inner.databases())

    async def create_database(self, new: NewDatabase) -> None:
        await self._watch("create_database", self._inner.create_database(new))

    async def drop_database(self, name: str, expected: ExpectedDatabase | None = None) -> bool:
        return await self._watch("drop_database", self._inner.drop_database(name, expected))

    async def change_database_owner(
        self,
        name: str,
        owner: str,
        operation: UUID,
        *,
        expected: ExpectedDatabase | None = None,
        owned_by: Expected | None = None,
    ) -> None:
        inner = object_privileges(self._inner)
        work = inner.change_database_owner(name, owner, operation, expected=expected, owned_by=owned_by)
        await self._watch("change_database_owner", work)

    async def objects(
        self,
        type: ObjectType,  # noqa: A002 - the protocol's own word
        database: str = "",
        schema: str = "",
        table: str = "",
    ) -> Sequence[str]:
        work = object_privileges(self._inner).objects(type, database, schema, table)
        return await self._watch("objects", work)

    async def change_grants(
        self,
        name: str,
        host: str,
        grant: Sequence[DatabaseGrant],
        revoke: Sequence[str],
        operation: UUID,
        *,
        to_come: bool = False,
        expected: Expected | None = None,
    ) -> AccountFacts:
        inner = database_grants(self._inner)
        work = inner.change_grants(name, host, grant, revoke, operation, to_come=to_come, expected=expected)
        return await self._watch("change_grants", work)

    async def require_new(self, accounts: Sequence[NewAccount]) -> None:
        await self._watch("require_new", database_grants(self._inner).require_new(accounts))

    def may_be_database(self, name: str) -> bool:
        return database_grants(self._inner).may_be_database(name)

    def superuser_name(self) -> str:
        return tenant_superuser(self._inner).superuser_name()

    async def superuser(self) -> AccountFacts | None:
        return await self._watch("superuser", tenant_superuser(self._inner).superuser())

    async def enable_superuser(self, verifier: Secret, operation: UUID) -> AccountFacts:
        work = tenant_superuser(self._inner).enable_superuser(verifier, operation)
        return await self._watch("enable_superuser", work, verifier)

    async def disable_superuser(self, operation: UUID, expected: Expected | None = None) -> bool:
        work = tenant_superuser(self._inner).disable_superuser(operation, expected)
        return await self._watch("disable_superuser", work)

    async def has_password(self, name: str, host: str, password: Secret) -> bool:
        work = password_checks(self._inner).has_password(name, host, password)
        return await self._watch("has_password", work, password)

    async def close(self) -> None:
        await self._inner.close()

    async def _watch(self, method: str, work: Coroutine[Any, Any, T], secret: Secret | None = None) -> T:
        try:
            async with self._place(method):
                return await self._ask(method, work, secret)
        finally:
            work.close()  # where there was no place, it was never begun

    def _place(self, method: str) -> AbstractAsyncContextManager[None]:
        if self._lane is None:
            return nullcontext()
        return self._lane.look() if method in _LOOKS else self._lane.turn()

    async def _ask(self, method: str, work: Awaitable[T], secret: Secret | None) -> T:
        started = time.perf_counter()
        outcome = "cancelled"
        try:
            result = await work
            outcome = "done"
            return result
        except Refused as refusal:
            outcome = refusal.reason.value
            raise self._clean(refusal, secret) from None
        except OutcomeUnknown:
            outcome = "unknown"
            raise
        except Exception as mishap:  # noqa: BLE001 - a driver's surprise is a refusal by the engine
            outcome = Reason.ENGINE_REFUSED.value
            # Its text may quote the statement, so only its type is kept.
            raise Refused(Reason.ENGINE_REFUSED, note=type(mishap).__name__) from None
        finally:
            self._watcher(method, time.perf_counter() - started, outcome)

    def _clean(self, refusal: Refused, secret: Secret | None) -> Refused:
        """The same refusal, of the same class, with every known secret struck out of its note."""
        note = refusal.note
        for known in (*self._secrets, *((secret,) if secret else ())):
            if known.reveal():
                note = note.replace(known.reveal(), "***")
        if note != refusal.note:
            refusal.note = note
            refusal.args = (f"{refusal.reason.value}: {note}",)
        return refusal
