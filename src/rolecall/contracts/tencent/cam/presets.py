"""The preset policies, by the vendor's names.

`AdministratorAccess` has the vendor's id, 1; the others' ids are not published, so theirs are ours. PetaData and Trove
have no policies at this vendor: theirs are named after Rolecall.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime

from rolecall.domain.policy.model import Policy

_SINCE = datetime(2026, 1, 1, tzinfo=UTC)

_READING = {
    "postgres": ("Describe*",),
    "cam": ("Get*", "List*", "Describe*"),
    "sts": ("GetCallerIdentity", "QueryApiKey"),
    "tag": ("Describe*",),
    "ciam": ("Describe*", "List*"),
    "petadata": ("Describe*",),
    "trove": ("Show*", "List*"),
}
"""By service: the actions that change nothing and hand out nothing secret."""


def _policy(policy_id: int, name: str, description: str, actions: Sequence[str]) -> Policy:
    document = {
        "version": "2.0",
        "statement": [{"effect": "allow", "action": list(actions), "resource": ["*"]}],
    }
    text = json.dumps(document, separators=(",", ":"))
    return Policy(policy_id, name, description, text, True, _SINCE, _SINCE)


def _reading(*services: str) -> list[str]:
    return [f"{service}:{action}" for service in services for action in _READING[service]]


PRESETS: Sequence[Policy] = (
    _policy(1, "AdministratorAccess", "All actions on all resources of all services", ("*",)),
    _policy(2, "ReadOnlyAccess", "Reading of all resources of all services", _reading(*_READING)),
    _policy(11, "QcloudCamFullAccess", "Full access to CAM", ("cam:*", "tag:*")),
    _policy(12, "QcloudCamReadOnlyAccess", "Read-only access to CAM", _reading("cam", "tag")),
    _policy(21, "QcloudPostgreSQLFullAccess", "Full access to PostgreSQL", ("postgres:*",)),
    _policy(22, "QcloudPostgreSQLReadOnlyAccess", "Read-only access to PostgreSQL", _reading("postgres")),
    _policy(31, "QcloudCIAMFullAccess", "Full access to CIAM", ("ciam:*",)),
    _policy(32, "QcloudCIAMReadOnlyAccess", "Read-only access to CIAM", _reading("ciam")),
    _policy(41, "RolecallPetaDataFullAccess", "Full access to PetaData", ("petadata:*",)),
    _policy(42, "RolecallPetaDataReadOnlyAccess", "Read-only access to PetaData", _reading("petadata")),
    _policy(51, "RolecallTroveFullAccess", "Full access to Trove databases", ("trove:*",)),
    _policy(52, "RolecallTroveReadOnlyAccess", "Read-only access to Trove databases", _reading("trove")),
    _policy(61, "QcloudSTSFullAccess", "Full access to STS: taking roles included", ("sts:*",)),
)
