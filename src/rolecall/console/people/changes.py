"""Changes of sub-users, their keys, groups, memberships and attachments, by Tencent's `cam`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from urllib.parse import quote

from rolecall.console.changes import Change, Input, Params, Secrets, Shown
from rolecall.console.people.addresses import (
    GROUP,
    GROUPS,
    HOME,
    POLICIES,
    POLICY,
    SECTION,
    USER,
    USERS,
    cam,
    number,
    says,
)
from rolecall.console.people.known import KNOWN, given
from rolecall.console.visits import Visit

_PASSWORD = Input("password", "new_account_password", "secret", "Password", hint="password_generated")


def _user_page(visit: Visit) -> str:
    return f"{HOME}/users/{quote(visit.path['user'], safe='')}"


def _group_page(visit: Visit) -> str:
    return f"{GROUPS}/{quote(visit.path['group'], safe='')}"


# sub-users


def _new_user(visit: Visit, secrets: Secrets) -> Params:
    posted = visit.posted
    return {
        "Name": posted["name"] or None,
        "Remark": posted["remark"] or None,
        "Email": posted["email"] or None,
        "ConsoleLogin": 1 if posted["console_login"] else None,
        "UseApi": 1 if posted["use_api"] else None,
        "NeedResetPassword": 1 if posted["must_reset"] else None,
        "Password": secrets.get("password"),
    }


def _new_user_effects(visit: Visit) -> Sequence[str]:
    posted = visit.posted
    keys = ["effect_add_user"]
    keys += ["effect_console_login"] if posted["console_login"] else []
    keys += ["effect_use_api"] if posted["use_api"] else []
    return [visit.text(key, name=posted["name"]) for key in (*keys, "effect_no_policies")]


def _made(_visit: Visit, answer: Mapping[str, object]) -> Sequence[Shown]:
    labels = {"Uin": "number", "Password": "password", "SecretId": "key_id", "SecretKey": "key_secret"}
    shown = [Shown(label, str(answer[name])) for name, label in labels.items() if answer.get(name)]
    return shown if len(shown) > 1 else ()


def _changed_user(visit: Visit, _secrets: Secrets) -> Params:
    posted = visit.posted
    return {"Name": visit.path["user"], "Remark": posted["remark"], "Email": posted["email"]}


def _console_login(login: int) -> Callable[[Visit, Secrets], Params]:
    def params(visit: Visit, secrets: Secrets) -> Params:
        named = {"Name": visit.path["user"], "ConsoleLogin": login}
        return {**named, **({"Password": secrets["password"]} if "password" in secrets else {})}

    return params


def _new_password(visit: Visit, secrets: Secrets) -> Params:
    return {
        "Name": visit.path["user"],
        "NeedResetPassword": 1 if visit.posted["must_reset"] else 0,
        "Password": secrets.get("password"),
    }


# keys


def _key(visit: Visit, _secrets: Secrets) -> Params:
    return {"TargetUin": number(visit.path["uin"]), "AccessKeyId": given(visit, "key") or None}


def _key_status(status: str) -> Callable[[Visit, Secrets], Params]:
    return lambda visit, secrets: {**_key(visit, secrets), "Status": status}


def _new_key(visit: Visit, _secrets: Secrets) -> Params:
    return {"TargetUin": number(visit.path["uin"]), "Description": visit.posted["description"]}


def _key_made(_visit: Visit, answer: Mapping[str, object]) -> Sequence[Shown]:
    key = answer["AccessKey"]
    if not isinstance(key, Mapping):
        return ()
    return (Shown("key_id", str(key["AccessKeyId"])), Shown("key_secret", str(key["SecretAccessKey"])))


def _key_inputs(visit: Visit) -> Sequence[Input]:
    """A link fills it in, so that it is shown and carried."""
    return (Input("key", "key_id", "given", "AccessKeyId", value=visit.query["key"], required=True),)


# memberships and attachments


def _membership(visit: Visit, _secrets: Secrets) -> Params:
    return {
        "Info": [{"GroupId": number(given(visit, "group")), "Uin": number(visit.path["uin"])}],
    }


def _attachment(param: str) -> Callable[[Visit, Secrets], Params]:
    def params(visit: Visit, _secrets: Secrets) -> Params:
        bearer = number(visit.path["uin"] if "user" in visit.path else visit.path["group"])
        return {"PolicyId": number(given(visit, "policy")) or None, param: bearer}

    return params


def _attach_inputs(visit: Visit) -> Sequence[Input]:
    return (Input("policy", "policy_id", "given", "PolicyId", value=visit.query["policy"], required=True),)


def _member_inputs(visit: Visit) -> Sequence[Input]:
    return (Input("group", "group_id", "given", "Info.0.GroupId", value=visit.query["group"], required=True),)


def _change(
    pattern: str,
    title: str,
    action: str,
    params: Callable[[Visit, Secrets], Params],
    effects: Callable[[Visit], Sequence[str]],
    back: Callable[[Visit], str],
    inputs: Callable[[Visit], Sequence[Input]] = lambda _: (),
    *,
    secrets: Sequence[Input] = (),
    danger: bool = False,
    result: Callable[[Visit, Mapping[str, object]], Sequence[Shown]] | None = None,
    by_number: bool = False,
    by_name: bool = False,
) -> Change:
    """`by_number`: the action takes the number of the sub-user in the address. `by_name`: its sentence names a policy
    or a group, which links give by number.
    """
    return Change(
        pattern,
        SECTION,
        title,
        cam(action),
        params,
        effects,
        back,
        inputs,
        secrets,
        danger,
        result=result,
        known=KNOWN[by_number, by_name],
    )


CHANGES = (
    _change(
        f"{HOME}/new-user",
        "user_new",
        "AddUser",
        _new_user,
        _new_user_effects,
        lambda _: USERS,
        lambda _: (
            Input("name", "sub_user", param="Name", required=True),
            Input("remark", "remark", param="Remark"),
            Input("email", "email", param="Email"),
            Input("console_login", "may_sign_in", "box", "ConsoleLogin"),
            Input("must_reset", "must_reset", "box", "NeedResetPassword"),
            Input("use_api", "with_key", "box", "UseApi"),
        ),
        secrets=(_PASSWORD,),
        result=_made,
    ),
    _change(
        f"{USER}/edit",
        "user_edit",
        "UpdateUser",
        _changed_user,
        says("effect_user_edit", "remark", "email"),
        _user_page,
        lambda visit: (
            Input("remark", "remark", param="Remark", value=visit.query["remark"]),
            Input("email", "email", param="Email", value=visit.query["email"]),
        ),
    ),
    _change(
        f"{USER}/let-sign-in",
        "user_let_sign_in",
        "UpdateUser",
        _console_login(1),
        says("effect_let_sign_in"),
        _user_page,
        secrets=(Input("password", "password", "secret", "Password", required=True),),
    ),
    _change(
        f"{USER}/stop-sign-in",
        "user_stop_sign_in",
        "UpdateUser",
        _console_login(0),
        says("effect_stop_sign_in"),
        _user_page,
        danger=True,
    ),
    _change(
        f"{USER}/password",
        "account_password",
        "UpdateUser",
        _new_password,
        says("effect_user_password"),
        _user_page,
        lambda _: (Input("must_reset", "must_reset", "box", "NeedResetPassword", value="yes"),),
        secrets=(Input("password", "password", "secret", "Password", required=True),),
    ),
    _change(
        f"{USER}/delete",
        "account_delete",
        "DeleteUser",
        lambda visit, _: {"Name": visit.path["user"], "Force": 1},
        says("effect_user_delete"),
        lambda _: USERS,
        danger=True,
    ),
    _change(
        f"{USER}/keys/new",
        "key_new",
        "CreateAccessKey",
        _new_key,
        says("effect_key_new"),
        _user_page,
        lambda _: (Input("description", "description", param="Description"),),
        result=_key_made,
        by_number=True,
    ),
    _change(
        f"{USER}/keys/disable",
        "key_disable",
        "UpdateAccessKey",
        _key_status("Inactive"),
        says("effect_key_disable", "key"),
        _user_page,
        _key_inputs,
        danger=True,
        by_number=True,
    ),
    _change(
        f"{USER}/keys/enable",
        "key_enable",
        "UpdateAccessKey",
        _key_status("Active"),
        says("effect_key_enable", "key"),
        _user_page,
        _key_inputs,
        by_number=True,
    ),
    _change(
        f"{USER}/keys/delete",
        "key_delete",
        "DeleteAccessKey",
        _key,
        says("effect_key_delete", "key"),
        _user_page,
        _key_inputs,
        danger=True,
        by_number=True,
    ),
    _change(
        f"{USER}/join",
        "group_join",
        "AddUserToGroup",
        _membership,
        says("effect_join"),
        _user_page,
        _member_inputs,
        by_number=True,
        by_name=True,
    ),
    _change(
        f"{USER}/leave",
        "group_leave",
        "RemoveUserFromGroup",
        _membership,
        says("effect_leave"),
        _user_page,
        _member_inputs,
        danger=True,
        by_number=True,
        by_name=True,
    ),
    _change(
        f"{USER}/attach",
        "policy_attach",
        "AttachUserPolicy",
        _attachment("AttachUin"),
        says("effect_attach_user"),
        _user_page,
        _attach_inputs,
        by_number=True,
        by_name=True,
    ),
    _change(
        f"{USER}/detach",
        "policy_detach",
        "DetachUserPolicy",
        _attachment("DetachUin"),
        says("effect_detach_user"),
        _user_page,
        _attach_inputs,
        danger=True,
        by_number=True,
        by_name=True,
    ),
    _change(
        f"{HOME}/new-group",
        "group_new",
        "CreateGroup",
        lambda visit, _: {"GroupName": visit.posted["name"] or None, "Remark": visit.posted["remark"]},
        says("effect_group_new", "name"),
        lambda _: GROUPS,
        lambda _: (
            Input("name", "group_name", param="GroupName", required=True),
            Input("remark", "remark", param="Remark"),
        ),
    ),
    _change(
        f"{GROUP}/delete",
        "account_delete",
        "DeleteGroup",
        lambda visit, _: {"GroupId": number(visit.path["group"])},
        says("effect_group_delete"),
        lambda _: GROUPS,
        danger=True,
        by_name=True,
    ),
    _change(
        f"{GROUP}/attach",
        "policy_attach",
        "AttachGroupPolicy",
        _attachment("AttachGroupId"),
        says("effect_attach_group"),
        _group_page,
        _attach_inputs,
        by_name=True,
    ),
    _change(
        f"{GROUP}/detach",
        "policy_detach",
        "DetachGroupPolicy",
        _attachment("DetachGroupId"),
        says("effect_detach_group"),
        _group_page,
        _attach_inputs,
        danger=True,
        by_name=True,
    ),
    _change(
        f"{POLICY}/delete",
        "account_delete",
        "DeletePolicy",
        lambda visit, _: {"PolicyId": [number(visit.path["policy"])]},
        says("effect_policy_delete"),
        lambda _: POLICIES,
        danger=True,
        by_name=True,
    ),
)
