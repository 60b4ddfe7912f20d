"""The contract of Database v1.0 (OpenStack Trove, Rackspace Cloud Databases).

Sources: "Create User" is its page of the Rackspace Cloud Databases Developer Guide v1.0. The siblings are those of
the guide and of Trove 26.0.0 as python-troveclient 8.11 and openstacksdk 4.22 call them.

Parameters are the request's body, its query and the variables of its path. What the contract does not name is
dropped by the dialect before it comes here, as the original accepts and ignores it.
"""

from __future__ import annotations

from rolecall.contracts.model import Action, Contract
from rolecall.contracts.openstack.databases import parameters
from rolecall.contracts.openstack.databases.parameters import TROVE
from rolecall.contracts.openstack.faults import FAULTS
from rolecall.contracts.parameters import Params, shape_of

GUIDE = "Rackspace Cloud Databases Developer Guide v1.0"

PAGE_CODES = frozenset(
    {
        "badRequest",
        "unauthorized",
        "forbidden",
        "badMethod",
        "overLimit",
        "unprocessableEntity",
        "instanceFault",
        "notImplemented",
        "serviceUnavailable",
        "itemNotFound",
    }
)
"""The error response codes of every page of the guide."""

CALLS_A_MINUTE = 200
"""For each method, and for all callers of a tenant together (Trove 26.0.0, http_get_rate and its siblings)."""

VERBS = ("DELETE", "GET", "POST", "PUT")
"""The methods that are counted. PATCH, which Trove does not count, is counted as PUT."""

_ON_INSTANCE = "qcs::trove:{region}:uin/{owner}:instance/{instance_id}"


def _action(
    verb: str,
    params: type[Params],
    *,
    source: str = TROVE,
    changes: bool = False,
    free: bool = False,
    public: bool = False,
) -> Action:
    """Policies are asked for the instance that an action names; answers from tables are public."""
    shape = shape_of(params)
    return Action(
        shape,
        source,
        codes=PAGE_CODES,
        changes=changes,
        rate=CALLS_A_MINUTE,
        rate_seconds=60,
        rate_group=verb,
        public=public,
        resources=(_ON_INSTANCE,) if issubclass(params, parameters.OnInstance) else ("*",),
        free=free,
    )


def _read(params: type[Params]) -> Action:
    return _action("GET", params)


def _table(params: type[Params]) -> Action:
    return _action("GET", params, free=True)


def _change(verb: str, params: type[Params], *, source: str = TROVE) -> Action:
    return _action(verb, params, source=source, changes=True)


_ACTIONS = (
    _action("GET", parameters.ListVersions, source=GUIDE, public=True),
    _action("GET", parameters.ShowVersion, source=GUIDE, public=True),
    # users
    _change("POST", parameters.CreateUsers, source=f"{GUIDE}, Create User"),
    _read(parameters.ListUsers),
    _read(parameters.ShowUser),
    _change("PUT", parameters.ChangePasswords),
    _change("PUT", parameters.UpdateUser),
    _change("DELETE", parameters.DeleteUser),
    # what a user may reach
    _read(parameters.ListGrants),
    _change("PUT", parameters.GrantDatabases),
    _change("DELETE", parameters.RevokeDatabase),
    # databases
    _read(parameters.ListDatabases),
    _change("POST", parameters.CreateDatabases),
    _read(parameters.ShowDatabase),
    _change("DELETE", parameters.DeleteDatabase),
    # root
    _read(parameters.ShowRoot),
    _change("POST", parameters.EnableRoot),
    _change("DELETE", parameters.DisableRoot),
    # instances
    _read(parameters.ListInstances),
    _read(parameters.ListInstancesDetail),
    _read(parameters.ShowInstance),
    _change("POST", parameters.CreateInstance),
    _change("PUT", parameters.UpdateInstance),
    _change("DELETE", parameters.DeleteInstance),
    _change("POST", parameters.ActOnInstance),
    # tables
    _table(parameters.ListFlavors),
    _table(parameters.ShowFlavor),
    _table(parameters.ListDatastores),
    _table(parameters.ShowDatastore),
    _table(parameters.ListDatastoreVersions),
    _table(parameters.ShowDatastoreVersion),
    _table(parameters.ListLimits),
)

CONTRACT = Contract(
    dialect="openstack",
    service="database",
    version="v1.0",
    actions={action.name: action for action in _ACTIONS},
    errors=FAULTS,
    policy_service="trove",
    region_is_ours=True,
)
