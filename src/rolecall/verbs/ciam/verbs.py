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
from rolecall.verbs import Verbs, nothing, verb, verbs_of
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


def _create_user(params: parameters.CreateUser) -> commands.CreateUser:
    password = params.Password
    return commands.CreateUser(UUID(params.UserStoreId), _attributes(params), password, params.DryRun)


def _update_user(params: parameters.UpdateUser) -> commands.ChangeUser:
    return commands.ChangeUser(
        UUID(params.UserStoreId), UUID(params.UserId), _attributes(params), params.DryRun
    )


def _describe_user_by_id(params: parameters.DescribeUserById) -> commands.ShowUser:
    user = params.UserId
    return commands.ShowUser(UUID(params.UserStoreId), UUID(user) if _ID.fullmatch(user) else None)


def _describe_user(params: parameters.DescribeUser) -> commands.FindUsers:
    offset, limit = _window(params.Pageable)
    conditions = query_conditions(params.Filters or ())
    order = query_order(params.Sort)
    return commands.FindUsers(UUID(params.UserStoreId), conditions, order, offset, limit)


def _list_user(params: parameters.ListUser) -> commands.FindUsers:
    offset, limit = _window(params.Pageable)
    conditions = list_conditions(params.Filters or ())
    return commands.FindUsers(UUID(params.UserStoreId), conditions, None, offset, limit)


def _list_user_by_property(params: parameters.ListUserByProperty) -> commands.FindUsers:
    field = _PROPERTIES[params.PropertyCode]
    condition = Condition(field, Operator.EQUAL, (params.PropertyValue,))
    return commands.FindUsers(UUID(params.UserStoreId), (condition,), None, 0, 100)


def _update_user_status(params: parameters.UpdateUserStatus) -> commands.SetUserStatus:
    status = _STATUSES[params.Status]
    return commands.SetUserStatus(UUID(params.UserStoreId), UUID(params.UserId), status, params.DryRun)


def _set_password(params: parameters.SetPassword) -> commands.SetUserPassword:
    password = params.Password
    return commands.SetUserPassword(UUID(params.UserStoreId), UUID(params.UserId), password, params.DryRun)


def _reset_password(params: parameters.ResetPassword) -> commands.ResetUserPassword:
    return commands.ResetUserPassword(UUID(params.UserStoreId), UUID(params.UserId), params.DryRun)


def _delete_users(params: parameters.DeleteUsers) -> commands.DeleteUsers:
    return commands.DeleteUsers(UUID(params.UserStoreId), _ids(params.UserIds), params.DryRun)


def _link_account(params: parameters.LinkAccount) -> commands.LinkUsers:
    return commands.LinkUsers(
        UUID(params.UserStoreId),
        UUID(params.PrimaryUserId),
        UUID(params.SecondaryUserId),
        _LINKS[params.UserLinkedOnAttribute],
        params.DryRun,
    )


def _create_user_store(params: parameters.CreateUserStore) -> commands.CreateUserStore:
    return commands.CreateUserStore(
        params.UserPoolName, params.UserPoolDesc or "", params.UserPoolLogo or "", params.DryRun
    )


def _update_user_store(params: parameters.UpdateUserStore) -> commands.ChangeUserStore:
    return commands.ChangeUserStore(
        UUID(params.UserPoolId), params.UserPoolName, params.UserPoolDesc, params.UserPoolLogo, params.DryRun
    )


def _delete_user_store(params: parameters.DeleteUserStore) -> commands.DeleteUserStore:
    return commands.DeleteUserStore(UUID(params.UserPoolId), params.DryRun)


def _create_user_group(params: parameters.CreateUserGroup) -> commands.CreateUserGroup:
    return commands.CreateUserGroup(
        UUID(params.UserStoreId), params.DisplayName, params.Description or "", params.DryRun
    )


def _list_user_groups(params: parameters.ListUserGroups) -> commands.ListUserGroups:
    offset, limit = _window(params.Pageable)
    wanted, ids, negated = group_filter(params.Filters or ())
    return commands.ListUserGroups(UUID(params.UserStoreId), wanted, ids, offset, limit, negated)


def _update_user_group(params: parameters.UpdateUserGroup) -> commands.ChangeUserGroup:
    return commands.ChangeUserGroup(
        UUID(params.UserStoreId),
        UUID(params.UserGroupId),
        params.DisplayName,
        params.Description,
        params.DryRun,
    )


def _delete_user_groups(params: parameters.DeleteUserGroups) -> commands.DeleteUserGroups:
    return commands.DeleteUserGroups(UUID(params.UserStoreId), _ids(params.UserGroupIds), params.DryRun)


def _list_log_messages(params: parameters.ListLogMessageByCondition) -> commands.ListDirectoryEvents:
    offset, limit = _window(params.Pageable)
    since = moment(params.StartTime)
    kinds = event_kinds(params.Filters or ())
    return commands.ListDirectoryEvents(UUID(params.UserStoreId), since, kinds, offset, limit)


def _list_user_groups_2021(params: parameters.ListUserGroups2021) -> commands.ListUserGroups:
    page, size = params.Page, params.Size
    wanted = params.Condition
    return commands.ListUserGroups(
        UUID(params.UserStoreId), (wanted,) if wanted else (), None, (page - 1) * size, size
    )


EARLIER_VERBS: Verbs = verbs_of(
    verb(parameters.ListUserGroups2021, _list_user_groups_2021, answers.groups_page_2021)
)

VERBS: Verbs = verbs_of(
    verb(parameters.CreateUser, _create_user, answers.user_made),
    verb(parameters.UpdateUser, _update_user, answers.user_made),
    verb(parameters.DescribeUserById, _describe_user_by_id, answers.user_shown),
    verb(parameters.DescribeUser, _describe_user, answers.users_page),
    verb(parameters.ListUser, _list_user, answers.users_page),
    verb(parameters.ListUserByProperty, _list_user_by_property, answers.users),
    verb(parameters.UpdateUserStatus, _update_user_status, nothing),
    verb(parameters.SetPassword, _set_password, nothing),
    verb(parameters.ResetPassword, _reset_password, answers.password),
    verb(parameters.DeleteUsers, _delete_users, nothing),
    verb(parameters.LinkAccount, _link_account, nothing),
    verb(parameters.CreateUserStore, _create_user_store, answers.store_made),
    verb(parameters.ListUserStore, lambda _params: commands.ListUserStores(), answers.stores),
    verb(parameters.UpdateUserStore, _update_user_store, nothing),
    verb(parameters.DeleteUserStore, _delete_user_store, nothing),
    verb(parameters.CreateUserGroup, _create_user_group, answers.group_made),
    verb(parameters.ListUserGroups, _list_user_groups, answers.groups_page),
    verb(parameters.UpdateUserGroup, _update_user_group, nothing),
    verb(parameters.DeleteUserGroups, _delete_user_groups, answers.groups_deleted),
    verb(parameters.ListLogMessageByCondition, _list_log_messages, answers.events_page),
)
