"""The contracts of `cam` (policies, roles, database tokens) and of `sts`, against SDK models and CLI spec."""

from __future__ import annotations

import re
from pathlib import Path
from types import ModuleType

import pytest
from tencentcloud.cam.v20190116 import errorcodes as cam_codes
from tencentcloud.sts.v20180813 import errorcodes as sts_codes

from rolecall.contracts.tencent.cam import contract as cam
from rolecall.contracts.tencent.cam import policies as cam_policies
from rolecall.contracts.tencent.cam import policy_errors as cam_policy_errors
from rolecall.contracts.tencent.cam import policy_texts as cam_policy_texts
from rolecall.contracts.tencent.cam import roles as cam_roles
from rolecall.contracts.tencent.cam.policy_codes import CODES as CAM_CODES
from rolecall.contracts.tencent.cam.presets import PRESETS
from rolecall.contracts.tencent.sts import contract as sts
from rolecall.contracts.tencent.sts.contract import CODES as STS_CODES
from rolecall.domain.policy.language import parse_policy
from rolecall.domain.policy.presets import FIRST_STORED, Presets
from rolecall.domain.reasons import IDENTITY_REASONS, Reason
from rolecall.verbs.cam import verbs as cam_verbs
from rolecall.verbs.sts import verbs as sts_verbs

CAM = (*cam_policies.ACTIONS, *cam_roles.ACTIONS)
STS = tuple(sts.CONTRACT.actions.values())


def published_texts(errorcodes: ModuleType) -> dict[str, str]:
    """By code: the comment above it."""
    source = errorcodes.__spec__.loader.get_source(errorcodes.__name__)  # type: ignore[union-attr]
    return {code: text.strip() for text, code in re.findall(r"^# (.*)\n\w+ = '(.+)'$", source, re.MULTILINE)}


@pytest.mark.parametrize(
    ("texts", "errorcodes"),
    [
        pytest.param(cam_policy_texts.TEXTS, cam_codes, id="cam"),
        pytest.param(sts.TEXTS, sts_codes, id="sts"),
    ],
)
def test_chinese_texts_are_the_sdks_word_for_word(
    texts: dict[str, tuple[str, str]], errorcodes: ModuleType
) -> None:
    published = published_texts(errorcodes)
    told = {code: chinese for code, (_, chinese) in texts.items() if chinese}
    assert told == {code: published[code] for code in told}


def test_every_action_has_a_verb() -> None:
    assert set(cam_verbs.VERBS) == set(cam.CONTRACT.actions)
    assert set(sts_verbs.VERBS) == set(sts.CONTRACT.actions)


def test_code_lists_are_of_the_actions_there_are() -> None:
    assert set(CAM_CODES) == {action.name for action in CAM}
    assert set(STS_CODES) == {action.name for action in STS}


# What each element of a document takes, of CreatePolicy's own list.
DOCUMENT_CODES = {
    Reason.POLICY_MALFORMED: "PolicyDocumentError",
    Reason.POLICY_TOO_LONG: "PolicyDocumentLengthOverLimit",
    Reason.POLICY_VERSION: "VersionError",
    Reason.POLICY_STATEMENT: "StatementError",
    Reason.POLICY_EFFECT: "EffectError",
    Reason.POLICY_ACTION: "ActionError",
    (Reason.POLICY_ACTION, "action.missing"): "ActionMiss",
    Reason.POLICY_RESOURCE: "ResourceError",
    (Reason.POLICY_RESOURCE, "resource.segments"): "ResourceQcsError",
    (Reason.POLICY_RESOURCE, "resource.project"): "ResourceProjectError",
    (Reason.POLICY_RESOURCE, "resource.service"): "ResourceServiceNotExist",
    (Reason.POLICY_RESOURCE, "resource.region"): "ResourceRegionError",
    (Reason.POLICY_RESOURCE, "resource.account"): "ResourceUinError",
    (Reason.POLICY_RESOURCE, "resource.content"): "ResourceContentError",
    Reason.POLICY_CONDITION: "ConditionError",
    (Reason.POLICY_CONDITION, "condition.operator"): "ConditionTypeError",
    (Reason.POLICY_CONDITION, "condition.value"): "ConditionContentError",
    Reason.POLICY_PRINCIPAL: "PrincipalError",
    (Reason.POLICY_PRINCIPAL, "principal.qcs"): "PrincipalQcsError",
    Reason.POLICY_NAME_MALFORMED: "PolicyNameError",
}


@pytest.mark.parametrize(("key", "code"), DOCUMENT_CODES.items())
def test_every_element_of_a_document_has_its_own_code(key: Reason | tuple[Reason, str], code: str) -> None:
    reason, field = key if isinstance(key, tuple) else (key, "")
    row = cam.CONTRACT.row("CreatePolicy", reason, field)
    assert row is not None
    assert row.code == f"InvalidParameter.{code}"


@pytest.mark.parametrize(
    ("action", "key", "code"),
    [
        ("CreatePolicy", Reason.POLICY_TAKEN, "FailedOperation.PolicyNameInUse"),
        ("CreatePolicy", Reason.POLICY_QUOTA, "FailedOperation.PolicyFull"),
        (
            "CreatePolicy",
            (Reason.PARAMETER_LENGTH, "Description"),
            "InvalidParameter.DescriptionLengthOverlimit",
        ),
        ("GetPolicy", Reason.POLICY_MISSING, "ResourceNotFound.PolicyIdNotFound"),
        ("UpdatePolicy", Reason.POLICY_PRESET, "InvalidParameter.PolicyIdError"),
        ("DeletePolicy", (Reason.PARAMETER_RANGE, "PolicyId"), "InvalidParameter.OperatePoliciesOverLimit"),
        ("ListPolicies", (Reason.PARAMETER_VALUE, "Scope"), "InvalidParameter.ScopeError"),
        ("ListPolicies", (Reason.PARAMETER_LENGTH, "Keyword"), "InvalidParameter.SearchKeywordLengthError"),
        (
            "ListEntitiesForPolicy",
            (Reason.PARAMETER_VALUE, "EntityFilter"),
            "InvalidParameter.EntityFilterError",
        ),
        ("ListEntitiesForPolicy", Reason.POLICY_MISSING, "InvalidParameter.PolicyIdError"),
        ("AttachUserPolicy", Reason.SUB_USER_MISSING, "ResourceNotFound.UserNotExist"),
        ("AttachUserPolicy", Reason.ATTACHMENT_QUOTA, "FailedOperation.PolicyFull"),
        ("AttachGroupPolicy", Reason.GROUP_MISSING, "ResourceNotFound.GroupNotExist"),
        ("AttachRolePolicy", Reason.ATTACHMENT_QUOTA, "InvalidParameter.AttachmentFull"),
        ("AttachRolePolicy", Reason.ROLE_MISSING, "InvalidParameter.RoleNotExist"),
        ("AttachRolePolicy", Reason.POLICY_MISSING, "InvalidParameter.PolicyIdNotExist"),
        ("DetachGroupPolicy", Reason.POLICY_MISSING, "InvalidParameter.PolicyIdNotExist"),
        ("ListAttachedUserPolicies", Reason.SUB_USER_MISSING, "ResourceNotFound.UserNotExist"),
        ("CreateRole", Reason.ROLE_TAKEN, "InvalidParameter.RoleNameInUse"),
        ("CreateRole", Reason.ROLE_QUOTA, "InvalidParameter.RoleFull"),
        ("CreateRole", Reason.ROLE_NAME_MALFORMED, "InvalidParameter.RoleNameError"),
        ("CreateRole", (Reason.PARAMETER_RANGE, "Tags"), "InvalidParameter.TagLimitExceeded"),
        ("CreateRole", Reason.POLICY_MALFORMED, "InvalidParameter.ParamError"),
        ("GetRole", Reason.ROLE_MISSING, "InvalidParameter.RoleNotExist"),
        ("BuildDataFlowAuthToken", Reason.PASSWORD_NOT_MANAGED, "ResourceNotFound.DataFlowAuthClose"),
        ("BuildDataFlowAuthToken", Reason.ENGINE_UNREACHABLE, "FailedOperation.BuildAuthToken"),
        ("BuildDataFlowAuthToken", Reason.PASSWORD_UNDECIPHERABLE, "ResourceUnavailable.FlowAuthSecet"),
    ],
)
def test_a_reason_takes_the_code_of_the_actions_list(
    action: str, key: Reason | tuple[Reason, str], code: str
) -> None:
    reason, field = key if isinstance(key, tuple) else (key, "")
    row = cam.CONTRACT.row(action, reason, field)
    assert row is not None
    assert row.code == code


def test_no_reason_of_the_gateway_is_overridden() -> None:
    gateway = {Reason.KEY_UNKNOWN, Reason.NOT_PERMITTED, Reason.PARAMETER_MISSING, Reason.PARAMETER_TYPE}
    assert gateway.isdisjoint(cam_policy_errors.PREFERENCES)
    assert gateway.isdisjoint(sts.PREFERENCES)


def test_every_reason_of_policies_and_roles_has_a_row() -> None:
    own = {
        reason
        for reason in IDENTITY_REASONS
        if reason.value.startswith(("policy-", "attachment-", "role-", "session-"))
    }
    rows = {*cam_policy_errors.PREFERENCES, *sts.PREFERENCES}
    assert own <= rows


def test_presets_are_policies_with_ids_below_those_of_owners() -> None:
    presets = Presets(PRESETS)
    for policy in presets.all:
        assert parse_policy(policy.document).statements
        assert policy.preset
        assert 0 < policy.id < FIRST_STORED
        assert len(policy.description.encode()) <= 300
    first = presets.by_id(1)
    assert first is not None
    assert first.name == "AdministratorAccess"
    assert presets.by_name("ReadOnlyAccess") is not None


def test_two_presets_of_one_name_are_a_mistake() -> None:
    with pytest.raises(ValueError, match="share an id or a name"):
        Presets([*PRESETS, PRESETS[0]])


def test_the_page_of_policies_names_every_preset_with_its_id() -> None:
    page = (Path(__file__).parents[2] / "docs" / "policies.md").read_text("utf-8")
    rows = re.findall(r"^\| ([0-9, ]+) \| ([A-Za-z, ]+) \|", page, re.MULTILINE)
    told = {
        (int(number), name)
        for numbers, names in rows
        for number, name in zip(numbers.split(", "), names.split(", "), strict=True)
    }
    assert told == {(policy.id, policy.name) for policy in PRESETS}
