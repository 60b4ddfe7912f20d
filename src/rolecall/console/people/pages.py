"""The lists of sub-users, groups, policies and roles, and the pages of one of each."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from rolecall.console import pages
from rolecall.console.actions import ActionRefused, Actions
from rolecall.console.people.addresses import (
    GROUP,
    GROUPS,
    POLICIES,
    POLICY,
    ROLES,
    SECTION,
    TABS,
    USER,
    USERS,
    cam,
    listed,
    number,
)
from rolecall.console.people.documents import indented
from rolecall.console.visits import Page, Visit
from rolecall.values import Reply

_SHOWN = 50
_MOST = 100
"""Memberships and attachments that one page shows."""


class PeoplePages:
    def __init__(self, actions: Actions) -> None:
        self._actions = actions
        self.pages = (
            Page(USERS, self._users),
            Page(USER, self._user),
            Page(GROUPS, self._groups),
            Page(GROUP, self._group),
            Page(POLICIES, self._policies),
            Page(POLICY, self._policy),
            Page(ROLES, self._roles),
        )

    async def _users(self, visit: Visit) -> Reply:
        answer = await self._actions.try_call(visit, cam("ListUsers"), {})
        wanted = visit.query["name"].strip().lower()
        found = [user for user in listed(answer, "Data") if wanted in str(user["Name"]).lower()]
        offset = pages.offset(visit)
        return self._page(
            visit,
            "people.html",
            answer,
            tab="sub_users",
            users=found[offset : offset + _SHOWN],
            may_create=await self._actions.permits(visit, cam("AddUser")),
            pager=pages.Pager(visit, offset, _SHOWN, len(found)),
        )

    async def _user(self, visit: Visit) -> Reply:
        name = visit.path["user"]
        answer = await self._actions.try_call(visit, cam("GetUser"), {"Name": name})
        if isinstance(answer, ActionRefused):
            return self._refused(visit, answer)
        uin = answer["Uin"]
        every = {"Page": 1, "Rp": _MOST}
        keys, groups, policies, all_groups, all_policies = await asyncio.gather(
            self._actions.try_call(visit, cam("ListAccessKeys"), {"TargetUin": uin}),
            self._actions.try_call(visit, cam("ListGroupsForUser"), {"SubUin": uin, **every}),
            self._actions.try_call(
                visit, cam("ListAttachedUserAllPolicies"), {"TargetUin": uin, "AttachType": 0, **every}
            ),
            self._actions.try_call(visit, cam("ListGroups"), every),
            self._actions.try_call(visit, cam("ListPolicies"), every),
        )
        held = [str(key["AccessKeyId"]) for key in listed(keys, "AccessKeys")]
        uses = await self._actions.try_call(visit, cam("GetSecurityLastUsed"), {"SecretIdList": held[:10]})
        permits = self._actions.permits
        return self._page(
            visit,
            "sub_user.html",
            answer,
            user=answer,
            keys=listed(keys, "AccessKeys"),
            used={row["SecretId"]: row["LastUsedDate"] for row in listed(uses, "SecretIdLastUsedRows")},
            groups=listed(groups, "GroupInfo"),
            policies=listed(policies, "PolicyList"),
            all_groups=listed(all_groups, "GroupInfo"),
            all_policies=listed(all_policies, "List"),
            may={
                "edit": await permits(visit, cam("UpdateUser"), {"Name": name}),
                "delete": await permits(visit, cam("DeleteUser"), {"Name": name}),
                "keys": await permits(visit, cam("CreateAccessKey"), {"TargetUin": uin}),
                "groups": await permits(visit, cam("AddUserToGroup")),
                "policies": await permits(visit, cam("AttachUserPolicy"), {"AttachUin": uin}),
            },
        )

    async def _groups(self, visit: Visit) -> Reply:
        offset = pages.offset(visit)
        params = {"Page": offset // _SHOWN + 1, "Rp": _SHOWN, "Keyword": visit.query["name"].strip()}
        answer = await self._actions.try_call(visit, cam("ListGroups"), params)
        return self._page(
            visit,
            "groups.html",
            answer,
            tab="groups",
            groups=listed(answer, "GroupInfo"),
            may_create=await self._actions.permits(visit, cam("CreateGroup")),
            pager=pages.Pager(visit, offset, _SHOWN, _total(answer)),
        )

    async def _group(self, visit: Visit) -> Reply:
        group = number(visit.path["group"])
        answer = await self._actions.try_call(visit, cam("GetGroup"), {"GroupId": group})
        if isinstance(answer, ActionRefused):
            return self._refused(visit, answer)
        every = {"Page": 1, "Rp": _MOST}
        members, policies, all_policies = await asyncio.gather(
            self._actions.try_call(visit, cam("ListUsersForGroup"), {"GroupId": group, **every}),
            self._actions.try_call(
                visit, cam("ListAttachedGroupPolicies"), {"TargetGroupId": group, **every}
            ),
            self._actions.try_call(visit, cam("ListPolicies"), every),
        )
        permits = self._actions.permits
        return self._page(
            visit,
            "group.html",
            answer,
            group=answer,
            members=listed(members, "UserInfo"),
            policies=listed(policies, "List"),
            all_policies=listed(all_policies, "List"),
            may={
                "edit": await permits(visit, cam("UpdateGroup"), {"GroupId": group}),
                "delete": await permits(visit, cam("DeleteGroup"), {"GroupId": group}),
                "policies": await permits(visit, cam("AttachGroupPolicy"), {"AttachGroupId": group}),
            },
        )

    async def _policies(self, visit: Visit) -> Reply:
        offset = pages.offset(visit)
        params = {"Page": offset // _SHOWN + 1, "Rp": _SHOWN, "Keyword": visit.query["name"].strip()}
        answer = await self._actions.try_call(visit, cam("ListPolicies"), params)
        return self._page(
            visit,
            "policies.html",
            answer,
            tab="policies",
            policies=listed(answer, "List"),
            may_create=await self._actions.permits(visit, cam("CreatePolicy")),
            pager=pages.Pager(visit, offset, _SHOWN, _total(answer)),
        )

    async def _policy(self, visit: Visit) -> Reply:
        policy = number(visit.path["policy"])
        answer = await self._actions.try_call(visit, cam("GetPolicy"), {"PolicyId": policy})
        if isinstance(answer, ActionRefused):
            return self._refused(visit, answer)
        params = {"PolicyId": policy, "Page": 1, "Rp": _MOST}
        bearers = await self._actions.try_call(visit, cam("ListEntitiesForPolicy"), params)
        own = answer["Type"] == 1
        permits = self._actions.permits
        return self._page(
            visit,
            "policy.html",
            answer,
            policy=answer,
            policy_id=policy,
            document=indented(str(answer["PolicyDocument"])),
            bearers=listed(bearers, "List"),
            own=own,
            may={
                "edit": own and await permits(visit, cam("UpdatePolicy"), {"PolicyId": policy}),
                "delete": own and await permits(visit, cam("DeletePolicy"), {"PolicyId": [policy]}),
            },
        )

    async def _roles(self, visit: Visit) -> Reply:
        offset = pages.offset(visit)
        params = {"Page": offset // _SHOWN + 1, "Rp": _SHOWN}
        answer = await self._actions.try_call(visit, cam("DescribeRoleList"), params)
        return self._page(
            visit,
            "roles.html",
            answer,
            tab="roles",
            roles=[(role, indented(str(role.get("PolicyDocument", "")))) for role in listed(answer, "List")],
            pager=pages.Pager(visit, offset, _SHOWN, _total(answer)),
        )

    def _page(
        self,
        visit: Visit,
        template: str,
        answer: Mapping[str, object] | ActionRefused,
        *,
        tab: str = "",
        **values: Any,
    ) -> Reply:
        """A part that the visitor may not see says so."""
        refused = answer if isinstance(answer, ActionRefused) else None
        return pages.page(visit, template, section=SECTION, tab=tab, tabs=TABS, refused=refused, **values)

    def _refused(self, visit: Visit, refused: ActionRefused) -> Reply:
        status = 403 if "Unauthorized" in refused.code else 404
        return pages.page(
            visit, "error.html", section=SECTION, status=status, message=refused.message or refused.code
        )


def _total(answer: Mapping[str, object] | ActionRefused) -> int:
    total = 0 if isinstance(answer, ActionRefused) else answer.get("TotalNum", 0)
    return total if isinstance(total, int) else 0
