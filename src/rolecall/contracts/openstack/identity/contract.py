"""The contracts of Identity: Keystone v3, and v2.0 with Rackspace's API keys.

The dialect makes a claim of the credentials in a request's body, so that what is left for a contract is the tenant
that a token is asked for, and the token that is to be shown or revoked.

Sources: OpenStack Identity API v3 and v2.0; Rackspace Cloud Identity API v2.0.
"""

from __future__ import annotations

from rolecall.contracts.model import Action, Contract
from rolecall.contracts.openstack.faults import IDENTITY_FAULTS
from rolecall.contracts.openstack.identity import parameters
from rolecall.contracts.openstack.identity.parameters import V3_SOURCE
from rolecall.contracts.parameters import Params, shape_of

V2_SOURCE = "Rackspace Cloud Identity API v2.0, Authenticate; OpenStack Identity API v2.0"


def _contract(version: str, source: str, show_token: type[Params]) -> Contract:
    def action(
        params: type[Params],
        *,
        changes: bool = False,
        free: bool = False,
        public: bool = False,
        mints_secret: bool = False,
    ) -> Action:
        shape = shape_of(params)
        return Action(shape, source, changes=changes, free=free, public=public, mints_secret=mints_secret)

    actions = (
        action(parameters.ListVersions, public=True),
        action(parameters.ShowVersion, public=True),
        action(parameters.IssueToken, free=True, mints_secret=True),
        action(show_token, free=True),
        action(parameters.RevokeToken, changes=True, free=True),
    )
    return Contract("openstack", "identity", version, {each.name: each for each in actions}, IDENTITY_FAULTS)


V3 = _contract("v3", V3_SOURCE, parameters.ShowTokenV3)
V2 = _contract("v2.0", V2_SOURCE, parameters.ShowTokenV2)
