"""Which action a method and a path mean, and the status of its success.

Paths are matched as they were sent and decoded once, segment by segment, so that ``%2F`` stays inside a name. A
trailing ``.json`` or ``.xml`` chooses the format of the answer where it follows a word of the route, as in
``users.json``. It is part of a name wherever a name stands: a database may be called ``a.json``, and a request for it
must never reach ``a`` (Trove bugs 1252327 and 1652889).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import unquote

from rolecall.contracts.openstack.places import DATABASE_PLACE
from rolecall.domain.reasons import Reason, Refused

_INSTANCE = "/v1.0/{tenant}/instances/{instance_id}"
_USER = _INSTANCE + "/users/{user}"
_STORES = "/v1.0/{tenant}/datastores"


@dataclass(frozen=True, slots=True)
class Route:
    """`status` is what a success is answered with; 202 and 204 have no body."""

    method: str
    template: str
    service: str
    version: str
    action: str
    status: int = 200


def _database(method: str, template: str, action: str, status: int = 200) -> Route:
    return Route(method, template, "database", "v1.0", action, status)


ROUTES = (
    Route("GET", "/", "identity", "v3", "ListVersions", 300),
    Route("GET", "/v3", "identity", "v3", "ShowVersion"),
    Route("POST", "/v3/auth/tokens", "identity", "v3", "IssueToken", 201),
    Route("GET", "/v3/auth/tokens", "identity", "v3", "ShowToken"),
    Route("HEAD", "/v3/auth/tokens", "identity", "v3", "ShowToken"),
    Route("DELETE", "/v3/auth/tokens", "identity", "v3", "RevokeToken", 204),
    Route("GET", "/v2.0", "identity", "v2.0", "ShowVersion"),
    Route("POST", "/v2.0/tokens", "identity", "v2.0", "IssueToken"),
    Route("GET", "/v2.0/tokens/{subject}", "identity", "v2.0", "ShowToken"),
    Route("HEAD", "/v2.0/tokens/{subject}", "identity", "v2.0", "ShowToken"),
    Route("DELETE", "/v2.0/tokens/{subject}", "identity", "v2.0", "RevokeToken", 204),
    _database("GET", "/v1.0", "ShowVersion"),
    _database("GET", "/v1.0/{tenant}/instances", "ListInstances"),
    # 200, not 202: the answer has a body (Trove 26.0.0; guide, "Create Database Instance").
    _database("POST", "/v1.0/{tenant}/instances", "CreateInstance"),
    _database("GET", "/v1.0/{tenant}/instances/detail", "ListInstancesDetail"),
    _database("GET", _INSTANCE, "ShowInstance"),
    _database("PUT", _INSTANCE, "UpdateInstance", 202),
    _database("PATCH", _INSTANCE, "UpdateInstance", 202),
    _database("DELETE", _INSTANCE, "DeleteInstance", 202),
    _database("POST", _INSTANCE + "/action", "ActOnInstance", 202),
    _database("GET", _INSTANCE + "/users", "ListUsers"),
    _database("POST", _INSTANCE + "/users", "CreateUsers", 202),
    _database("PUT", _INSTANCE + "/users", "ChangePasswords", 202),
    # openstacksdk 4.22 puts the new user's name into the path; the body says it all again.
    _database("POST", _USER, "CreateUsers", 202),
    _database("GET", _USER, "ShowUser"),
    _database("PUT", _USER, "UpdateUser", 202),
    _database("DELETE", _USER, "DeleteUser", 202),
    _database("GET", _USER + "/databases", "ListGrants"),
    _database("PUT", _USER + "/databases", "GrantDatabases", 202),
    _database("DELETE", _USER + "/databases/{database}", "RevokeDatabase", 202),
    _database("GET", _INSTANCE + "/databases", "ListDatabases"),
    _database("POST", _INSTANCE + "/databases", "CreateDatabases", 202),
    _database("GET", _INSTANCE + "/databases/{database}", "ShowDatabase"),
    _database("DELETE", _INSTANCE + "/databases/{database}", "DeleteDatabase", 202),
    _database("GET", _INSTANCE + "/root", "ShowRoot"),
    _database("POST", _INSTANCE + "/root", "EnableRoot"),
    _database("DELETE", _INSTANCE + "/root", "DisableRoot", 204),
    _database("GET", "/v1.0/{tenant}/flavors", "ListFlavors"),
    _database("GET", "/v1.0/{tenant}/flavors/{flavor}", "ShowFlavor"),
    _database("GET", _STORES, "ListDatastores"),
    _database("GET", _STORES + "/{datastore}", "ShowDatastore"),
    _database("GET", _STORES + "/{datastore}/versions", "ListDatastoreVersions"),
    _database("GET", _STORES + "/{datastore}/versions/{version}", "ShowDatastoreVersion"),
    _database("GET", "/v1.0/{tenant}/limits", "ListLimits"),
)

_BELOW_DATABASE = re.compile(rf"{DATABASE_PLACE}(/?|/v1\.0(?:/.*)?)", re.ASCII | re.DOTALL)

DATABASE_VERSIONS = _database("GET", "/", "ListVersions")
"""``/`` for a client of the database API; for all others it is the identity service."""

STATUSES: Mapping[tuple[str, str, str], int] = {
    (route.service, route.version, route.action): route.status for route in (*ROUTES, DATABASE_VERSIONS)
}


@dataclass(frozen=True, slots=True)
class Path:
    """A path taken apart: segments decoded once, without the route's suffix (``json``, ``xml`` or empty).

    `names_database`: it began with ``/database``, which `segments` are without.
    """

    segments: tuple[str, ...]
    suffix: str
    names_database: bool = False

    @property
    def service(self) -> tuple[str, str]:
        """The service and version it leads to, whether or not there is such a resource."""
        first = self.segments[0] if self.segments else ""
        if first in ("v3", "v2.0"):
            return "identity", first
        return ("database", "v1.0") if first or self.names_database else ("identity", "v3")

    @property
    def tenant(self) -> str:
        return self.segments[1] if len(self.segments) > 1 else ""


@dataclass(frozen=True, slots=True)
class Found:
    route: Route
    variables: Mapping[str, str]


def read_path(raw: str, *, versioned: bool = True) -> Path:
    """A path as sent. Without a version in it (the Accept header names one), ``/v1.0`` is put in front.

    The version documents may be asked for with a slash at the end, resources may not.
    """
    if (below := below_database(raw)) is not None:
        return replace(read_path(below), names_database=True)
    segments = [unquote(segment, errors="replace") for segment in raw.split("/")[1:]]
    if segments in ([""], ["v3", ""], ["v2.0", ""], ["v1.0", ""]):
        segments.pop()
    if not versioned and segments:
        segments.insert(0, "v1.0")
    plain = tuple(segments)
    suffix = _SUFFIX.search(segments[-1]) if len(segments) > 1 else None
    if suffix is not None:
        bare = (*plain[:-1], segments[-1][: suffix.start()])
        if any(_ends_in_word(template) and _fits(template, bare) for template in _TEMPLATES.values()):
            return Path(bare, suffix[1])
    return Path(plain, "")


def below_database(raw: str) -> str | None:
    """The path without ``/database`` in front; None if it is not one of the database service's so named."""
    found = _BELOW_DATABASE.fullmatch(raw)
    return None if found is None else found[1] or "/"


def find(method: str, path: Path) -> Found:
    """ROUTE_UNKNOWN, or METHOD_UNSUPPORTED with the fact ``allowed``."""
    matching = [(route, variables) for route in ROUTES if (variables := _match(route, path)) is not None]
    for route, variables in matching:
        if route.method == method:
            return Found(route, variables)
    if matching:
        allowed = ", ".join(sorted({route.method for route, _ in matching}))
        raise Refused(Reason.METHOD_UNSUPPORTED, facts={"value": method, "allowed": allowed})
    raise Refused(Reason.ROUTE_UNKNOWN)


_SUFFIX = re.compile(r"(?<=.)\.(json|xml)$")
_TEMPLATES: Mapping[Route, tuple[str, ...]] = {
    route: tuple(filter(None, route.template.split("/"))) for route in ROUTES
}


def _ends_in_word(template: tuple[str, ...]) -> bool:
    return bool(template) and not template[-1].startswith("{")


def _fits(template: tuple[str, ...], segments: tuple[str, ...]) -> bool:
    return len(template) == len(segments) and all(
        expected == given or (expected.startswith("{") and given)
        for expected, given in zip(template, segments, strict=True)
    )


def _match(route: Route, path: Path) -> dict[str, str] | None:
    template = _TEMPLATES[route]
    if not _fits(template, path.segments):
        return None
    named = zip(template, path.segments, strict=True)
    return {expected[1:-1]: given for expected, given in named if expected.startswith("{")}


def user_and_host(segment: str) -> dict[str, str]:
    """``name`` and, where there is one, ``host`` of a user's decoded segment, split at the last ``@``."""
    name, at, host = segment.rpartition("@")
    return {"name": name, "host": host} if at and name and host else {"name": segment}


def decoded_again(segment: str) -> str:
    """What a segment says if it was encoded twice, as Rackspace documents for dots; empty if it says the same."""
    again = unquote(segment, errors="replace")
    return again if again != segment else ""
