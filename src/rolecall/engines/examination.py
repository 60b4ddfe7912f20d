"""What a server says of itself and of its administrator, as findings."""

from __future__ import annotations

from collections.abc import Sequence

from rolecall.domain.engine import EngineFacts, VerifierWrite
from rolecall.domain.instances.examination import SOON, Expiries, Finding, Says, fatal


def findings(kind: str, facts: EngineFacts, super_min_version: int) -> Sequence[Finding]:
    """`super_min_version` is the oldest major version of PostgreSQL with super accounts."""
    rank = Says.SUPERUSER if facts.is_superuser else Says.ADMINISTRATOR
    known = {"engine": kind, "version": facts.version_text, "administrator": facts.administrator}
    found = [Finding(rank, facts=known)]
    if kind == "postgresql":
        found += _of_postgresql(facts, super_min_version)
    if facts.refuses_verifiers:
        found.append(fatal(Says.HASHES_REFUSED, why=facts.refuses_verifiers))
    return found


def of_expiries(expiries: Expiries) -> Finding:
    """No fault: an account expires because its operator has said so."""
    counts = {"expired": str(expiries.expired), "soon": str(expiries.soon), "days": str(SOON)}
    return Finding(Says.EXPIRIES, facts=counts)


def _of_postgresql(facts: EngineFacts, super_min_version: int) -> list[Finding]:
    found = []
    if not facts.can_read_verifiers:
        found.append(fatal(Says.VERIFIERS_UNREADABLE, administrator=facts.administrator))
    if facts.verifier_write is VerifierWrite.CATALOG:
        found.append(Finding(Says.BY_CATALOG))
    elif facts.catalog_withheld:
        found.append(fatal(Says.CATALOG_WITHHELD, why=facts.catalog_withheld))
    else:
        found.append(Finding(Says.BY_STATEMENT))
    if facts.version[0] < super_min_version:
        found.append(Finding(Says.NO_SUPER_ACCOUNTS, facts={"least": str(super_min_version)}))
    return found
