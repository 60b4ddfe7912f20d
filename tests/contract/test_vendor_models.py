"""Tencent's contracts against the vendor's SDK models, its CLI's specification and its lists of codes."""

from __future__ import annotations

import importlib
import re

import pytest
from tests.contract.vendor_models import (
    COMMON_CODES,
    cli_required,
    declared,
    published_codes,
    required,
    sdk_types,
    shapes,
)

from rolecall.contracts.model import Action, Contract, Field, Shape
from rolecall.contracts.tencent.cam.contract import CONTRACT as CAM
from rolecall.contracts.tencent.ciam.contract import CONTRACT as CIAM
from rolecall.contracts.tencent.postgres.contract import CONTRACT as POSTGRES
from rolecall.contracts.tencent.sts.contract import CONTRACT as STS
from rolecall.contracts.tencent.tag.contract import CONTRACT as TAG

CONTRACTS = {each.service: each for each in (CAM, CIAM, POSTGRES, STS, TAG)}
UNMODELLED = {"ciam": {"DryRun"}}
"""Parameters that no model has: a code speaks of them."""
UNLISTED = {"ciam": {"InvalidParameter.ParameterIllegal"}}
"""Codes of rows that not every action lists."""
HOLES = {"ciam": {"request_id", "operation", "resource"}}
"""What a text holds beside the field and the value."""
PROMISED = {"CreateAccount": {"Oid"}}
"""Outputs that a page promises beside the models."""


def vendor(contract: Contract, module: str):
    package = f"tencentcloud.{contract.service}.v{contract.version.replace('-', '')}"
    return importlib.import_module(f"{package}.{module}")


MODELS = {service: vendor(contract, "models") for service, contract in CONTRACTS.items()}
CLI = {
    each.service: cli_required(each.service, f"v{each.version.replace('-', '')}")
    for each in CONTRACTS.values()
}
ACTIONS = [(service, action) for service, each in CONTRACTS.items() for action in each.actions.values()]
SHAPES = [
    (service, shape)
    for service, each in CONTRACTS.items()
    for shape in shapes(each.actions.values()).values()
]
ALL_ACTIONS = pytest.mark.parametrize(
    ("service", "action"), ACTIONS, ids=[f"{service}-{action.name}" for service, action in ACTIONS]
)


def own(service: str, action: Action) -> list[Field]:
    return [field for field in action.params if field.name not in UNMODELLED.get(service, ())]


@ALL_ACTIONS
def test_parameters_are_those_of_the_sdk(service: str, action: Action) -> None:
    assert declared(own(service, action)) == sdk_types(MODELS[service], f"{action.name}Request")


@ALL_ACTIONS
def test_required_parameters_are_those_of_the_cli(service: str, action: Action) -> None:
    assert required(own(service, action)) == CLI[service].get(f"{action.name}Request", {})


@pytest.mark.parametrize(("service", "shape"), SHAPES, ids=[f"{each}-{shape.name}" for each, shape in SHAPES])
def test_structures_are_those_of_the_sdk_and_the_cli(service: str, shape: Shape) -> None:
    assert declared(shape.fields) == sdk_types(MODELS[service], shape.name)
    assert required(shape.fields) == CLI[service][shape.name]


@ALL_ACTIONS
def test_outputs_are_those_of_the_sdk(service: str, action: Action) -> None:
    modelled = set(sdk_types(MODELS[service], f"{action.name}Response")) - {"RequestId"}
    assert set(action.output) == modelled | PROMISED.get(action.name, set())


@ALL_ACTIONS
def test_every_documented_code_is_one_the_vendor_publishes(service: str, action: Action) -> None:
    assert action.codes
    assert action.codes <= published_codes(vendor(CONTRACTS[service], "errorcodes"))


@ALL_ACTIONS
def test_every_row_has_a_code_of_the_action_or_a_common_one_in_both_languages(
    service: str, action: Action
) -> None:
    codes = action.codes | COMMON_CODES | UNLISTED.get(service, set())
    holes = {"field", "value"} | HOLES.get(service, set())
    for key, row in action.errors.items():
        assert row.code in codes, key
        assert row.english, key
        assert row.chinese, key
        assert row.status == 200
        for template in (row.english, row.chinese):
            assert set(re.findall(r"\{([a-z_]+)\}", template)) <= holes
