"""A visit: one request to a page, by a visitor who has signed in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from rolecall.console.texts import translate
from rolecall.domain.iam.model import SubUser
from rolecall.values import Caller, Language, Reply, Request, Secret
from rolecall.web import browser
from rolecall.web.forms import Fields
from rolecall.web.uploads import File


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who has signed in. `user` is None for the owner. `must_change`: may change the password, nothing else."""

    caller: Caller
    session_id: Secret
    user: SubUser | None = None
    must_change: bool = False

    @property
    def name(self) -> str:
        """What pages call the visitor: a sub-user's name, else the owner's number."""
        return str(self.caller.owner_number) if self.user is None else self.user.name

    @property
    def csrf(self) -> str:
        """The token that a form of this session carries."""
        return browser.token_for(self.session_id)


@dataclass(frozen=True, slots=True)
class Visit:
    """`path` holds the variable segments of the page's pattern, decoded. `posted` is empty unless a form was sent,
    and `files`, by the names of their inputs, unless it had files."""

    request: Request
    visitor: Visitor
    language: Language
    path: Mapping[str, str]
    query: Fields
    posted: Fields = field(default_factory=Fields)
    files: Mapping[str, File] = field(default_factory=dict)

    def text(self, key: str, /, **facts: object) -> str:
        return translate(self.language, key, **facts)


@dataclass(frozen=True, slots=True)
class Page:
    """What answers requests to a pattern such as ``/console/instances/{instance}``; a segment in braces is variable.

    `show` answers GET, `submit` a form that was posted from one of our own pages. `largest` is for a form with files:
    the most bytes of its body.
    """

    pattern: str
    show: Callable[[Visit], Awaitable[Reply]] | None = None
    submit: Callable[[Visit], Awaitable[Reply]] | None = None
    largest: int = 0
