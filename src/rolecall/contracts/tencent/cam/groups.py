"""Actions of `cam` 2019-01-16 on groups of sub-users.

Parameters, types and requiredness are those of tencentcloud-sdk-python-cam 3.1.181 (``models.py``) and tccli 3.1.189
(``api.json``); a test compares them. In policies a group is ``qcs::cam::uin/<root>:groupid/<id>``.
"""

from __future__ import annotations

from typing import Annotated

from rolecall.contracts.parameters import Most, Params
from rolecall.contracts.tencent.cam.rules import GROUP_NAME, NUMBER, PAGE_NUMBER, PAGE_SIZE, REMARK
from rolecall.contracts.tencent.cam.users import action

_MOST_MEMBERSHIPS = 100  # ours: no more than a group may have

BY_GROUP = ("qcs::cam::uin/{owner}:groupid/{GroupId}",)
# Of members that are named by Uid alone the numbers are not known here: the domain asks for them.
_BY_MEMBERSHIP = ("qcs::cam::uin/{owner}:groupid/{Info.GroupId}", "?qcs::cam::uin/{owner}:uin/{Info.Uin}")


class OnGroup(Params):
    GroupId: int


class CreateGroup(Params):
    GroupName: Annotated[str, GROUP_NAME]
    Remark: Annotated[str, REMARK] = ""


class GetGroup(OnGroup):
    pass


class ListGroups(Params):
    Page: Annotated[int, PAGE_NUMBER] = 1
    Rp: Annotated[int, PAGE_SIZE] = 20
    Keyword: str = ""


class UpdateGroup(OnGroup):
    GroupName: Annotated[str, GROUP_NAME] | None = None
    Remark: Annotated[str, REMARK] | None = None


class DeleteGroup(OnGroup):
    pass


class GroupIdOfUidInfo(Params):
    GroupId: int
    Uid: Annotated[int, NUMBER] | None = None
    Uin: Annotated[int, NUMBER] | None = None


class OnMemberships(Params):
    Info: Annotated[list[GroupIdOfUidInfo], Most(_MOST_MEMBERSHIPS)]


class AddUserToGroup(OnMemberships):
    pass


class RemoveUserFromGroup(OnMemberships):
    pass


class ListUsersForGroup(OnGroup):
    Page: Annotated[int, PAGE_NUMBER] = 1
    Rp: Annotated[int, PAGE_SIZE] = 20


class ListGroupsForUser(Params):
    Uid: Annotated[int, NUMBER] | None = None
    Rp: Annotated[int, PAGE_SIZE] = 20
    Page: Annotated[int, PAGE_NUMBER] = 1
    SubUin: Annotated[int, NUMBER] | None = None


ACTIONS = (
    action(CreateGroup, output=("GroupId",), changes=True),
    action(
        GetGroup,
        output=("GroupId", "GroupName", "GroupNum", "Remark", "CreateTime", "UserInfo"),
        resources=BY_GROUP,
    ),
    action(ListGroups, output=("TotalNum", "GroupInfo")),
    action(UpdateGroup, resources=BY_GROUP, changes=True),
    action(DeleteGroup, resources=BY_GROUP, changes=True),
    action(AddUserToGroup, resources=_BY_MEMBERSHIP, changes=True),
    action(RemoveUserFromGroup, resources=_BY_MEMBERSHIP, changes=True),
    action(ListUsersForGroup, output=("TotalNum", "UserInfo"), resources=BY_GROUP),
    action(
        ListGroupsForUser, output=("TotalNum", "GroupInfo"), resources=("qcs::cam::uin/{owner}:uin/{SubUin}",)
    ),
)
