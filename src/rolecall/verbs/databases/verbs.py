"""Database v1.0 (contract: `rolecall.contracts.openstack.databases.contract`).

| action | command | answer |
|---|---|---|
| CreateUsers | CreateAccountsLater | - |
| ListUsers, ShowUser | PageAccounts, ShowAccount | users, user |
| ChangePasswords | ResetPasswords | - |
| UpdateUser | MoveAccount | - |
| DeleteUser | DeleteAccount | - |
| ListGrants | ShowAccount | databases |
| GrantDatabases, RevokeDatabase | ChangeGrants | - |
| ListDatabases | AllDatabases | databases |
| CreateDatabases, DeleteDatabase | CreateDatabases, DeleteDatabase | - |
| ShowRoot, EnableRoot, DisableRoot | SuperuserState, EnableSuperuser, DisableSuperuser | rootEnabled, user, - |
| ListInstances, ListInstancesDetail, ShowInstance | ListInstances, ShowInstance | instances, instance |
| CreateInstance, DeleteInstance | ProvisionInstance, DeprovisionInstance | instance, - |
| UpdateInstance | RenameInstance | - |
| ActOnInstance | RestartInstance (other actions: not implemented) | - |
| ShowDatabase | (not implemented) | |
| ListLimits | ShowRates | limits |
| versions, flavors, datastores | (tables) | |
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from rolecall.contracts.openstack.databases import parameters
from rolecall.contracts.openstack.databases.rules import RESERVED_USERS
from rolecall.domain.accounts import commands
from rolecall.domain.accounts.commands import AccountSpec, DatabaseSpec
from rolecall.domain.engine import Access, DatabaseGrant
from rolecall.domain.engine.pages import AccountSlice
from rolecall.domain.instances import commands as instance_commands
from rolecall.domain.messages import Command, InstanceName
from rolecall.domain.provisioning import commands as provisioning_commands
from rolecall.domain.reasons import Reason, Refused
from rolecall.values import Checked
from rolecall.verbs import Answer, StaticVerb, Verbs, call_verb, nothing, verb, verbs_of
from rolecall.verbs.databases import answers, limits, tables
from rolecall.verbs.databases.pages import page_size, user_marker

ENGINE = "mysql"
"""The kind of server that an instance of this API is."""

_T = TypeVar("_T")


def _instance(params: parameters.OnInstance) -> InstanceName:
    return InstanceName("openstack", params.instance_id)


def _on_instance(
    command: Callable[[InstanceName], Command[_T]],
) -> Callable[[parameters.OnInstance], Command[_T]]:
    return lambda params: command(_instance(params))


def _user(params: parameters.OnUser) -> tuple[str, str]:
    """The name and host in the path."""
    return params.name, params.host


def _create_users(params: parameters.CreateUsers) -> commands.CreateAccountsLater:
    """A database that is not there is granted for when it is (Trove; the guide's own examples name some)."""
    return commands.CreateAccountsLater(
        _instance(params), _new_accounts(params.users, ""), allow_missing=True
    )


def _new_accounts(users: Sequence[parameters.NewUser], prefix: str) -> tuple[AccountSpec, ...]:
    """ACCOUNT_REPEATED, and PARAMETER_VALUE for a database that is named twice for one user."""
    specs = tuple(_account(user, f"{prefix}users.{index}.") for index, user in enumerate(users))
    _require_distinct(specs, f"{prefix}users")
    return specs


def _account(user: parameters.NewUser, path: str) -> AccountSpec:
    named = [database.name for database in user.databases or ()]
    if len(set(named)) != len(named):
        raise Refused(Reason.PARAMETER_VALUE, f"{path}databases", facts={"value": ", ".join(named)})
    if user.database and user.database not in named:
        named.insert(0, user.database)
    return AccountSpec(user.name, user.host, user.password, _grants(named))


def _grants(names: Sequence[str]) -> tuple[DatabaseGrant, ...]:
    """All on each (guide: "Name of the database that the user can access"; Trove: GRANT ALL)."""
    return tuple(DatabaseGrant(name, Access.ALL) for name in names)


def _require_distinct(specs: Sequence[AccountSpec], field: str) -> None:
    if len({(spec.name, spec.host) for spec in specs}) != len(specs):
        raise Refused(Reason.ACCOUNT_REPEATED, field)


def _list_users(params: parameters.ListUsers) -> commands.PageAccounts:
    """Without the reserved ones."""
    asked = AccountSlice(page_size(params), user_marker(params))
    return commands.PageAccounts(_instance(params), asked, hidden=RESERVED_USERS)


def _show_user(params: parameters.ListGrants | parameters.ShowUser) -> commands.ShowAccount:
    again = params.decoded_again or ""
    name, at, host = again.rpartition("@")
    otherwise = (name, host) if at and name and host else (again, "")
    return commands.ShowAccount(_instance(params), *_user(params), otherwise if again else None)


def _change_passwords(params: parameters.ChangePasswords) -> commands.ResetPasswords:
    specs = tuple(AccountSpec(user.name, user.host, user.password) for user in params.users)
    _require_distinct(specs, "users")
    return commands.ResetPasswords(_instance(params), specs)


def _update_user(params: parameters.UpdateUser) -> commands.MoveAccount:
    """At least one attribute must be there (Trove: "user {} should be non-empty")."""
    wanted = params.user
    if wanted == parameters.UserAttributes():
        raise Refused(Reason.PARAMETER_VALUE, "user")
    name, host = _user(params)
    return commands.MoveAccount(
        _instance(params), name, host, wanted.name or None, wanted.host or None, wanted.password
    )


def _delete_user(params: parameters.OnUser) -> commands.DeleteAccount:
    return commands.DeleteAccount(_instance(params), *_user(params), must_exist=True)


def _grant(params: parameters.GrantDatabases) -> commands.ChangeGrants:
    named = dict.fromkeys(database.name for database in params.databases)
    return commands.ChangeGrants(
        _instance(params), *_user(params), grant=_grants(tuple(named)), allow_missing=True
    )


def _revoke(params: parameters.RevokeDatabase) -> commands.ChangeGrants:
    revoked = (params.database,)
    return commands.ChangeGrants(_instance(params), *_user(params), grant=(), revoke=revoked, must_exist=True)


def _create_databases(params: parameters.CreateDatabases) -> commands.CreateDatabases:
    return commands.CreateDatabases(_instance(params), _new_databases(params.databases, ""))


def _new_databases(databases: Sequence[parameters.NewDatabase], prefix: str) -> tuple[DatabaseSpec, ...]:
    specs = tuple(
        DatabaseSpec(database.name, database.character_set or "", database.collate or "")
        for database in databases
    )
    if len({spec.name for spec in specs}) != len(specs):
        raise Refused(Reason.PARAMETER_VALUE, f"{prefix}databases")
    return specs


def _delete_database(params: parameters.DeleteDatabase) -> commands.DeleteDatabase:
    return commands.DeleteDatabase(_instance(params), params.database, must_exist=True)


def _enable_root(params: parameters.EnableRoot) -> commands.EnableSuperuser:
    return commands.EnableSuperuser(_instance(params), params.password)


def _list_instances(_params: object) -> instance_commands.ListInstances:
    return instance_commands.ListInstances("openstack")


def _create_instance(params: parameters.CreateInstance) -> provisioning_commands.ProvisionInstance:
    """ACTION_UNKNOWN for a replica or a restored one, OBJECT_MISSING for a datastore that is not offered, and what
    `_new_accounts` refuses with. It is in the region of every server of its kind, as seen through other dialects.
    """
    wanted = params.instance
    for name, value in (
        ("replica_of", wanted.replica_of),
        ("slave_of", wanted.slave_of),
        ("configuration", wanted.configuration),
        ("restorePoint", wanted.restorePoint not in (None, parameters.RestorePoint())),
    ):
        if value:
            raise Refused(Reason.ACTION_UNKNOWN, f"instance.{name}")
    version = tables.wanted_version(wanted.datastore or parameters.Datastore())
    databases = _new_databases(wanted.databases or (), "instance.")
    users = _new_accounts(wanted.users or (), "instance.")
    _require_initial_databases(users, databases)
    return provisioning_commands.ProvisionInstance(
        "openstack", ENGINE, wanted.name, "", databases, users, version=version
    )


def _require_initial_databases(users: Sequence[AccountSpec], databases: Sequence[DatabaseSpec]) -> None:
    """A new instance has no databases but those it is asked for with (Trove 26.0.0, populate_users)."""
    there = {database.name for database in databases}
    for index, user in enumerate(users):
        for grant in user.grants:
            if grant.database not in there:
                field = f"instance.users.{index}.databases"
                raise Refused(Reason.PARAMETER_VALUE, field, facts={"value": grant.database})


def _rename_instance(params: parameters.UpdateInstance) -> instance_commands.RenameInstance:
    """ACTION_UNKNOWN where nothing of what can be changed here is asked for."""
    name = params.instance.name
    if not name:
        raise Refused(Reason.ACTION_UNKNOWN, "instance")
    return instance_commands.RenameInstance(_instance(params), name)


def _act(params: parameters.ActOnInstance) -> provisioning_commands.RestartInstance:
    if params.action != "restart":
        raise Refused(Reason.ACTION_UNKNOWN, "action")
    return provisioning_commands.RestartInstance(_instance(params))


def _not_implemented(_checked: Checked[object]) -> Answer:
    raise Refused(Reason.ACTION_UNKNOWN)


VERBS: Verbs = verbs_of(
    StaticVerb(parameters.ListVersions, tables.database_versions),
    StaticVerb(parameters.ShowVersion, tables.database_version),
    verb(parameters.CreateUsers, _create_users, nothing),
    verb(parameters.ListUsers, _list_users, answers.users),
    verb(parameters.ShowUser, _show_user, answers.user),
    verb(parameters.ChangePasswords, _change_passwords, nothing),
    verb(parameters.UpdateUser, _update_user, nothing),
    verb(parameters.DeleteUser, _delete_user, nothing),
    verb(parameters.ListGrants, _show_user, answers.grants),
    verb(parameters.GrantDatabases, _grant, nothing),
    verb(parameters.RevokeDatabase, _revoke, nothing),
    verb(parameters.ListDatabases, _on_instance(commands.AllDatabases), answers.databases),
    verb(parameters.CreateDatabases, _create_databases, nothing),
    StaticVerb(parameters.ShowDatabase, _not_implemented),
    verb(parameters.DeleteDatabase, _delete_database, nothing),
    verb(parameters.ShowRoot, _on_instance(commands.SuperuserState), answers.root_state),
    verb(parameters.EnableRoot, _enable_root, answers.root),
    verb(parameters.DisableRoot, _on_instance(commands.DisableSuperuser), nothing),
    verb(parameters.ListInstances, _list_instances, answers.instances),
    verb(parameters.ListInstancesDetail, _list_instances, answers.instances_in_detail),
    verb(parameters.ShowInstance, _on_instance(instance_commands.ShowInstance), answers.instance),
    verb(parameters.CreateInstance, _create_instance, answers.new_instance),
    verb(parameters.UpdateInstance, _rename_instance, nothing),
    verb(parameters.DeleteInstance, _on_instance(provisioning_commands.DeprovisionInstance), nothing),
    verb(parameters.ActOnInstance, _act, nothing),
    StaticVerb(parameters.ListFlavors, tables.flavors),
    StaticVerb(parameters.ShowFlavor, tables.flavor),
    StaticVerb(parameters.ListDatastores, tables.datastores),
    StaticVerb(parameters.ShowDatastore, tables.datastore),
    StaticVerb(parameters.ListDatastoreVersions, tables.datastore_versions),
    StaticVerb(parameters.ShowDatastoreVersion, tables.datastore_version),
    call_verb(parameters.ListLimits, limits.asked, limits.limits),
)
