"""The policy language: what is understood, and with which reason everything else is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rolecall.domain.policy.language import (
    LONGEST,
    Document,
    Effect,
    accept,
    parse_policy,
    parse_session_policy,
    parse_trust,
    require_own_resources,
)
from rolecall.domain.reasons import Reason, Refused

ALLOW = {"effect": "allow", "action": "*", "resource": "*"}
TRUST = {"effect": "allow", "action": "name/sts:AssumeRole", "principal": {"qcs": "qcs::cam::uin/1:root"}}


def policy(*statements: object, **more: object) -> str:
    return json.dumps({"version": "2.0", "statement": list(statements), **more})


def trust(**changes: object) -> str:
    return policy({**TRUST, **changes})


def refusal(text: str, parse: Any = parse_policy) -> tuple[Reason, str]:
    with pytest.raises(Refused) as caught:
        parse(text)
    return caught.value.reason, caught.value.field


def test_a_document_of_every_element_is_understood() -> None:
    document = parse_policy(
        policy(
            {
                "effect": "deny",
                "action": ["name/postgres:Create*", "cam:AddUser"],
                "resource": ["qcs::postgres:ap-guangzhou:uin/1:DBInstanceId/postgres-*"],
                "condition": {"ip_equal": {"qcs:ip": ["10.0.0.0/8", "::1"]}},
            },
            ALLOW,
        )
    )
    first, second = document.statements
    assert first.effect is Effect.DENY
    assert first.actions == ("postgres:create*", "cam:adduser")
    assert [one.content for one in first.resources] == ["DBInstanceId/postgres-*"]
    assert [(one.operator, one.key, one.values) for one in first.conditions] == [
        ("ip_equal", "qcs:ip", ("10.0.0.0/8", "::1"))
    ]
    assert second.resources[0].everything


def test_one_statement_need_not_stand_in_a_list() -> None:
    assert parse_policy(json.dumps({"version": "2.0", "statement": ALLOW})) == Document(
        parse_policy(policy(ALLOW)).statements
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "null",
        "[]",
        '"text"',
        "7",
        "NaN",
        '{"version":"2.0","statement":[],"statement":[]}',
        '{"version":"2.0","statement":[{"effect":"allow","effect":"deny","action":"*","resource":"*"}]}',
        "[" * 5000,
        '{"version": ' + "9" * 5000 + "}",
        policy(ALLOW, Version="2.0"),
        policy(ALLOW, principal={}),
        "version: 2.0",
    ],
)
def test_what_is_not_a_json_object_of_two_members_is_malformed(text: str) -> None:
    assert refusal(text)[0] is Reason.POLICY_MALFORMED


def test_length_is_counted_in_characters_without_white_space() -> None:
    def of_length(characters: int, indent: int | None = None) -> str:
        bare = "".join(policy({**ALLOW, "resource": "qcs::cos:::"}).split())
        content = "x" * (characters - len(bare))
        statement = {**ALLOW, "resource": "qcs::cos:::" + content}
        return json.dumps({"version": "2.0", "statement": [statement]}, indent=indent)

    assert len(parse_policy(of_length(LONGEST, 40)).statements) == 1
    assert refusal(of_length(LONGEST + 1))[0] is Reason.POLICY_TOO_LONG
    assert refusal(policy(ALLOW) + " " * 16 * LONGEST)[0] is Reason.POLICY_TOO_LONG


@pytest.mark.parametrize("action", ["*:*", "name/*:*", ["*:*"]])
def test_every_operation_of_every_service_is_an_action(action: object) -> None:
    assert parse_policy(policy({**ALLOW, "action": action})).statements[0].actions == ("*:*",)


@pytest.mark.parametrize("action", ["*:GetUser", "*cam:*", "*:", ":*"])
def test_a_service_is_named_whole(action: str) -> None:
    assert refusal(policy({**ALLOW, "action": action}))[0] is Reason.POLICY_ACTION


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ('{"version": "2.0",\n "statement" []}', "line 2 column 14"),
        (policy(ALLOW, Id="x"), '"Id" is not a member'),
        ('{"version":"2.0","version":"2.0"}', '"version" more than once'),
        ("[]", "not a JSON object"),
        ("[" * 5000, "nesting is too deep"),
    ],
)
def test_a_malformed_document_is_refused_with_the_place(text: str, where: str) -> None:
    with pytest.raises(Refused) as caught:
        parse_policy(text)
    assert where in str(caught.value.facts["value"])


@pytest.mark.parametrize("principal", [{"qcs": "*"}, {"qcs": ["*"]}])
def test_a_session_policy_may_name_everybody_as_principal(principal: object) -> None:
    text = policy({**ALLOW, "principal": principal})
    assert parse_session_policy(text) == parse_policy(policy(ALLOW))
    assert refusal(text)[0] is Reason.POLICY_PRINCIPAL


@pytest.mark.parametrize("principal", [{"qcs": "qcs::cam::uin/1:root"}, {"service": "*"}, "*", None, {}])
def test_a_session_policy_names_no_other_principal(principal: object) -> None:
    assert (
        refusal(policy({**ALLOW, "principal": principal}), parse_session_policy)[0] is Reason.POLICY_PRINCIPAL
    )


@pytest.mark.parametrize("account", ["", "*", "uin/1", "uid/125", "uin/*", "uin/${uin}", "uid/${app_id}"])
def test_a_resource_of_the_own_account_may_be_handed_out(account: str) -> None:
    require_own_resources(parse_policy(policy({**ALLOW, "resource": f"qcs::cos::{account}:a/*"})), 1, 125)


@pytest.mark.parametrize("account", ["uin/2", "uid/1", "uid/1250"])
def test_a_resource_of_another_account_is_foreign(account: str) -> None:
    statement = {**ALLOW, "resource": ["*", f"qcs::cos::{account}:a/*"]}
    with pytest.raises(Refused) as caught:
        require_own_resources(parse_policy(policy(statement)), 1, 125)
    assert (caught.value.reason, caught.value.field) == (Reason.POLICY_RESOURCE, "resource.foreign")
    require_own_resources(parse_policy(policy({**statement, "effect": "deny"})), 1, 125)


@pytest.mark.parametrize("key", ["oidc:iss", "oidc:aud", "oidc:sub", "saml:aud"])
def test_a_trust_document_may_ask_of_an_identity_providers_token(key: str) -> None:
    principal = {"federated": ["qcs::cam::uin/1:oidc-provider/x"]}
    condition = {"string_equal": {key: ["x"]}}
    accept(
        parse_trust(trust(action="sts:AssumeRoleWithWebIdentity", principal=principal, condition=condition))
    )
    with pytest.raises(Refused):
        accept(parse_policy(policy({**ALLOW, "condition": condition})))


@pytest.mark.parametrize("version", ["1.0", "2", 2.0, None, "", [], {}])
def test_there_is_one_version(version: object) -> None:
    assert refusal(policy(ALLOW, version=version))[0] is Reason.POLICY_VERSION


@pytest.mark.parametrize(
    "statement",
    [[], None, "allow", 1, [[]], ["allow"], [{**ALLOW, "Effect": "allow"}], [{**ALLOW, "sid": "1"}]],
)
def test_statements_are_objects_of_known_members(statement: object) -> None:
    assert refusal(json.dumps({"version": "2.0", "statement": statement}))[0] is Reason.POLICY_STATEMENT


@pytest.mark.parametrize("effect", ["Allow", "ALLOW", "", None, True, ["allow"]])
def test_effects_are_two_words_in_lower_case(effect: object) -> None:
    assert refusal(policy({**ALLOW, "effect": effect})) == (Reason.POLICY_EFFECT, "effect")


@pytest.mark.parametrize(
    "action",
    ["", "AddUser", "cam:", ":AddUser", "cam:Add User", "permid/12", [], [""], [1], None, "cam:a:b", {}],
)
def test_an_action_is_a_service_and_a_name(action: object) -> None:
    assert refusal(policy({**ALLOW, "action": action}))[0] is Reason.POLICY_ACTION


def test_a_missing_action_is_told_from_a_wrong_one() -> None:
    assert refusal(policy({"effect": "allow", "resource": "*"})) == (Reason.POLICY_ACTION, "action.missing")


@pytest.mark.parametrize(
    ("resource", "part"),
    [
        ("", "resource"),
        ([], "resource"),
        (None, "resource"),
        ("**", "resource.segments"),
        ("postgres", "resource.segments"),
        ("qcs::postgres", "resource.segments"),
        ("arn:aws:s3:::bucket", "resource.segments"),
        ("qcs:7:postgres:::*", "resource.project"),
        ("qcs::post gres:::*", "resource.service"),
        ("qcs::postgres:ap guangzhou::*", "resource.region"),
        ("qcs::postgres::uin/x:*", "resource.account"),
        ("qcs::postgres::100000000001:*", "resource.account"),
        ("qcs::postgres:::", "resource.content"),
        ("qcs::postgres:::a\nb", "resource.content"),
        ("qcs::postgres:::${nobody}", "resource.content"),
    ],
)
def test_a_resource_has_six_segments_each_in_its_form(resource: object, part: str) -> None:
    assert refusal(policy({**ALLOW, "resource": resource})) == (Reason.POLICY_RESOURCE, part)


@pytest.mark.parametrize(
    "resource",
    [
        "*",
        "qcs::postgres:::*",
        "qcs::cos:ap-beijing:uid/1250000000:prefix//1250000000/bucket/*",
        "qcs::cam::uin/${owner_uin}:uin/${uin}",
        "qcs::trove:RegionOne::instance/a:b",
        "qcs:id/0:cvm:::instance/ins-1",
    ],
)
def test_resources_of_every_service_are_understood(resource: str) -> None:
    assert parse_policy(policy({**ALLOW, "resource": resource})).statements[0].resources[0].text == resource


@pytest.mark.parametrize(
    ("condition", "part"),
    [
        ([], "condition"),
        ("ip", "condition"),
        ({"ip_equal": {}}, "condition"),
        ({"ip_equal": "10.0.0.1"}, "condition"),
        ({"ip_equal": {"": "10.0.0.1"}}, "condition"),
        ({"IpAddress": {"qcs:ip": "10.0.0.1"}}, "condition.operator"),
        ({"string_matches": {"qcs:ip": "10"}}, "condition.operator"),
        ({"for_any_value:for_all_value:ip_equal": {"qcs:ip": "10.0.0.1"}}, "condition.operator"),
        ({"ip_equal": {"qcs:ip": []}}, "condition.value"),
        ({"ip_equal": {"qcs:ip": "10.0.0.300"}}, "condition.value"),
        ({"ip_equal": {"qcs:ip": "10.0.0.0/33"}}, "condition.value"),
        ({"date_less_than": {"qcs:current_time": "tomorrow"}}, "condition.value"),
        ({"numeric_equal": {"n": "NaN"}}, "condition.value"),
        ({"numeric_equal": {"n": "1e999999999"}}, "condition.value"),
        ({"bool_equal": {"b": "yes"}}, "condition.value"),
        ({"null_equal": {"b": "null"}}, "condition.value"),
        ({"string_equal": {"s": {"a": "b"}}}, "condition.value"),
        ({"string_equal": {"s": [None]}}, "condition.value"),
        ({"string_equal": {"s": 1.5}}, "condition.value"),
    ],
)
def test_a_condition_says_which_part_of_it_is_wrong(condition: object, part: str) -> None:
    assert refusal(policy({**ALLOW, "condition": condition})) == (Reason.POLICY_CONDITION, part)


def test_only_trust_documents_have_principals() -> None:
    assert refusal(policy({**ALLOW, "principal": TRUST["principal"]})) == (
        Reason.POLICY_PRINCIPAL,
        "principal",
    )
    assert refusal(policy({"effect": "allow", "action": "*"}), parse_trust)[0] is Reason.POLICY_PRINCIPAL
    assert refusal(policy({**TRUST, "resource": "*"}), parse_trust)[0] is Reason.POLICY_STATEMENT


def test_a_trust_document_names_accounts_and_services() -> None:
    found = parse_trust(
        trust(
            principal={"qcs": ["qcs::cam::uin/1:root", "qcs::cam::uin/1:uin/7"], "service": "cls.cloud.com"}
        )
    )
    assert found.statements[0].principals.accounts == ((1, None), (1, 7))
    assert found.statements[0].principals.services == ("cls.cloud.com",)


@pytest.mark.parametrize(
    "principal",
    [
        None,
        [],
        {},
        "*",
        {"aws": "1"},
        {"qcs": []},
        {"qcs": "*"},
        {"qcs": "qcs::cam::uin/1"},
        {"qcs": [1]},
        {"service": ""},
    ],
)
def test_principals_have_one_form(principal: object) -> None:
    assert refusal(trust(principal=principal), parse_trust)[0] is Reason.POLICY_PRINCIPAL


@pytest.mark.parametrize(
    "key", ["qcs:mfa_present", "QCS:secure_transport", "qcs:resource_tag", "qcs:request_tag/a"]
)
def test_what_is_new_hangs_on_no_key_that_is_never_supplied(key: str) -> None:
    condition = {"string_equal": {"qcs:region": "x", key: "x"}}
    for parse, text in (
        (parse_policy, policy({**ALLOW, "condition": condition})),
        (parse_trust, trust(condition=condition)),
    ):
        assert refusal(text, lambda text, parse=parse: accept(parse(text))) == (
            Reason.POLICY_CONDITION,
            "condition.key",
        )


def test_an_external_id_is_known_to_trust_documents_only() -> None:
    condition = {"string_equal": {"sts:external_id": "x"}}
    accept(parse_trust(trust(condition=condition)))
    assert refusal(policy({**ALLOW, "condition": condition}), lambda text: accept(parse_policy(text))) == (
        Reason.POLICY_CONDITION,
        "condition.key",
    )
