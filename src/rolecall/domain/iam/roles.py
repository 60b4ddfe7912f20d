"""Roles: made, changed, deleted, and taken for a while by those whom their trust documents name.

Taking a role wants two things: the role trusts the caller, and the caller's own policies permit ``sts:AssumeRole`` on
it (which was asked before the command came here; owners are permitted everything).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from rolecall import ambient
from rolecall.domain.access.keys import Owner
from rolecall.domain.iam import role_commands as commands
from rolecall.domain.iam.model import Role
from rolecall.domain.iam.role_commands import IssuedSession, RoleRef
from rolecall.domain.iam.sessions import ActiveRoles, SessionCredentials
from rolecall.domain.iam.tag_commands import ChangeTags
from rolecall.domain.iam.tags import Tags, role_tags
from rolecall.domain.messages import Handlers, Page
from rolecall.domain.operations.model import Change
from rolecall.domain.operations.records import Record
from rolecall.domain.policy.evaluation import Subject, applies
from rolecall.domain.policy.language import (
    Effect,
    Principals,
    accept,
    parse_session_policy,
    parse_trust,
    require_own_resources,
)
from rolecall.domain.policy.requests import call_context
from rolecall.domain.reasons import Reason, Refused
from rolecall.values import Caller, Origin, PrincipalKind, Session

USUAL_SECONDS = 7200
LONGEST_SECONDS = 43200
CHAINED_SECONDS = 3600
"""A session that was got with a session (AWS STS, "role chaining": one hour at most)."""
_OWN_SECONDS = 1800
_LONGEST_OWN: Mapping[PrincipalKind, int] = {PrincipalKind.OWNER: 7200, PrincipalKind.SUB_USER: 129600}
"""Seconds of a caller's own permissions, narrowed."""


@dataclass(frozen=True, slots=True)
class RoleDraft:
    """A role to write; in a change, None keeps the present value."""

    name: str | None = None
    trust: str | None = None
    description: str | None = None
    console_login: bool | None = None
    session_seconds: int | None = None
    tags: tuple[tuple[str, str], ...] = ()


class RoleRepository(ActiveRoles, Protocol):
    """A change and its record are written together."""

    async def role(self, owner_number: int, ref: RoleRef) -> tuple[Owner, Role] | None: ...
    async def roles(self, owner_id: int) -> Sequence[Role]:
        """The newest first."""

    async def add_role(self, owner_id: int, draft: RoleDraft, quota: int, record: Record) -> int:
        """ROLE_TAKEN, ROLE_QUOTA."""

    async def change_role(self, role_id: int, draft: RoleDraft, record: Record) -> None:
        """ROLE_MISSING."""

    async def delete_role(self, role_id: int, record: Record) -> None:
        """ROLE_MISSING."""

    async def note(self, record: Record) -> None:
        """Write a record of what changes no role."""


class Roles:
    def __init__(
        self,
        repository: RoleRepository,
        sessions: SessionCredentials,
        tags: Tags,
        quota: int = 1000,
        clock: Callable[[], float] = ambient.unix,
    ) -> None:
        self._repository = repository
        self._sessions = sessions
        self._tags = tags
        self._quota = quota
        self._clock = clock
        self.handlers: Handlers = (
            commands.CreateRole.handled_by(self.create),
            commands.ShowRole.handled_by(self.show),
            commands.PageRoles.handled_by(self.page),
            commands.ChangeRole.handled_by(self.change),
            commands.DeleteRole.handled_by(self.delete),
            commands.TagRole.handled_by(self.tag),
            commands.AssumeRole.handled_by(self.assume),
            commands.IssueOwnSession.handled_by(self.lend_own),
        )

    async def create(self, command: commands.CreateRole, origin: Origin) -> int:
        accept(parse_trust(command.trust))
        draft = RoleDraft(
            command.name,
            command.trust,
            command.description,
            command.console_login,
            command.session_seconds or USUAL_SECONDS,
            command.tags,
        )
        record = Record(Change.ROLE_CREATE, command.name, origin)
        return await self._repository.add_role(origin.caller.owner_id, draft, self._quota, record)

    async def show(self, command: commands.ShowRole, origin: Origin) -> Role:
        return await self._own(origin.caller, command.role)

    async def page(self, command: commands.PageRoles, origin: Origin) -> Page[Role]:
        found = [
            role
            for role in await self._repository.roles(origin.caller.owner_id)
            if set(command.tags) <= set(role.tags)
        ]
        return Page(tuple(found[command.offset : command.offset + command.limit]), len(found))

    async def change(self, command: commands.ChangeRole, origin: Origin) -> None:
        if command.trust is not None:
            accept(parse_trust(command.trust))
        role = await self._own(origin.caller, command.role)
        seconds = USUAL_SECONDS if command.session_seconds == 0 else command.session_seconds
        draft = RoleDraft(None, command.trust, command.description, command.console_login, seconds)
        detail = {"role": role.id, "trust": command.trust is not None}
        record = Record(Change.ROLE_UPDATE, role.name, origin, detail)
        await self._repository.change_role(role.id, draft, record)

    async def tag(self, command: commands.TagRole, origin: Origin) -> None:
        role = await self._own(origin.caller, command.role)
        await self._tags.change(ChangeTags((role_tags(role.id),), command.put, command.take), origin)

    async def delete(self, command: commands.DeleteRole, origin: Origin) -> None:
        role = await self._own(origin.caller, command.role)
        await self._repository.delete_role(
            role.id, Record(Change.ROLE_DELETE, role.name, origin, {"role": role.id})
        )

    async def assume(self, command: commands.AssumeRole, origin: Origin) -> IssuedSession:
        now = self._clock()
        owner, role = await self._existing(command.owner_number, command.role)
        if not _trusts(role, command, origin, now):
            # A foreign caller gets back only what it sent: ids must not be turned into names.
            own = owner.id == origin.caller.owner_id
            shown = role.name if own else command.role.name or str(command.role.id)
            raise Refused(Reason.ROLE_UNTRUSTING, "RoleArn", facts={"value": shown})
        caller = origin.caller
        longest = min(LONGEST_SECONDS if caller.session is None else CHAINED_SECONDS, role.session_seconds)
        seconds = command.seconds or min(USUAL_SECONDS, longest)
        if seconds > longest:
            raise Refused(Reason.SESSION_TOO_LONG, facts={"value": seconds})
        if command.policy:
            _accept_session_policy(command.policy, owner.number, owner.app_id)
        chain_ends = _chain_ends(caller, int(now))
        session = Session(
            command.session_name, command.policy, True, caller.principal, _root_key(caller), chain_ends
        )
        taken = Caller(owner.id, owner.number, owner.app_id, role.id, "", session)
        issued = self._sessions.issue(taken, min(int(now) + seconds, chain_ends))
        detail = {"role": role.id, "session": command.session_name, "seconds": seconds, "key": issued.key_id}
        await self._repository.note(Record(Change.ROLE_ASSUME, role.name, origin, detail))
        return issued

    async def lend_own(self, command: commands.IssueOwnSession, origin: Origin) -> IssuedSession:
        caller = origin.caller
        if caller.session is not None:
            raise Refused(Reason.SESSION_NESTED)
        seconds = command.seconds or _OWN_SECONDS
        if seconds > _LONGEST_OWN[caller.kind]:
            raise Refused(Reason.SESSION_TOO_LONG, facts={"value": seconds})
        _accept_session_policy(command.policy, caller.owner_number, caller.app_id)
        now = int(self._clock())
        session = Session(
            command.name, command.policy, False, caller.principal, caller.access_key_id, now + seconds
        )
        issued = self._sessions.issue(replace(caller, session=session), now + seconds)
        detail = {"session": command.name, "seconds": seconds, "key": issued.key_id}
        await self._repository.note(Record(Change.SESSION_LEND, str(caller.principal), origin, detail))
        return issued

    async def _own(self, caller: Caller, ref: RoleRef) -> Role:
        return (await self._existing(caller.owner_number, ref))[1]

    async def _existing(self, owner_number: int, ref: RoleRef) -> tuple[Owner, Role]:
        found = await self._repository.role(owner_number, ref)
        if found is None:
            raise Refused(Reason.ROLE_MISSING, facts={"value": ref.name if ref.id is None else ref.id})
        return found


def _accept_session_policy(policy: str, owner_number: int, app_id: int) -> None:
    document = parse_session_policy(policy)
    accept(document)
    require_own_resources(document, owner_number, app_id)


def _chain_ends(caller: Caller, now: int) -> int:
    """When the last of the sessions that follow each other ends: it is decided when the first of them begins. One of a
    caller's own permissions leads to no session that outlives it."""
    session = caller.session
    return session.chain_ends if session is not None and session.chain_ends else now + LONGEST_SECONDS


def _root_key(caller: Caller) -> str:
    return caller.access_key_id if caller.session is None else caller.session.key_id


def _trusts(role: Role, command: commands.AssumeRole, origin: Origin, now: float) -> bool:
    """Evaluated as policies are: a deny of the caller wins, and without an allow the caller is not trusted."""
    caller = origin.caller
    # No region: the service of roles has none, so a call may name any.
    context = call_context(caller, now=now, client=origin.client, secure=origin.secure, region=None)
    if command.external_id:
        context["sts:external_id"] = command.external_id
    subject = Subject(caller.principal, caller.owner_number, caller.app_id)
    applicable = [
        statement.effect
        for statement in parse_trust(role.trust).statements
        if _names(statement.principals, caller) and applies(statement, "sts:assumerole", context, subject)
    ]
    return Effect.ALLOW in applicable and Effect.DENY not in applicable


def _names(principals: Principals, caller: Caller) -> bool:
    """A whole account, or one sub-user of it; a role is of its account only."""
    return any(
        owner == caller.owner_number and sub_user in (None, caller.principal)
        for owner, sub_user in principals.accounts
    )
