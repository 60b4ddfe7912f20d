"""Actions of `cam` 2019-01-16 on roles, and the tokens with which one logs in to a database account (cn only).

Parameters, types and requiredness are those of tencentcloud-sdk-python-cam 3.1.181 (``models.py``) and tccli 3.1.189
(``api.json``); a test compares them. In policies a role is ``qcs::cam::uin/<root>:role/<id>``, or by its name
``roleName/<name>``.
"""

from __future__ import annotations

from typing import Annotated

from rolecall.contracts.model import Action, Kind, between, matches, one_of
from rolecall.contracts.parameters import Most, Params
from rolecall.contracts.tencent.cam.policies import (
    DESCRIPTION,
    KEYWORD,
    ROWS,
    SOME,
    TAG_KEY,
    TAG_VALUE,
    TAGS_AT_MOST,
    action,
)
from rolecall.contracts.tencent.cam.policy_errors import DATABASE_TOKENS
from rolecall.contracts.tencent.cam.rules import NUMBER, PAGE_NUMBER, SDK
from rolecall.contracts.tencent.postgres.places import CAM_REGIONS
from rolecall.contracts.tencent.postgres.rules import ACCOUNT_NAME, INSTANCE_ID
from rolecall.domain.reasons import Reason

_ROLE_NAME = (matches(r"[A-Za-z0-9+=,.@_-]{1,128}", Reason.ROLE_NAME_MALFORMED, SDK),)
# As ids are written here: policies are asked about the text, so that it may have no second spelling.
_ROLE_ID = (matches(r"[1-9][0-9]{0,18}", Reason.PARAMETER_VALUE, SDK),)
_FLAG = (between(0, 1, Reason.PARAMETER_VALUE, SDK),)
_SECONDS = (between(0, 43200, Reason.PARAMETER_RANGE, SDK),)


_BY_EITHER = ("?role/{RoleId}", "?roleName/{RoleName}")


class OnRole(Params):
    RoleId: Annotated[str, _ROLE_ID] | None = None
    RoleName: str | None = None


class RoleTags(Params):
    Key: Annotated[str, TAG_KEY]
    Value: Annotated[str, TAG_VALUE]


class CreateRole(Params):
    RoleName: Annotated[str, _ROLE_NAME]
    PolicyDocument: Annotated[str, Kind.DOCUMENT]
    Description: Annotated[str, DESCRIPTION] = ""
    ConsoleLogin: Annotated[int, _FLAG] = 0
    SessionDuration: Annotated[int, _SECONDS] | None = None
    Tags: Annotated[list[RoleTags], Most(TAGS_AT_MOST)] | None = None


class GetRole(OnRole):
    pass


class DeleteRole(OnRole):
    pass


class DescribeRoleList(Params):
    Page: Annotated[int, PAGE_NUMBER]
    Rp: Annotated[int, ROWS]
    Tags: Annotated[list[RoleTags], Most(TAGS_AT_MOST)] | None = None


class UpdateAssumeRolePolicy(Params):
    PolicyDocument: Annotated[str, Kind.DOCUMENT]
    RoleId: Annotated[str, _ROLE_ID] | None = None
    RoleName: str | None = None


class UpdateRoleDescription(Params):
    Description: Annotated[str, DESCRIPTION]
    RoleId: Annotated[str, _ROLE_ID] | None = None
    RoleName: str | None = None


class UpdateRoleConsoleLogin(Params):
    ConsoleLogin: Annotated[int, _FLAG]
    RoleId: Annotated[int, NUMBER] | None = None
    RoleName: str | None = None


class UpdateRoleSessionDuration(Params):
    SessionDuration: Annotated[int, _SECONDS]
    RoleId: Annotated[int, NUMBER] | None = None
    RoleName: str | None = None


class TagRole(Params):
    Tags: Annotated[list[RoleTags], Most(TAGS_AT_MOST)]
    RoleId: Annotated[str, _ROLE_ID] | None = None
    RoleName: str | None = None


class UntagRole(Params):
    TagKeys: Annotated[list[str], Most(50), SOME]
    RoleId: Annotated[str, _ROLE_ID] | None = None
    RoleName: str | None = None


class AttachRolePolicy(Params):
    PolicyId: Annotated[int, NUMBER] | None = None
    AttachRoleId: Annotated[str, _ROLE_ID] | None = None
    AttachRoleName: str | None = None
    PolicyName: str | None = None


class DetachRolePolicy(Params):
    PolicyId: Annotated[int, NUMBER] | None = None
    DetachRoleId: Annotated[str, _ROLE_ID] | None = None
    DetachRoleName: str | None = None
    PolicyName: str | None = None


class ListAttachedRolePolicies(Params):
    Page: Annotated[int, PAGE_NUMBER]
    Rp: Annotated[int, ROWS]
    RoleId: Annotated[str, _ROLE_ID] | None = None
    RoleName: str | None = None
    PolicyType: Annotated[str, one_of(("User", "QCS"), Reason.PARAMETER_VALUE, SDK)] | None = None
    Keyword: Annotated[str, KEYWORD] = ""


class BuildDataFlowAuthToken(Params):
    ResourceId: Annotated[str, INSTANCE_ID]
    ResourceRegion: Annotated[str, one_of(tuple(sorted(CAM_REGIONS)), Reason.PARAMETER_VALUE, SDK)]
    ResourceAccount: Annotated[str, ACCOUNT_NAME]


def _update(params: type[Params]) -> Action:
    return action(params, resources=_BY_EITHER, changes=True)


ACTIONS = (
    action(CreateRole, output=("RoleId",), changes=True),
    action(GetRole, output=("RoleInfo",), resources=_BY_EITHER),
    action(DeleteRole, resources=_BY_EITHER, changes=True),
    action(DescribeRoleList, output=("List", "TotalNum")),
    _update(UpdateAssumeRolePolicy),
    _update(UpdateRoleDescription),
    _update(UpdateRoleConsoleLogin),
    _update(UpdateRoleSessionDuration),
    _update(TagRole),
    _update(UntagRole),
    action(
        AttachRolePolicy,
        resources=(
            "?role/{AttachRoleId}",
            "?roleName/{AttachRoleName}",
            "?policyid/{PolicyId}",
            "?policyName/{PolicyName}",
        ),
        changes=True,
    ),
    action(
        DetachRolePolicy,
        resources=(
            "?role/{DetachRoleId}",
            "?roleName/{DetachRoleName}",
            "?policyid/{PolicyId}",
            "?policyName/{PolicyName}",
        ),
        changes=True,
    ),
    action(ListAttachedRolePolicies, output=("List", "TotalNum"), resources=_BY_EITHER),
    action(
        BuildDataFlowAuthToken,
        output=("Credentials",),
        resources=("resourceUser/{ResourceId}/{ResourceAccount}",),
        mints_secret=True,
        preferences=DATABASE_TOKENS,
    ),
)
