"""The contracts of Identity: Keystone v3, and v2.0 with Rackspace's API keys.

The dialect makes a claim of the credentials in a request's body, so that what is left for a contract is the tenant
that a token is asked for. Sources: OpenStack Identity API v3 and v2.0; Rackspace Cloud Identity API v2.0.
"""

from __future__ import annotations

from rolecall.contracts.model import Action, Contract, Field, Kind, at_most
from rolecall.contracts.openstack.faults import IDENTITY_FAULTS
from rolecall.domain.reasons import Reason

V3_SOURCE = "OpenStack Identity API v3, Password authentication and Application credentials"
V2_SOURCE = "Rackspace Cloud Identity API v2.0, Authenticate; OpenStack Identity API v2.0"

_TENANT = Field("tenant", Kind.STRING, default="", rules=(at_most(255, Reason.PARAMETER_LENGTH, V3_SOURCE),))
"""A project's id or name, both the owner's number; empty for the caller's own."""


def _contract(version: str, source: str) -> Contract:
    actions = (
        Action("ListVersions", source, public=True),
        Action("ShowVersion", source, public=True),
        Action("IssueToken", source, (_TENANT,)),
    )
    return Contract(
        "openstack", "identity", version, {action.name: action for action in actions}, IDENTITY_FAULTS
    )


V3 = _contract("v3", V3_SOURCE)
V2 = _contract("v2.0", V2_SOURCE)
