"""What check() accepts, coerces and refuses, on a contract made for the purpose."""

from __future__ import annotations

from typing import Annotated

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rolecall.contracts.check import shown
from rolecall.contracts.model import Action, Kind, between, matches
from rolecall.contracts.parameters import Most, Params, shape_of
from rolecall.contracts.tencent.postgres.parameters import DescribeRegions
from rolecall.domain.reasons import Reason, Refused
from rolecall.values import Secret


class Pair(Params):
    Name: str
    Count: int | None = None


class Try(Params):
    Text: str | None = None
    Word: Annotated[str, matches("[a-z]*", Reason.PARAMETER_CHARACTERS, "test")] | None = None
    Number: Annotated[int, between(-(2**63), 2**63 - 1, Reason.PARAMETER_RANGE, "test")] | None = None
    Flag: bool | None = None
    Ratio: float | None = None
    Hidden: Annotated[Secret, matches("[a-z]+", Reason.PASSWORD_CONTENT, "test")] | None = None
    Document: Annotated[str, Kind.DOCUMENT] | None = None
    Words: Annotated[list[str], Most(3)] | None = None
    Pairs: list[Pair] | None = None
    One: Pair | None = None
    Sized: int = 20


ACTION = Action(shape_of(Try), "test", regions=frozenset({"ap-guangzhou"}))


def sent_of(params: object) -> object:
    """Parameters as they would be sent: without what is absent."""
    if isinstance(params, list):
        return [sent_of(each) for each in params]
    if isinstance(params, Params):
        return {name: sent_of(value) for name, value in vars(params).items() if value is not None}
    return params


@pytest.fixture
def attempt(checked):
    return lambda params, **how: sent_of(checked("Try", params, ACTION, **how).params)


def refusal(attempt, params, **how) -> Refused:
    with pytest.raises(Refused) as caught:
        attempt(params, **how)
    return caught.value


@pytest.mark.parametrize(
    ("sent", "typed"),
    [
        ({"Text": "a"}, {"Text": "a"}),
        ({"Text": "数据库 ü"}, {"Text": "数据库 ü"}),
        ({"Text": None}, {}),
        ({"Text": ""}, {"Text": ""}),
        ({"Document": '{\r\n\t"a": 1\n}'}, {"Document": '{\r\n\t"a": 1\n}'}),
        ({"Number": 5}, {"Number": 5}),
        ({"Number": "-5"}, {"Number": -5}),
        ({"Number": 2**63 - 1}, {"Number": 2**63 - 1}),
        ({"Flag": True}, {"Flag": True}),
        ({"Flag": False}, {"Flag": False}),
        ({"Ratio": 1}, {"Ratio": 1.0}),
        ({"Ratio": "1.5"}, {"Ratio": 1.5}),
        ({"Words": ["a", "b"]}, {"Words": ["a", "b"]}),
        ({"Words": []}, {"Words": []}),
        ({"Pairs": [{"Name": "a", "Count": "3"}]}, {"Pairs": [{"Name": "a", "Count": 3}]}),
        ({"One": {"Name": "a", "Count": None}}, {"One": {"Name": "a"}}),
        ({"Nothing": None}, {}),
    ],
)
def test_json_values_are_taken_by_their_type(attempt, sent, typed) -> None:
    assert attempt(sent) == {"Sized": 20, **typed}


@pytest.mark.parametrize(
    ("sent", "typed"),
    [
        ({"Number": "5"}, {"Number": 5}),
        ({"Flag": "True"}, {"Flag": True}),
        ({"Flag": "false"}, {"Flag": False}),
        ({"Ratio": "1e3"}, {"Ratio": 1000.0}),
        ({"Words": ["a"]}, {"Words": ["a"]}),
        ({"Pairs": [{"Name": "a", "Count": "1"}]}, {"Pairs": [{"Name": "a", "Count": 1}]}),
        ({"Sized": "7"}, {"Sized": 7}),
    ],
)
def test_flat_values_are_coerced_from_text(attempt, sent, typed) -> None:
    assert attempt(sent, flat=True) == {"Sized": 20, **typed}


@pytest.mark.parametrize(
    ("sent", "path", "expected"),
    [
        ({"Text": 5}, "Text", "string"),
        ({"Text": ["a"]}, "Text", "string"),
        ({"Number": True}, "Number", "integer"),
        ({"Number": 1.0}, "Number", "integer"),
        ({"Number": "1.0"}, "Number", "integer"),
        ({"Number": ""}, "Number", "integer"),
        ({"Number": "٣"}, "Number", "integer"),
        ({"Number": 2**63}, "Number", "integer"),
        ({"Number": "-9223372036854775809"}, "Number", "integer"),
        ({"Number": "9" * 5000}, "Number", "integer"),
        ({"Flag": "true"}, "Flag", "boolean"),
        ({"Flag": 1}, "Flag", "boolean"),
        ({"Ratio": True}, "Ratio", "float"),
        ({"Ratio": "nan"}, "Ratio", "float"),
        ({"Ratio": 10**400}, "Ratio", "float"),
        ({"Number": 10**5000}, "Number", "integer"),
        ({"Hidden": 5}, "Hidden", "string"),
        ({"Words": "a"}, "Words", "list"),
        ({"Words": {"0": "a"}}, "Words", "list"),
        ({"Words": ["a", 5]}, "Words.1", "string"),
        ({"Words": [None]}, "Words.0", "string"),
        ({"Pairs": [{"Name": 5}]}, "Pairs.0.Name", "string"),
        ({"Pairs": ["a"]}, "Pairs.0", "object"),
        ({"One": []}, "One", "object"),
    ],
)
def test_a_wrong_type_is_refused_with_its_path(attempt, sent, path, expected) -> None:
    refused = refusal(attempt, sent)
    assert (refused.reason, refused.field) == (Reason.PARAMETER_TYPE, path)
    assert refused.facts["expected"] == expected


@pytest.mark.parametrize(
    ("sent", "reason", "path"),
    [
        ({"Foo": 1}, Reason.PARAMETER_UNKNOWN, "Foo"),
        ({"text": "a"}, Reason.PARAMETER_UNKNOWN, "text"),
        ({"Pairs": [{"Name": "a"}, {"Name": "b", "Foo": 1}]}, Reason.PARAMETER_UNKNOWN, "Pairs.1.Foo"),
        ({"Pairs": [{"Count": 1}]}, Reason.PARAMETER_MISSING, "Pairs.0.Name"),
        ({"One": {"Name": None}}, Reason.PARAMETER_MISSING, "One.Name"),
        ({"Words": ["a"] * 4}, Reason.PARAMETER_RANGE, "Words"),
    ],
)
def test_what_is_missing_or_too_much_is_refused_with_its_path(attempt, sent, reason, path) -> None:
    refused = refusal(attempt, sent)
    assert (refused.reason, refused.field) == (reason, path)


def test_types_are_looked_at_before_rules(attempt) -> None:
    assert refusal(attempt, {"Word": "UPPER", "Flag": 1}).reason is Reason.PARAMETER_TYPE


@pytest.mark.parametrize("character", ["\x00", "\n", "\t", "\x1b", "\x7f", "\x85", "\ud800"])
@pytest.mark.parametrize("place", ["Text", "Words", "Pairs"])
def test_control_characters_and_lone_surrogates_are_refused(attempt, character, place) -> None:
    text = f"a{character}b"
    sent = {"Text": text, "Words": [text], "Pairs": [{"Name": text}]}[place]
    refused = refusal(attempt, {place: sent})
    assert refused.reason is Reason.PARAMETER_VALUE
    str(refused.facts["value"]).encode()


@pytest.mark.parametrize("character", ["\x00", "\x0b", "\x1b", "\x7f", "\x85", "\ud800"])
def test_a_document_has_lines_and_nothing_else_unprintable(attempt, character) -> None:
    refused = refusal(attempt, {"Document": f"a{character}b"})
    assert (refused.reason, refused.field) == (Reason.PARAMETER_VALUE, "Document")


def test_a_rule_of_the_field_speaks_before_the_rule_on_control_characters(attempt) -> None:
    assert refusal(attempt, {"Word": "a\x00"}).reason is Reason.PARAMETER_CHARACTERS


def test_a_secret_is_wrapped_and_its_rules_see_the_plain_text(attempt) -> None:
    hidden = attempt({"Hidden": "abc"})["Hidden"]
    assert isinstance(hidden, Secret)
    assert hidden == Secret("abc")


@pytest.mark.parametrize("sent", ["UPPER", "abc\x00", 12345, ["UPPER"]])
def test_a_refused_secret_is_never_quoted(attempt, sent) -> None:
    refused = refusal(attempt, {"Hidden": sent})
    assert refused.facts["value"] == "***"
    assert "UPPER" not in f"{refused!r} {refused.facts}"


def test_a_region_that_is_missing_or_not_offered_is_refused(attempt) -> None:
    missing = refusal(attempt, {}, region="")
    assert (missing.reason, missing.field) == (Reason.PARAMETER_MISSING, "Region")
    unsupported = refusal(attempt, {}, region="ap-nowhere")
    assert (unsupported.reason, unsupported.field) == (Reason.REGION_UNSUPPORTED, "Region")
    assert unsupported.facts["value"] == "ap-nowhere"


def test_an_action_without_regions_takes_none_and_ignores_any(checked) -> None:
    action = Action(shape_of(DescribeRegions), "test", regions=None)
    assert checked("Any", {}, action, region="").params == DescribeRegions()
    assert checked("Any", {}, action, region="mars").params == DescribeRegions()


def test_a_quoted_value_is_short_and_printable() -> None:
    assert len(shown("x" * 100_000)) == 128
    assert shown("a\x00\ud800b") == "a\ufffd\ufffdb"


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(alphabet=st.characters(exclude_categories=())),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(
    st.dictionaries(st.sampled_from([field.name for field in ACTION.params]) | st.text(), JSON), st.booleans()
)
def test_whatever_is_sent_is_either_typed_or_refused(checked, sent, flat) -> None:
    """No input raises anything but a `Refused` whose field and facts can be written as UTF-8."""
    try:
        checked("Try", sent, ACTION, flat=flat)
    except Refused as refused:
        f"{refused.field} {dict(refused.facts)}".encode()


class Inside(Params):
    Word: Annotated[str, matches("a", Reason.PARAMETER_VALUE, "t")] | None = None


class Sparse(Params):
    Word: Annotated[str, matches("[a-z]+", Reason.PARAMETER_CHARACTERS, "test")] | None = None
    Remark: Annotated[str, matches("[a-z]*", Reason.PARAMETER_CHARACTERS, "test")] | None = None
    Sized: Annotated[int, between(1, 100, Reason.PARAMETER_RANGE, "test")] = 20
    Flag: Annotated[int, between(0, 1, Reason.PARAMETER_VALUE, "test")] | None = None
    Hidden: Annotated[Secret, matches("[a-z]+", Reason.PASSWORD_CONTENT, "test")] | None = None
    Needed: Annotated[str, matches("[a-z]+", Reason.PARAMETER_VALUE, "test")]
    Inner: Inside | None = None


SPARSE = Action(shape_of(Sparse), "test", regions=None, blank_is_absent=True)
NEEDED = {"Needed": "a"}


@pytest.mark.parametrize(
    ("sent", "typed"),
    [
        ({"Word": ""}, {"Sized": 20}),
        ({"Remark": ""}, {"Remark": "", "Sized": 20}),
        ({"Sized": 0}, {"Sized": 20}),
        ({"Sized": "0"}, {"Sized": 20}),
        ({"Flag": 0}, {"Flag": 0, "Sized": 20}),
        ({"Inner": {"Word": ""}}, {"Inner": {}, "Sized": 20}),
    ],
)
def test_a_blank_that_the_rules_refuse_is_absent_where_the_contract_says_so(checked, sent, typed) -> None:
    assert sent_of(checked("Sparse", {**NEEDED, **sent}, SPARSE).params) == {**typed, **NEEDED}
    assert sent_of(checked("Sparse", {**NEEDED, "Sized": ""}, SPARSE, flat=True).params) == {
        "Sized": 20,
        **NEEDED,
    }


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        ({"Needed": ""}, Reason.PARAMETER_VALUE),
        ({"Hidden": ""}, Reason.PASSWORD_CONTENT),
        ({"Sized": 101}, Reason.PARAMETER_RANGE),
        ({"Sized": -1}, Reason.PARAMETER_RANGE),
        ({"Sized": False}, Reason.PARAMETER_TYPE),
        ({"Sized": ""}, Reason.PARAMETER_TYPE),
        ({"Word": "A"}, Reason.PARAMETER_CHARACTERS),
    ],
)
def test_what_is_required_secret_or_not_blank_is_asked_of_the_rules(checked, sent, reason) -> None:
    with pytest.raises(Refused) as caught:
        checked("Sparse", {**NEEDED, **sent}, SPARSE)
    assert caught.value.reason is reason
