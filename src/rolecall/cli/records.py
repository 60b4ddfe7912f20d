"""Audit records of commands that change something: one before the change, so that none is missing, and one after."""

from __future__ import annotations

import os
import pwd
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from uuid import uuid4

from rolecall.cli.context import with_application, with_store
from rolecall.domain.operations.audit import Entry, Outcome
from rolecall.domain.reasons import Refused
from rolecall.values import Caller, Origin

if TYPE_CHECKING:
    from rolecall.app.application import Application
    from rolecall.cli.context import HasStore
    from rolecall.cli.opening import OpenStore
    from rolecall.domain.access.keys import Owner

T = TypeVar("T")

DIALECT = "cli"


@dataclass(frozen=True, slots=True)
class AuditedCommand:
    """A command and its target, as the audit trail shows them. `detail` holds no secret."""

    action: str
    target: str = ""
    detail: Mapping[str, object] = field(default_factory=dict)


def os_user() -> str:
    """The operating system's account that runs the command: its name, or its number if it has none."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


def origin_in_owners_name(owner: Owner, action: str) -> Origin:
    """The origin of a change that is recorded as an operation, made by `owner`."""
    caller = Caller(owner.id, owner.number, owner.app_id, owner.number, "")
    return Origin(caller, DIALECT, action, str(uuid4()), client=os_user())


def change_application(
    data: Path | None,
    command: AuditedCommand,
    work: Callable[[Application], Awaitable[T]],
    target_of: Callable[[T], str] | None = None,
) -> T:
    """As `with_application`, with audit records. `target_of` names the target by the result, if only that knows it."""

    async def recorded(opened: Application) -> T:
        return await record(opened, command, work(opened), target_of)

    return with_application(data, recorded)


def change_store(
    data: Path | None,
    command: AuditedCommand,
    work: Callable[[OpenStore], Awaitable[T]],
    target_of: Callable[[T], str] | None = None,
) -> T:
    """As `with_store`, with audit records."""

    async def recorded(opened: OpenStore) -> T:
        return await record(opened, command, work(opened), target_of)

    return with_store(data, recorded)


async def record(
    opened: HasStore,
    command: AuditedCommand,
    work: Awaitable[T],
    target_of: Callable[[T], str] | None = None,
) -> T:
    """Await `work` between its two audit records."""
    owners = await opened.store.keys.owners()
    owner = owners[0] if owners else None
    entry = Entry(
        DIALECT,
        command.action,
        Outcome.BEGUN,
        command.target,
        owner_id=None if owner is None else owner.id,
        principal=None if owner is None else owner.number,
        request_id=str(uuid4()),
        client=os_user(),
        detail=command.detail,
    )
    audit = opened.store.audit
    await audit.note(entry)
    try:
        result = await work
    except BaseException as error:
        # The text of an error may quote a parameter, and so a secret.
        reason = error.reason.value if isinstance(error, Refused) else type(error).__name__
        await audit.note(replace(entry, outcome=Outcome.FAILED, reason=reason))
        raise
    target = command.target if target_of is None else target_of(result)
    await audit.note(replace(entry, outcome=Outcome.DONE, target=target))
    return result
