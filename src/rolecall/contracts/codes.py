"""Which reason makes an action answer with an error code."""

from __future__ import annotations

from collections.abc import Mapping

from rolecall.contracts.model import Contract, ErrorRow
from rolecall.domain.reasons import Reason


def reasons_by_code(
    contract: Contract, action: str, common: Mapping[Reason | tuple[Reason, str], ErrorRow]
) -> Mapping[str, tuple[Reason, str]]:
    """For each code without a hole, a reason and a field that an action answers with it. `common` are the rows of
    the dialect, for reasons without a row in the contract."""
    found: dict[str, tuple[Reason, str]] = {}
    for table in (contract.actions[action].errors, contract.errors, common):
        for key in table:
            reason, field = key if isinstance(key, tuple) else (key, "")
            row = contract.row(action, reason, field) or common.get((reason, field)) or common[reason]
            if "{" not in row.code:
                found.setdefault(row.code, (reason, field))
    return found
