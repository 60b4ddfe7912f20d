"""Tags: keys and values that an owner puts on resources of any service; and projects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from rolecall.domain.iam import tag_commands as commands
from rolecall.domain.iam.tag_commands import KnownPair, Pair, Project, Tag, Tagged, TagPlace
from rolecall.domain.messages import Handlers, Page
from rolecall.domain.operations.model import Change
from rolecall.domain.operations.records import Record
from rolecall.domain.reasons import Reason, Refused
from rolecall.values import Origin


@dataclass(frozen=True, slots=True)
class TagQuotas:
    """At most so many tags of a resource, keys of an owner, values of a key, projects of an owner."""

    tags: int = 50
    keys: int = 1000
    values: int = 1000
    projects: int = 1000


def role_tags(role_id: int) -> TagPlace:
    """Where a role's tags are kept."""
    return TagPlace("cam", "role", str(role_id))


def policy_tags(policy_id: int) -> TagPlace:
    """Where a policy's tags are kept."""
    return TagPlace("cam", "policy", str(policy_id))


class TagRepository(Protocol):
    """Where tags are kept. What changes something writes its record too, or neither."""

    async def tags(self, owner_id: int, command: commands.PageTags) -> Page[Tag]: ...
    async def tagged(self, owner_id: int, command: commands.PageTagged) -> Page[Tagged]: ...
    async def change_tags(
        self, owner_id: int, command: commands.ChangeTags, quotas: TagQuotas, records: Sequence[Record]
    ) -> None:
        """The refusals of `ChangeTags`."""

    async def create_pairs(
        self, owner_id: int, pairs: Sequence[Pair], quotas: TagQuotas, record: Record
    ) -> None:
        """TAG_TAKEN, TAG_KEY_QUOTA, TAG_VALUE_QUOTA."""

    async def delete_pairs(self, owner_id: int, pairs: Sequence[Pair], record: Record) -> None:
        """TAG_MISSING, TAG_IN_USE."""

    async def pairs(self, owner_id: int, command: commands.PagePairs) -> Page[KnownPair]: ...
    async def keys(self, owner_id: int, command: commands.PageKeys) -> Page[str]: ...


class ProjectRepository(Protocol):
    """Where projects are kept. What changes something writes its record too, or neither."""

    async def create_project(
        self, owner_id: int, command: commands.CreateProject, quota: int, record: Record
    ) -> int:
        """PROJECT_TAKEN, PROJECT_QUOTA."""

    async def change_project(self, owner_id: int, command: commands.ChangeProject, record: Record) -> None:
        """PROJECT_MISSING, PROJECT_TAKEN."""

    async def projects(self, owner_id: int, command: commands.PageProjects) -> Page[Project]: ...


class Tags:
    def __init__(self, repository: TagRepository, quotas: TagQuotas | None = None) -> None:
        self._repository = repository
        self._quotas = quotas or TagQuotas()
        self.handlers: Handlers = (
            commands.PageTags.handled_by(self.page),
            commands.PageTagged.handled_by(self.page_tagged),
            commands.ChangeTags.handled_by(self.change),
            commands.CreatePairs.handled_by(self.create),
            commands.DeletePairs.handled_by(self.delete),
            commands.PagePairs.handled_by(self.page_pairs),
            commands.PageKeys.handled_by(self.page_keys),
        )

    async def page(self, command: commands.PageTags, origin: Origin) -> Page[Tag]:
        return await self._repository.tags(origin.caller.owner_id, command)

    async def page_tagged(self, command: commands.PageTagged, origin: Origin) -> Page[Tagged]:
        return await self._repository.tagged(origin.caller.owner_id, command)

    async def change(
        self, command: commands.ChangeTags, origin: Origin
    ) -> tuple[tuple[TagPlace, Reason], ...]:
        if not command.apart:
            await self._change(command.places, command, origin)
            return ()
        failed = []
        for place in command.places:
            try:
                await self._change((place,), command, origin)
            except Refused as refusal:
                failed.append((place, refusal.reason))
        return tuple(failed)

    async def _change(
        self, places: tuple[TagPlace, ...], command: commands.ChangeTags, origin: Origin
    ) -> None:
        detail = {"replaced": [key for key, _ in command.put], "deleted": list(command.take)}
        records = [
            Record(Change.TAGS, f"{place.service}:{place.prefix}/{place.resource}", origin, detail)
            for place in places
        ]
        change = commands.ChangeTags(places, command.put, command.take, command.mode, command.strict)
        await self._repository.change_tags(origin.caller.owner_id, change, self._quotas, records)

    async def create(self, command: commands.CreatePairs, origin: Origin) -> None:
        record = _of_pairs("created", command.pairs, origin)
        await self._repository.create_pairs(origin.caller.owner_id, command.pairs, self._quotas, record)

    async def delete(self, command: commands.DeletePairs, origin: Origin) -> None:
        record = _of_pairs("deleted", command.pairs, origin)
        await self._repository.delete_pairs(origin.caller.owner_id, command.pairs, record)

    async def page_pairs(self, command: commands.PagePairs, origin: Origin) -> Page[KnownPair]:
        return await self._repository.pairs(origin.caller.owner_id, command)

    async def page_keys(self, command: commands.PageKeys, origin: Origin) -> Page[str]:
        return await self._repository.keys(origin.caller.owner_id, command)


class Projects:
    def __init__(self, repository: ProjectRepository, quotas: TagQuotas | None = None) -> None:
        self._repository = repository
        self._quotas = quotas or TagQuotas()
        self.handlers: Handlers = (
            commands.CreateProject.handled_by(self.create),
            commands.ChangeProject.handled_by(self.change),
            commands.PageProjects.handled_by(self.page),
        )

    async def create(self, command: commands.CreateProject, origin: Origin) -> int:
        record = Record(Change.PROJECT_CREATE, command.name, origin)
        return await self._repository.create_project(
            origin.caller.owner_id, command, self._quotas.projects, record
        )

    async def change(self, command: commands.ChangeProject, origin: Origin) -> None:
        record = Record(Change.PROJECT_UPDATE, str(command.id), origin)
        await self._repository.change_project(origin.caller.owner_id, command, record)

    async def page(self, command: commands.PageProjects, origin: Origin) -> Page[Project]:
        return await self._repository.projects(origin.caller.owner_id, command)


def _of_pairs(what: str, pairs: Sequence[Pair], origin: Origin) -> Record:
    named = [f"{key}={value}" for key, value in pairs]
    return Record(Change.TAGS, ", ".join(named)[:200], origin, {what: named})
