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
from collections.abc import Mapping, Sequence
from uuid import UUID

from rolecall.contracts.tencent.ciam import parameters
from rolecall.domain.directories import commands
from rolecall.domain.directories.model import CustomAttribute, UserStatus
from rolecall.domain.directories.queries import Condition, Operator, UserField
from rolecall.domain.reasons import Reason, Refused
from rolecall.values import Checked
from rolecall.verbs import Decipher, Verb, Verbs, nothing
from rolecall.verbs.ciam import answers
from rolecall.verbs.ciam.queries import (
    event_kinds,
    group_filter,
    list_conditions,
    moment,
    query_conditions,
    query_order,
)

_ID = re.compile(r"[0-9a-f]{32}")
_STATUSES: Mapping[str, UserStatus] = {
    "NORMAL": UserStatus.NORMAL,
    "LOCK": UserStatus.LOCKED,
    "FREEZE": UserStatus.FROZEN,
}
_LINKS: Mapping[str, str] = {"PHONENUMBER": "phone", "EMAIL": "email"}
_PROPERTIES: Mapping[str, UserField] = {"phoneNumber": UserField.PHONE, "email": UserField.EMAIL}


def _ids(given: Sequence[str]) -> tuple[UUID, ...]:
    """A text that is not of the form of an id names nothing."""
    return tuple(dict.fromkeys(UUID(text) for text in given if _ID.fullmatch(text)))


def _window(page: parameters.Page) -> tuple[int, int]:
    """Offset and limit; pages are counted from 1."""
    return (page.PageNumber - 1) * page.PageSize, page.PageSize


def _attributes(params: parameters.CreateUser | parameters.UpdateUser) -> commands.Attributes:
    if params.UserOrg:
        raise Refused(Reason.ENGINE_UNSUITED, "UserOrg")
    custom = params.CustomizationAttributes
    return commands.Attributes(
        name=params.UserName,
        phone=params.PhoneNumber,
        email=params.Email,
        nickname=params.Nickname,
        address=params.Address,
        birthdate=params.Birthdate,
        custom=None
        if custom is None
        else tuple(CustomAttribute(each.Name, each.Value, each.Type) for each in custom),
        indexed=(
            params.IndexedAttribute1,
            params.IndexedAttribute2,
            params.IndexedAttribute3,
            params.IndexedAttribute4,
            params.IndexedAttribute5,
        ),
        groups=None if params.UserGroup is None else _ids(params.UserGroup),
    )


def _create_user(checked: Checked[parameters.CreateUser], _: Decipher) -> commands.CreateUser:
    password = checked.params.Password
    return commands.CreateUser(
        UUID(checked.params.UserStoreId), _attributes(checked.params), password, checked.params.DryRun
    )


def _update_user(checked: Checked[parameters.UpdateUser], _: Decipher) -> commands.ChangeUser:
    return commands.ChangeUser(
        UUID(checked.params.UserStoreId),
        UUID(checked.params.UserId),
        _attributes(checked.params),
        checked.params.DryRun,
    )


def _describe_user_by_id(checked: Checked[parameters.DescribeUserById], _: Decipher) -> commands.ShowUser:
    user = checked.params.UserId
    return commands.ShowUser(UUID(checked.params.UserStoreId), UUID(user) if _ID.fullmatch(user) else None)


def _describe_user(checked: Checked[parameters.DescribeUser], _: Decipher) -> commands.FindUsers:
    offset, limit = _window(checked.params.Pageable)
    conditions = query_conditions(checked.params.Filters or ())
    order = query_order(checked.params.Sort)
    return commands.FindUsers(UUID(checked.params.UserStoreId), conditions, order, offset, limit)


def _list_user(checked: Checked[parameters.ListUser], _: Decipher) -> commands.FindUsers:
    offset, limit = _window(checked.params.Pageable)
    conditions = list_conditions(checked.params.Filters or ())
    return commands.FindUsers(UUID(checked.params.UserStoreId), conditions, None, offset, limit)


def _list_user_by_property(
    checked: Checked[parameters.ListUserByProperty], _: Decipher
) -> commands.FindUsers:
    field = _PROPERTIES[checked.params.PropertyCode]
    condition = Condition(field, Operator.EQUAL, (checked.params.PropertyValue,))
    return commands.FindUsers(UUID(checked.params.UserStoreId), (condition,), None, 0, 100)


def _update_user_status(checked: Checked[parameters.UpdateUserStatus], _: Decipher) -> commands.SetUserStatus:
    status = _STATUSES[checked.params.Status]
    return commands.SetUserStatus(
        UUID(checked.params.UserStoreId), UUID(checked.params.UserId), status, checked.params.DryRun
    )


def _set_password(checked: Checked[parameters.SetPassword], _: Decipher) -> commands.SetUserPassword:
    password = checked.params.Password
    return commands.SetUserPassword(
        UUID(checked.params.UserStoreId), UUID(checked.params.UserId), password, checked.params.DryRun
    )


def _reset_password(checked: Checked[parameters.ResetPassword], _: Decipher) -> commands.ResetUserPassword:
    return commands.ResetUserPassword(
        UUID(checked.params.UserStoreId), UUID(checked.params.UserId), checked.params.DryRun
    )


def _delete_users(checked: Checked[parameters.DeleteUsers], _: Decipher) -> commands.DeleteUsers:
    return commands.DeleteUsers(
        UUID(checked.params.UserStoreId), _ids(checked.params.UserIds), checked.params.DryRun
    )


def _link_account(checked: Checked[parameters.LinkAccount], _: Decipher) -> commands.LinkUsers:
    return commands.LinkUsers(
        UUID(checked.params.UserStoreId),
        UUID(checked.params.PrimaryUserId),
        UUID(checked.params.SecondaryUserId),
        _LINKS[checked.params.UserLinkedOnAttribute],
        checked.params.DryRun,
    )


def _create_user_store(checked: Checked[parameters.CreateUserStore], _: Decipher) -> commands.CreateUserStore:
    params = checked.params
    return commands.CreateUserStore(
        params.UserPoolName,
        params.UserPoolDesc or "",
        params.UserPoolLogo or "",
        checked.params.DryRun,
    )


def _list_user_store(_checked: Checked[object], _: Decipher) -> commands.ListUserStores:
    return commands.ListUserStores()


def _update_user_store(checked: Checked[parameters.UpdateUserStore], _: Decipher) -> commands.ChangeUserStore:
    params = checked.params
    return commands.ChangeUserStore(
        UUID(checked.params.UserPoolId),
        params.UserPoolName,
        params.UserPoolDesc,
        params.UserPoolLogo,
        checked.params.DryRun,
    )


def _delete_user_store(checked: Checked[parameters.DeleteUserStore], _: Decipher) -> commands.DeleteUserStore:
    return commands.DeleteUserStore(UUID(checked.params.UserPoolId), checked.params.DryRun)


def _create_user_group(checked: Checked[parameters.CreateUserGroup], _: Decipher) -> commands.CreateUserGroup:
    params = checked.params
    return commands.CreateUserGroup(
        UUID(checked.params.UserStoreId), params.DisplayName, params.Description or "", checked.params.DryRun
    )


def _list_user_groups(checked: Checked[parameters.ListUserGroups], _: Decipher) -> commands.ListUserGroups:
    offset, limit = _window(checked.params.Pageable)
    wanted, ids, negated = group_filter(checked.params.Filters or ())
    return commands.ListUserGroups(UUID(checked.params.UserStoreId), wanted, ids, offset, limit, negated)


def _update_user_group(checked: Checked[parameters.UpdateUserGroup], _: Decipher) -> commands.ChangeUserGroup:
    params = checked.params
    return commands.ChangeUserGroup(
        UUID(checked.params.UserStoreId),
        UUID(checked.params.UserGroupId),
        params.DisplayName,
        params.Description,
        checked.params.DryRun,
    )


def _delete_user_groups(
    checked: Checked[parameters.DeleteUserGroups], _: Decipher
) -> commands.DeleteUserGroups:
    return commands.DeleteUserGroups(
        UUID(checked.params.UserStoreId), _ids(checked.params.UserGroupIds), checked.params.DryRun
    )


def _list_log_messages(
    checked: Checked[parameters.ListLogMessageByCondition], _: Decipher
) -> commands.ListDirectoryEvents:
    offset, limit = _window(checked.params.Pageable)
    since = moment(checked.params.StartTime)
    kinds = event_kinds(checked.params.Filters or ())
    return commands.ListDirectoryEvents(UUID(checked.params.UserStoreId), since, kinds, offset, limit)


def _list_user_groups_2021(
    checked: Checked[parameters.ListUserGroups2021], _: Decipher
) -> commands.ListUserGroups:
    page, size = checked.params.Page, checked.params.Size
    wanted = checked.params.Condition
    return commands.ListUserGroups(
        UUID(checked.params.UserStoreId), (wanted,) if wanted else (), None, (page - 1) * size, size
    )


EARLIER_VERBS: Verbs = {
    "ListUserGroups": Verb(parameters.ListUserGroups2021, _list_user_groups_2021, answers.groups_page_2021)
}

VERBS: Verbs = {
    "CreateUser": Verb(parameters.CreateUser, _create_user, answers.user_made),
    "UpdateUser": Verb(parameters.UpdateUser, _update_user, answers.user_made),
    "DescribeUserById": Verb(parameters.DescribeUserById, _describe_user_by_id, answers.user_shown),
    "DescribeUser": Verb(parameters.DescribeUser, _describe_user, answers.users_page),
    "ListUser": Verb(parameters.ListUser, _list_user, answers.users_page),
    "ListUserByProperty": Verb(parameters.ListUserByProperty, _list_user_by_property, answers.users),
    "UpdateUserStatus": Verb(parameters.UpdateUserStatus, _update_user_status, nothing),
    "SetPassword": Verb(parameters.SetPassword, _set_password, nothing),
    "ResetPassword": Verb(parameters.ResetPassword, _reset_password, answers.password),
    "DeleteUsers": Verb(parameters.DeleteUsers, _delete_users, nothing),
    "LinkAccount": Verb(parameters.LinkAccount, _link_account, nothing),
    "CreateUserStore": Verb(parameters.CreateUserStore, _create_user_store, answers.store_made),
    "ListUserStore": Verb(parameters.ListUserStore, _list_user_store, answers.stores),
    "UpdateUserStore": Verb(parameters.UpdateUserStore, _update_user_store, nothing),
    "DeleteUserStore": Verb(parameters.DeleteUserStore, _delete_user_store, nothing),
    "CreateUserGroup": Verb(parameters.CreateUserGroup, _create_user_group, answers.group_made),
    "ListUserGroups": Verb(parameters.ListUserGroups, _list_user_groups, answers.groups_page),
    "UpdateUserGroup": Verb(parameters.UpdateUserGroup, _update_user_group, nothing),
    "DeleteUserGroups": Verb(parameters.DeleteUserGroups, _delete_user_groups, answers.groups_deleted),
    "ListLogMessageByCondition": Verb(
        parameters.ListLogMessageByCondition, _list_log_messages, answers.events_page
    ),
}
