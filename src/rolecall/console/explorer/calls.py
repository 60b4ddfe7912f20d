"""A call as pages and snippets describe it: its parameters, with holes for secrets, and its HTTP request."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias
from urllib.parse import quote, urlencode, urlsplit


@dataclass(frozen=True, slots=True)
class Hole:
    """The place of a secret, which an environment variable fills."""

    variable: str

    def __str__(self) -> str:
        return f"${self.variable}"


Value: TypeAlias = "str | int | float | bool | Hole | list[Value] | dict[str, Value]"
Text: TypeAlias = tuple["str | Hole", ...]
"""A text with holes: its pieces in order."""


@dataclass(frozen=True, slots=True)
class RestRequest:
    """A request to a resource. `path` includes the query; `body` is None where there is none."""

    method: str
    path: Text
    body: Value | None = None
    headers: Mapping[str, Hole] = field(default_factory=dict)
    public: bool = False
    """No token goes with it."""


@dataclass(frozen=True, slots=True)
class DescribedCall:
    """`endpoint` is ``http://host:port``; `tenant` is the owner's number; `route` is method and path template of a
    REST API, with variables in braces."""

    dialect: str
    service: str
    version: str
    action: str
    region: str
    params: Mapping[str, Value]
    endpoint: str
    tenant: str = ""
    route: tuple[str, str] = ("POST", "/")
    public: bool = False

    @property
    def host(self) -> str:
        return urlsplit(self.endpoint).netloc

    @property
    def scheme(self) -> str:
        return urlsplit(self.endpoint).scheme

    @property
    def holes(self) -> list[Hole]:
        """Each once, in the order of the parameters."""
        return list(dict.fromkeys(_holes(dict(self.params))))

    @property
    def rest(self) -> RestRequest:
        """The request to the resource that the route names."""
        method, template = self.route
        left = dict(self.params)
        if self.action == "IssueToken":
            return RestRequest(method, (template,), _credentials(self.version, left, self.tenant), {}, True)
        headers: dict[str, Hole] = {}
        subject = left.get("subject")
        if "{subject}" not in template and isinstance(subject, Hole):
            headers["X-Subject-Token"] = subject
            del left["subject"]
        path = self._path(template, left)
        if method in ("GET", "HEAD", "DELETE"):
            query = urlencode({name: _plain(value) for name, value in left.items()})
            path = (*path, f"?{query}") if query else path
            return RestRequest(method, path, None, headers, self.public)
        if self.action == "ActOnInstance":
            left = {str(left.get("action", "restart")): {}}
        return RestRequest(method, path, left or None, headers, self.public)

    def _path(self, template: str, left: dict[str, Value]) -> Text:
        """The template with its variables filled, which are taken out of `left`."""
        pieces: list[str | Hole] = []
        for segment in template.split("/")[1:]:
            pieces.append("/")
            if not segment.startswith("{"):
                pieces.append(segment)
                continue
            name = segment[1:-1]
            if name == "tenant":
                pieces.append(self.tenant)
            elif name == "user":
                user, host = str(left.pop("name", "")), str(left.pop("host", "%"))
                pieces.append(quote(user if host == "%" else f"{user}@{host}", safe=""))
            else:
                value = left.pop(name, "")
                pieces.append(value if isinstance(value, Hole) else quote(str(value), safe=""))
        return tuple(_joined(pieces))


def _joined(pieces: list[str | Hole]) -> Iterator[str | Hole]:
    text = ""
    for piece in pieces:
        if isinstance(piece, str):
            text += piece
            continue
        if text:
            yield text
        text = ""
        yield piece
    if text:
        yield text


def _credentials(version: str, params: Mapping[str, Value], tenant: str) -> Value:
    """The body that asks for a token by name and password."""
    project = str(params.get("tenant") or tenant)
    password = Hole("OS_PASSWORD")
    if version == "v2.0":
        given: Value = {"username": Hole("OS_USERNAME"), "password": password}
        return {"auth": {"passwordCredentials": given, "tenantId": project}}
    user: Value = {"name": Hole("OS_USERNAME"), "domain": {"id": "default"}, "password": password}
    return {
        "auth": {
            "identity": {"methods": ["password"], "password": {"user": user}},
            "scope": {"project": {"id": project}},
        }
    }


def _holes(value: Value) -> Iterator[Hole]:
    if isinstance(value, Hole):
        yield value
    elif isinstance(value, dict):
        for member in value.values():
            yield from _holes(member)
    elif isinstance(value, list):
        for item in value:
            yield from _holes(item)


def holes_in(value: Value | None) -> list[Hole]:
    return [] if value is None else list(dict.fromkeys(_holes(value)))


def _plain(value: Value) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def flat_text(value: Value) -> str | Hole:
    """A value as a parameter of a form has it: structures as JSON."""
    if isinstance(value, Hole):
        return value
    return json_text(value) if isinstance(value, list | dict) else _plain(value)


def json_text(value: Value, indent: int | None = None) -> str:
    """JSON, in which a hole is its variable's name behind a dollar sign."""
    return json.dumps(value, ensure_ascii=False, indent=indent, default=str)


def json_pieces(value: Value) -> Text:
    """JSON in one line, cut at its holes; the holes stand inside quotes."""
    holes = {f"\ue000{number}\ue001": hole for number, hole in enumerate(holes_in(value))}
    names = {hole: mark for mark, hole in holes.items()}
    text = json.dumps(value, ensure_ascii=False, default=lambda hole: names[hole])
    pieces: list[str | Hole] = [text]
    for mark, hole in holes.items():
        pieces = [
            part
            for piece in pieces
            for part in (_cut(piece, mark, hole) if isinstance(piece, str) else (piece,))
        ]
    return tuple(piece for piece in pieces if piece != "")


def _cut(text: str, mark: str, hole: Hole) -> Iterator[str | Hole]:
    first, *others = text.split(mark)
    yield first
    for other in others:
        yield hole
        yield other
