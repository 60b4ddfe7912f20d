"""Composes the service of instances that Rolecall runs."""

from __future__ import annotations

from typing import Protocol

from rolecall.domain.accounts.wiring import AccountServices
from rolecall.domain.instances.wiring import Instances
from rolecall.domain.operations.model import Ledger
from rolecall.domain.operations.wiring import Operations
from rolecall.domain.provisioning.ports import Elsewhere, Provisioner, ProvisionRepository
from rolecall.domain.provisioning.service import Provisioning


class Repositories(Protocol):
    @property
    def instances(self) -> ProvisionRepository: ...
    @property
    def durable_operations(self) -> Ledger:
        """As the ledger of others, but what it records is durable: no server shows it again."""


def build(
    repositories: Repositories,
    instances: Instances,
    accounts: AccountServices,
    operations: Operations,
    provisioner: Provisioner | Elsewhere | None,
    limit: int,
) -> Provisioning:
    return Provisioning(
        provisioner,
        limit,
        repositories.instances,
        repositories.durable_operations,
        accounts.context,
        instances.engines,
        operations.client_tokens,
        operations.journal,
    )
