"""Actions of `cam` 2019-01-16 on policies and on whom they are attached to.

Parameters, types and requiredness are those of tencentcloud-sdk-python-cam 3.1.181 (``models.py``) and tccli 3.1.189
(``api.json``); a test compares them. In policies a policy is ``qcs::cam::uin/<root>:policyid/<id>``, by its name
``policyName/<name>``; attaching one asks for the policy and for whom it is attached to.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from rolecall.contracts.model import Action, Kind, Rule, at_most, between, matches, one_of
from rolecall.contracts.parameters import Most, Params
from rolecall.contracts.tencent.cam.policy_codes import CODES
from rolecall.contracts.tencent.cam.policy_errors import PREFERENCES
from rolecall.contracts.tencent.cam.policy_texts import TEXTS
from rolecall.contracts.tencent.cam.rules import NUMBER, PAGE_NUMBER, SDK
from rolecall.contracts.tencent.error_preferences import ErrorPreference, Key, action_of
from rolecall.domain.reasons import Reason

OURS = "ours: the vendor names no bound"
PLACE = "qcs::cam::uin/{owner}:"

SCOPES = ("All", "QCS", "Local")
ENTITIES = ("All", "User", "Group", "Role")
_POLICIES_AT_ONCE = 30  # ours: InvalidParameter.OperatePoliciesOverLimit names no number
_NAME = (matches(r"[A-Za-z0-9+=,.@_-]{1,128}", Reason.POLICY_NAME_MALFORMED, SDK),)
DESCRIPTION = (
    Rule(
        lambda value: len(str(value).encode()) <= 300,
        Reason.PARAMETER_LENGTH,
        "InvalidParameter.DescriptionLengthOverlimit: 300 bytes",
    ),
)
KEYWORD = (at_most(128, Reason.PARAMETER_LENGTH, OURS),)
ROWS = (between(1, 200, Reason.PARAMETER_RANGE, SDK),)
SOME = (Rule(lambda value: value != [], Reason.PARAMETER_VALUE, "ours: not empty"),)


TAGS_AT_MOST = 50  # CAM, Use limits
_TAG_LIMITS = "Tag, Use limits"
TAG_KEY = (matches(r"(?s).{1,127}", Reason.PARAMETER_VALUE, _TAG_LIMITS),)
TAG_VALUE = (matches(r"(?s).{0,255}", Reason.PARAMETER_VALUE, _TAG_LIMITS),)


def action(
    params: type[Params],
    *,
    output: tuple[str, ...] = (),
    resources: tuple[str, ...] = (),
    changes: bool = False,
    mints_secret: bool = False,
    preferences: Mapping[Key, ErrorPreference] = PREFERENCES,
) -> Action:
    """`resources` without what stands before them in all."""
    places = tuple(
        f"?{PLACE}{template[1:]}" if template[0] == "?" else f"{PLACE}{template}" for template in resources
    )
    return action_of(
        params,
        codes=CODES,
        preferences=preferences,
        texts=TEXTS,
        source=SDK,
        output=output,
        changes=changes,
        resources=places or ("*",),
        mints_secret=mints_secret,
    )


class Tag(Params):
    Key: Annotated[str, TAG_KEY]
    Value: Annotated[str, TAG_VALUE]


class CreatePolicy(Params):
    PolicyName: Annotated[str, _NAME]
    PolicyDocument: Annotated[str, Kind.DOCUMENT]  # its rules are the domain's (`domain.policy.language`)
    Description: Annotated[str, DESCRIPTION] = ""
    Tags: Annotated[list[Tag], Most(TAGS_AT_MOST)] | None = None


class OnPolicy(Params):
    PolicyId: Annotated[int, NUMBER]


class GetPolicy(OnPolicy):
    pass


class ListPolicies(Params):
    Rp: Annotated[int, ROWS] = 20
    Page: Annotated[int, ROWS] = 1
    Scope: Annotated[str, one_of(SCOPES, Reason.PARAMETER_VALUE, SDK)] = "All"
    Keyword: Annotated[str, KEYWORD] = ""


class UpdatePolicy(Params):
    PolicyId: Annotated[int, NUMBER] | None = None
    PolicyName: Annotated[str, _NAME] | None = None
    Description: Annotated[str, DESCRIPTION] | None = None
    PolicyDocument: Annotated[str, Kind.DOCUMENT] | None = None
    Alias: Annotated[str, DESCRIPTION] | None = None


class DeletePolicy(Params):
    PolicyId: Annotated[list[int], Most(_POLICIES_AT_ONCE), SOME]


class AttachUserPolicy(OnPolicy):
    AttachUin: int


class DetachUserPolicy(OnPolicy):
    DetachUin: int


class AttachGroupPolicy(OnPolicy):
    AttachGroupId: int


class DetachGroupPolicy(OnPolicy):
    DetachGroupId: int


class ListAttachedUserPolicies(Params):
    TargetUin: int
    Page: Annotated[int, PAGE_NUMBER] = 1
    Rp: Annotated[int, ROWS] = 20


class ListAttachedUserAllPolicies(Params):
    TargetUin: int
    Rp: Annotated[int, ROWS]
    Page: Annotated[int, ROWS]
    AttachType: Annotated[int, between(0, 2, Reason.PARAMETER_VALUE, SDK)]
    StrategyType: Annotated[int, between(1, 2, Reason.PARAMETER_VALUE, SDK)] | None = None
    Keyword: Annotated[str, KEYWORD] = ""


class ListAttachedGroupPolicies(Params):
    TargetGroupId: int
    Page: Annotated[int, PAGE_NUMBER] = 1
    Rp: Annotated[int, ROWS] = 20
    Keyword: Annotated[str, KEYWORD] = ""


class ListEntitiesForPolicy(OnPolicy):
    Page: Annotated[int, PAGE_NUMBER] = 1
    Rp: Annotated[int, ROWS] = 20
    EntityFilter: Annotated[str, one_of(ENTITIES, Reason.PARAMETER_VALUE, SDK)] = "All"


ACTIONS = (
    action(CreatePolicy, output=("PolicyId",), changes=True),
    action(
        GetPolicy,
        output=(
            "PolicyName",
            "Description",
            "Type",
            "AddTime",
            "UpdateTime",
            "PolicyDocument",
            "PresetAlias",
            "IsServiceLinkedRolePolicy",
            "Tags",
        ),
        resources=("policyid/{PolicyId}",),
    ),
    action(ListPolicies, output=("TotalNum", "List", "ServiceTypeList")),
    action(
        UpdatePolicy,
        output=("PolicyId",),
        resources=("?policyid/{PolicyId}", "?policyName/{PolicyName}"),
        changes=True,
    ),
    action(DeletePolicy, resources=("policyid/{PolicyId}",), changes=True),
    action(AttachUserPolicy, resources=("policyid/{PolicyId}", "uin/{AttachUin}"), changes=True),
    action(DetachUserPolicy, resources=("policyid/{PolicyId}", "uin/{DetachUin}"), changes=True),
    action(AttachGroupPolicy, resources=("policyid/{PolicyId}", "groupid/{AttachGroupId}"), changes=True),
    action(DetachGroupPolicy, resources=("policyid/{PolicyId}", "groupid/{DetachGroupId}"), changes=True),
    action(ListAttachedUserPolicies, output=("TotalNum", "List"), resources=("uin/{TargetUin}",)),
    action(ListAttachedUserAllPolicies, output=("PolicyList", "TotalNum"), resources=("uin/{TargetUin}",)),
    action(ListAttachedGroupPolicies, output=("TotalNum", "List"), resources=("groupid/{TargetGroupId}",)),
    action(ListEntitiesForPolicy, output=("TotalNum", "List"), resources=("policyid/{PolicyId}",)),
)
