"""Composes the journal of operations and their runner, client tokens and the audit trail."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from rolecall.domain.operations.audit import AuditRepository
from rolecall.domain.operations.audit_chain import Auditing
from rolecall.domain.operations.client_tokens import ClientTokenRepository, ClientTokens
from rolecall.domain.operations.journal import Journal, Step
from rolecall.domain.operations.model import Ledger
from rolecall.domain.operations.runner import OperationRunner
from rolecall.domain.secrets.application_secrets import ApplicationSecrets
from rolecall.domain.secrets.sealing import Sealer
from rolecall.values import Secret


class _Operations(ClientTokenRepository, Ledger, Protocol):
    pass


class Repositories(Protocol):
    @property
    def operations(self) -> _Operations: ...
    @property
    def audit(self) -> AuditRepository: ...


@dataclass(frozen=True, slots=True)
class Operations:
    journal: Journal
    runner: OperationRunner
    client_tokens: ClientTokens
    auditing: Auditing
    states_key: Secret
    """Of fingerprints (`domain.engine.states`)."""


def build(
    repositories: Repositories,
    secrets: ApplicationSecrets,
    sealer: Sealer,
    retention_days: int,
    step: Step,
) -> Operations:
    journal = Journal(repositories.operations, step)
    return Operations(
        journal,
        OperationRunner(journal),
        ClientTokens(repositories.operations, secrets.client_tokens),
        Auditing(repositories.audit, sealer, retention_days, secrets.audit_chain),
        secrets.account_states,
    )
