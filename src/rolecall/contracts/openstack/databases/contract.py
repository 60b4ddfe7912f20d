"""The contract of Database v1.0 (OpenStack Trove, Rackspace Cloud Databases).

Sources: "Create User" is its page of the Rackspace Cloud Databases Developer Guide v1.0. The siblings are those of
the guide and of Trove 26.0.0 as python-troveclient 8.11 and openstacksdk 4.22 call them.

Parameters are the request's body, its query and the variables of its path. What the contract does not name is
dropped by the dialect before it comes here, as the original accepts and ignores it.
"""

from __future__ import annotations

from typing import Any

from rolecall.contracts.model import Action, Contract, Field, Kind, ListOf, Rule, Shape, between, one_of
from rolecall.contracts.openstack.databases import rules
from rolecall.contracts.openstack.faults import FAULTS
from rolecall.domain.reasons import Reason

GUIDE = "Rackspace Cloud Databases Developer Guide v1.0"
TROVE = "Trove 26.0.0, trove/common/apischema.py"

PAGE_CODES = frozenset(
    {
        "badRequest",
        "unauthorized",
        "forbidden",
        "badMethod",
        "overLimit",
        "unprocessableEntity",
        "instanceFault",
        "notImplemented",
        "serviceUnavailable",
        "itemNotFound",
    }
)
"""The error response codes of every page of the guide."""

INSTANCE_ACTIONS = (
    "restart", "resize", "reset_status", "promote_to_replica_source", "eject_replica_source",
)  # fmt: skip
_AT_MOST = 1000  # ours: users or databases in one request


def _text(
    name: str, own: tuple[Rule, ...] = (), *, required: bool = False, default: str | None = None
) -> Field:
    return Field(name, Kind.STRING, required, default, own)


_INSTANCE = _text("instance_id", required=True)
_USER = (
    _text("name", rules.EXISTING_USER, required=True),
    _text("host", rules.EXISTING_HOST, default=rules.ANY_HOST),
)
_DECODED_AGAIN = _text("decoded_again")
"""The user in the path if it was encoded twice (guide: dots): read where there is no user of the other name."""

_PAGE = (
    Field("limit", Kind.INTEGER, default=0, rules=(between(0, 2**31, Reason.PARAMETER_RANGE, TROVE),)),
    _text("marker"),
)
_PASSWORD = Field("password", Kind.SECRET, required=True, rules=rules.PASSWORD)
_HOST = _text("host", rules.HOST, default=rules.ANY_HOST)

GRANTED = Shape("database", (_text("name", rules.DATABASE_NAME, required=True),))
NEW_USER = Shape(
    "user",
    (
        _text("name", rules.NEW_USER_NAME, required=True),
        _PASSWORD,
        _HOST,
        Field("databases", ListOf(GRANTED, _AT_MOST)),
        # One database in short. Trove ignores it; the page's own examples grant by it.
        _text("database", rules.DATABASE_NAME),
    ),
)
CHANGED_USER = Shape(
    "user",
    (
        _text("name", rules.USER_NAME, required=True),
        _PASSWORD,
        _text("host", rules.EXISTING_HOST, default=rules.ANY_HOST),
    ),
)
ATTRIBUTES = Shape(
    "user",
    (
        _text("name", rules.NEW_USER_NAME),
        Field("password", Kind.SECRET, rules=rules.PASSWORD),
        _text("host", rules.HOST),
    ),
)
NEW_DATABASE = Shape(
    "database",
    (
        _text("name", rules.DATABASE_NAME, required=True),
        _text("character_set", rules.CHARACTER_SET),
        _text("collate", rules.COLLATION),
    ),
)
NEW_INSTANCE = Shape(
    "instance",
    (
        _text("name", rules.INSTANCE_NAME, required=True),
        Field("datastore", Shape("datastore", (_text("type"), _text("version")))),
        Field("databases", ListOf(NEW_DATABASE, _AT_MOST)),
        Field("users", ListOf(NEW_USER, _AT_MOST)),
        # What would make something else of it than a new server: refused, not passed over.
        _text("replica_of"),
        _text("slave_of"),
        _text("configuration"),
        Field("restorePoint", Shape("restorePoint", (_text("backupRef"),))),
    ),
)
NOT_OFFERED = ("replica_of", "slave_of", "configuration", "restorePoint")
"""Attributes of a new instance that are not implemented."""

_USERS = Field("users", ListOf(NEW_USER, _AT_MOST), required=True)


CALLS_A_MINUTE = 200
"""For each method, and for all callers of a tenant together (Trove 26.0.0, http_get_rate and its siblings)."""

VERBS = ("DELETE", "GET", "POST", "PUT")
"""The methods that are counted. PATCH, which Trove does not count, is counted as PUT."""

_ON_INSTANCE = "qcs::trove:{region}:uin/{owner}:instance/{instance_id}"


def _action(verb: str, name: str, *params: Field, source: str = TROVE, **more: Any) -> Action:
    """Of an action on an instance policies see the instance; what is told from tables is no secret."""
    resources = (_ON_INSTANCE,) if _INSTANCE in params else ("*",)
    return Action(
        name,
        source,
        params,
        codes=PAGE_CODES,
        rate=CALLS_A_MINUTE,
        rate_seconds=60,
        rate_group=verb,
        resources=resources,
        **more,
    )


def _read(name: str, *params: Field, source: str = TROVE) -> Action:
    return _action("GET", name, *params, source=source)


def _table(name: str, *params: Field) -> Action:
    return _action("GET", name, *params, free=True)


def _change(verb: str, name: str, *params: Field, source: str = TROVE) -> Action:
    return _action(verb, name, *params, source=source, changes=True)


_ACTIONS = (
    _action("GET", "ListVersions", source=GUIDE, public=True),
    _action("GET", "ShowVersion", source=GUIDE, public=True),
    # users
    _change("POST", "CreateUsers", _INSTANCE, _USERS, source=f"{GUIDE}, Create User"),
    _read("ListUsers", _INSTANCE, *_PAGE),
    _read("ShowUser", _INSTANCE, *_USER, _DECODED_AGAIN),
    _change(
        "PUT", "ChangePasswords", _INSTANCE, Field("users", ListOf(CHANGED_USER, _AT_MOST), required=True)
    ),
    _change("PUT", "UpdateUser", _INSTANCE, *_USER, Field("user", ATTRIBUTES, required=True)),
    _change("DELETE", "DeleteUser", _INSTANCE, *_USER),
    # what a user may reach
    _read("ListGrants", _INSTANCE, *_USER, _DECODED_AGAIN),
    _change(
        "PUT",
        "GrantDatabases",
        _INSTANCE,
        *_USER,
        Field("databases", ListOf(GRANTED, _AT_MOST), required=True),
    ),
    _change(
        "DELETE",
        "RevokeDatabase",
        _INSTANCE,
        *_USER,
        _text("database", rules.EXISTING_DATABASE, required=True),
    ),
    # databases
    _read("ListDatabases", _INSTANCE, *_PAGE),
    _change(
        "POST",
        "CreateDatabases",
        _INSTANCE,
        Field("databases", ListOf(NEW_DATABASE, _AT_MOST), required=True),
    ),
    _read("ShowDatabase", _INSTANCE, _text("database", required=True)),
    _change("DELETE", "DeleteDatabase", _INSTANCE, _text("database", rules.EXISTING_DATABASE, required=True)),
    # root
    _read("ShowRoot", _INSTANCE),
    _change("POST", "EnableRoot", _INSTANCE, Field("password", Kind.SECRET, rules=rules.PASSWORD)),
    _change("DELETE", "DisableRoot", _INSTANCE),
    # instances
    _read("ListInstances", *_PAGE),
    _read("ListInstancesDetail", *_PAGE),
    _read("ShowInstance", _INSTANCE),
    _change("POST", "CreateInstance", Field("instance", NEW_INSTANCE, required=True)),
    _change(
        "PUT",
        "UpdateInstance",
        _INSTANCE,
        Field("instance", Shape("instance", (_text("name", rules.INSTANCE_NAME),)), required=True),
    ),
    _change("DELETE", "DeleteInstance", _INSTANCE),
    _change(
        "POST",
        "ActOnInstance",
        _INSTANCE,
        _text("action", (one_of(INSTANCE_ACTIONS, Reason.PARAMETER_VALUE, TROVE),), required=True),
    ),
    # tables
    _table("ListFlavors"),
    _table("ShowFlavor", _text("flavor", required=True)),
    _table("ListDatastores"),
    _table("ShowDatastore", _text("datastore", required=True)),
    _table("ListDatastoreVersions", _text("datastore", required=True)),
    _table("ShowDatastoreVersion", _text("datastore", required=True), _text("version", required=True)),
    _table("ListLimits"),
)

CONTRACT = Contract(
    dialect="openstack",
    service="database",
    version="v1.0",
    actions={action.name: action for action in _ACTIONS},
    errors=FAULTS,
    policy_service="trove",
    region_is_ours=True,
)
