"""Classes of parameters: what they declare, and what the check makes of a call by them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import pytest

from rolecall.contracts.model import Field, Kind, ListOf, Shape, between, matches
from rolecall.contracts.parameters import Most, Params, shape_of
from rolecall.contracts.tencent.postgres.parameters import DescribeRegions, DescribeZones
from rolecall.domain.reasons import Reason
from rolecall.values import Checked, Secret

RULE = matches("[a-z]*", Reason.PARAMETER_VALUE, "test")
RULES = (RULE, between(1, 9, Reason.PARAMETER_RANGE, "test"))


class Inner(Params, shape="Vendor"):
    Document: Annotated[str, Kind.DOCUMENT] | None = None
    Tree: Annotated[object, Kind.JSON] | None = None


class Base(Params):
    Id: Annotated[str, RULE]


class Whole(Base):
    Flag: bool = False
    Number: Annotated[int, RULES]
    Names: Annotated[list[str], Most(3), RULE] | None = None
    Inner: Annotated[list[Inner], Most(2)] | None = None
    One: Inner | None = None
    Weight: float = 0.5
    Password: Secret


class Stricter(Whole):
    Id: Annotated[str, RULES]


INNER = Shape("Vendor", (Field("Document", Kind.DOCUMENT), Field("Tree", Kind.JSON)), Inner)


def test_a_class_declares_names_types_requiredness_defaults_and_rules() -> None:
    assert shape_of(Whole) == Shape(
        "Whole",
        (
            Field("Id", Kind.STRING, True, None, (RULE,)),
            Field("Flag", Kind.BOOLEAN, False, False),
            Field("Number", Kind.INTEGER, True, None, RULES),
            Field("Names", ListOf(Kind.STRING, 3), False, None, (RULE,)),
            Field("Inner", ListOf(INNER, 2)),
            Field("One", INNER),
            Field("Weight", Kind.FLOAT, False, 0.5),
            Field("Password", Kind.SECRET, True),
        ),
        Whole,
    )


def test_a_parameter_that_is_declared_again_keeps_its_place() -> None:
    assert [(field.name, field.rules) for field in shape_of(Stricter).fields][:2] == [
        ("Id", RULES),
        ("Flag", ()),
    ]


def test_parameters_are_compared_by_value_and_cannot_be_changed() -> None:
    assert Inner(Document="a") == Inner(Document="a") != Inner()
    with pytest.raises(AttributeError):
        Inner().Document = "b"


class Nested(Params):
    Lists: list[list[str]]


class Raw(Params):
    Bytes: bytes


@pytest.mark.parametrize("params", [Nested, Raw])
def test_a_type_of_no_parameter_is_refused(params: type[Params]) -> None:
    with pytest.raises(TypeError):
        shape_of(params)


def test_a_call_with_parameters_of_another_action_is_not_taken_for_this_one(
    checked: Callable[..., Checked[object]],
) -> None:
    zones = checked("DescribeZones", {})
    assert zones.of(DescribeZones).params == DescribeZones()
    with pytest.raises(TypeError, match="DescribeZones has no DescribeRegions"):
        zones.of(DescribeRegions)
