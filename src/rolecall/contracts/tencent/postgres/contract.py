"""The contract of Tencent Cloud `postgres` 2017-03-12: the account actions and the database actions around them.

The classes of its parameters stand in `parameters`.
"""

from __future__ import annotations

from rolecall.contracts.model import Action, Contract
from rolecall.contracts.parameters import Params, shape_of
from rolecall.contracts.tencent.postgres import parameters
from rolecall.contracts.tencent.postgres.codes import CODES
from rolecall.contracts.tencent.postgres.errors import rows
from rolecall.contracts.tencent.postgres.instances import ACTIONS as INSTANCE_ACTIONS
from rolecall.contracts.tencent.postgres.places import CAM_REGIONS, REGIONS
from rolecall.contracts.tencent.postgres.rules import PAGE, SDK

ON_INSTANCE = "qcs::postgres:{region}:uin/{owner}:DBInstanceId/{DBInstanceId}"
"""What policies call an instance ("Resource-level authorization", product 409); lists are asked of ``*``."""


def _action(
    params: type[Params],
    *,
    output: tuple[str, ...] = (),
    regions: frozenset[str] | None = REGIONS,
    changes: bool = False,
    source: str = SDK,
) -> Action:
    shape = shape_of(params)
    return Action(
        shape,
        source,
        output=output,
        codes=CODES[shape.name],
        errors=rows(shape.name),
        regions=regions,
        changes=changes,
        resources=(ON_INSTANCE,) if issubclass(params, parameters.OnInstance) else ("*",),
        blank_is_absent=True,
    )


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
