"""Groups of `cam` 2019-01-16 (contract: `rolecall.contracts.tencent.cam.groups`).

| action | command | answer |
|---|---|---|
| CreateGroup | AddGroup | GroupId |
| GetGroup | ShowGroup | the group and its members |
| ListGroups, ListGroupsForUser | PageGroups, PageGroupsOf | TotalNum, GroupInfo |
| UpdateGroup, DeleteGroup | ChangeGroup, DeleteGroup | - |
| AddUserToGroup, RemoveUserFromGroup | JoinGroups, LeaveGroups | - |
| ListUsersForGroup | PageMembers | TotalNum, UserInfo |
"""

from __future__ import annotations

from dataclasses import replace

from rolecall.contracts.permission import policy_request
from rolecall.contracts.tencent.cam.contract import CONTRACT
from rolecall.domain.iam import commands
from rolecall.domain.iam.commands import Membership, SubUserRef
from rolecall.domain.policy.requests import PolicyRequest
from rolecall.verbs import Decipher, Verbs, nothing
from rolecall.verbs.cam import answers
from rolecall.verbs.cam.users import maybe_number, maybe_text
from rolecall.verbs.params import Checked, Params, loose, number, structures, text


def window(params: Params) -> tuple[int, int]:
    """Offset and limit of a page: Page counts from 1, Rp are the rows of one."""
    limit = number(params, "Rp")
    return (number(params, "Page") - 1) * limit, limit


def _group(checked: Checked) -> int:
    return number(checked.params, "GroupId")


def _create(checked: Checked, _: Decipher) -> commands.AddGroup:
    return commands.AddGroup(text(checked.params, "GroupName"), text(checked.params, "Remark"))


def _get(checked: Checked, _: Decipher) -> commands.ShowGroup:
    return commands.ShowGroup(_group(checked))


def _list(checked: Checked, _: Decipher) -> commands.PageGroups:
    return commands.PageGroups(*window(checked.params), text(checked.params, "Keyword"))


def _update(checked: Checked, _: Decipher) -> commands.ChangeGroup:
    params = checked.params
    return commands.ChangeGroup(
        _group(checked), maybe_text(params, "GroupName"), maybe_text(params, "Remark")
    )


def _delete(checked: Checked, _: Decipher) -> commands.DeleteGroup:
    return commands.DeleteGroup(_group(checked))


def _memberships(checked: Checked) -> tuple[Membership, ...]:
    return tuple(
        Membership(
            number(entry, "GroupId"), SubUserRef(maybe_number(entry, "Uin"), maybe_number(entry, "Uid"))
        )
        for entry in structures(checked.params, "Info")
    )


def _unnumbered(checked: Checked) -> PolicyRequest:
    place = f"qcs::cam::uin/{checked.caller.owner_number}:uin/"
    ask = policy_request(checked, CONTRACT, CONTRACT.actions[checked.call.action])
    return replace(ask, resources=(place,))


def _join(checked: Checked, _: Decipher) -> commands.JoinGroups:
    return commands.JoinGroups(_memberships(checked), _unnumbered(checked))


def _leave(checked: Checked, _: Decipher) -> commands.LeaveGroups:
    return commands.LeaveGroups(_memberships(checked), _unnumbered(checked))


def _members(checked: Checked, _: Decipher) -> commands.PageMembers:
    return commands.PageMembers(_group(checked), *window(checked.params))


def _groups_of(checked: Checked, _: Decipher) -> commands.PageGroupsOf:
    params = checked.params
    who = SubUserRef(maybe_number(params, "SubUin"), maybe_number(params, "Uid"))
    return commands.PageGroupsOf(who, *window(params))


VERBS: Verbs = {
    "CreateGroup": loose(_create, answers.group_created),
    "GetGroup": loose(_get, answers.group),
    "ListGroups": loose(_list, answers.groups),
    "UpdateGroup": loose(_update, nothing),
    "DeleteGroup": loose(_delete, nothing),
    "AddUserToGroup": loose(_join, nothing),
    "RemoveUserFromGroup": loose(_leave, nothing),
    "ListUsersForGroup": loose(_members, answers.members),
    "ListGroupsForUser": loose(_groups_of, answers.groups),
}
