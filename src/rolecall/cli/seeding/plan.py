"""The plan of a seed: for each thing what is done about it, worked out before the first change."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias, TypeVar
from uuid import UUID

from rolecall.app.application import Application
from rolecall.cli.errors import CommandError
from rolecall.cli.records import origin_in_owners_name
from rolecall.cli.refusals import sentence
from rolecall.cli.seeding.document import Seed, SeedFile
from rolecall.cli.seeding.secrets import Passwords
from rolecall.domain.access.keys import Owner
from rolecall.domain.instances.registry import Instance
from rolecall.domain.messages import Command
from rolecall.domain.reasons import Refused

_T = TypeVar("_T")

Apply: TypeAlias = Callable[[], Awaitable[None]]


class Todo(StrEnum):
    CREATE = "create"
    CHANGE = "change"
    NOTHING = "unchanged"


@dataclass(frozen=True, slots=True)
class Step:
    """What is done about one thing. `where` is its table in the file; `fields` are those that differ."""

    where: str
    kind: str
    name: str
    todo: Todo
    fields: Sequence[str]
    apply: Apply


@dataclass(slots=True)
class Context:
    """What planners share. The dictionaries hold what exists by name; steps add what they create."""

    opened: Application
    owner: Owner
    file: SeedFile
    passwords: Passwords
    instances: dict[str, Instance] = field(default_factory=dict)
    policies: dict[str, int] = field(default_factory=dict)
    groups: dict[str, int] = field(default_factory=dict)
    stores: dict[str, UUID] = field(default_factory=dict)
    user_groups: dict[tuple[str, str], UUID] = field(default_factory=dict)

    @property
    def seed(self) -> Seed:
        return self.file.seed

    async def execute(self, command: Command[_T]) -> _T:
        """As the owner, recorded as `seed`."""
        return await self.opened.bus.execute(command, origin_in_owners_name(self.owner, "seed"))

    def step(self, where: str, kind: str, name: str, differs: Sequence[str] | None, apply: Apply) -> Step:
        """`differs` None: there is no such thing yet."""
        if differs is None:
            return Step(where, kind, name, Todo.CREATE, (), apply)
        return Step(where, kind, name, Todo.CHANGE if differs else Todo.NOTHING, differs, apply)

    def require_new(self, seen: set[object], key: object, where: str) -> None:
        """Raises `CommandError` for what the file lists twice."""
        if key in seen:
            raise self.file.error(where, "the file lists it twice")
        seen.add(key)


async def carry_out(file: SeedFile, steps: Sequence[Step], done: Callable[[Step], None]) -> None:
    """Apply what is to be done, in order. Raises `CommandError`, after which a repetition goes on there."""
    for step in steps:
        if step.todo is not Todo.NOTHING:
            try:
                await step.apply()
            except Refused as refused:
                raise file.error(step.where, f"{step.name}: {sentence(refused)}") from refused
            except CommandError as error:
                raise file.error(step.where, f"{step.name}: {error}") from None
        done(step)
