"""Actions of `cam` 2019-01-16 on policies and on whom they are attached to.

Parameters, types and requiredness are those of tencentcloud-sdk-python-cam 3.1.181 (``models.py``) and tccli 3.1.189
(``api.json``); a test compares them. In policies a policy is ``qcs::cam::uin/<root>:policyid/<id>``, by its name
``policyName/<name>``; attaching one asks for the policy and for whom it is attached to.
"""

from __future__ import annotations

from rolecall.contracts.model import (
    Action,
    Field,
    Kind,
    ListOf,
    Rule,
    Shape,
    at_most,
    between,
    matches,
    one_of,
)
from rolecall.contracts.tencent.cam.policy_codes import CODES
from rolecall.contracts.tencent.cam.policy_errors import rows
from rolecall.domain.reasons import Reason

SDK = "tencentcloud-sdk-python-cam 3.1.181, models.py"
OURS = "ours: the vendor names no bound"
PLACE = "qcs::cam::uin/{owner}:"

SCOPES = ("All", "QCS", "Local")
ENTITIES = ("All", "User", "Group", "Role")
_POLICIES_AT_ONCE = 30  # ours: InvalidParameter.OperatePoliciesOverLimit names no number
_ID = (between(1, 2**63 - 1, Reason.PARAMETER_VALUE, SDK),)
_NAME = (matches(r"[A-Za-z0-9+=,.@_-]{1,128}", Reason.POLICY_NAME_MALFORMED, SDK),)
DESCRIPTION = (
    Rule(
        lambda value: len(str(value).encode()) <= 300,
        Reason.PARAMETER_LENGTH,
        "InvalidParameter.DescriptionLengthOverlimit: 300 bytes",
    ),
)
_KEYWORD = (at_most(128, Reason.PARAMETER_LENGTH, OURS),)
_PAGE_NUMBER = (between(1, 10**9, Reason.PARAMETER_RANGE, SDK),)
_PAGE_TO_200 = (between(1, 200, Reason.PARAMETER_RANGE, SDK),)
_ROWS = (between(1, 200, Reason.PARAMETER_RANGE, SDK),)
SOME = (Rule(lambda value: value != [], Reason.PARAMETER_VALUE, "ours: nothing is asked for"),)


def text(
    name: str, *, required: bool = False, default: str | None = None, rules: tuple[Rule, ...] = ()
) -> Field:
    return Field(name, Kind.STRING, required, default, rules)


def integer(
    name: str, *, required: bool = False, default: int | None = None, rules: tuple[Rule, ...] = ()
) -> Field:
    return Field(name, Kind.INTEGER, required, default, rules)


def document(*, required: bool = False) -> Field:
    """Its rules are the domain's (`people.language`)."""
    return Field("PolicyDocument", Kind.DOCUMENT, required)


def paging(*, required: bool = False, short: bool = False) -> tuple[Field, Field]:
    """`short` pages end at number 200."""
    default = (None, None) if required else (1, 20)
    numbers = _PAGE_TO_200 if short else _PAGE_NUMBER
    return (
        integer("Page", required=required, default=default[0], rules=numbers),
        integer("Rp", required=required, default=default[1], rules=_ROWS),
    )


def action(
    name: str,
    *params: Field,
    output: tuple[str, ...] = (),
    resources: tuple[str, ...] = (),
    changes: bool = False,
    mints_secret: bool = False,
) -> Action:
    """`resources` without what stands before them in all."""
    places = tuple(f"?{PLACE}{one[1:]}" if one[0] == "?" else f"{PLACE}{one}" for one in resources)
    return Action(
        name,
        SDK,
        params,
        output,
        CODES[name],
        rows(name),
        regions=None,
        changes=changes,
        resources=places or ("*",),
        blank_is_absent=True,
        mints_secret=mints_secret,
    )


_TAGS_AT_MOST = 50  # CAM, Use limits
_TAG_LIMITS = "Tag, Use limits"
_TAG_MEMBERS = (
    text("Key", required=True, rules=(matches(r"(?s).{1,127}", Reason.PARAMETER_VALUE, _TAG_LIMITS),)),
    text("Value", required=True, rules=(matches(r"(?s).{0,255}", Reason.PARAMETER_VALUE, _TAG_LIMITS),)),
)


def tags(shape: str, *, required: bool = False) -> Field:
    """`shape` is the vendor's name for the structure of one."""
    return Field("Tags", ListOf(Shape(shape, _TAG_MEMBERS), _TAGS_AT_MOST), required)


ID = integer("PolicyId", required=True, rules=_ID)
_EITHER = (integer("PolicyId", rules=_ID), text("PolicyName", rules=_NAME))
KEYWORD = text("Keyword", default="", rules=_KEYWORD)


def _attaching(name: str, bearer: str, place: str) -> Action:
    resources = ("policyid/{PolicyId}", f"{place}/{{{bearer}}}")
    return action(name, ID, integer(bearer, required=True), resources=resources, changes=True)


ACTIONS = (
    action(
        "CreatePolicy",
        text("PolicyName", required=True, rules=_NAME),
        document(required=True),
        text("Description", default="", rules=DESCRIPTION),
        tags("Tag"),
        output=("PolicyId",),
        changes=True,
    ),
    action(
        "GetPolicy",
        ID,
        output=(
            "PolicyName", "Description", "Type", "AddTime", "UpdateTime", "PolicyDocument", "PresetAlias",
            "IsServiceLinkedRolePolicy", "Tags",
        ),
        resources=("policyid/{PolicyId}",),
    ),
    action(
        "ListPolicies",
        *reversed(paging(short=True)),
        text("Scope", default="All", rules=(one_of(SCOPES, Reason.PARAMETER_VALUE, SDK),)),
        KEYWORD,
        output=("TotalNum", "List", "ServiceTypeList"),
    ),
    action(
        "UpdatePolicy",
        *_EITHER,
        text("Description", rules=DESCRIPTION),
        document(),
        text("Alias", rules=DESCRIPTION),
        output=("PolicyId",),
        resources=("?policyid/{PolicyId}", "?policyName/{PolicyName}"),
        changes=True,
    ),
    action(
        "DeletePolicy",
        Field("PolicyId", ListOf(Kind.INTEGER, _POLICIES_AT_ONCE), required=True, rules=SOME),
        resources=("policyid/{PolicyId}",),
        changes=True,
    ),
    _attaching("AttachUserPolicy", "AttachUin", "uin"),
    _attaching("DetachUserPolicy", "DetachUin", "uin"),
    _attaching("AttachGroupPolicy", "AttachGroupId", "groupid"),
    _attaching("DetachGroupPolicy", "DetachGroupId", "groupid"),
    action(
        "ListAttachedUserPolicies",
        integer("TargetUin", required=True),
        *paging(),
        output=("TotalNum", "List"),
        resources=("uin/{TargetUin}",),
    ),
    action(
        "ListAttachedUserAllPolicies",
        integer("TargetUin", required=True),
        *reversed(paging(required=True, short=True)),
        integer("AttachType", required=True, rules=(between(0, 2, Reason.PARAMETER_VALUE, SDK),)),
        integer("StrategyType", rules=(between(1, 2, Reason.PARAMETER_VALUE, SDK),)),
        KEYWORD,
        output=("PolicyList", "TotalNum"),
        resources=("uin/{TargetUin}",),
    ),
    action(
        "ListAttachedGroupPolicies",
        integer("TargetGroupId", required=True),
        *paging(),
        KEYWORD,
        output=("TotalNum", "List"),
        resources=("groupid/{TargetGroupId}",),
    ),
    action(
        "ListEntitiesForPolicy",
        ID,
        *paging(),
        text("EntityFilter", default="All", rules=(one_of(ENTITIES, Reason.PARAMETER_VALUE, SDK),)),
        output=("TotalNum", "List"),
        resources=("policyid/{PolicyId}",),
    ),
)  # fmt: skip
