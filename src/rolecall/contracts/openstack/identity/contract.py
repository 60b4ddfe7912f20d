"""The contracts of Identity: Keystone v3, and v2.0 with Rackspace's API keys.

The dialect makes a claim of the credentials in a request's body, so that what is left for a contract is the tenant
that a token is asked for, and the token that is to be shown or revoked.

Sources: OpenStack Identity API v3 and v2.0; Rackspace Cloud Identity API v2.0.
"""

from __future__ import annotations

from rolecall.contracts.model import Action, Contract, Field, Kind, at_most
from rolecall.contracts.openstack.faults import IDENTITY_FAULTS
from rolecall.domain.reasons import Reason

V3_SOURCE = "OpenStack Identity API v3, Password authentication and Application credentials"
V2_SOURCE = "Rackspace Cloud Identity API v2.0, Authenticate; OpenStack Identity API v2.0"

_TENANT = Field("tenant", Kind.STRING, default="", rules=(at_most(255, Reason.PARAMETER_LENGTH, V3_SOURCE),))
"""A project's id or name, both the owner's number; empty for the caller's own."""

_SUBJECT = Field("subject", Kind.SECRET)
"""The token that is asked about: of the header X-Subject-Token, or of the path."""

_NO_CATALOG = Field("nocatalog", Kind.BOOLEAN)
"""v3: the catalog is not wanted. Its being there is enough, whatever its value."""

_BELONGS_TO = Field("belongsTo", Kind.STRING)
"""v2.0: the token must be of that tenant."""


def _contract(version: str, source: str, asked: Field) -> Contract:
    actions = (
        Action("ListVersions", source, public=True),
        Action("ShowVersion", source, public=True),
        Action("IssueToken", source, (_TENANT, _NO_CATALOG), free=True, mints_secret=True),
        Action("ShowToken", source, (_SUBJECT, asked), free=True),
        Action("RevokeToken", source, (_SUBJECT,), changes=True, free=True),
    )
    return Contract(
        "openstack", "identity", version, {action.name: action for action in actions}, IDENTITY_FAULTS
    )


V3 = _contract("v3", V3_SOURCE, _NO_CATALOG)
V2 = _contract("v2.0", V2_SOURCE, _BELONGS_TO)
