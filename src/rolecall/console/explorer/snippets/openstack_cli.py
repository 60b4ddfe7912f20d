"""python-openstackclient with the commands of python-troveclient 8.11, where it has one for the action."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from rolecall.console.explorer.calls import DescribedCall, Hole, Value
from rolecall.console.explorer.snippets.literals import shell_text

Params = Mapping[str, Value]

_HOST = {"host": "--host"}
_NEW = {"name": "--new_name", "password": "--new_password", "host": "--new_host"}


def snippet(call: DescribedCall) -> str:
    """Empty if there is no command, or none that takes these parameters. It reads OS_AUTH_URL, OS_USERNAME,
    OS_PASSWORD, OS_PROJECT_ID and OS_USER_DOMAIN_ID."""
    if call.service != "database":
        return ""
    made = _COMMANDS.get(call.action)
    return "" if made is None else "".join(f"openstack database {line}\n" for line in made(call.params))


def _word(value: Value) -> str:
    return f'"${value.variable}"' if isinstance(value, Hole) else shell_text(str(value))


def _plain(command: str, *names: str) -> Callable[[Params], Iterable[str]]:
    """A command that takes parameters in that order, and the host of a user."""

    def made(params: Params) -> Iterable[str]:
        words = [_word(params.get(name, "")) for name in names]
        yield " ".join((command, *_options(params, _HOST), "--", *words) if words else (command,))

    return made


def _paged(command: str, *names: str) -> Callable[[Params], Iterable[str]]:
    def made(params: Params) -> Iterable[str]:
        yield " ".join(
            (command, *_options(params, {"limit": "--limit", "marker": "--marker"}), *_last(params, names))
        )

    return made


def _last(params: Params, names: Iterable[str]) -> list[str]:
    words = [_word(params.get(name, "")) for name in names]
    return ["--", *words] if words else []


def _options(params: Params, flags: Mapping[str, str]) -> list[str]:
    return [
        f"{flag} {_word(params[name])}" for name, flag in flags.items() if params.get(name) not in (None, "")
    ]


def _items(value: Value | None) -> list[dict[str, Value]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _names(value: Value | None) -> list[str]:
    return [_word(item.get("name", "")) for item in _items(value)]


def _create_users(params: Params) -> Iterable[str]:
    for user in _items(params.get("users")):
        databases = _names(user.get("databases"))
        words = [
            _word(value)
            for value in (params.get("instance_id", ""), user.get("name", ""), user.get("password", ""))
        ]
        granted = [f"--databases {' '.join(databases)}"] if databases else []
        yield " ".join(("user create", *_options(user, _HOST), *granted, "--", *words))


def _grant(params: Params) -> Iterable[str]:
    words = [_word(params.get(name, "")) for name in ("instance_id", "name")]
    databases = _names(params.get("databases"))
    yield " ".join(("user grant access", *_options(params, _HOST), "--", *words, *databases))


def _update(params: Params) -> Iterable[str]:
    user = params.get("user")
    changed = _options(user if isinstance(user, dict) else {}, _NEW)
    words = [_word(params.get(name, "")) for name in ("instance_id", "name")]
    yield " ".join(("user update attributes", *_options(params, _HOST), *changed, "--", *words))


def _create_databases(params: Params) -> Iterable[str]:
    for database in _items(params.get("databases")):
        options = _options(database, {"character_set": "--character_set", "collate": "--collate"})
        words = [_word(value) for value in (params.get("instance_id", ""), database.get("name", ""))]
        yield " ".join(("db create", *options, "--", *words))


def _root(params: Params) -> Iterable[str]:
    options = _options(params, {"password": "--root_password"})
    yield " ".join(("root enable", *options, "--", _word(params.get("instance_id", ""))))


def _act(params: Params) -> Iterable[str]:
    if params.get("action") == "restart":
        yield f"instance restart -- {_word(params.get('instance_id', ''))}"


_COMMANDS: Mapping[str, Callable[[Params], Iterable[str]]] = {
    "CreateUsers": _create_users,
    "ListUsers": _plain("user list", "instance_id"),
    "ShowUser": _plain("user show", "instance_id", "name"),
    "DeleteUser": _plain("user delete", "instance_id", "name"),
    "UpdateUser": _update,
    "ListGrants": _plain("user show access", "instance_id", "name"),
    "GrantDatabases": _grant,
    "RevokeDatabase": _plain("user revoke access", "instance_id", "name", "database"),
    "ListDatabases": _plain("db list", "instance_id"),
    "CreateDatabases": _create_databases,
    "DeleteDatabase": _plain("db delete", "instance_id", "database"),
    "ShowRoot": _plain("root show", "instance_id"),
    "EnableRoot": _root,
    "DisableRoot": _plain("root disable", "instance_id"),
    "ListInstances": _paged("instance list"),
    "ShowInstance": _plain("instance show", "instance_id"),
    "DeleteInstance": _plain("instance delete", "instance_id"),
    "ActOnInstance": _act,
    "ListFlavors": _plain("flavor list"),
    "ShowFlavor": _plain("flavor show", "flavor"),
    "ListDatastores": _plain("datastore list"),
    "ShowDatastore": _plain("datastore show", "datastore"),
    "ListDatastoreVersions": _plain("datastore version list", "datastore"),
    "ListLimits": _plain("limit list"),
}
