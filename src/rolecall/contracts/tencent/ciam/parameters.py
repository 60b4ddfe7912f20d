"""The parameters of `ciam` 2022-03-31, a class for each action, and of the one action of 2021-04-20.

Sources: as of the contract. ``DryRun`` is the common parameter that the code DryRunOperation speaks of; no model has
it, so it is sent beside the others.
"""

from __future__ import annotations

from typing import Annotated, TypeAlias

from rolecall.contracts.parameters import Most, Params
from rolecall.contracts.tencent.ciam import rules
from rolecall.domain.reasons import Reason
from rolecall.values import Secret

_AT_ONCE = 100
"""Groups, attributes, ids in one call: ours, the vendor names no bound."""

_STORE_ID = rules.identifier(Reason.STORE_MISSING)
_USER_ID = rules.identifier(Reason.USER_MISSING)


class OnStore(Params):
    UserStoreId: Annotated[str, _STORE_ID]


class MemberMap(Params):
    Name: Annotated[str, rules.ATTRIBUTE_NAME]
    Value: Annotated[str, rules.ATTRIBUTE_VALUE]
    Type: Annotated[str, rules.ATTRIBUTE_TYPE] = "STRING"


class CreateUser(OnStore):
    PhoneNumber: Annotated[str, rules.NEW_PHONE]
    Email: Annotated[str, rules.NEW_MAIL]
    Password: Annotated[Secret, rules.PASSWORD]
    UserName: Annotated[str, rules.NEW_USER_NAME]
    Nickname: Annotated[str, rules.TEXT] | None = None
    Address: Annotated[str, rules.TEXT] | None = None
    UserGroup: Annotated[list[str], Most(_AT_ONCE), rules.GROUP_IDS] | None = None
    Birthdate: Annotated[int, rules.BIRTHDATE] | None = None
    CustomizationAttributes: Annotated[list[MemberMap], Most(_AT_ONCE), rules.ATTRIBUTES] | None = None
    IndexedAttribute1: Annotated[str, rules.INDEXED] | None = None
    IndexedAttribute2: Annotated[str, rules.INDEXED] | None = None
    IndexedAttribute3: Annotated[str, rules.INDEXED] | None = None
    IndexedAttribute4: Annotated[str, rules.INDEXED] | None = None
    IndexedAttribute5: Annotated[str, rules.INDEXED] | None = None
    UserOrg: Annotated[list[str], Most(_AT_ONCE)] | None = None
    DryRun: bool = False


class UpdateUser(Params):
    UserId: Annotated[str, _USER_ID]
    UserStoreId: Annotated[str, _STORE_ID]
    UserName: Annotated[str, rules.USER_NAME] | None = None
    PhoneNumber: Annotated[str, rules.PHONE] | None = None
    Email: Annotated[str, rules.MAIL] | None = None
    Nickname: Annotated[str, rules.TEXT] | None = None
    Address: Annotated[str, rules.TEXT] | None = None
    UserGroup: Annotated[list[str], Most(_AT_ONCE), rules.GROUP_IDS] | None = None
    Birthdate: Annotated[int, rules.BIRTHDATE] | None = None
    CustomizationAttributes: Annotated[list[MemberMap], Most(_AT_ONCE), rules.ATTRIBUTES] | None = None
    IndexedAttribute1: Annotated[str, rules.INDEXED] | None = None
    IndexedAttribute2: Annotated[str, rules.INDEXED] | None = None
    IndexedAttribute3: Annotated[str, rules.INDEXED] | None = None
    IndexedAttribute4: Annotated[str, rules.INDEXED] | None = None
    IndexedAttribute5: Annotated[str, rules.INDEXED] | None = None
    UserOrg: Annotated[list[str], Most(_AT_ONCE)] | None = None
    DryRun: bool = False


class DescribeUserById(OnStore):
    """An id of another form names no user, and null is the answer."""

    UserId: str
    Original: bool = False


class Page(Params, shape="Pageable"):
    PageSize: Annotated[int, rules.PAGE_SIZE]
    PageNumber: Annotated[int, rules.PAGE_NUMBER]


class QueryUserFilter(Params):
    PropertyKey: Annotated[str, rules.CONDITION] | None = None
    PropertyValue: Annotated[str, rules.CONDITION] | None = None
    Logic: bool | None = None
    OperateLogic: Annotated[str, rules.CONDITION] | None = None


class SortOrder(Params, shape="Sort"):
    PropertyKey: Annotated[str, rules.CONDITION] | None = None
    Order: Annotated[str, rules.CONDITION] | None = None


class DescribeUser(OnStore):
    Pageable: Page
    Filters: Annotated[list[QueryUserFilter], Most(20)] | None = None
    Original: bool = False
    Sort: SortOrder | None = None


class Filter(Params):
    Key: Annotated[str, rules.CONDITION] | None = None
    Values: Annotated[list[str], Most(_AT_ONCE)] | None = None
    Logic: bool = True


class ListUser(OnStore):
    Pageable: Page
    Filters: Annotated[list[Filter], Most(20)] | None = None
    Original: bool = False


class ListUserByProperty(OnStore):
    PropertyCode: Annotated[str, rules.PROPERTY]
    PropertyValue: Annotated[str, rules.CONDITION]
    Original: bool = False


class UpdateUserStatus(OnStore):
    UserId: Annotated[str, _USER_ID]
    Status: Annotated[str, rules.STATUS]
    DryRun: bool = False


class SetPassword(OnStore):
    UserId: Annotated[str, _USER_ID]
    Password: Annotated[Secret, rules.PASSWORD]
    DryRun: bool = False


class ResetPassword(Params):
    UserId: Annotated[str, _USER_ID]
    UserStoreId: Annotated[str, _STORE_ID]
    DryRun: bool = False


class DeleteUsers(OnStore):
    UserIds: Annotated[list[str], Most(_AT_ONCE)]
    DryRun: bool = False


class LinkAccount(OnStore):
    PrimaryUserId: Annotated[str, rules.identifier(Reason.LINK_PRIMARY_MISSING)]
    SecondaryUserId: Annotated[str, rules.identifier(Reason.LINK_SECONDARY_MISSING)]
    UserLinkedOnAttribute: Annotated[str, rules.LINKED_ON]
    DryRun: bool = False


class CreateUserStore(Params):
    UserPoolName: Annotated[str, rules.NAME]
    UserPoolDesc: Annotated[str, rules.DESCRIPTION] | None = None
    UserPoolLogo: Annotated[str, rules.LOGO] | None = None
    DryRun: bool = False


class ListUserStore(Params):
    pass


class UpdateUserStore(Params):
    UserPoolId: Annotated[str, _STORE_ID]
    UserPoolName: Annotated[str, rules.NAME] | None = None
    UserPoolDesc: Annotated[str, rules.DESCRIPTION] | None = None
    UserPoolLogo: Annotated[str, rules.LOGO] | None = None
    DryRun: bool = False


class DeleteUserStore(Params):
    UserPoolId: Annotated[str, _STORE_ID]
    DryRun: bool = False


class CreateUserGroup(Params):
    DisplayName: Annotated[str, rules.NAME]
    UserStoreId: Annotated[str, _STORE_ID]
    Description: Annotated[str, rules.DESCRIPTION] | None = None
    DryRun: bool = False


class ListUserGroups(OnStore):
    Pageable: Page
    Filters: Annotated[list[Filter], Most(20)] | None = None


class UpdateUserGroup(Params):
    UserGroupId: Annotated[str, rules.identifier(Reason.USER_GROUP_MISSING)]
    DisplayName: Annotated[str, rules.NAME]
    UserStoreId: Annotated[str, _STORE_ID]
    Description: Annotated[str, rules.DESCRIPTION] | None = None
    DryRun: bool = False


class DeleteUserGroups(Params):
    UserGroupIds: Annotated[list[str], Most(_AT_ONCE)]
    UserStoreId: Annotated[str, _STORE_ID]
    DryRun: bool = False


class ListLogMessageByCondition(OnStore):
    Pageable: Page
    StartTime: Annotated[int, rules.MOMENT]
    Filters: Annotated[list[Filter], Most(20)] | None = None


class ListUserGroups2021(Params, shape="ListUserGroups"):
    UserStoreId: Annotated[str, _STORE_ID]
    Page: Annotated[int, rules.PAGE_NUMBER]
    Size: Annotated[int, rules.PAGE_SIZE]
    Condition: Annotated[str, rules.CONDITION] | None = None


WithPage: TypeAlias = DescribeUser | ListUser | ListUserGroups | ListLogMessageByCondition
"""Those whose answers repeat the page."""
