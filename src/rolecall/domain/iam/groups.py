"""Groups of sub-users."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from rolecall.domain.iam import commands
from rolecall.domain.iam.commands import SubUserRef
from rolecall.domain.iam.model import SubUser
from rolecall.domain.iam.views import Group, GroupView
from rolecall.domain.messages import Handlers, Page
from rolecall.domain.operations.model import Change
from rolecall.domain.operations.records import Record
from rolecall.domain.policy.requests import Permissions
from rolecall.domain.reasons import Reason, Refused
from rolecall.values import Origin

_MEMBERS_SHOWN = 1000


@dataclass(frozen=True, slots=True)
class GroupQuotas:
    """Groups of an owner, sub-users in a group, groups that a sub-user is in."""

    groups: int = 300
    members: int = 100
    memberships: int = 10


class GroupRepository(Protocol):
    """A change and its record are written together."""

    async def group(self, owner_id: int, group_id: int) -> Group | None: ...
    async def groups(self, owner_id: int, contains: str, offset: int, limit: int) -> Page[Group]: ...
    async def groups_of(self, number: int, offset: int, limit: int) -> Page[Group]: ...
    async def members(self, group_id: int, offset: int, limit: int) -> Page[SubUser]: ...
    async def found(self, owner_id: int, refs: Sequence[SubUserRef]) -> Sequence[SubUser | None]:
        """For each of them, in their order."""

    async def add_group(self, owner_id: int, name: str, remark: str, most: int, record: Record) -> int:
        """Its id. GROUP_TAKEN, GROUP_QUOTA."""

    async def change_group(
        self, owner_id: int, group_id: int, name: str | None, remark: str | None, record: Record
    ) -> None:
        """GROUP_MISSING, GROUP_TAKEN."""

    async def delete_group(self, owner_id: int, group_id: int, record: Record) -> None:
        """GROUP_MISSING."""

    async def join(
        self, owner_id: int, pairs: Sequence[tuple[int, int]], quotas: GroupQuotas, records: Sequence[Record]
    ) -> None:
        """Pairs of a group's id and a sub-user's number, each once, with a record for each. GROUP_MISSING,
        SUB_USER_MISSING, GROUP_FULL, MEMBERSHIP_QUOTA."""

    async def leave(self, owner_id: int, pairs: Sequence[tuple[int, int]], records: Sequence[Record]) -> None:
        """GROUP_MISSING."""


class Groups:
    def __init__(
        self, repository: GroupRepository, permissions: Permissions, quotas: GroupQuotas | None = None
    ) -> None:
        self._repository = repository
        self._permissions = permissions
        self._quotas = quotas or GroupQuotas()
        self.handlers: Handlers = (
            commands.AddGroup.handled_by(self.add),
            commands.ShowGroup.handled_by(self.show),
            commands.PageGroups.handled_by(self.page),
            commands.ChangeGroup.handled_by(self.change),
            commands.DeleteGroup.handled_by(self.delete),
            commands.JoinGroups.handled_by(self.join),
            commands.LeaveGroups.handled_by(self.leave),
            commands.PageMembers.handled_by(self.members),
            commands.PageGroupsOf.handled_by(self.groups_of),
            commands.FindSubUser.handled_by(self.find),
        )

    async def add(self, command: commands.AddGroup, origin: Origin) -> int:
        record = Record(Change.GROUP_CREATE, command.name, origin)
        return await self._repository.add_group(
            origin.caller.owner_id, command.name, command.remark, self._quotas.groups, record
        )

    async def show(self, command: commands.ShowGroup, origin: Origin) -> GroupView:
        group = await self._existing(origin, command.group)
        members = await self._repository.members(group.id, 0, _MEMBERS_SHOWN)
        return GroupView(group, members.items)

    async def page(self, command: commands.PageGroups, origin: Origin) -> Page[Group]:
        return await self._repository.groups(
            origin.caller.owner_id, command.name_contains, command.offset, command.limit
        )

    async def change(self, command: commands.ChangeGroup, origin: Origin) -> None:
        record = Record(Change.GROUP_UPDATE, str(command.group), origin)
        await self._repository.change_group(
            origin.caller.owner_id, command.group, command.name, command.remark, record
        )

    async def delete(self, command: commands.DeleteGroup, origin: Origin) -> None:
        record = Record(Change.GROUP_DELETE, str(command.group), origin)
        await self._repository.delete_group(origin.caller.owner_id, command.group, record)

    async def join(self, command: commands.JoinGroups, origin: Origin) -> None:
        if not (pairs := await self._pairs(command, origin)):
            return
        records = [_membership(Change.GROUP_JOIN, pair, origin) for pair in pairs]
        await self._repository.join(origin.caller.owner_id, pairs, self._quotas, records)

    async def leave(self, command: commands.LeaveGroups, origin: Origin) -> None:
        if not (pairs := await self._pairs(command, origin)):
            return
        records = [_membership(Change.GROUP_LEAVE, pair, origin) for pair in pairs]
        await self._repository.leave(origin.caller.owner_id, pairs, records)

    async def members(self, command: commands.PageMembers, origin: Origin) -> Page[SubUser]:
        group = await self._existing(origin, command.group)
        return await self._repository.members(group.id, command.offset, command.limit)

    async def groups_of(self, command: commands.PageGroupsOf, origin: Origin) -> Page[Group]:
        (user,) = await self._found((command.sub_user,), origin)
        return await self._repository.groups_of(user.number, command.offset, command.limit)

    async def find(self, command: commands.FindSubUser, origin: Origin) -> SubUser:
        (user,) = await self._found((command.ref,), origin)
        return user

    async def _pairs(
        self, command: commands.JoinGroups | commands.LeaveGroups, origin: Origin
    ) -> list[tuple[int, int]]:
        """Each once, in the order asked. NOT_PERMITTED for members that were not named by their numbers."""
        users = await self._found([each.sub_user for each in command.memberships], origin)
        found = [(each, user.number) for each, user in zip(command.memberships, users, strict=True)]
        numbers = dict.fromkeys(number for each, number in found if each.sub_user.number is None)
        if numbers and command.unnumbered is not None:
            resources = (f"{prefix}{number}" for prefix in command.unnumbered.resources for number in numbers)
            ask = replace(command.unnumbered, resources=tuple(resources))
            await self._permissions.permit(origin.caller, ask)
        return list(dict.fromkeys((each.group, number) for each, number in found))

    async def _found(self, refs: Sequence[SubUserRef], origin: Origin) -> Sequence[SubUser]:
        """SUB_USER_UNNAMED, SUB_USER_MISSING."""
        if SubUserRef() in refs:
            raise Refused(Reason.SUB_USER_UNNAMED)
        found = await self._repository.found(origin.caller.owner_id, refs)
        for ref, user in zip(refs, found, strict=True):
            if user is None:
                named = ref.id if ref.number is None else ref.number
                raise Refused(Reason.SUB_USER_MISSING, facts={"value": named})
        return [user for user in found if user is not None]

    async def _existing(self, origin: Origin, group_id: int) -> Group:
        group = await self._repository.group(origin.caller.owner_id, group_id)
        if group is None:
            raise Refused(Reason.GROUP_MISSING, facts={"value": group_id})
        return group


def _membership(change: Change, pair: tuple[int, int], origin: Origin) -> Record:
    group, number = pair
    return Record(change, str(group), origin, {"sub_user": number})
