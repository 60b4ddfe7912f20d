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
from rolecall.contracts.tencent.cam import groups as contract
from rolecall.contracts.tencent.cam.contract import CONTRACT
from rolecall.domain.iam import commands
from rolecall.domain.iam.commands import Membership, SubUserRef
from rolecall.domain.policy.requests import PolicyRequest
from rolecall.values import Checked
from rolecall.verbs import Decipher, Verb, Verbs, nothing
from rolecall.verbs.cam import answers


def window(page: int, rows: int) -> tuple[int, int]:
    """Offset and limit of a page; pages are counted from 1."""
    return (page - 1) * rows, rows


def _create(checked: Checked[contract.CreateGroup], _: Decipher) -> commands.AddGroup:
    return commands.AddGroup(checked.params.GroupName, checked.params.Remark)


def _get(checked: Checked[contract.GetGroup], _: Decipher) -> commands.ShowGroup:
    return commands.ShowGroup(checked.params.GroupId)


def _list(checked: Checked[contract.ListGroups], _: Decipher) -> commands.PageGroups:
    return commands.PageGroups(*window(checked.params.Page, checked.params.Rp), checked.params.Keyword)


def _update(checked: Checked[contract.UpdateGroup], _: Decipher) -> commands.ChangeGroup:
    params = checked.params
    return commands.ChangeGroup(checked.params.GroupId, params.GroupName, params.Remark)


def _delete(checked: Checked[contract.DeleteGroup], _: Decipher) -> commands.DeleteGroup:
    return commands.DeleteGroup(checked.params.GroupId)


def _memberships(checked: Checked[contract.OnMemberships]) -> tuple[Membership, ...]:
    return tuple(Membership(entry.GroupId, SubUserRef(entry.Uin, entry.Uid)) for entry in checked.params.Info)


def _unnumbered(checked: Checked[object]) -> PolicyRequest:
    place = f"qcs::cam::uin/{checked.caller.owner_number}:uin/"
    ask = policy_request(checked, CONTRACT, CONTRACT.actions[checked.call.action])
    return replace(ask, resources=(place,))


def _join(checked: Checked[contract.AddUserToGroup], _: Decipher) -> commands.JoinGroups:
    return commands.JoinGroups(_memberships(checked), _unnumbered(checked))


def _leave(checked: Checked[contract.RemoveUserFromGroup], _: Decipher) -> commands.LeaveGroups:
    return commands.LeaveGroups(_memberships(checked), _unnumbered(checked))


def _members(checked: Checked[contract.ListUsersForGroup], _: Decipher) -> commands.PageMembers:
    return commands.PageMembers(checked.params.GroupId, *window(checked.params.Page, checked.params.Rp))


def _groups_of(checked: Checked[contract.ListGroupsForUser], _: Decipher) -> commands.PageGroupsOf:
    params = checked.params
    who = SubUserRef(params.SubUin, params.Uid)
    return commands.PageGroupsOf(who, *window(params.Page, params.Rp))


VERBS: Verbs = {
    "CreateGroup": Verb(contract.CreateGroup, _create, answers.group_created),
    "GetGroup": Verb(contract.GetGroup, _get, answers.group),
    "ListGroups": Verb(contract.ListGroups, _list, answers.groups),
    "UpdateGroup": Verb(contract.UpdateGroup, _update, nothing),
    "DeleteGroup": Verb(contract.DeleteGroup, _delete, nothing),
    "AddUserToGroup": Verb(contract.AddUserToGroup, _join, nothing),
    "RemoveUserFromGroup": Verb(contract.RemoveUserFromGroup, _leave, nothing),
    "ListUsersForGroup": Verb(contract.ListUsersForGroup, _members, answers.members),
    "ListGroupsForUser": Verb(contract.ListGroupsForUser, _groups_of, answers.groups),
}
