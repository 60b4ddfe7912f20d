"""Tencent Cloud `ciam` 2022-03-31 (contract: `rolecall.contracts.tencent.ciam.contract`).

| action | command | answer |
|---|---|---|
| CreateUser, UpdateUser | CreateUser, ChangeUser | User |
| DescribeUserById | ShowUser | User, or null |
| DescribeUser, ListUser | FindUsers | Total, Pageable, Content |
| ListUserByProperty | FindUsers | Users |
| UpdateUserStatus | SetUserStatus | - |
| SetPassword | SetUserPassword | - |
| ResetPassword | ResetUserPassword | Password |
| DeleteUsers | DeleteUsers | - |
| LinkAccount | LinkUsers | - |
| CreateUserStore | CreateUserStore | UserStoreId |
| ListUserStore | ListUserStores | UserStoreSet |
| UpdateUserStore, DeleteUserStore | ChangeUserStore, DeleteUserStore | - |
| CreateUserGroup | CreateUserGroup | UserGroupId |
| ListUserGroups | ListUserGroups | Content, Total, Pageable |
| UpdateUserGroup | ChangeUserGroup | - |
| DeleteUserGroups | DeleteUserGroups | UserGroupDeletedInfo |
| ListLogMessageByCondition | ListDirectoryEvents | Total, Pageable, Content |

`EARLIER_VERBS` are those of version 2021-04-20.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import cast
from uuid import UUID

from rolecall.domain.directories import commands
from rolecall.domain.directories.model import CustomAttribute, UserStatus
from rolecall.domain.directories.queries import Condition, Operator, UserField
from rolecall.domain.reasons import Reason, Refused
from rolecall.verbs import Decipher, Verbs, nothing
from rolecall.verbs.ciam import answers
from rolecall.verbs.ciam.queries import (
    event_kinds,
    group_filter,
    list_conditions,
    moment,
    query_conditions,
    query_order,
)
from rolecall.verbs.params import (
    Checked,
    Params,
    flag,
    loose,
    number,
    secret,
    structure,
    structures,
    text,
    texts,
)

_ID = re.compile(r"[0-9a-f]{32}")
_STATUSES: Mapping[str, UserStatus] = {
    "NORMAL": UserStatus.NORMAL,
    "LOCK": UserStatus.LOCKED,
    "FREEZE": UserStatus.FROZEN,
}
_LINKS: Mapping[str, str] = {"PHONENUMBER": "phone", "EMAIL": "email"}
_PROPERTIES: Mapping[str, UserField] = {"phoneNumber": UserField.PHONE, "email": UserField.EMAIL}


def _id(checked: Checked, name: str) -> UUID:
    return UUID(text(checked.params, name))


def _store(checked: Checked) -> UUID:
    return _id(checked, "UserStoreId")


def _dry(checked: Checked) -> bool:
    return flag(checked.params, "DryRun")


def _ids(checked: Checked, name: str) -> tuple[UUID, ...]:
    """What has not the form of an id names nothing."""
    return tuple(dict.fromkeys(UUID(one) for one in texts(checked.params, name) if _ID.fullmatch(one)))


def _page(checked: Checked) -> tuple[int, int]:
    """Offset and limit. Pages are counted from 1."""
    page = structure(checked.params, "Pageable") or {}
    size = number(page, "PageSize")
    return (number(page, "PageNumber") - 1) * size, size


def _maybe(params: Params, name: str) -> str | None:
    return cast("str | None", params.get(name))


def _attributes(checked: Checked) -> commands.Attributes:
    params = checked.params
    if texts(params, "UserOrg"):
        raise Refused(Reason.ENGINE_UNSUITED, "UserOrg")
    custom = None
    if "CustomizationAttributes" in params:
        custom = tuple(
            CustomAttribute(text(one, "Name"), text(one, "Value"), text(one, "Type"))
            for one in structures(params, "CustomizationAttributes")
        )
    return commands.Attributes(
        name=_maybe(params, "UserName"),
        phone=_maybe(params, "PhoneNumber"),
        email=_maybe(params, "Email"),
        nickname=_maybe(params, "Nickname"),
        address=_maybe(params, "Address"),
        birthdate=cast("int | None", params.get("Birthdate")),
        custom=custom,
        indexed=tuple(_maybe(params, f"IndexedAttribute{place}") for place in range(1, 6)),
        groups=_ids(checked, "UserGroup") if "UserGroup" in params else None,
    )


def _create_user(checked: Checked, _: Decipher) -> commands.CreateUser:
    password = secret(checked.params, "Password")
    if password is None:
        raise Refused(Reason.PARAMETER_MISSING, "Password")
    return commands.CreateUser(_store(checked), _attributes(checked), password, _dry(checked))


def _update_user(checked: Checked, _: Decipher) -> commands.ChangeUser:
    return commands.ChangeUser(_store(checked), _id(checked, "UserId"), _attributes(checked), _dry(checked))


def _describe_user_by_id(checked: Checked, _: Decipher) -> commands.ShowUser:
    user = text(checked.params, "UserId")
    return commands.ShowUser(_store(checked), UUID(user) if _ID.fullmatch(user) else None)


def _describe_user(checked: Checked, _: Decipher) -> commands.FindUsers:
    offset, limit = _page(checked)
    conditions = query_conditions(structures(checked.params, "Filters"))
    order = query_order(structure(checked.params, "Sort"))
    return commands.FindUsers(_store(checked), conditions, order, offset, limit)


def _list_user(checked: Checked, _: Decipher) -> commands.FindUsers:
    offset, limit = _page(checked)
    conditions = list_conditions(structures(checked.params, "Filters"))
    return commands.FindUsers(_store(checked), conditions, None, offset, limit)


def _list_user_by_property(checked: Checked, _: Decipher) -> commands.FindUsers:
    field = _PROPERTIES[text(checked.params, "PropertyCode")]
    condition = Condition(field, Operator.EQUAL, (text(checked.params, "PropertyValue"),))
    return commands.FindUsers(_store(checked), (condition,), None, 0, 100)


def _update_user_status(checked: Checked, _: Decipher) -> commands.SetUserStatus:
    status = _STATUSES[text(checked.params, "Status")]
    return commands.SetUserStatus(_store(checked), _id(checked, "UserId"), status, _dry(checked))


def _set_password(checked: Checked, _: Decipher) -> commands.SetUserPassword:
    password = secret(checked.params, "Password")
    if password is None:
        raise Refused(Reason.PARAMETER_MISSING, "Password")
    return commands.SetUserPassword(_store(checked), _id(checked, "UserId"), password, _dry(checked))


def _reset_password(checked: Checked, _: Decipher) -> commands.ResetUserPassword:
    return commands.ResetUserPassword(_store(checked), _id(checked, "UserId"), _dry(checked))


def _delete_users(checked: Checked, _: Decipher) -> commands.DeleteUsers:
    return commands.DeleteUsers(_store(checked), _ids(checked, "UserIds"), _dry(checked))


def _link_account(checked: Checked, _: Decipher) -> commands.LinkUsers:
    return commands.LinkUsers(
        _store(checked),
        _id(checked, "PrimaryUserId"),
        _id(checked, "SecondaryUserId"),
        _LINKS[text(checked.params, "UserLinkedOnAttribute")],
        _dry(checked),
    )


def _create_user_store(checked: Checked, _: Decipher) -> commands.CreateUserStore:
    params = checked.params
    return commands.CreateUserStore(
        text(params, "UserPoolName"),
        text(params, "UserPoolDesc"),
        text(params, "UserPoolLogo"),
        _dry(checked),
    )


def _list_user_store(_checked: Checked, _: Decipher) -> commands.ListUserStores:
    return commands.ListUserStores()


def _update_user_store(checked: Checked, _: Decipher) -> commands.ChangeUserStore:
    params = checked.params
    return commands.ChangeUserStore(
        _id(checked, "UserPoolId"),
        _maybe(params, "UserPoolName"),
        _maybe(params, "UserPoolDesc"),
        _maybe(params, "UserPoolLogo"),
        _dry(checked),
    )


def _delete_user_store(checked: Checked, _: Decipher) -> commands.DeleteUserStore:
    return commands.DeleteUserStore(_id(checked, "UserPoolId"), _dry(checked))


def _create_user_group(checked: Checked, _: Decipher) -> commands.CreateUserGroup:
    params = checked.params
    return commands.CreateUserGroup(
        _store(checked), text(params, "DisplayName"), text(params, "Description"), _dry(checked)
    )


def _list_user_groups(checked: Checked, _: Decipher) -> commands.ListUserGroups:
    offset, limit = _page(checked)
    wanted, ids, negated = group_filter(structures(checked.params, "Filters"))
    return commands.ListUserGroups(_store(checked), wanted, ids, offset, limit, negated)


def _update_user_group(checked: Checked, _: Decipher) -> commands.ChangeUserGroup:
    params = checked.params
    return commands.ChangeUserGroup(
        _store(checked),
        _id(checked, "UserGroupId"),
        text(params, "DisplayName"),
        _maybe(params, "Description"),
        _dry(checked),
    )


def _delete_user_groups(checked: Checked, _: Decipher) -> commands.DeleteUserGroups:
    return commands.DeleteUserGroups(_store(checked), _ids(checked, "UserGroupIds"), _dry(checked))


def _list_log_messages(checked: Checked, _: Decipher) -> commands.ListDirectoryEvents:
    offset, limit = _page(checked)
    since = moment(number(checked.params, "StartTime"))
    kinds = event_kinds(structures(checked.params, "Filters"))
    return commands.ListDirectoryEvents(_store(checked), since, kinds, offset, limit)


def _list_user_groups_2021(checked: Checked, _: Decipher) -> commands.ListUserGroups:
    page, size = number(checked.params, "Page"), number(checked.params, "Size")
    wanted = text(checked.params, "Condition")
    return commands.ListUserGroups(
        _store(checked), (wanted,) if wanted else (), None, (page - 1) * size, size
    )


EARLIER_VERBS: Verbs = {"ListUserGroups": loose(_list_user_groups_2021, answers.groups_page_2021)}

VERBS: Verbs = {
    "CreateUser": loose(_create_user, answers.user_made),
    "UpdateUser": loose(_update_user, answers.user_made),
    "DescribeUserById": loose(_describe_user_by_id, answers.user_shown),
    "DescribeUser": loose(_describe_user, answers.users_page),
    "ListUser": loose(_list_user, answers.users_page),
    "ListUserByProperty": loose(_list_user_by_property, answers.users),
    "UpdateUserStatus": loose(_update_user_status, nothing),
    "SetPassword": loose(_set_password, nothing),
    "ResetPassword": loose(_reset_password, answers.password),
    "DeleteUsers": loose(_delete_users, nothing),
    "LinkAccount": loose(_link_account, nothing),
    "CreateUserStore": loose(_create_user_store, answers.store_made),
    "ListUserStore": loose(_list_user_store, answers.stores),
    "UpdateUserStore": loose(_update_user_store, nothing),
    "DeleteUserStore": loose(_delete_user_store, nothing),
    "CreateUserGroup": loose(_create_user_group, answers.group_made),
    "ListUserGroups": loose(_list_user_groups, answers.groups_page),
    "UpdateUserGroup": loose(_update_user_group, nothing),
    "DeleteUserGroups": loose(_delete_user_groups, answers.groups_deleted),
    "ListLogMessageByCondition": loose(_list_log_messages, answers.events_page),
}
