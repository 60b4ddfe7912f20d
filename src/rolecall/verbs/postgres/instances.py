"""The instance actions of Tencent Cloud `postgres` (contract: `rolecall.contracts.tencent.postgres.contract`).

| action | command | answer |
|---|---|---|
| CreateInstances | ProvisionInstances | DealNames, BillId, DBInstanceIdSet |
| IsolateDBInstances | IsolateInstances | - |
| DisIsolateDBInstances | ReviveInstances | - |
| DestroyDBInstance | DeprovisionInstance | - |
| RestartDBInstance | RestartInstance | FlowId, TaskId |
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar
from uuid import UUID

from rolecall.contracts.check import require_rules, shown
from rolecall.contracts.tencent.postgres import parameters
from rolecall.contracts.tencent.postgres.places import PLACES
from rolecall.contracts.tencent.postgres.rules import PASSWORD, enciphered
from rolecall.domain.accounts.commands import AccountSpec
from rolecall.domain.engine import AccountKind
from rolecall.domain.instances.views import InstanceView
from rolecall.domain.messages import Command, InstanceName
from rolecall.domain.provisioning import commands as provisioning_commands
from rolecall.domain.reasons import Reason, Refused
from rolecall.values import Checked, Secret
from rolecall.verbs import Answer, Decipher, Verb, Verbs, nothing, verb, verbs_of

_UNNAMED = "Unnamed"
"""What the vendor calls an instance without a name."""

_T = TypeVar("_T")


def instance_of(params: parameters.OnInstance) -> InstanceName:
    return InstanceName("tencent", params.DBInstanceId)


def on_instance(
    command: Callable[[InstanceName], Command[_T]],
) -> Callable[[parameters.OnInstance], Command[_T]]:
    return lambda params: command(instance_of(params))


def _instances(
    params: parameters.DisIsolateDBInstances | parameters.IsolateDBInstances,
) -> tuple[InstanceName, ...]:
    named = params.DBInstanceIdSet
    if not named:
        raise Refused(Reason.PARAMETER_MISSING, "DBInstanceIdSet")
    return tuple(InstanceName("tencent", name) for name in dict.fromkeys(named))


def plain(password: Secret, decipher: Decipher, field: str, *, encrypted: bool = False) -> Secret:
    """The password itself, deciphered if it came encrypted. PASSWORD_UNDECIPHERABLE, or a password rule's reason."""
    cipher = enciphered(password)
    if cipher is None and encrypted:
        cipher = password
    found = password if cipher is None else decipher(cipher)
    require_rules(PASSWORD, found, field)
    return found


def _create(
    checked: Checked[parameters.CreateInstances], decipher: Decipher
) -> provisioning_commands.ProvisionInstances:
    """The root account is a super account, as the vendor's is."""
    params, region = checked.params, checked.call.region
    zone = params.Zone
    if zone not in _zones(region):
        raise Refused(Reason.PARAMETER_VALUE, "Zone", facts={"value": shown(zone)})
    root = AccountSpec(
        params.AdminName, "", plain(params.AdminPassword, decipher, "AdminPassword"), kind=AccountKind.SUPER
    )
    alike = provisioning_commands.ProvisionInstance(
        dialect="tencent",
        engine="postgresql",
        name=params.Name or _UNNAMED,
        region=region,
        accounts=(root,),
        zone=zone,
        encoding=params.Charset,
        version=_major_version(params),
    )
    return provisioning_commands.ProvisionInstances(alike, params.InstanceCount)


def _major_version(params: parameters.CreateInstances) -> str:
    """Of the three ways to name one, which must agree: ``12``, ``12.4``, ``v12.4_r1.0``. PARAMETER_VALUE."""
    major = ""
    for name, named in (
        ("DBMajorVersion", params.DBMajorVersion or ""),
        ("DBVersion", params.DBVersion or ""),
        ("DBKernelVersion", params.DBKernelVersion or ""),
    ):
        one = named.lstrip("v").partition(".")[0]
        if major and one and one != major:
            raise Refused(Reason.PARAMETER_VALUE, name, facts={"value": shown(named)})
        major = major or one
    return major


def _zones(region: str) -> Sequence[str]:
    return [f"{region}-{zone}" for place in PLACES if place.region == region for zone in place.zones]


def _isolate(params: parameters.IsolateDBInstances) -> provisioning_commands.IsolateInstances:
    return provisioning_commands.IsolateInstances(_instances(params))


def _revive(params: parameters.DisIsolateDBInstances) -> provisioning_commands.ReviveInstances:
    return provisioning_commands.ReviveInstances(_instances(params))


def _destroy(params: parameters.DestroyDBInstance) -> provisioning_commands.DeprovisionInstance:
    return provisioning_commands.DeprovisionInstance(instance_of(params), isolated=True)


def _created(checked: Checked[object], made: Sequence[InstanceView]) -> Answer:
    """Nothing is sold here: the order numbers belong to the call. The ids are answered for every charge type."""
    call = UUID(checked.call.request_id).int
    return {
        "DealNames": [f"{call % 10**12:012d}{index:02d}" for index, _ in enumerate(made)],
        "BillId": f"{call % 10**21:021d}",
        "DBInstanceIdSet": [instance.public_id for instance in made],
    }


def _restarting(_checked: Checked[object], operation: UUID) -> Answer:
    task = operation.int % 2**31
    return {"FlowId": task, "TaskId": task}


INSTANCE_VERBS: Verbs = verbs_of(
    Verb(parameters.CreateInstances, _create, _created),
    verb(parameters.IsolateDBInstances, _isolate, nothing),
    verb(parameters.DisIsolateDBInstances, _revive, nothing),
    verb(parameters.DestroyDBInstance, _destroy, nothing),
    verb(parameters.RestartDBInstance, on_instance(provisioning_commands.RestartInstance), _restarting),
)
