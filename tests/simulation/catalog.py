"""The scenarios by name."""

from __future__ import annotations

from tests.simulation.access_keys import keys
from tests.simulation.drifting import drifting, granted_drifting
from tests.simulation.scenarios import granting, moving, owned, owning, quotas, superusers, tokens
from tests.simulation.schedules import Scenario
from tests.simulation.servers import provisioning

SCENARIOS: dict[str, Scenario] = {
    "drifting": drifting,
    "granted drifting": granted_drifting,
    "granting": granting,
    "keys": keys,
    "moving": moving,
    "owned": owned,
    "owning": owning,
    "provisioning": provisioning,
    "quotas": quotas,
    "superusers": superusers,
    "tokens": tokens,
}
