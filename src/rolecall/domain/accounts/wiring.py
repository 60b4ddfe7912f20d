"""Composes the services of accounts, their grants and databases."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Protocol

from rolecall.domain.accounts.adoption import Adoption
from rolecall.domain.accounts.context import AccountContext, AccountRepository
from rolecall.domain.accounts.credentials import Credentials
from rolecall.domain.accounts.databases import Databases
from rolecall.domain.accounts.deferred import DeferredCreates
from rolecall.domain.accounts.drift_check import DriftCheck, StateRepository
from rolecall.domain.accounts.grants import Grants
from rolecall.domain.accounts.lifecycle import Accounts
from rolecall.domain.accounts.pages import AccountLists
from rolecall.domain.accounts.password_tokens import DatabaseTokens
from rolecall.domain.accounts.ports import RotationRepository
from rolecall.domain.accounts.roles import AccountRoles
from rolecall.domain.accounts.superuser import TenantSuperusers
from rolecall.domain.instances.wiring import Instances
from rolecall.domain.messages import Handlers
from rolecall.domain.operations.audit import Audit
from rolecall.domain.operations.model import Ledger
from rolecall.domain.operations.wiring import Operations
from rolecall.domain.secrets.sealing import Sealer


class _Operations(AccountRepository, Ledger, Protocol):
    pass


class Repositories(Protocol):
    @property
    def operations(self) -> _Operations: ...
    @property
    def rotation(self) -> RotationRepository: ...
    @property
    def states(self) -> StateRepository: ...
    @property
    def audit(self) -> Audit: ...


@dataclass(frozen=True, slots=True)
class AccountServices:
    context: AccountContext
    deferred: DeferredCreates
    lifecycle: Accounts
    credentials: Credentials
    drift: DriftCheck
    handlers: Handlers


def build(
    repositories: Repositories,
    instances: Instances,
    operations: Operations,
    sealer: Sealer,
    hashing: Executor,
    rotation_seconds: int,
) -> AccountServices:
    ledger, journal, resolver = repositories.operations, operations.journal, instances.resolver
    context = AccountContext(
        resolver, ledger, journal, operations.runner, sealer, hashing, operations.states_key
    )
    deferred = DeferredCreates(context, ledger, journal)
    lifecycle = Accounts(context, ledger, deferred, operations.client_tokens)
    credentials = Credentials(context)
    drift = DriftCheck(context, repositories.states)
    tokens = DatabaseTokens(context, credentials, repositories.rotation, repositories.audit, rotation_seconds)
    services: Sequence[Handlers] = (
        lifecycle.handlers,
        AccountLists(resolver, ledger, ledger).handlers,
        credentials.handlers,
        deferred.handlers,
        Grants(context).handlers,
        Databases(resolver, journal).handlers,
        AccountRoles(context, journal).handlers,
        TenantSuperusers(context, journal).handlers,
        tokens.handlers,
        Adoption(context, drift).handlers,
    )
    handlers = tuple(handler for service in services for handler in service)
    return AccountServices(context, deferred, lifecycle, credentials, drift, handlers)
