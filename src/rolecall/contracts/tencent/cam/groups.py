"""Actions of `cam` 2019-01-16 on groups of sub-users.

Parameters, types and requiredness are those of tencentcloud-sdk-python-cam 3.1.181 (``models.py``) and tccli 3.1.189
(``api.json``); a test compares them. In policies a group is ``qcs::cam::uin/<root>:groupid/<id>``.
"""

from __future__ import annotations

from rolecall.contracts.model import Field, ListOf, Shape
from rolecall.contracts.tencent.cam.rules import GROUP_NAME, NUMBER, PAGE_NUMBER, PAGE_SIZE, REMARK
from rolecall.contracts.tencent.cam.users import action, integer, text

_MOST_MEMBERSHIPS = 100  # ours: no more than a group may have

BY_GROUP = ("qcs::cam::uin/{owner}:groupid/{GroupId}",)
# Of members that are named by Uid alone the numbers are not known here: the domain asks for them.
_BY_MEMBERSHIP = (
    "qcs::cam::uin/{owner}:groupid/{Info.GroupId}",
    "?qcs::cam::uin/{owner}:uin/{Info.Uin}",
)

_GROUP = integer("GroupId", required=True)
_PAGE = integer("Page", default=1, rules=PAGE_NUMBER)
_ROWS = integer("Rp", default=20, rules=PAGE_SIZE)

MEMBERSHIP = Shape("GroupIdOfUidInfo", (_GROUP, integer("Uid", rules=NUMBER), integer("Uin", rules=NUMBER)))
_INFO = Field("Info", ListOf(MEMBERSHIP, _MOST_MEMBERSHIPS), required=True)

ACTIONS = (
    action(
        "CreateGroup",
        text("GroupName", required=True, rules=GROUP_NAME),
        text("Remark", default="", rules=REMARK),
        output=("GroupId",),
        changes=True,
    ),
    action(
        "GetGroup",
        _GROUP,
        output=("GroupId", "GroupName", "GroupNum", "Remark", "CreateTime", "UserInfo"),
        resources=BY_GROUP,
    ),
    action("ListGroups", _PAGE, _ROWS, text("Keyword", default=""), output=("TotalNum", "GroupInfo")),
    action(
        "UpdateGroup",
        _GROUP,
        text("GroupName", rules=GROUP_NAME),
        text("Remark", rules=REMARK),
        resources=BY_GROUP,
        changes=True,
    ),
    action("DeleteGroup", _GROUP, resources=BY_GROUP, changes=True),
    action("AddUserToGroup", _INFO, resources=_BY_MEMBERSHIP, changes=True),
    action("RemoveUserFromGroup", _INFO, resources=_BY_MEMBERSHIP, changes=True),
    action("ListUsersForGroup", _GROUP, _PAGE, _ROWS, output=("TotalNum", "UserInfo"), resources=BY_GROUP),
    action(
        "ListGroupsForUser",
        integer("Uid", rules=NUMBER),
        _ROWS,
        _PAGE,
        integer("SubUin", rules=NUMBER),
        output=("TotalNum", "GroupInfo"),
        resources=("qcs::cam::uin/{owner}:uin/{SubUin}",),
    ),
)
