"""Database v1.0 (contract: `rolecall.contracts.openstack.databases.contract`).

| action | command | answer |
|---|---|---|
| CreateUsers | CreateAccountsLater | - |
| ListUsers, ShowUser | AllAccounts, ShowAccount | users, user |
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

from collections.abc import Sequence

from rolecall.contracts.openstack.databases import parameters
from rolecall.domain.accounts import commands
from rolecall.domain.accounts.commands import AccountSpec, DatabaseSpec
from rolecall.domain.engine import Access, DatabaseGrant
from rolecall.domain.instances import commands as instance_commands
from rolecall.domain.messages import InstanceName
from rolecall.domain.provisioning import commands as provisioning_commands
from rolecall.domain.reasons import Reason, Refused
from rolecall.values import Checked
from rolecall.verbs import Answer, Decipher, StaticVerb, Verb, Verbs, nothing
from rolecall.verbs.databases import answers, limits, tables

ENGINE = "mysql"
"""The kind of server that an instance of this API is."""


def _instance(checked: Checked[parameters.OnInstance]) -> InstanceName:
    return InstanceName("openstack", checked.params.instance_id)


def _user(checked: Checked[parameters.OnUser]) -> tuple[str, str]:
    """The name and host in the path."""
    return checked.params.name, checked.params.host


def _create_users(checked: Checked[parameters.CreateUsers], _: Decipher) -> commands.CreateAccountsLater:
    """A database that is not there is granted for when it is (Trove; the guide's own examples name some)."""
    return commands.CreateAccountsLater(
        _instance(checked), _new_accounts(checked.params.users, ""), allow_missing=True
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


def _list_users(checked: Checked[parameters.OnInstance], _: Decipher) -> commands.AllAccounts:
    return commands.AllAccounts(_instance(checked))


def _show_user(
    checked: Checked[parameters.ListGrants | parameters.ShowUser], _: Decipher
) -> commands.ShowAccount:
    again = checked.params.decoded_again or ""
    name, at, host = again.rpartition("@")
    otherwise = (name, host) if at and name and host else (again, "")
    return commands.ShowAccount(_instance(checked), *_user(checked), otherwise if again else None)


def _change_passwords(checked: Checked[parameters.ChangePasswords], _: Decipher) -> commands.ResetPasswords:
    specs = tuple(AccountSpec(user.name, user.host, user.password) for user in checked.params.users)
    _require_distinct(specs, "users")
    return commands.ResetPasswords(_instance(checked), specs)


def _update_user(checked: Checked[parameters.UpdateUser], _: Decipher) -> commands.MoveAccount:
    """At least one attribute must be there (Trove: "user {} should be non-empty")."""
    wanted = checked.params.user
    if wanted == parameters.UserAttributes():
        raise Refused(Reason.PARAMETER_VALUE, "user")
    name, host = _user(checked)
    return commands.MoveAccount(
        _instance(checked),
        name,
        host,
        wanted.name or None,
        wanted.host or None,
        wanted.password,
    )


def _delete_user(checked: Checked[parameters.OnUser], _: Decipher) -> commands.DeleteAccount:
    return commands.DeleteAccount(_instance(checked), *_user(checked), must_exist=True)


def _grant(checked: Checked[parameters.GrantDatabases], _: Decipher) -> commands.ChangeGrants:
    named = dict.fromkeys(database.name for database in checked.params.databases)
    return commands.ChangeGrants(
        _instance(checked), *_user(checked), grant=_grants(tuple(named)), allow_missing=True
    )


def _revoke(checked: Checked[parameters.RevokeDatabase], _: Decipher) -> commands.ChangeGrants:
    revoked = (checked.params.database,)
    return commands.ChangeGrants(
        _instance(checked), *_user(checked), grant=(), revoke=revoked, must_exist=True
    )


def _list_databases(checked: Checked[parameters.OnInstance], _: Decipher) -> commands.AllDatabases:
    return commands.AllDatabases(_instance(checked))


def _create_databases(checked: Checked[parameters.CreateDatabases], _: Decipher) -> commands.CreateDatabases:
    return commands.CreateDatabases(_instance(checked), _new_databases(checked.params.databases, ""))


def _new_databases(databases: Sequence[parameters.NewDatabase], prefix: str) -> tuple[DatabaseSpec, ...]:
    specs = tuple(
        DatabaseSpec(database.name, database.character_set or "", database.collate or "")
        for database in databases
    )
    if len({spec.name for spec in specs}) != len(specs):
        raise Refused(Reason.PARAMETER_VALUE, f"{prefix}databases")
    return specs


def _delete_database(checked: Checked[parameters.DeleteDatabase], _: Decipher) -> commands.DeleteDatabase:
    return commands.DeleteDatabase(_instance(checked), checked.params.database, must_exist=True)


def _show_root(checked: Checked[parameters.OnInstance], _: Decipher) -> commands.SuperuserState:
    return commands.SuperuserState(_instance(checked))


def _enable_root(checked: Checked[parameters.EnableRoot], _: Decipher) -> commands.EnableSuperuser:
    return commands.EnableSuperuser(_instance(checked), checked.params.password)


def _disable_root(checked: Checked[parameters.OnInstance], _: Decipher) -> commands.DisableSuperuser:
    return commands.DisableSuperuser(_instance(checked))


def _list_instances(_checked: Checked[object], _: Decipher) -> instance_commands.ListInstances:
    return instance_commands.ListInstances("openstack")


def _show_instance(checked: Checked[parameters.OnInstance], _: Decipher) -> instance_commands.ShowInstance:
    return instance_commands.ShowInstance(_instance(checked))


def _create_instance(
    checked: Checked[parameters.CreateInstance], _: Decipher
) -> provisioning_commands.ProvisionInstance:
    """ACTION_UNKNOWN for a replica or a restored one, OBJECT_MISSING for a datastore that is not offered, and what
    `_new_accounts` refuses with. It is in the region of every server of its kind, as seen through other dialects.
    """
    wanted = checked.params.instance
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


def _rename_instance(
    checked: Checked[parameters.UpdateInstance], _: Decipher
) -> instance_commands.RenameInstance:
    """ACTION_UNKNOWN where nothing of what can be changed here is asked for."""
    name = checked.params.instance.name
    if not name:
        raise Refused(Reason.ACTION_UNKNOWN, "instance")
    return instance_commands.RenameInstance(_instance(checked), name)


def _delete_instance(
    checked: Checked[parameters.OnInstance], _: Decipher
) -> provisioning_commands.DeprovisionInstance:
    return provisioning_commands.DeprovisionInstance(_instance(checked))


def _act(checked: Checked[parameters.ActOnInstance], _: Decipher) -> provisioning_commands.RestartInstance:
    if checked.params.action != "restart":
        raise Refused(Reason.ACTION_UNKNOWN, "action")
    return provisioning_commands.RestartInstance(_instance(checked))


def _not_implemented(_checked: Checked[object]) -> Answer:
    raise Refused(Reason.ACTION_UNKNOWN)


VERBS: Verbs = {
    "ListVersions": StaticVerb(parameters.ListVersions, tables.database_versions),
    "ShowVersion": StaticVerb(parameters.ShowVersion, tables.database_version),
    "CreateUsers": Verb(parameters.CreateUsers, _create_users, nothing),
    "ListUsers": Verb(parameters.ListUsers, _list_users, answers.users),
    "ShowUser": Verb(parameters.ShowUser, _show_user, answers.user),
    "ChangePasswords": Verb(parameters.ChangePasswords, _change_passwords, nothing),
    "UpdateUser": Verb(parameters.UpdateUser, _update_user, nothing),
    "DeleteUser": Verb(parameters.DeleteUser, _delete_user, nothing),
    "ListGrants": Verb(parameters.ListGrants, _show_user, answers.grants),
    "GrantDatabases": Verb(parameters.GrantDatabases, _grant, nothing),
    "RevokeDatabase": Verb(parameters.RevokeDatabase, _revoke, nothing),
    "ListDatabases": Verb(parameters.ListDatabases, _list_databases, answers.databases),
    "CreateDatabases": Verb(parameters.CreateDatabases, _create_databases, nothing),
    "ShowDatabase": StaticVerb(parameters.ShowDatabase, _not_implemented),
    "DeleteDatabase": Verb(parameters.DeleteDatabase, _delete_database, nothing),
    "ShowRoot": Verb(parameters.ShowRoot, _show_root, answers.root_state),
    "EnableRoot": Verb(parameters.EnableRoot, _enable_root, answers.root),
    "DisableRoot": Verb(parameters.DisableRoot, _disable_root, nothing),
    "ListInstances": Verb(parameters.ListInstances, _list_instances, answers.instances),
    "ListInstancesDetail": Verb(parameters.ListInstancesDetail, _list_instances, answers.instances_in_detail),
    "ShowInstance": Verb(parameters.ShowInstance, _show_instance, answers.instance),
    "CreateInstance": Verb(parameters.CreateInstance, _create_instance, answers.new_instance),
    "UpdateInstance": Verb(parameters.UpdateInstance, _rename_instance, nothing),
    "DeleteInstance": Verb(parameters.DeleteInstance, _delete_instance, nothing),
    "ActOnInstance": Verb(parameters.ActOnInstance, _act, nothing),
    "ListFlavors": StaticVerb(parameters.ListFlavors, tables.flavors),
    "ShowFlavor": StaticVerb(parameters.ShowFlavor, tables.flavor),
    "ListDatastores": StaticVerb(parameters.ListDatastores, tables.datastores),
    "ShowDatastore": StaticVerb(parameters.ShowDatastore, tables.datastore),
    "ListDatastoreVersions": StaticVerb(parameters.ListDatastoreVersions, tables.datastore_versions),
    "ShowDatastoreVersion": StaticVerb(parameters.ShowDatastoreVersion, tables.datastore_version),
    "ListLimits": Verb(parameters.ListLimits, limits.asked, limits.limits),
}
