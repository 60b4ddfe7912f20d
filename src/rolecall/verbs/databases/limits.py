"""The limits of Database v1.0: what may be had, and how often one may call.

Shape: Trove 26.0.0, trove/limits/views.py.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from rolecall.contracts.openstack.databases.contract import CALLS_A_MINUTE, VERBS
from rolecall.domain.access.rates import Allowance, ShowRates, Standing
from rolecall.values import Checked
from rolecall.verbs import Answer

_UNITS: Final = {1: "SECOND", 60: "MINUTE"}


def asked(checked: Checked[object]) -> ShowRates:
    service = checked.call.service
    return ShowRates(tuple(Allowance(service, verb, CALLS_A_MINUTE, 60) for verb in VERBS))


def limits(_checked: Checked[object], found: Sequence[Standing]) -> Answer:
    """The absolute limits first, then one for each method. Servers are as many as the machine bears: no number."""
    absolute = {"verb": "ABSOLUTE", "max_instances": -1, "max_volumes": -1, "max_backups": 0, "max_ram": -1}
    return {"limits": [absolute, *map(_rate, found)]}


def _rate(standing: Standing) -> Answer:
    available = time.time() if standing.remaining else standing.resets_at
    return {
        "verb": standing.allowance.name,
        "uri": "*",
        "regex": ".*",
        "value": standing.allowance.calls,
        "remaining": standing.remaining,
        "unit": _UNITS[standing.allowance.seconds],
        "nextAvailable": datetime.fromtimestamp(available, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
