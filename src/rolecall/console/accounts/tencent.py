"""Changes of PostgreSQL accounts and databases, by Tencent's `postgres`."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rolecall.console.accounts.addresses import (
    INSTANCE,
    SECTION,
    account_address,
    databases_page,
    instance_page,
    says,
)
from rolecall.console.actions import ActionName
from rolecall.console.changes import Change, Input, Params, Secrets
from rolecall.console.visits import Visit
from rolecall.contracts.tencent.postgres.parameters import OBJECT_TYPES

_ACCOUNT = f"{INSTANCE}/accounts/{{account}}"
_DATABASE = f"{INSTANCE}/databases/{{database}}"

_PASSWORD = Input("password", "new_account_password", "secret", "Password", required=True)
_OPTIONAL_PASSWORD = Input("password", "new_account_password", "secret", "Password", hint="password_optional")
_KINDS = (("normal", "kind_normal"), ("tencentDBSuper", "kind_super"))


def _account_page(visit: Visit) -> str:
    return account_address(visit.path["instance"], visit.path["account"])


def _postgres(action: str) -> ActionName:
    return ActionName("tencent", "postgres", action)


def _on_account(visit: Visit, secrets: Secrets) -> Params:
    named = {"DBInstanceId": visit.path["instance"], "UserName": visit.path["account"]}
    return {**named, **({"Password": secrets["password"]} if "password" in secrets else {})}


def _new_account(visit: Visit, secrets: Secrets) -> Params:
    posted = visit.posted
    return {
        "DBInstanceId": visit.path["instance"],
        "UserName": posted["name"] or None,
        "Type": posted["type"] or "normal",
        "Remark": posted["remark"] or None,
        "OpenCam": True if posted["managed"] else None,
        "Password": secrets.get("password"),
    }


def _new_account_effects(visit: Visit) -> Sequence[str]:
    posted = visit.posted
    facts = {"account": posted["name"], "instance": visit.path["instance"]}
    keys = [
        "effect_create_role",
        "effect_super" if posted["type"] == "tencentDBSuper" else "effect_no_rights",
    ]
    return [visit.text(key, **facts) for key in (*keys, *(["effect_managed"] if posted["managed"] else []))]


def _remark(visit: Visit, secrets: Secrets) -> Params:
    return {**_on_account(visit, secrets), "Remark": visit.posted["remark"]}


def _privileges(kind: str) -> Callable[[Visit, Secrets], Params]:
    """``grantObject`` or ``revokeObject`` of the privileges that were typed, on one object."""

    def params(visit: Visit, _secrets: Secrets) -> Params:
        posted = visit.posted
        scope = {"DatabaseName": posted["database"], "SchemaName": posted["schema"]}
        target = {"ObjectType": posted["object_type"] or "database", "ObjectName": posted["object"]}
        privilege = {
            "Object": {**target, **{name: value for name, value in scope.items() if value}},
            "PrivilegeSet": [
                word.strip().upper() for word in posted["privileges"].split(",") if word.strip()
            ],
        }
        change = {"DatabasePrivilege": privilege, "ModifyType": kind, "IsCascade": bool(posted["cascade"])}
        return {**_on_account(visit, {}), "ModifyPrivilegeSet": [change]}

    return params


_PRIVILEGE = "ModifyPrivilegeSet.0.DatabasePrivilege"


def _privilege_inputs(_visit: Visit) -> Sequence[Input]:
    return (
        Input(
            "object_type",
            "object_type",
            "select",
            f"{_PRIVILEGE}.Object.ObjectType",
            options=[(word, "") for word in OBJECT_TYPES],
        ),
        Input("object", "object_name", param=f"{_PRIVILEGE}.Object.ObjectName", required=True),
        Input("database", "in_database", param=f"{_PRIVILEGE}.Object.DatabaseName", hint="in_database_hint"),
        Input("schema", "in_schema", param=f"{_PRIVILEGE}.Object.SchemaName"),
        Input(
            "privileges",
            "privileges",
            param=f"{_PRIVILEGE}.PrivilegeSet",
            hint="privileges_hint",
            required=True,
        ),
    )


def _revoke_inputs(visit: Visit) -> Sequence[Input]:
    return (*_privilege_inputs(visit), Input("cascade", "cascade", "box"))


def _on_database(visit: Visit, _secrets: Secrets) -> Params:
    return {"DBInstanceId": visit.path["instance"], "DatabaseName": visit.path["database"]}


def _new_database(visit: Visit, _secrets: Secrets) -> Params:
    posted = visit.posted
    return {
        "DBInstanceId": visit.path["instance"],
        "DatabaseName": posted["name"] or None,
        "DatabaseOwner": posted["owner"] or None,
        "Encoding": posted["encoding"] or None,
        "Collate": posted["collate"] or None,
        "Ctype": posted["ctype"] or None,
    }


def _owner_params(visit: Visit, secrets: Secrets) -> Params:
    return {**_on_database(visit, secrets), "DatabaseOwner": visit.posted["owner"] or None}


def _of_account(
    word: str, action: str, *, secrets: Sequence[Input] = (), danger: bool = False, gone: bool = False
) -> Change:
    """A change of one account, without inputs. `gone`: there is no page of it afterwards."""
    return Change(
        pattern=f"{_ACCOUNT}/{word}",
        section=SECTION,
        title=f"account_{word.replace('-', '_')}",
        action=_postgres(action),
        params=_on_account,
        effects=says(f"effect_{word.replace('-', '_')}"),
        back=instance_page if gone else _account_page,
        secrets=secrets,
        danger=danger,
    )


CHANGES = (
    Change(
        pattern=f"{INSTANCE}/new-account",
        section=SECTION,
        title="account_new",
        action=_postgres("CreateAccount"),
        params=_new_account,
        effects=_new_account_effects,
        back=instance_page,
        inputs=lambda _: (
            Input("name", "account_name", param="UserName", required=True),
            Input("type", "kind", "select", "Type", options=_KINDS),
            Input("remark", "remark", param="Remark"),
            Input("managed", "managed_password", "box", "OpenCam", hint="managed_password_hint"),
        ),
        secrets=(_OPTIONAL_PASSWORD,),
    ),
    _of_account("lock", "LockAccount", danger=True),
    _of_account("unlock", "UnlockAccount"),
    _of_account("password", "ResetAccountPassword", secrets=(_PASSWORD,)),
    _of_account("manage", "OpenAccountCAM"),
    _of_account("stop-managing", "CloseAccountCAM", secrets=(_PASSWORD,)),
    _of_account("rotate", "RefreshAccountPassword"),
    _of_account("delete", "DeleteAccount", danger=True, gone=True),
    Change(
        pattern=f"{_ACCOUNT}/remark",
        section=SECTION,
        title="account_remark",
        action=_postgres("ModifyAccountRemark"),
        params=_remark,
        effects=says("effect_remark", "remark"),
        back=_account_page,
        inputs=lambda _: (Input("remark", "remark", param="Remark"),),
    ),
    Change(
        pattern=f"{_ACCOUNT}/grant",
        section=SECTION,
        title="account_grant",
        action=_postgres("ModifyAccountPrivileges"),
        params=_privileges("grantObject"),
        effects=says("effect_grant", "privileges", "object_type", "object"),
        back=_account_page,
        inputs=_privilege_inputs,
    ),
    Change(
        pattern=f"{_ACCOUNT}/revoke",
        section=SECTION,
        title="account_revoke",
        action=_postgres("ModifyAccountPrivileges"),
        params=_privileges("revokeObject"),
        effects=says("effect_revoke", "privileges", "object_type", "object"),
        back=_account_page,
        inputs=_revoke_inputs,
        danger=True,
    ),
    Change(
        pattern=f"{INSTANCE}/new-database",
        section=SECTION,
        title="database_new",
        action=_postgres("CreateDatabase"),
        params=_new_database,
        effects=says("effect_create_database", "name", "owner"),
        back=databases_page,
        inputs=lambda _: (
            Input("name", "database_name", param="DatabaseName", required=True),
            Input("owner", "database_owner", param="DatabaseOwner", required=True),
            Input("encoding", "encoding", param="Encoding", value="UTF8"),
            Input("collate", "collate", param="Collate"),
            Input("ctype", "ctype", param="Ctype"),
        ),
    ),
    Change(
        pattern=f"{_DATABASE}/owner",
        section=SECTION,
        title="database_change_owner",
        action=_postgres("ModifyDatabaseOwner"),
        params=_owner_params,
        effects=says("effect_owner", "owner"),
        back=databases_page,
        inputs=lambda _: (Input("owner", "database_owner", param="DatabaseOwner", required=True),),
    ),
    Change(
        pattern=f"{_DATABASE}/delete",
        section=SECTION,
        title="database_delete",
        action=_postgres("DeleteDatabase"),
        params=_on_database,
        effects=says("effect_delete_database"),
        back=databases_page,
        danger=True,
    ),
)
