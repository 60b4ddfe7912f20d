"""The contract of Tencent Cloud `postgres` 2017-03-12: accounts, databases and instances.

The classes of its parameters stand in `parameters`.
"""

from __future__ import annotations

from collections.abc import Mapping

from rolecall.contracts.model import Action, Contract
from rolecall.contracts.parameters import Params, shape_of
from rolecall.contracts.tencent.error_preferences import ErrorPreference, Key, action_of
from rolecall.contracts.tencent.postgres import parameters
from rolecall.contracts.tencent.postgres.codes import CODES
from rolecall.contracts.tencent.postgres.errors import NEW_INSTANCES, PREFERENCES
from rolecall.contracts.tencent.postgres.places import CAM_REGIONS, REGIONS
from rolecall.contracts.tencent.postgres.rules import PAGE, SDK
from rolecall.contracts.tencent.postgres.texts import TEXTS

_PLACES: Mapping[str, str] = {
    name: "qcs::postgres:{region}:uin/{owner}:DBInstanceId/{" + name + "}"
    for name in ("DBInstanceId", "DBInstanceIdSet")
}
"""What policies call the instances that a parameter names ("Resource-level authorization", product 409); lists are
asked of ``*``."""


def _action(
    params: type[Params],
    *,
    output: tuple[str, ...] = (),
    regions: frozenset[str] | None = REGIONS,
    changes: bool = False,
    source: str = SDK,
    preferences: Mapping[Key, ErrorPreference] = PREFERENCES,
) -> Action:
    named = tuple(_PLACES[field.name] for field in shape_of(params).fields if field.name in _PLACES)
    return action_of(
        params,
        codes=CODES,
        preferences=preferences,
        texts=TEXTS,
        source=source,
        output=output,
        regions=regions,
        changes=changes,
        resources=named or ("*",),
    )


INSTANCE_ACTIONS = (
    _action(
        parameters.CreateInstances,
        output=("DealNames", "BillId", "DBInstanceIdSet"),
        changes=True,
        preferences=NEW_INSTANCES,
    ),
    _action(parameters.IsolateDBInstances, changes=True),
    _action(parameters.DisIsolateDBInstances, changes=True),
    _action(parameters.DestroyDBInstance, changes=True),
    _action(parameters.RestartDBInstance, output=("FlowId", "TaskId"), changes=True),
)
"""Servers made, isolated, deleted and restarted. What is sold with an instance and no server of ours has (networks,
vouchers, tags, security groups, standby nodes ...) is checked and not kept; what would be a promise (encryption,
deletion protection, IPv6, another engine or version) is refused."""

_ACTIONS = (
    _action(parameters.CreateAccount, output=("Oid",), changes=True, source=PAGE),
    _action(parameters.DescribeAccounts, output=("TotalCount", "Details")),
    _action(parameters.DeleteAccount, changes=True),
    _action(parameters.ResetAccountPassword, changes=True),
    _action(parameters.ModifyAccountRemark, changes=True),
    _action(parameters.LockAccount, changes=True),
    _action(parameters.UnlockAccount, changes=True),
    _action(parameters.DescribeAccountPrivileges, output=("PrivilegeSet",)),
    _action(parameters.ModifyAccountPrivileges, changes=True),
    _action(parameters.OpenAccountCAM, regions=CAM_REGIONS, changes=True),
    _action(parameters.CloseAccountCAM, regions=CAM_REGIONS, changes=True),
    _action(parameters.RefreshAccountPassword, regions=CAM_REGIONS, changes=True),
    _action(parameters.CreateDatabase, changes=True),
    _action(parameters.DeleteDatabase, changes=True),
    _action(parameters.DescribeDatabases, output=("Items", "TotalCount", "Databases")),
    _action(parameters.DescribeDatabaseObjects, output=("ObjectSet", "TotalCount")),
    _action(parameters.ModifyDatabaseOwner, changes=True),
    _action(parameters.DescribeDBInstances, output=("TotalCount", "DBInstanceSet")),
    _action(parameters.DescribeDBInstanceAttribute, output=("DBInstance",)),
    _action(parameters.DescribeRegions, output=("TotalCount", "RegionSet"), regions=None),
    _action(parameters.DescribeZones, output=("TotalCount", "ZoneSet")),
    *INSTANCE_ACTIONS,
)

CONTRACT = Contract(
    dialect="tencent",
    service="postgres",
    version="2017-03-12",
    actions={action.name: action for action in _ACTIONS},
    errors={},
)
