"""Database v1.0 (contract: `rolecall.contracts.openstack.databases.contract`).

| action | command | answer |
|---|---|---|
| CreateUsers | PromiseAccounts | - |
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

from rolecall.contracts.openstack.databases.contract import NOT_OFFERED
from rolecall.domain.accounts import commands
from rolecall.domain.accounts.commands import AccountSpec, DatabaseSpec
from rolecall.domain.engine import Access, DatabaseGrant
from rolecall.domain.instances import commands as instance_commands
from rolecall.domain.messages import InstanceName
from rolecall.domain.provisioning import commands as provisioning_commands
from rolecall.domain.reasons import Reason, Refused
from rolecall.values import Secret
from rolecall.verbs import Answer, Decipher, Verbs, nothing
from rolecall.verbs.databases import answers, limits, tables
from rolecall.verbs.params import Checked, Params, loose, loose_static, secret, structure, structures, text

ENGINE = "mysql"
"""The kind of server that an instance of this API is."""


def _instance(checked: Checked) -> InstanceName:
    return InstanceName("openstack", text(checked.params, "instance_id"))


def _user(checked: Checked) -> tuple[str, str]:
    """The name and host in the path."""
    return text(checked.params, "name"), text(checked.params, "host")


def _password(given: Params, path: str) -> Secret:
    password = secret(given, "password")
    if password is None:
        raise Refused(Reason.PARAMETER_MISSING, path + "password")
    return password


def _create_users(checked: Checked, _: Decipher) -> commands.PromiseAccounts:
    """A database that is not there is granted for when it is (Trove; the guide's own examples name some)."""
    return commands.PromiseAccounts(_instance(checked), _new_accounts(checked.params, ""), to_come=True)


def _new_accounts(given: Params, prefix: str) -> tuple[AccountSpec, ...]:
    """ACCOUNT_REPEATED, and PARAMETER_VALUE for a database that is named twice for one user."""
    specs = tuple(
        _account(one, f"{prefix}users.{index}.") for index, one in enumerate(structures(given, "users"))
    )
    _refuse_repeated(specs, f"{prefix}users")
    return specs


def _account(given: Params, path: str) -> AccountSpec:
    named = [text(one, "name") for one in structures(given, "databases")]
    if len(set(named)) != len(named):
        raise Refused(Reason.PARAMETER_VALUE, f"{path}databases", facts={"value": ", ".join(named)})
    short = text(given, "database")
    if short and short not in named:
        named.insert(0, short)
    return AccountSpec(text(given, "name"), text(given, "host"), _password(given, path), _grants(named))


def _grants(names: Sequence[str]) -> tuple[DatabaseGrant, ...]:
    """All on each (guide: "Name of the database that the user can access"; Trove: GRANT ALL)."""
    return tuple(DatabaseGrant(name, Access.ALL) for name in names)


def _refuse_repeated(specs: Sequence[AccountSpec], field: str) -> None:
    if len({(one.name, one.host) for one in specs}) != len(specs):
        raise Refused(Reason.ACCOUNT_REPEATED, field)


def _list_users(checked: Checked, _: Decipher) -> commands.AllAccounts:
    return commands.AllAccounts(_instance(checked))


def _show_user(checked: Checked, _: Decipher) -> commands.ShowAccount:
    again = text(checked.params, "decoded_again")
    name, at, host = again.rpartition("@")
    otherwise = (name, host) if at and name and host else (again, "")
    return commands.ShowAccount(_instance(checked), *_user(checked), otherwise if again else None)


def _change_passwords(checked: Checked, _: Decipher) -> commands.ResetPasswords:
    specs = _new_accounts(checked.params, "")
    return commands.ResetPasswords(_instance(checked), specs)


def _update_user(checked: Checked, _: Decipher) -> commands.MoveAccount:
    """At least one attribute must be there (Trove: "user {} should be non-empty")."""
    wanted = structure(checked.params, "user")
    if not wanted:
        raise Refused(Reason.PARAMETER_VALUE, "user")
    name, host = _user(checked)
    return commands.MoveAccount(
        _instance(checked),
        name,
        host,
        text(wanted, "name") or None,
        text(wanted, "host") or None,
        secret(wanted, "password"),
    )


def _delete_user(checked: Checked, _: Decipher) -> commands.DeleteAccount:
    return commands.DeleteAccount(_instance(checked), *_user(checked), must_exist=True)


def _grant(checked: Checked, _: Decipher) -> commands.ChangeGrants:
    named = dict.fromkeys(text(one, "name") for one in structures(checked.params, "databases"))
    return commands.ChangeGrants(
        _instance(checked), *_user(checked), grant=_grants(tuple(named)), to_come=True
    )


def _revoke(checked: Checked, _: Decipher) -> commands.ChangeGrants:
    revoked = (text(checked.params, "database"),)
    return commands.ChangeGrants(
        _instance(checked), *_user(checked), grant=(), revoke=revoked, must_exist=True
    )


def _list_databases(checked: Checked, _: Decipher) -> commands.AllDatabases:
    return commands.AllDatabases(_instance(checked))


def _create_databases(checked: Checked, _: Decipher) -> commands.CreateDatabases:
    return commands.CreateDatabases(_instance(checked), _new_databases(checked.params, ""))


def _new_databases(given: Params, prefix: str) -> tuple[DatabaseSpec, ...]:
    specs = tuple(
        DatabaseSpec(text(one, "name"), text(one, "character_set"), text(one, "collate"))
        for one in structures(given, "databases")
    )
    if len({spec.name for spec in specs}) != len(specs):
        raise Refused(Reason.PARAMETER_VALUE, f"{prefix}databases")
    return specs


def _delete_database(checked: Checked, _: Decipher) -> commands.DeleteDatabase:
    return commands.DeleteDatabase(_instance(checked), text(checked.params, "database"), must_exist=True)


def _show_root(checked: Checked, _: Decipher) -> commands.SuperuserState:
    return commands.SuperuserState(_instance(checked))


def _enable_root(checked: Checked, _: Decipher) -> commands.EnableSuperuser:
    return commands.EnableSuperuser(_instance(checked), secret(checked.params, "password"))


def _disable_root(checked: Checked, _: Decipher) -> commands.DisableSuperuser:
    return commands.DisableSuperuser(_instance(checked))


def _list_instances(_checked: Checked, _: Decipher) -> instance_commands.ListInstances:
    return instance_commands.ListInstances("openstack")


def _show_instance(checked: Checked, _: Decipher) -> instance_commands.ShowInstance:
    return instance_commands.ShowInstance(_instance(checked))


def _create_instance(checked: Checked, _: Decipher) -> provisioning_commands.ProvisionInstance:
    """ACTION_UNKNOWN for a replica or a restored one, OBJECT_MISSING for a datastore that is not offered, and what
    `_new_accounts` refuses with. It is in the region of every server of its kind, as seen through other dialects.
    """
    wanted = structure(checked.params, "instance") or {}
    for name in NOT_OFFERED:
        if wanted.get(name):
            raise Refused(Reason.ACTION_UNKNOWN, f"instance.{name}")
    version = tables.wanted_version(structure(wanted, "datastore") or {})
    databases = _new_databases(wanted, "instance.")
    users = _new_accounts(wanted, "instance.")
    _keep_initial_databases(users, databases)
    return provisioning_commands.ProvisionInstance(
        "openstack", ENGINE, text(wanted, "name"), "", databases, users, version=version
    )


def _keep_initial_databases(users: Sequence[AccountSpec], databases: Sequence[DatabaseSpec]) -> None:
    """A new instance has no databases but those it is asked for with (Trove 26.0.0, populate_users)."""
    there = {database.name for database in databases}
    for index, user in enumerate(users):
        for grant in user.grants:
            if grant.database not in there:
                field = f"instance.users.{index}.databases"
                raise Refused(Reason.PARAMETER_VALUE, field, facts={"value": grant.database})


def _rename_instance(checked: Checked, _: Decipher) -> instance_commands.RenameInstance:
    """ACTION_UNKNOWN where nothing of what can be changed here is asked for."""
    name = text(structure(checked.params, "instance") or {}, "name")
    if not name:
        raise Refused(Reason.ACTION_UNKNOWN, "instance")
    return instance_commands.RenameInstance(_instance(checked), name)


def _delete_instance(checked: Checked, _: Decipher) -> provisioning_commands.DeprovisionInstance:
    return provisioning_commands.DeprovisionInstance(_instance(checked))


def _act(checked: Checked, _: Decipher) -> provisioning_commands.RestartInstance:
    if text(checked.params, "action") != "restart":
        raise Refused(Reason.ACTION_UNKNOWN, "action")
    return provisioning_commands.RestartInstance(_instance(checked))


def _not_implemented(_checked: Checked) -> Answer:
    raise Refused(Reason.ACTION_UNKNOWN)


VERBS: Verbs = {
    "ListVersions": loose_static(tables.database_versions),
    "ShowVersion": loose_static(tables.database_version),
    "CreateUsers": loose(_create_users, nothing),
    "ListUsers": loose(_list_users, answers.users),
    "ShowUser": loose(_show_user, answers.user),
    "ChangePasswords": loose(_change_passwords, nothing),
    "UpdateUser": loose(_update_user, nothing),
    "DeleteUser": loose(_delete_user, nothing),
    "ListGrants": loose(_show_user, answers.grants),
    "GrantDatabases": loose(_grant, nothing),
    "RevokeDatabase": loose(_revoke, nothing),
    "ListDatabases": loose(_list_databases, answers.databases),
    "CreateDatabases": loose(_create_databases, nothing),
    "ShowDatabase": loose_static(_not_implemented),
    "DeleteDatabase": loose(_delete_database, nothing),
    "ShowRoot": loose(_show_root, answers.root_state),
    "EnableRoot": loose(_enable_root, answers.root),
    "DisableRoot": loose(_disable_root, nothing),
    "ListInstances": loose(_list_instances, answers.instances),
    "ListInstancesDetail": loose(_list_instances, answers.instances_in_detail),
    "ShowInstance": loose(_show_instance, answers.instance),
    "CreateInstance": loose(_create_instance, answers.new_instance),
    "UpdateInstance": loose(_rename_instance, nothing),
    "DeleteInstance": loose(_delete_instance, nothing),
    "ActOnInstance": loose(_act, nothing),
    "ListFlavors": loose_static(tables.flavors),
    "ShowFlavor": loose_static(tables.flavor),
    "ListDatastores": loose_static(tables.datastores),
    "ShowDatastore": loose_static(tables.datastore),
    "ListDatastoreVersions": loose_static(tables.datastore_versions),
    "ShowDatastoreVersion": loose_static(tables.datastore_version),
    "ListLimits": loose(limits.asked, limits.limits),
}
