"""Commands on tags, on their pairs of key and value, and on projects."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from rolecall.domain.messages import Command, Page
from rolecall.domain.reasons import Reason

Pair = tuple[str, str]
"""A key and a value."""


@dataclass(frozen=True, slots=True)
class TagPlace:
    """What a tag is on: a resource of a kind (`prefix`, which some services leave empty) of a service."""

    service: str
    prefix: str
    resource: str


@dataclass(frozen=True, slots=True)
class Tag:
    """One tag on one resource."""

    place: TagPlace
    key: str
    value: str


@dataclass(frozen=True, slots=True)
class Tagged:
    """A resource with all its tags, by key."""

    place: TagPlace
    tags: tuple[Pair, ...]


@dataclass(frozen=True, slots=True)
class KnownPair:
    """A pair that was created, on its own or by putting it on a resource."""

    key: str
    value: str
    attached: bool


@dataclass(frozen=True, slots=True)
class Project:
    id: int
    name: str
    info: str
    creator: int
    created_at: datetime
    disabled: bool


@dataclass(frozen=True, slots=True)
class TagQuery:
    """Fields left None ask for any; `places` None for any resource, else for those alone."""

    service: str | None = None
    prefix: str | None = None
    resources: tuple[str, ...] | None = None
    keys: tuple[str, ...] | None = None
    places: tuple[TagPlace, ...] | None = None


@dataclass(frozen=True, slots=True)
class PageTags(Command[Page[Tag]]):
    """By resource and key."""

    query: TagQuery
    offset: int
    limit: int


@dataclass(frozen=True, slots=True)
class PageTagged(Command[Page[Tagged]]):
    """A filter is a key with values, of which the resource has one; no values: has any.

    `every` asks for all filters, else for one of them.
    """

    query: TagQuery
    filters: tuple[tuple[str, tuple[str, ...]], ...]
    every: bool
    offset: int
    limit: int


class TagMode(StrEnum):
    """What a change does with the keys that it puts on a resource."""

    PUT = "put"
    """Add those that are not on it and change those that are."""
    ADD = "add"
    """TAG_ATTACHED for one that is on it."""
    CHANGE = "change"
    """TAG_UNATTACHED for one that is not on it."""


@dataclass(frozen=True, slots=True)
class ChangeTags(Command[tuple[tuple[TagPlace, Reason], ...]]):
    """Put pairs on resources and take keys off, all or none. TAG_QUOTA, TAG_KEY_QUOTA, TAG_VALUE_QUOTA.

    `strict`: TAG_UNATTACHED for a key to be taken off that is not on the resource. `apart`: each resource is changed by
    itself; then nothing is refused, and the outcome names those that could not be changed.
    """

    places: tuple[TagPlace, ...]
    put: tuple[Pair, ...] = ()
    take: tuple[str, ...] = ()
    mode: TagMode = TagMode.PUT
    strict: bool = False
    apart: bool = False


@dataclass(frozen=True, slots=True)
class CreatePairs(Command[None]):
    """All or none. TAG_TAKEN, TAG_KEY_QUOTA, TAG_VALUE_QUOTA."""

    pairs: tuple[Pair, ...]


@dataclass(frozen=True, slots=True)
class DeletePairs(Command[None]):
    """All or none. TAG_MISSING, TAG_IN_USE."""

    pairs: tuple[Pair, ...]


@dataclass(frozen=True, slots=True)
class PagePairs(Command[Page[KnownPair]]):
    """`keys` None: of any; `pair`: that one alone; `creator` None: of any."""

    keys: tuple[str, ...] | None
    offset: int
    limit: int
    pair: Pair | None = None
    creator: int | None = None


@dataclass(frozen=True, slots=True)
class PageKeys(Command[Page[str]]):
    """The keys that exist."""

    offset: int
    limit: int
    creator: int | None = None


@dataclass(frozen=True, slots=True)
class CreateProject(Command[int]):
    """Its id. PROJECT_TAKEN, PROJECT_QUOTA."""

    name: str
    info: str


@dataclass(frozen=True, slots=True)
class ChangeProject(Command[None]):
    """None keeps the present value. PROJECT_MISSING, PROJECT_TAKEN."""

    id: int
    name: str | None
    info: str | None
    disabled: bool | None


@dataclass(frozen=True, slots=True)
class PageProjects(Command[Page[Project]]):
    """`hidden` asks for the disabled ones too."""

    hidden: bool
    offset: int
    limit: int
    id: int | None = None
    name: str | None = None
