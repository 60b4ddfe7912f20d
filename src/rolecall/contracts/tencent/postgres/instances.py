"""The instance actions of the contract of `postgres` 2017-03-12: making, isolating, deleting and restarting servers.

Source: as the whole contract's, tencentcloud-sdk-python-postgres 3.1.194 and tccli 3.1.189. What is sold with an
instance and no server of ours has (networks, vouchers, tags, security groups, standby nodes ...) is checked and not
kept; what would be a promise (encryption, deletion protection, IPv6, another engine or version) is refused.
"""

from __future__ import annotations

from collections.abc import Mapping

from rolecall.contracts.model import Action, ErrorRow
from rolecall.contracts.parameters import Params, shape_of
from rolecall.contracts.tencent.postgres import parameters
from rolecall.contracts.tencent.postgres.codes import CODES
from rolecall.contracts.tencent.postgres.errors import rows
from rolecall.contracts.tencent.postgres.places import REGIONS
from rolecall.contracts.tencent.postgres.rules import SDK
from rolecall.contracts.tencent.postgres.texts import TEXTS
from rolecall.domain.reasons import Reason

_OWN_CODES: Mapping[tuple[Reason, str], str] = {
    (Reason.PARAMETER_VALUE, "Zone"): "InvalidParameterValue.IllegalZone",
    (Reason.PARAMETER_RANGE, "InstanceCount"): "InvalidParameterValue.InvalidInstanceNum",
    (Reason.PARAMETER_VALUE, "InstanceChargeType"): "InvalidParameterValue.IllegalInstanceChargeType",
    (Reason.PARAMETER_VALUE, "ProjectId"): "InvalidParameterValue.IllegalProjectId",
    (Reason.ENCODING_UNSUPPORTED, "Charset"): "InvalidParameterValue.InvalidCharset",
}
"""Codes that CreateInstances has for one parameter."""

_PLACES: Mapping[str, str] = {
    name: "qcs::postgres:{region}:uin/{owner}:DBInstanceId/{" + name + "}"
    for name in ("DBInstanceId", "DBInstanceIdSet")
}
"""What policies call the instances that a parameter names."""


def _action(params: type[Params], *, output: tuple[str, ...] = ()) -> Action:
    shape = shape_of(params)
    errors = rows(shape.name)
    if params is parameters.CreateInstances:
        errors |= {key: ErrorRow(code, *TEXTS[code]) for key, code in _OWN_CODES.items()}
    resources = tuple(_PLACES[field.name] for field in shape.fields if field.name in _PLACES) or ("*",)
    return Action(
        shape,
        SDK,
        output=output,
        codes=CODES[shape.name],
        errors=errors,
        regions=REGIONS,
        changes=True,
        resources=resources,
        blank_is_absent=True,
    )


ACTIONS = (
    _action(parameters.CreateInstances, output=("DealNames", "BillId", "DBInstanceIdSet")),
    _action(parameters.IsolateDBInstances),
    _action(parameters.DisIsolateDBInstances),
    _action(parameters.DestroyDBInstance),
    _action(parameters.RestartDBInstance, output=("FlowId", "TaskId")),
)
