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
from rolecall.verbs import Verbs, call_verb, nothing, verb, verbs_of
from rolecall.verbs.cam import answers


def window(page: int, rows: int) -> tuple[int, int]:
    """Offset and limit of a page; pages are counted from 1."""
    return (page - 1) * rows, rows


def _create(params: contract.CreateGroup) -> commands.AddGroup:
    return commands.AddGroup(params.GroupName, params.Remark)


def _list(params: contract.ListGroups) -> commands.PageGroups:
    return commands.PageGroups(*window(params.Page, params.Rp), params.Keyword)


def _update(params: contract.UpdateGroup) -> commands.ChangeGroup:
    return commands.ChangeGroup(params.GroupId, params.GroupName, params.Remark)


def _memberships(params: contract.OnMemberships) -> tuple[Membership, ...]:
    return tuple(Membership(entry.GroupId, SubUserRef(entry.Uin, entry.Uid)) for entry in params.Info)


def _unnumbered(checked: Checked[object]) -> PolicyRequest:
    place = f"qcs::cam::uin/{checked.caller.owner_number}:uin/"
    ask = policy_request(checked, CONTRACT, CONTRACT.actions[checked.call.action])
    return replace(ask, resources=(place,))


def _join(checked: Checked[contract.AddUserToGroup]) -> commands.JoinGroups:
    return commands.JoinGroups(_memberships(checked.params), _unnumbered(checked))


def _leave(checked: Checked[contract.RemoveUserFromGroup]) -> commands.LeaveGroups:
    return commands.LeaveGroups(_memberships(checked.params), _unnumbered(checked))


def _members(params: contract.ListUsersForGroup) -> commands.PageMembers:
    return commands.PageMembers(params.GroupId, *window(params.Page, params.Rp))


def _groups_of(params: contract.ListGroupsForUser) -> commands.PageGroupsOf:
    who = SubUserRef(params.SubUin, params.Uid)
    return commands.PageGroupsOf(who, *window(params.Page, params.Rp))


VERBS: Verbs = verbs_of(
    verb(contract.CreateGroup, _create, answers.group_created),
    verb(contract.GetGroup, lambda params: commands.ShowGroup(params.GroupId), answers.group),
    verb(contract.ListGroups, _list, answers.groups),
    verb(contract.UpdateGroup, _update, nothing),
    verb(contract.DeleteGroup, lambda params: commands.DeleteGroup(params.GroupId), nothing),
    call_verb(contract.AddUserToGroup, _join, nothing),
    call_verb(contract.RemoveUserFromGroup, _leave, nothing),
    verb(contract.ListUsersForGroup, _members, answers.members),
    verb(contract.ListGroupsForUser, _groups_of, answers.groups),
)
