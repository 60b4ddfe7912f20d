"""A described call of every action, with the samples that the explorer's form begins with."""

from __future__ import annotations

from collections.abc import Iterator

from rolecall.console.explorer.calls import DescribedCall, Value
from rolecall.console.explorer.inputs import inputs_of, read
from rolecall.console.explorer.samples import Facts, samples
from rolecall.contracts.model import Action, Contract
from rolecall.services import ROUTES, SERVICES
from rolecall.web.forms import Fields

FACTS = Facts("instance-1", 100000000001, 100000000001)


def every_call(endpoint: str = "http://127.0.0.1:7653") -> Iterator[DescribedCall]:
    for service in SERVICES:
        for action in service.contract.actions.values():
            if service.contract.dialect == "openstack" and not route_of(service.contract, action):
                continue
            yield described(service.contract, action, endpoint=endpoint)


def route_of(contract: Contract, action: Action) -> tuple[str, str] | None:
    return ROUTES.get((contract.service, contract.version, action.name))


def described(
    contract: Contract, action: Action, endpoint: str = "http://127.0.0.1:7653", **changes: Value
) -> DescribedCall:
    names = {each.param: each.name for each in inputs_of(action)}
    typed = {names[param]: value for param, value in samples(action, FACTS).items()}
    return DescribedCall(
        contract.dialect,
        contract.service,
        contract.version,
        action.name,
        {"tencent": "ap-guangzhou", "aliyun": "cn-hangzhou", "openstack": ""}[contract.dialect],
        {**read(action, Fields([*typed.items()])).params, **changes},
        endpoint,
        "100000000001",
        route_of(contract, action) or ("POST", "/"),
        action.public,
    )


def call_of(service: str, name: str, **changes: Value) -> DescribedCall:
    """Of the newest version that has the action."""
    found = [
        each.contract
        for each in SERVICES
        if each.contract.service == service and name in each.contract.actions
    ]
    return described(found[0], found[0].actions[name], **changes)
