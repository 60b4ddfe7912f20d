"""Who is permitted what: the policies that a caller holds, narrowed by those of its session, decide.

    owner               everything
    sub-user            its own policies and those of its groups
    role                the role's policies
    with a session      the same, and the session's own policy must allow it too

What was read is remembered by the repository until the store tells of a change, so that an attached or detached policy
shows at the next call on every replica.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from rolecall.domain.instances.registry import Instance
from rolecall.domain.policy.evaluation import Decision, EffectivePolicy, Names, Subject, Verdict, decide
from rolecall.domain.policy.language import parse_policy, parse_session_policy
from rolecall.domain.policy.presets import Presets
from rolecall.domain.policy.requests import PolicyRequest
from rolecall.domain.policy.wildcards import ANYTHING
from rolecall.domain.reasons import Reason, Refused
from rolecall.values import Caller, PrincipalKind

_AT_ONCE = 50_000
_MOST = 100_000_000
"""What is weighed is characters of documents times names of resources. What weighs more than the first is decided in
a thread, one ask at a time, so that other calls go on; what weighs more than the second is not decided."""

SESSION_POLICY = "the session's own policy"


@dataclass(frozen=True, slots=True)
class _Thing:
    """A resource by all its names. `place` of instances is where they are: (region,), or (None,) for several at once,
    whose regions are not known. Empty for what is not an instance: the call's region is asked."""

    names: Names
    place: tuple[str | None, ...] = ()


@dataclass(frozen=True, slots=True)
class Grant:
    """A policy that is attached. `name` and `document` are None for a preset; `via` is a group's name, or empty."""

    policy_id: int
    name: str | None
    document: str | None
    via: str = ""


class GrantRepository(Protocol):
    """Where attachments are kept."""

    async def grants(self, owner_id: int, kind: PrincipalKind, principal: int) -> Sequence[Grant]:
        """What is attached to a sub-user, its groups, or a role; nothing if there is no such principal."""

    async def other_names(self, owner_number: int, content: str) -> Sequence[str]:
        """Other names of one of an owner's sub-users, policies or roles, such as ``role/1`` of ``roleName/x``."""


class Places(Protocol):
    """Where instances are kept."""

    async def instance(self, dialect: str, public_id: str) -> Instance | None: ...


class Decisions:
    """`people` is the service of people.

    `instances` names the dialect whose ids the instances have that are resources of a service, or of one kind of
    resource of it (``service:kind``). An instance is reached from all regions: a call on it has its region in
    conditions, and for the services of `regional` in the resource too, whatever region the call names.
    """

    def __init__(
        self,
        repository: GrantRepository,
        presets: Presets,
        places: Places,
        instances: Mapping[str, str],
        regional: Collection[str],
        people: str = "cam",
    ) -> None:
        self._repository = repository
        self._presets = presets
        self._places = places
        self._instances = instances
        self._regional = regional
        self._people = people
        self._heavy = asyncio.Lock()

    async def permit(self, caller: Caller, request: PolicyRequest) -> None:
        """NOT_PERMITTED, with the facts ``operation`` and ``resource`` of what was refused."""
        if caller.is_owner and caller.session is None:
            return
        decision = await self.decide(caller, request)
        if not decision.allowed:
            facts = {"operation": request.operation, "resource": decision.resource}
            raise Refused(Reason.NOT_PERMITTED, facts=facts, note=because(decision))

    async def decide(self, caller: Caller, request: PolicyRequest) -> Decision:
        """Which statement of which policy decides. NOT_PERMITTED for what is too much to decide, or unreadable."""
        grants = await self._grants(caller)
        things = [await self._thing(resource) for resource in request.resources]
        documents = [grant.document or "" for grant in grants]
        if caller.session is not None:
            documents.append(caller.session.policy)
        weight = sum(map(len, documents)) * sum(len(thing.names) for thing in things)
        if weight > _MOST:
            raise Refused(
                Reason.NOT_PERMITTED,
                facts={"operation": request.operation, "resource": request.resources[0]},
                note="its policies and resources are too many to decide",
            )
        if weight <= _AT_ONCE:
            return self._decide(caller, grants, request, things)
        async with self._heavy:
            return await asyncio.to_thread(self._decide, caller, grants, request, things)

    def _decide(
        self, caller: Caller, grants: Sequence[Grant], request: PolicyRequest, things: Sequence[_Thing]
    ) -> Decision:
        subject = Subject(caller.principal, caller.owner_number, caller.app_id)
        decision = Decision(Verdict.ALLOWED, request.resources[-1])
        if caller.kind is not PrincipalKind.OWNER:
            decision = _decide_all(self._read_all(grants), request, things, subject)
        if decision.allowed and caller.session is not None and caller.session.policy:
            own = EffectivePolicy(0, SESSION_POLICY, parse_session_policy(caller.session.policy))
            decision = _decide_all((own,), request, things, subject)
            return decision if decision.allowed else replace(decision, policy=own)
        return decision

    async def held(self, caller: Caller) -> Sequence[EffectivePolicy]:
        """The policies of a sub-user or a role; an owner has none."""
        return self._read_all(await self._grants(caller))

    async def _grants(self, caller: Caller) -> Sequence[Grant]:
        if caller.kind is PrincipalKind.OWNER:
            return ()
        return await self._repository.grants(caller.owner_id, caller.kind, caller.principal)

    def _read_all(self, grants: Sequence[Grant]) -> list[EffectivePolicy]:
        return [held for grant in grants if (held := self._read(grant)) is not None]

    def _read(self, grant: Grant) -> EffectivePolicy | None:
        """None for a preset that this release does not have."""
        name, document = grant.name, grant.document
        if name is None or document is None:
            preset = self._presets.by_id(grant.policy_id)
            if preset is None:
                return None
            name, document = preset.name, preset.document
        try:
            return EffectivePolicy(grant.policy_id, name, parse_policy(document), grant.via)
        except Refused as error:
            # It may hold a deny: what cannot be read permits nothing, and nothing beside it does.
            raise Refused(
                Reason.NOT_PERMITTED,
                facts={"operation": "*", "resource": "*"},
                note=f"the policy {name} cannot be read: {error}",
            ) from None

    async def _thing(self, resource: str) -> _Thing:
        if resource == ANYTHING:
            return _Thing((resource,))
        *first, service, _, account, content = resource.split(":", 5)
        kind, _, rest = content.partition("/")
        dialect = self._instances.get(f"{service}:{kind}", self._instances.get(service))
        if dialect is None or not rest:
            return _Thing(await self._names(resource))
        instance = await self._places.instance(dialect, rest.partition("/")[0])
        if instance is None:
            return _Thing((resource,), (None,) if rest == ANYTHING else ())
        if service in self._regional:
            resource = ":".join((*first, service, instance.region, account, content))
        return _Thing((resource,), (instance.region,))

    async def _names(self, resource: str) -> Names:
        *first, service, region, account, content = resource.split(":", 5)
        if service == self._people and (preset := self._preset(content)) is not None:
            return (resource, ":".join((*first, service, region, account, preset)))
        if service == self._people and (owner := account.removeprefix("uin/")).isdecimal():
            others = await self._repository.other_names(int(owner), content)
            return (resource, *(":".join((*first, service, region, account, other)) for other in others))
        return (resource,)

    def _preset(self, content: str) -> str | None:
        """The other name of a preset policy."""
        kind, _, name = content.partition("/")
        if kind == "policyName" and (found := self._presets.by_name(name)) is not None:
            return f"policyid/{found.id}"
        if kind == "policyid" and name.isdecimal() and (found := self._presets.by_id(int(name))) is not None:
            return f"policyName/{found.name}"
        return None


def _decide_all(
    held: Sequence[EffectivePolicy], request: PolicyRequest, things: Sequence[_Thing], subject: Subject
) -> Decision:
    """Each thing is asked with its own region: what is allowed in one region is not so in others."""
    decision = Decision(Verdict.NOT_ALLOWED, request.resources[-1])
    for place, group in itertools.groupby(things, key=lambda thing: thing.place):
        known = {**request.context, "qcs:region": place[0]} if place else request.context
        names = [thing.names for thing in group]
        decision = decide(held, replace(request, context=known), names, subject)
        if not decision.allowed:
            break
    return decision


def because(decision: Decision) -> str:
    """A sentence for operators: what decided."""
    policy = decision.policy
    if policy is None:
        return "it is the owner" if decision.allowed else "no policy allows it"
    if decision.verdict is Verdict.NOT_ALLOWED:
        return f"{policy.name} does not allow it"
    how = f" (by the group {policy.via})" if policy.via else ""
    word = "denies" if decision.verdict is Verdict.DENIED else "allows"
    return f"statement {decision.statement} of {policy.name}{how} {word} it"
