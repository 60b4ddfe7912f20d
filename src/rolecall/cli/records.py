"""Records of what is changed by command line: one before the change, so that none goes without, and one after."""

from __future__ import annotations

import os
import pwd
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

from rolecall.assembly import House
from rolecall.cli.context import with_house
from rolecall.domain.access.keys import Owner
from rolecall.domain.operations.audit import Entry, Outcome
from rolecall.domain.reasons import Refused
from rolecall.values import Caller, Origin

T = TypeVar("T")

DIALECT = "cli"


@dataclass(frozen=True, slots=True)
class Deed:
    """What is about to be done: a command, and what it is done to. `detail` holds no secret."""

    action: str
    target: str = ""
    detail: Mapping[str, object] = field(default_factory=dict)


def os_user() -> str:
    """The account of the operating system that runs the command; its number if it has no name."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


def origin_in_owners_name(owner: Owner, action: str) -> Origin:
    """Of a change that leaves an operation."""
    caller = Caller(owner.id, owner.number, owner.app_id, owner.number, "")
    return Origin(caller, DIALECT, action, str(uuid4()), client=os_user())


def change_house(
    data: Path | None,
    deed: Deed,
    work: Callable[[House], Awaitable[T]],
    made: Callable[[T], str] | None = None,
) -> T:
    """As `with_house`, recorded. `made` tells what a result is known by, where that was not known before."""

    async def recorded(house: House) -> T:
        return await record(house, deed, work(house), made)

    return with_house(data, recorded)


async def record(house: House, deed: Deed, work: Awaitable[T], made: Callable[[T], str] | None = None) -> T:
    """Await `work` between its records."""
    owners = await house.store.keys.owners()
    owner = owners[0] if owners else None
    entry = Entry(
        DIALECT,
        deed.action,
        Outcome.BEGUN,
        deed.target,
        owner_id=None if owner is None else owner.id,
        principal=None if owner is None else owner.number,
        request_id=str(uuid4()),
        client=os_user(),
        detail=deed.detail,
    )
    audit = house.store.audit
    await audit.note(entry)
    try:
        result = await work
    except BaseException as error:
        # The words of an error may quote what was given.
        reason = error.reason.value if isinstance(error, Refused) else type(error).__name__
        await audit.note(replace(entry, outcome=Outcome.FAILED, reason=reason))
        raise
    target = deed.target if made is None else made(result)
    await audit.note(replace(entry, outcome=Outcome.DONE, target=target))
    return result
