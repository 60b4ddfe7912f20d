"""Policies: written, changed and deleted; attached to sub-users, groups and roles, and taken from them.

A document is parsed before it is kept, so that what is kept can be evaluated. Presets can be attached and shown, not
changed. Each change has its record.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeVar

from rolecall.domain.iam import policy_commands as commands
from rolecall.domain.iam.policy_commands import (
    Attached,
    Bearer,
    BearerRef,
    BearerView,
    PolicyContent,
    PolicyRef,
    PolicyView,
)
from rolecall.domain.messages import Handlers, Page
from rolecall.domain.operations.model import Change
from rolecall.domain.operations.records import Record
from rolecall.domain.policy.language import accept, parse_policy
from rolecall.domain.policy.model import Policy
from rolecall.domain.policy.presets import Presets
from rolecall.domain.reasons import Reason, Refused
from rolecall.values import Caller, Origin

Item = TypeVar("Item")

MISSING: Mapping[Bearer, Reason] = {
    Bearer.SUB_USER: Reason.SUB_USER_MISSING,
    Bearer.GROUP: Reason.GROUP_MISSING,
    Bearer.ROLE: Reason.ROLE_MISSING,
}


@dataclass(frozen=True, slots=True)
class PolicyQuotas:
    """Policies of an owner, and policies attached to one bearer."""

    policies: int = 1500
    attached: int = 200


@dataclass(frozen=True, slots=True)
class PolicyDraft:
    """A policy to write; in a change, None keeps the present value."""

    name: str | None = None
    description: str | None = None
    document: str | None = None
    alias: str | None = None
    tags: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Attachment:
    """As it is kept: `policy` is None for a preset."""

    policy_id: int
    policy: Policy | None
    attached_at: datetime
    attached_by: int
    groups: tuple[tuple[int, str], ...] = ()


class PolicyRepository(Protocol):
    """Owners' policies, and all attachments. A change and its record are written together."""

    async def policy(self, owner_id: int, ref: PolicyRef) -> Policy | None: ...
    async def policies_with_ids(self, owner_id: int, ids: Sequence[int]) -> Mapping[int, Policy]: ...
    async def policies(self, owner_id: int) -> Sequence[Policy]:
        """The newest first."""

    async def counts(self, owner_id: int) -> Mapping[int, tuple[int, int]]:
        """By policy: how many bearers it has, and how many of these are sub-users."""

    async def add_policy(self, owner_id: int, draft: PolicyDraft, quota: int, record: Record) -> int:
        """POLICY_TAKEN, POLICY_QUOTA."""

    async def change_policy(
        self,
        owner_id: int,
        policy_id: int,
        draft: PolicyDraft,
        expected: PolicyContent | None,
        record: Record,
    ) -> None:
        """POLICY_MISSING, POLICY_TAKEN; ENGINE_BUSY if it is not as expected."""

    async def delete_policies(self, owner_id: int, policies: Mapping[int, Record]) -> None:
        """All or none. POLICY_MISSING."""

    async def bearer(self, owner_id: int, ref: BearerRef) -> int | None:
        """The bearer's number or id, if it is there."""

    async def policy_and_bearer(
        self, owner_id: int, ref: PolicyRef, bearer: BearerRef
    ) -> tuple[Policy | None, int | None]:
        """As `policy` and `bearer`."""

    async def attach(
        self, owner_id: int, policy_id: int, bearer: BearerRef, quota: int, record: Record
    ) -> None:
        """ATTACHMENT_QUOTA; SUB_USER_MISSING, GROUP_MISSING or ROLE_MISSING of a bearer that was just deleted."""

    async def detach(self, owner_id: int, policy_id: int, bearer: BearerRef, record: Record) -> None: ...
    async def attached(
        self, owner_id: int, bearer: BearerRef, *, direct: bool, by_group: bool
    ) -> Sequence[Attachment]: ...
    async def bearers(
        self, owner_id: int, policy_id: int, kinds: Collection[Bearer]
    ) -> Sequence[BearerView]: ...


class Policies:
    def __init__(self, repository: PolicyRepository, presets: Presets, quotas: PolicyQuotas) -> None:
        self._repository = repository
        self._presets = presets
        self._quotas = quotas
        self.handlers: Handlers = (
            commands.CreatePolicy.handled_by(self.create),
            commands.ShowPolicy.handled_by(self.show),
            commands.PagePolicies.handled_by(self.page),
            commands.ChangePolicy.handled_by(self.change),
            commands.DeletePolicies.handled_by(self.delete),
            commands.AttachPolicy.handled_by(self.attach),
            commands.DetachPolicy.handled_by(self.detach),
            commands.PageAttached.handled_by(self.page_attached),
            commands.PageBearers.handled_by(self.page_bearers),
        )

    async def create(self, command: commands.CreatePolicy, origin: Origin) -> int:
        accept(parse_policy(command.document))
        if self._presets.by_name(command.name) is not None:
            raise Refused(Reason.POLICY_TAKEN, facts={"value": command.name})
        draft = PolicyDraft(command.name, command.description, command.document, tags=command.tags)
        record = Record(Change.POLICY_CREATE, command.name, origin)
        return await self._repository.add_policy(origin.caller.owner_id, draft, self._quotas.policies, record)

    async def show(self, command: commands.ShowPolicy, origin: Origin) -> Policy:
        return await self._existing(origin.caller, command.policy)

    async def page(self, command: commands.PagePolicies, origin: Origin) -> Page[PolicyView]:
        owner_id = origin.caller.owner_id
        own = () if command.preset else await self._repository.policies(owner_id)
        presets = () if command.preset is False else self._presets.all
        found = [policy for policy in (*own, *presets) if _named(policy, command.name_contains)]
        # Terraform's provider looks a policy up by its name and reads the first of the answer.
        found.sort(key=lambda policy: policy.name != command.name_contains)
        counts = await self._repository.counts(owner_id)
        views = [PolicyView(policy, *counts.get(policy.id, (0, 0))) for policy in found]
        return _page(views, command.offset, command.limit)

    async def change(self, command: commands.ChangePolicy, origin: Origin) -> int:
        if command.document is not None:
            accept(parse_policy(command.document))
        policy = _own(await self._existing(origin.caller, command.policy), command.policy)
        name = None if command.name == policy.name else command.name
        if name is not None and self._presets.by_name(name) is not None:
            raise Refused(Reason.POLICY_TAKEN, facts={"value": name})
        draft = PolicyDraft(name, command.description, command.document, command.alias)
        detail = {"policy": policy.id, "document": command.document is not None}
        record = Record(Change.POLICY_UPDATE, name or policy.name, origin, detail)
        owner_id, expected = origin.caller.owner_id, command.expected
        await self._repository.change_policy(owner_id, policy.id, draft, expected, record)
        return policy.id

    async def delete(self, command: commands.DeletePolicies, origin: Origin) -> None:
        there = await self._repository.policies_with_ids(origin.caller.owner_id, command.ids)
        policies = [
            _own(self._known(PolicyRef(id_)) or there.get(id_), PolicyRef(id_))
            for id_ in dict.fromkeys(command.ids)
        ]
        records = {
            policy.id: Record(Change.POLICY_DELETE, policy.name, origin, {"policy": policy.id})
            for policy in policies
        }
        await self._repository.delete_policies(origin.caller.owner_id, records)

    async def attach(self, command: commands.AttachPolicy, origin: Origin) -> None:
        policy, bearer = await self._both(command.policy, command.bearer, origin)
        record = _attachment(Change.POLICY_ATTACH, policy, bearer, origin)
        await self._repository.attach(
            origin.caller.owner_id, policy.id, bearer, self._quotas.attached, record
        )

    async def detach(self, command: commands.DetachPolicy, origin: Origin) -> None:
        policy, bearer = await self._both(command.policy, command.bearer, origin)
        record = _attachment(Change.POLICY_DETACH, policy, bearer, origin)
        await self._repository.detach(origin.caller.owner_id, policy.id, bearer, record)

    async def page_attached(self, command: commands.PageAttached, origin: Origin) -> Page[Attached]:
        owner_id = origin.caller.owner_id
        bearer = await self._bearer(command.bearer, origin.caller)
        rows = await self._repository.attached(
            owner_id, bearer, direct=command.direct, by_group=command.by_group
        )
        found = []
        for row in rows:
            policy = row.policy or self._presets.by_id(row.policy_id)
            if policy is not None and _fits(policy, command):
                found.append(Attached(policy, row.attached_at, row.attached_by, row.groups))
        return _page(found, command.offset, command.limit)

    async def page_bearers(self, command: commands.PageBearers, origin: Origin) -> Page[BearerView]:
        policy = await self._existing(origin.caller, command.policy)
        found = await self._repository.bearers(origin.caller.owner_id, policy.id, command.kinds)
        return _page(found, command.offset, command.limit)

    async def _both(self, ref: PolicyRef, bearer: BearerRef, origin: Origin) -> tuple[Policy, BearerRef]:
        caller = origin.caller
        if (preset := self._known(ref)) is not None:
            return preset, await self._bearer(bearer, caller)
        policy, found = await self._repository.policy_and_bearer(caller.owner_id, ref, bearer)
        return _there(policy, ref), _borne(found, bearer)

    async def _bearer(self, ref: BearerRef, caller: Caller) -> BearerRef:
        return _borne(await self._repository.bearer(caller.owner_id, ref), ref)

    async def _existing(self, caller: Caller, ref: PolicyRef) -> Policy:
        return _there(self._known(ref) or await self._repository.policy(caller.owner_id, ref), ref)

    def _known(self, ref: PolicyRef) -> Policy | None:
        """A preset."""
        return self._presets.by_name(ref.name) if ref.id is None else self._presets.by_id(ref.id)


def _there(policy: Policy | None, ref: PolicyRef) -> Policy:
    """POLICY_MISSING."""
    if policy is None:
        raise Refused(Reason.POLICY_MISSING, facts={"value": ref.name if ref.id is None else ref.id})
    return policy


def _own(policy: Policy | None, ref: PolicyRef) -> Policy:
    """POLICY_MISSING, POLICY_PRESET."""
    policy = _there(policy, ref)
    if policy.preset:
        raise Refused(Reason.POLICY_PRESET, facts={"value": policy.name})
    return policy


def _borne(found: int | None, ref: BearerRef) -> BearerRef:
    """SUB_USER_MISSING, GROUP_MISSING, ROLE_MISSING."""
    if found is None:
        raise Refused(MISSING[ref.kind], facts={"value": ref.name if ref.id is None else ref.id})
    return BearerRef(ref.kind, found)


def _attachment(change: Change, policy: Policy, bearer: BearerRef, origin: Origin) -> Record:
    return Record(change, policy.name, origin, {"policy": policy.id, bearer.kind.value: bearer.id})


def _named(policy: Policy, text: str) -> bool:
    return text.lower() in policy.name.lower()


def _fits(policy: Policy, command: commands.PageAttached) -> bool:
    of_kind = command.preset is None or policy.preset is command.preset
    return of_kind and _named(policy, command.name_contains)


def _page(items: Sequence[Item], offset: int, limit: int) -> Page[Item]:
    return Page(tuple(items[offset : offset + limit]), len(items))
