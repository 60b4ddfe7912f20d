"""Actions of `cam` 2019-01-16 on roles, and the tokens with which one logs in to a database account (cn only).

Parameters, types and requiredness are those of tencentcloud-sdk-python-cam 3.1.181 (``models.py``) and tccli 3.1.189
(``api.json``); a test compares them. In policies a role is ``qcs::cam::uin/<root>:role/<id>``, or by its name
``roleName/<name>``.
"""

from __future__ import annotations

from rolecall.contracts.model import Action, Field, Kind, ListOf, between, matches, one_of
from rolecall.contracts.tencent.cam.policies import (
    DESCRIPTION,
    KEYWORD,
    SDK,
    SOME,
    action,
    document,
    integer,
    paging,
    tags,
    text,
)
from rolecall.contracts.tencent.cam.rules import NUMBER
from rolecall.contracts.tencent.postgres.places import CAM_REGIONS
from rolecall.contracts.tencent.postgres.rules import ACCOUNT_NAME, INSTANCE_ID
from rolecall.domain.reasons import Reason

_ROLE_NAME = (matches(r"[A-Za-z0-9+=,.@_-]{1,128}", Reason.ROLE_NAME_MALFORMED, SDK),)
# As the house writes it: policies are asked about the text, so that it may have no second spelling.
_ROLE_ID = (matches(r"[1-9][0-9]{0,18}", Reason.PARAMETER_VALUE, SDK),)
_FLAG = (between(0, 1, Reason.PARAMETER_VALUE, SDK),)
_SECONDS = (between(0, 43200, Reason.PARAMETER_RANGE, SDK),)
_POLICY_ID = (between(1, 2**63 - 1, Reason.PARAMETER_VALUE, SDK),)


_TAGS = tags("RoleTags")
_EITHER = (text("RoleId", rules=_ROLE_ID), text("RoleName"))
_EITHER_BY_NUMBER = (integer("RoleId", rules=NUMBER), text("RoleName"))
_BY_EITHER = ("?role/{RoleId}", "?roleName/{RoleName}")


def _attaching(name: str, prefix: str) -> Action:
    """`prefix` stands before the parameters that name the role."""
    return action(
        name,
        integer("PolicyId", rules=_POLICY_ID),
        text(f"{prefix}RoleId", rules=_ROLE_ID),
        text(f"{prefix}RoleName"),
        text("PolicyName"),
        resources=(
            f"?role/{{{prefix}RoleId}}",
            f"?roleName/{{{prefix}RoleName}}",
            "?policyid/{PolicyId}",
            "?policyName/{PolicyName}",
        ),
        changes=True,
    )


def _update(name: str, *params: Field, either: tuple[Field, ...] = _EITHER) -> Action:
    return action(name, *params, *either, resources=_BY_EITHER, changes=True)


ACTIONS = (
    action(
        "CreateRole",
        text("RoleName", required=True, rules=_ROLE_NAME),
        document(required=True),
        text("Description", default="", rules=DESCRIPTION),
        integer("ConsoleLogin", default=0, rules=_FLAG),
        integer("SessionDuration", rules=_SECONDS),
        _TAGS,
        output=("RoleId",),
        changes=True,
    ),
    action("GetRole", *_EITHER, output=("RoleInfo",), resources=_BY_EITHER),
    action("DeleteRole", *_EITHER, resources=_BY_EITHER, changes=True),
    action("DescribeRoleList", *paging(required=True), _TAGS, output=("List", "TotalNum")),
    _update("UpdateAssumeRolePolicy", document(required=True)),
    _update("UpdateRoleDescription", text("Description", required=True, rules=DESCRIPTION)),
    _update(
        "UpdateRoleConsoleLogin",
        integer("ConsoleLogin", required=True, rules=_FLAG),
        either=_EITHER_BY_NUMBER,
    ),
    _update(
        "UpdateRoleSessionDuration",
        integer("SessionDuration", required=True, rules=_SECONDS),
        either=_EITHER_BY_NUMBER,
    ),
    _update("TagRole", tags("RoleTags", required=True)),
    _update("UntagRole", Field("TagKeys", ListOf(Kind.STRING, 50), required=True, rules=SOME)),
    _attaching("AttachRolePolicy", "Attach"),
    _attaching("DetachRolePolicy", "Detach"),
    action(
        "ListAttachedRolePolicies",
        *paging(required=True),
        *_EITHER,
        text("PolicyType", rules=(one_of(("User", "QCS"), Reason.PARAMETER_VALUE, SDK),)),
        KEYWORD,
        output=("List", "TotalNum"),
        resources=_BY_EITHER,
    ),
    action(
        "BuildDataFlowAuthToken",
        text("ResourceId", required=True, rules=INSTANCE_ID),
        text(
            "ResourceRegion",
            required=True,
            rules=(one_of(tuple(sorted(CAM_REGIONS)), Reason.PARAMETER_VALUE, SDK),),
        ),
        text("ResourceAccount", required=True, rules=ACCOUNT_NAME),
        output=("Credentials",),
        resources=("resourceUser/{ResourceId}/{ResourceAccount}",),
        mints_secret=True,
    ),
)
