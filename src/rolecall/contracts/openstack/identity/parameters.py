"""The parameters of Identity, a class for each action of v3 and v2.0.

Sources: as of the contract.
"""

from __future__ import annotations

from typing import Annotated

from rolecall.contracts.model import at_most
from rolecall.contracts.parameters import Params
from rolecall.domain.reasons import Reason
from rolecall.values import Secret

V3_SOURCE = "OpenStack Identity API v3, Password authentication and Application credentials"


class ListVersions(Params):
    pass


class ShowVersion(Params):
    pass


class IssueToken(Params):
    tenant: Annotated[str, at_most(255, Reason.PARAMETER_LENGTH, V3_SOURCE)] = ""
    """A project's id or name, both the owner's number; empty for the caller's own."""
    nocatalog: bool | None = None
    """v3: the catalog is not wanted. Its being there is enough, whatever its value."""


class OnToken(Params):
    subject: Secret | None = None
    """The token that is asked about: of the header X-Subject-Token, or of the path."""


class ShowTokenV3(OnToken, shape="ShowToken"):
    nocatalog: bool | None = None


class ShowTokenV2(OnToken, shape="ShowToken"):
    belongsTo: str | None = None
    """The token must be of that tenant."""


class RevokeToken(OnToken):
    pass
