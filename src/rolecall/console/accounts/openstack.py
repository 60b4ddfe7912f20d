"""Changes of accounts and databases of the MySQL family, by OpenStack's `database`; of their remarks, by PetaData."""

from __future__ import annotations

from collections.abc import Sequence

from rolecall.console.accounts.addresses import (
    INSTANCE,
    SECTION,
    account_address,
    databases_page,
    instance_page,
    says,
    user_of,
)
from rolecall.console.actions import ActionName
from rolecall.console.changes import Change, Input, Params, Secrets
from rolecall.console.visits import Visit

_USER = f"{INSTANCE}/users/{{account}}"

_USER_PASSWORD = Input("password", "new_account_password", "secret", "users.0.password", required=True)
_CHANGED_PASSWORD = Input("password", "new_account_password", "secret", "user.password", required=True)


def _user_page(visit: Visit) -> str:
    return account_address(visit.path["instance"], *user_of(visit))


def _openstack(action: str) -> ActionName:
    return ActionName("openstack", "database", action)


def _on_user(visit: Visit, _secrets: Secrets) -> Params:
    name, host = user_of(visit)
    return {"instance_id": visit.path["instance"], "name": name, "host": host}


def _new_user(visit: Visit, secrets: Secrets) -> Params:
    posted = visit.posted
    user: dict[str, object] = {"name": posted["name"], "host": posted["host"] or "%"}
    if "password" in secrets:
        user["password"] = secrets["password"]
    if granted := [{"name": name.strip()} for name in posted["databases"].split(",") if name.strip()]:
        user["databases"] = granted
    return {"instance_id": visit.path["instance"], "users": [user]}


def _new_user_effects(visit: Visit) -> Sequence[str]:
    posted = visit.posted
    facts = {"account": f"{posted['name']}@{posted['host'] or '%'}", "instance": visit.path["instance"]}
    granted = posted["databases"]
    return [
        visit.text("effect_create_user", **facts),
        visit.text("effect_user_databases", databases=granted) if granted else visit.text("effect_no_rights"),
    ]


def _user_password(visit: Visit, secrets: Secrets) -> Params:
    changed = {"password": secrets["password"]} if "password" in secrets else {}
    return {**_on_user(visit, secrets), "user": changed}


def _granted(visit: Visit, secrets: Secrets) -> Params:
    return {**_on_user(visit, secrets), "databases": [{"name": visit.posted["database"]}]}


def _revoked(visit: Visit, secrets: Secrets) -> Params:
    return {**_on_user(visit, secrets), "database": visit.posted["database"] or None}


def _description(visit: Visit, _secrets: Secrets) -> Params:
    return {
        "InstanceId": visit.path["instance"],
        "AccountName": user_of(visit)[0],
        "AccountDescription": visit.posted["remark"] or None,
    }


CHANGES = (
    Change(
        pattern=f"{INSTANCE}/new-user",
        section=SECTION,
        title="account_new",
        action=_openstack("CreateUsers"),
        params=_new_user,
        effects=_new_user_effects,
        back=instance_page,
        inputs=lambda _: (
            Input("name", "account_name", param="users.0.name", required=True),
            Input("host", "host", param="users.0.host", hint="host_hint", value="%"),
            Input("databases", "granted_databases", param="users.0.databases.0.name", hint="databases_hint"),
        ),
        secrets=(_USER_PASSWORD,),
    ),
    Change(
        pattern=f"{_USER}/password",
        section=SECTION,
        title="account_password",
        action=_openstack("UpdateUser"),
        params=_user_password,
        effects=says("effect_password"),
        back=_user_page,
        secrets=(_CHANGED_PASSWORD,),
    ),
    Change(
        pattern=f"{_USER}/grant",
        section=SECTION,
        title="account_grant",
        action=_openstack("GrantDatabases"),
        params=_granted,
        effects=says("effect_grant_database", "database"),
        back=_user_page,
        inputs=lambda _: (Input("database", "database_name", param="databases.0.name", required=True),),
    ),
    Change(
        pattern=f"{_USER}/revoke",
        section=SECTION,
        title="account_revoke",
        action=_openstack("RevokeDatabase"),
        params=_revoked,
        effects=says("effect_revoke_database", "database"),
        back=_user_page,
        inputs=lambda _: (Input("database", "database_name", param="database", required=True),),
        danger=True,
    ),
    Change(
        pattern=f"{_USER}/delete",
        section=SECTION,
        title="account_delete",
        action=_openstack("DeleteUser"),
        params=_on_user,
        effects=says("effect_delete"),
        back=instance_page,
        danger=True,
    ),
    Change(
        pattern=f"{INSTANCE}/new-schema",
        section=SECTION,
        title="database_new",
        action=_openstack("CreateDatabases"),
        params=lambda visit, _: {
            "instance_id": visit.path["instance"],
            "databases": [{"name": visit.posted["name"]}],
        },
        effects=says("effect_create_schema", "name"),
        back=databases_page,
        inputs=lambda _: (Input("name", "database_name", param="databases.0.name", required=True),),
    ),
    Change(
        pattern=f"{INSTANCE}/schemas/{{database}}/delete",
        section=SECTION,
        title="database_delete",
        action=_openstack("DeleteDatabase"),
        params=lambda visit, _: {
            "instance_id": visit.path["instance"],
            "database": visit.path["database"],
        },
        effects=says("effect_delete_database"),
        back=databases_page,
        danger=True,
    ),
    Change(
        pattern=f"{_USER}/remark",
        section=SECTION,
        title="account_remark",
        action=ActionName("aliyun", "petadata", "ModifyAccountDescription"),
        params=_description,
        effects=says("effect_remark", "remark"),
        back=_user_page,
        inputs=lambda _: (Input("remark", "remark", param="AccountDescription", required=True),),
    ),
)
