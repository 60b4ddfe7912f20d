"""Decisions: what a set of policies permits, and what holds whatever the policies are."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rolecall.domain.policy.evaluation import Decision, EffectivePolicy, Subject, Verdict, decide
from rolecall.domain.policy.language import parse_policy
from rolecall.domain.policy.requests import PolicyRequest
from rolecall.domain.policy.wildcards import matches, overlaps

SUBJECT = Subject(principal=700, owner_number=100, app_id=125)
INSTANCE = "qcs::postgres:ap-guangzhou:uin/100:DBInstanceId/postgres-1"


def held(*statements: Mapping[str, Any], number: int = 1) -> EffectivePolicy:
    text = json.dumps({"version": "2.0", "statement": list(statements)})
    return EffectivePolicy(number, f"policy-{number}", parse_policy(text))


def statement(effect: str = "allow", action: Any = "*", resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {"effect": effect, "action": action, "resource": resource, **more}


def asked(
    *policies: EffectivePolicy,
    operation: str = "postgres:CreateAccount",
    resources: tuple[str | tuple[str, ...], ...] = (INSTANCE,),
    context: Mapping[str, str] | None = None,
) -> Decision:
    names = [(one,) if isinstance(one, str) else one for one in resources]
    return decide(
        policies, PolicyRequest(operation, tuple(one[0] for one in names), context or {}), names, SUBJECT
    )


def allowed(*statements: Mapping[str, Any], **question: Any) -> bool:
    return asked(held(*statements), **question).allowed


def test_what_nothing_allows_is_denied() -> None:
    assert asked() == Decision(Verdict.NOT_ALLOWED, INSTANCE)
    assert asked(held(statement(action="cam:*"))).verdict is Verdict.NOT_ALLOWED


def test_the_statement_that_decides_is_told() -> None:
    first, second = (
        held(statement(action="cam:*"), statement(action="postgres:*")),
        held(statement(), number=2),
    )
    decision = asked(first, second)
    assert (decision.policy, decision.statement, decision.allowed) == (first, 2, True)
    third = held(statement("deny", resource=INSTANCE), number=3)
    decision = asked(first, second, third)
    assert (decision.policy, decision.statement, decision.verdict) == (third, 1, Verdict.DENIED)


@pytest.mark.parametrize(
    ("action", "operation", "matched"),
    [
        ("*", "cam:AddUser", True),
        ("cam:*", "cam:AddUser", True),
        ("cam:*", "ciam:AddUser", False),
        ("name/cam:Add*", "cam:AddUser", True),
        ("cam:AddUser", "cam:AddUserToGroup", False),
        ("CAM:adduser", "cam:AddUser", True),
        ("cam:*User", "cam:AddUser", True),
        ("cam:*User", "cam:AddUserToGroup", False),
    ],
)
def test_actions_match_by_name_and_wildcard_whatever_the_case(
    action: str, operation: str, matched: bool
) -> None:
    assert allowed(statement(action=action), operation=operation) is matched


@pytest.mark.parametrize(
    ("resource", "matched"),
    [
        ("*", True),
        (INSTANCE, True),
        ("qcs::postgres:ap-guangzhou:uin/100:DBInstanceId/*", True),
        ("qcs::postgres:::DBInstanceId/postgres-1", True),
        ("qcs::::uin/100:*", True),
        ("qcs::postgres:*:*:*", True),
        ("qcs::postgres:ap-*::*", True),
        ("qcs::postgres::uid/125:*", True),
        ("qcs::postgres::uin/${owner_uin}:DBInstanceId/*", True),
        ("qcs::postgres:ap-shanghai::*", False),
        ("qcs::postgres::uin/${uin}:*", False),
        ("qcs::postgres::uin/200:*", False),
        ("qcs::postgres::uid/126:*", False),
        ("qcs::cam:::*", False),
        ("qcs::postgres:::DBInstanceId", False),
        ("qcs::postgres:::dbinstanceid/postgres-1", False),
        ("qcs::postgres:::DBInstanceId/postgres-2", False),
    ],
)
def test_resources_match_segment_by_segment(resource: str, matched: bool) -> None:
    assert allowed(statement(resource=resource)) is matched


@pytest.mark.parametrize(
    ("resource", "matched"),
    [
        ("*", True),
        ("qcs::postgres:::*", True),
        ("qcs:::::*", True),
        ("qcs::cam:::*", False),
        (INSTANCE, False),
    ],
)
def test_an_operation_on_no_one_thing_needs_everything_of_its_service(resource: str, matched: bool) -> None:
    assert (
        allowed(statement(resource=resource), operation="postgres:DescribeDBInstances", resources=("*",))
        is matched
    )


def test_a_deny_of_one_thing_does_not_deny_an_operation_on_no_one_thing() -> None:
    assert allowed(statement(), statement("deny", resource=INSTANCE), resources=("*",))


def test_every_resource_must_be_allowed() -> None:
    other = INSTANCE.replace("postgres-1", "postgres-2")
    assert not allowed(statement(resource=INSTANCE), resources=(INSTANCE, other))
    assert asked(held(statement(resource=INSTANCE)), resources=(INSTANCE, other)).resource == other
    assert allowed(statement(resource=[INSTANCE, other]), resources=(INSTANCE, other))


def test_what_is_asked_for_everything_is_denied_if_any_of_it_is() -> None:
    everything = INSTANCE.replace("postgres-1", "*")
    assert allowed(statement(), resources=(everything,))
    assert not allowed(statement(resource=INSTANCE), resources=(everything,))
    assert not allowed(statement(), statement("deny", resource=INSTANCE), resources=(everything,))


def test_what_has_no_region_is_allowed_without_and_denied_with_any() -> None:
    people = "qcs::cam::uin/100:uin/700"
    everywhere, somewhere = "qcs::cam:::uin/*", "qcs::cam:ap-guangzhou::uin/*"
    assert allowed(statement(resource=everywhere), resources=(people,))
    assert not allowed(statement(resource=somewhere), resources=(people,))
    assert not allowed(statement(), statement("deny", resource=somewhere), resources=(people,))


def test_one_thing_of_several_names_is_denied_by_any_and_allowed_by_any() -> None:
    names = ("qcs::cam::uin/100:role/1", "qcs::cam::uin/100:roleName/reader")
    by_name, by_id = (statement(resource=one) for one in reversed(names))
    assert allowed(by_name, resources=(names,))
    assert allowed(by_id, resources=(names,))
    assert not allowed(statement(), {**by_name, "effect": "deny"}, resources=(names,))


CONTEXT = {
    "qcs:ip": "10.1.2.3",
    "qcs:current_time": "2026-04-13T12:00:00Z",
    "qcs:secure_transport": "true",
    "text": "Aß",
    "number": "7",
    "broken": "seven",
}


@pytest.mark.parametrize(
    ("operator", "key", "value", "held_"),
    [
        ("string_equal", "text", "Aß", True),
        ("string_equal", "text", "ASS", False),
        ("string_equal", "text", ["x", "Aß"], True),
        ("string_equal_ignore_case", "text", "ass", True),
        ("string_not_equal", "text", ["x", "Aß"], False),
        ("string_not_equal", "text", ["x", "y"], True),
        ("string_not_equal_ignore_case", "text", "ASS", False),
        ("numeric_equal", "number", 7, True),
        ("numeric_equal", "number", "7.0", True),
        ("numeric_not_equal", "number", "8", True),
        ("numeric_less_than", "number", "7", False),
        ("numeric_less_than_equal", "number", "7", True),
        ("numeric_greater_than", "number", "-1", True),
        ("numeric_greater_than_equal", "number", "8", False),
        ("date_equal", "qcs:current_time", "2026-04-13T20:00:00+08:00", True),
        ("date_not_equal", "qcs:current_time", "2026-04-13T12:00:00Z", False),
        ("date_less_than", "qcs:current_time", "2026-04-14", True),
        ("date_greater_than_equal", "qcs:current_time", "2026-04-13T12:00:00", True),
        ("bool_equal", "qcs:secure_transport", True, True),
        ("bool_equal", "qcs:secure_transport", "False", False),
        ("ip_equal", "qcs:ip", "10.0.0.0/8", True),
        ("ip_equal", "qcs:ip", ["192.168.0.0/16", "10.1.2.3"], True),
        ("ip_equal", "qcs:ip", "::/0", False),
        ("ip_not_equal", "qcs:ip", ["192.168.0.0/16", "10.0.0.0/8"], False),
        ("ip_not_equal", "qcs:ip", ["192.168.0.0/16", "172.16.0.0/12"], True),
        ("binary_equal", "text", "Aß", True),
        ("null_equal", "qcs:region", "true", True),
        ("null_equal", "text", "true", False),
        ("null_equal", "text", "false", True),
        ("string_equal", "qcs:region", "x", False),
        ("string_not_equal", "qcs:region", "x", False),
        ("string_equal_if_exist", "qcs:region", "x", True),
        ("string_equal_if_exist", "text", "x", False),
        ("for_any_value:string_equal", "text", ["x", "Aß"], True),
        ("for_all_value:string_equal", "text", ["x", "Aß"], True),
        ("for_all_value:string_equal_if_exist", "qcs:region", "x", True),
    ],
)
def test_conditions_hold(operator: str, key: str, value: Any, held_: bool) -> None:
    conditional = statement(condition={operator: {key: value}})
    assert allowed(conditional, context=CONTEXT) is held_
    denied = not allowed(statement(), {**conditional, "effect": "deny"}, context=CONTEXT)
    assert denied is held_


@pytest.mark.parametrize(
    ("operator", "key", "value"),
    [
        ("bool_equal", "qcs:mfa_present", "false"),
        ("bool_equal", "QCS:secure_transport", "false"),
        ("string_not_equal", "qcs:resource_tag", "x"),
        ("null_equal", "qcs:mfa_present", "true"),
        ("string_equal", "sts:external_id", "x"),
    ],
)
def test_a_key_that_is_never_supplied_speaks_against_the_caller(operator: str, key: str, value: str) -> None:
    conditional = statement(condition={operator: {key: value}})
    assert not allowed(conditional, context=CONTEXT)
    assert not allowed(statement(), {**conditional, "effect": "deny"}, context=CONTEXT)
    if_exist = statement(condition={f"{operator}_if_exist": {key: value}})
    assert allowed(if_exist, context=CONTEXT)
    assert not allowed(statement(), {**if_exist, "effect": "deny"}, context=CONTEXT)


@pytest.mark.parametrize("operator", ["numeric_equal", "numeric_not_equal", "numeric_less_than_if_exist"])
def test_a_value_that_cannot_be_compared_speaks_against_the_caller(operator: str) -> None:
    conditional = statement(condition={operator: {"broken": 7}})
    assert not allowed(conditional, context=CONTEXT)
    assert not allowed(statement(), {**conditional, "effect": "deny"}, context=CONTEXT)


def test_all_operators_and_all_keys_must_hold() -> None:
    both = {"string_equal": {"text": "Aß", "number": "7"}, "ip_equal": {"qcs:ip": "10.0.0.0/8"}}
    assert allowed(statement(condition=both), context=CONTEXT)
    for key, value in (("text", "x"), ("number", "8"), ("qcs:ip", "11.0.0.1")):
        assert not allowed(statement(condition=both), context={**CONTEXT, key: value})


def test_an_address_of_ipv4_is_the_same_over_ipv6() -> None:
    conditional = statement(condition={"ip_equal": {"qcs:ip": "10.0.0.0/8"}})
    assert allowed(conditional, context={"qcs:ip": "::ffff:10.0.0.1"})


def test_variables_stand_for_the_caller() -> None:
    own = statement(resource="qcs::cam::uin/${owner_uin}:uin/${uin}")
    assert allowed(own, resources=("qcs::cam::uin/100:uin/700",))
    assert not allowed(own, resources=("qcs::cam::uin/100:uin/701",))
    named = statement(condition={"string_equal": {"who": "${uin}-${app_id}-${nobody}"}})
    assert allowed(named, context={"who": "700-125-${nobody}"})


# What holds of any policies at all.

GLOBS = st.text("ab*", max_size=7)
TEXTS = st.text("ab", max_size=7)


def expression(pattern: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, pattern.split("*"))), re.DOTALL)


@given(GLOBS, TEXTS)
def test_a_pattern_covers_what_the_same_regular_expression_does(pattern: str, text: str) -> None:
    assert matches(pattern, text) is (expression(pattern).fullmatch(text) is not None)


@given(GLOBS, GLOBS, st.lists(TEXTS, max_size=3))
def test_a_pattern_that_covers_a_pattern_covers_what_that_does(
    pattern: str, other: str, fillings: list[str]
) -> None:
    parts = other.split("*")
    filled = "".join(
        part + (fillings[index % len(fillings)] if fillings and index < len(parts) - 1 else "")
        for index, part in enumerate(parts)
    )
    if matches(pattern, other):
        assert matches(pattern, filled)
        assert overlaps(pattern, other)
    if matches(pattern, filled):
        assert overlaps(pattern, other)


@given(GLOBS, GLOBS)
def test_two_patterns_overlap_whichever_is_first(one: str, other: str) -> None:
    assert overlaps(one, other) is overlaps(other, one)


def test_matching_takes_one_walk_through_the_text() -> None:
    """Ten thousand wildcards and a text that a backtracking matcher would not finish with."""
    assert not matches("a*" * 10_000 + "b", "a" * 50_000)


STATEMENTS = st.builds(
    statement,
    st.sampled_from(["allow", "deny"]),
    st.sampled_from(["*", "postgres:*", "postgres:CreateAccount", "postgres:Describe*", "cam:*"]),
    st.sampled_from(["*", INSTANCE, "qcs::postgres:::DBInstanceId/*", "qcs::cam:::*"]),
    condition=st.sampled_from(
        [
            {},
            {"ip_equal": {"qcs:ip": "10.0.0.0/8"}},
            {"string_equal_if_exist": {"qcs:region": "x"}},
            {"null_equal": {"text": True}},
        ]
    ),
)
POLICIES = st.lists(st.lists(STATEMENTS, min_size=1, max_size=3), max_size=4)
QUESTIONS = st.fixed_dictionaries(
    {
        "operation": st.sampled_from(["postgres:CreateAccount", "postgres:DescribeAccounts", "cam:AddUser"]),
        "resources": st.sampled_from([("*",), (INSTANCE,), (INSTANCE.replace("postgres-1", "*"),)]),
        "context": st.sampled_from([CONTEXT, {}, {"qcs:ip": "1.1.1.1"}]),
    }
)


@given(POLICIES, QUESTIONS)
def test_a_deny_wins_over_every_allow(policies: list[list[dict[str, Any]]], question: dict[str, Any]) -> None:
    decision = asked(*(held(*one) for one in policies), held(statement("deny")), **question)
    assert decision.verdict is Verdict.DENIED


@given(POLICIES, QUESTIONS, st.randoms())
def test_the_order_of_policies_and_statements_decides_nothing(
    policies: list[list[dict[str, Any]]], question: dict[str, Any], random: Any
) -> None:
    shuffled = [random.sample(one, len(one)) for one in random.sample(policies, len(policies))]
    before, after = (asked(*(held(*one) for one in order), **question) for order in (policies, shuffled))
    assert before.verdict is after.verdict


@given(POLICIES, QUESTIONS, STATEMENTS)
def test_another_allow_takes_nothing_away_and_another_deny_gives_nothing(
    policies: list[list[dict[str, Any]]], question: dict[str, Any], more: dict[str, Any]
) -> None:
    had = [held(*one) for one in policies]
    before = asked(*had, **question).allowed
    assert asked(*had, held({**more, "effect": "allow"}), **question).allowed >= before
    assert asked(*had, held({**more, "effect": "deny"}), **question).allowed <= before


@given(POLICIES, QUESTIONS)
def test_without_an_allow_nothing_is_permitted(
    policies: list[list[dict[str, Any]]], question: dict[str, Any]
) -> None:
    denies = [held(*({**one, "effect": "deny"} for one in statements)) for statements in policies]
    assert not asked(*denies, **question).allowed


@pytest.mark.parametrize("quantifier", ["", "for_any_value:", "for_all_value:"])
@pytest.mark.parametrize(
    ("pattern", "like"),
    [
        ("ap-*", True),
        ("*-x", True),
        ("*p*", True),
        ("ap-x", True),
        ("ap-", False),
        ("AP-*", False),
        ("*y", False),
    ],
)
def test_a_text_is_like_a_pattern(quantifier: str, pattern: str, like: bool) -> None:
    for name, holds in (("string_like", like), ("string_not_like", not like)):
        condition = {f"{quantifier}{name}": {"qcs:region": pattern}}
        assert allowed(statement(condition=condition), context={"qcs:region": "ap-x"}) is holds
    absent = {f"{quantifier}string_like_if_exist": {"qcs:region": pattern}}
    assert allowed(statement(condition=absent), context={}) is True


def test_a_condition_may_ask_who_the_caller_is() -> None:
    wanted = {"string_equal": {"qcs:uin": "${uin}"}, "string_not_equal": {"qcs:owner_uin": "101"}}
    context = {"qcs:uin": "700", "qcs:owner_uin": "100"}
    assert allowed(statement(condition=wanted), context=context)
    assert not allowed(statement(condition=wanted), context={**context, "qcs:uin": "701"})
    assert not allowed(statement(condition=wanted), context={**context, "qcs:owner_uin": "101"})
