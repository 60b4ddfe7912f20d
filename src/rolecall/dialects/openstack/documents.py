"""From a request's path, query and body to the parameters that a contract declares.

Unknown members are dropped, as the original accepts and ignores them (``additionalProperties: true``); a null where
a value is declared is of the wrong type. The shapes that openstacksdk 4.22 really sends are understood too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from urllib.parse import parse_qsl

from rolecall.contracts.model import Action, Field, Kind, ListOf, Shape
from rolecall.dialects.openstack import json_bodies, xml_bodies
from rolecall.dialects.openstack.media import Form, body_form
from rolecall.dialects.openstack.routing import Found, decoded_again, user_and_host
from rolecall.domain import strict_json
from rolecall.domain.reasons import Reason, Refused
from rolecall.values import Request

MAX_BODY = 1024 * 1024
"""Bytes. The original's limit is that of its middleware, 114688; a longer list of users costs no more here."""

MAX_CREDENTIALS = 64 * 1024
"""Bytes of a request for a token: the one document that is read before anything is proven."""

MAX_QUERY_FIELDS = 100

_WITH_BODY = frozenset({"PATCH", "POST", "PUT"})

Document = Mapping[str, object]


def decode(request: Request, form: Form | None) -> Document:
    """A body as an object; nothing where there is none. TOO_LARGE, MALFORMED_REQUEST."""
    if form is None:
        return {}
    if len(request.body) > MAX_BODY:
        raise Refused(Reason.TOO_LARGE)
    return xml_bodies.decode(request.body) if form is Form.XML else json_bodies.decode(request.body)


def params(request: Request, found: Found, action: Action) -> Document:
    """What the action declares, of the path and of the body, or the query where there is no body.

    The query of a change is not read: a password must not stand in a URL.
    MEDIA_TYPE_UNSUPPORTED, and as `decode` and `known`.
    """
    given = _body(request, action) if request.method in _WITH_BODY else _query(request)
    if found.route.service == "identity":
        given = {**given, **_flags(request)}
    merged = {**given, **_variables(found)}
    return known(merged, action.params, "")


def _flags(request: Request) -> Document:
    """What v3 asks about a token beside the query's values."""
    header = request.header("x-subject-token")
    return {
        **({"subject": header} if header else {}),
        **({"nocatalog": True} if asks_no_catalog(request) else {}),
    }


def asks_no_catalog(request: Request) -> bool:
    """v3: the flag is in the query, whatever its value (keystoneauth appends it to the POST that asks for a token)."""
    return "nocatalog" in {part.partition("=")[0] for part in request.query.split("&")}


def _body(request: Request, action: Action) -> Document:
    return _SHAPES.get(action.name, dict)(decode(request, body_form(request)))


def _variables(found: Found) -> Document:
    variables = dict(found.variables)
    for name, value in variables.items():
        strict_json.check_text(value, name)
    user = variables.pop("user", None)
    if user is None or found.route.action == "CreateUsers":
        return variables
    if found.route.method == "GET" and (again := decoded_again(user)):
        variables["decoded_again"] = again
    return {**variables, **user_and_host(user)}


def _query(request: Request) -> Document:
    try:
        pairs = parse_qsl(request.query, keep_blank_values=True, max_num_fields=MAX_QUERY_FIELDS)
    except ValueError:
        raise Refused(Reason.MALFORMED_REQUEST, note="too many fields in the query") from None
    for name, value in pairs:
        strict_json.check_text(value, name)
    return {name: value for name, value in pairs if value}


def _users(body: Document) -> Document:
    """openstacksdk sends one user, not in a list: ``{"users": {...}}``."""
    return {**body, "users": _listed(body["users"])} if "users" in body else body


def _databases(body: Document) -> Document:
    """openstacksdk sends ``{"database": {...}}``."""
    if "databases" not in body and isinstance(body.get("database"), Mapping):
        return {"databases": [body["database"]]}
    return body


def _listed(value: object) -> object:
    return [value] if isinstance(value, Mapping) else value


def _action(body: Document) -> Document:
    """``{"restart": {}}``, from openstacksdk ``{"restart": null}``: the one key is the action."""
    if len(body) != 1:
        raise Refused(Reason.MALFORMED_REQUEST, note="not exactly one action")
    return {"action": next(iter(body))}


_SHAPES: Mapping[str, Callable[[Document], Document]] = {
    "CreateUsers": _users,
    "ChangePasswords": _users,
    "CreateDatabases": _databases,
    "ActOnInstance": _action,
}


def known(given: Document, fields: tuple[Field, ...], prefix: str) -> dict[str, object]:
    """`given` without what `fields` do not name, at every level. PARAMETER_TYPE for null."""
    kept: dict[str, object] = {}
    for field in fields:
        if field.name in given:
            kept[field.name] = _known_inside(given[field.name], field.type, prefix + field.name)
    return kept


def _known_inside(value: object, type_: Kind | ListOf | Shape, path: str) -> object:
    if value is None:
        raise Refused(Reason.PARAMETER_TYPE, path, facts={"value": "None", "expected": _expected(type_)})
    if isinstance(type_, Shape) and isinstance(value, Mapping):
        return known(value, type_.fields, path + ".")
    if isinstance(type_, ListOf) and isinstance(value, list):
        return [_known_inside(item, type_.item, f"{path}.{index}") for index, item in enumerate(value)]
    return value


def _expected(type_: Kind | ListOf | Shape) -> str:
    if isinstance(type_, Kind):
        return "string" if type_ is Kind.SECRET else type_.value
    return "array" if isinstance(type_, ListOf) else "object"
