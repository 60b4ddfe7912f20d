"""The contract of Tencent Cloud `ciam` 2022-03-31: user stores (the vendor also calls them user pools and user
directories), the users and groups in them, and the log of what happened there.

Sources: CreateUser is its page of 2024-11-25. The siblings' parameters, types and requiredness are those of
tencentcloud-sdk-python-ciam 3.1.97 (``models.py``) and tccli 3.1.189 (``api.json``); a test compares them. ``DryRun``
is the common parameter that the code DryRunOperation speaks of; no model has it, so it is sent beside the others.

The same id is ``UserStoreId`` in most actions and ``UserPoolId`` in UpdateUserStore and DeleteUserStore. Inputs say
UserPool..., UserGroup, CustomizationAttributes; outputs say UserStore..., UserGroups, CustomAttributes.
"""

from __future__ import annotations

from rolecall.contracts.model import Action, Contract, Field, Kind, ListOf, Rule, Shape
from rolecall.contracts.tencent.ciam import rules
from rolecall.contracts.tencent.ciam.codes import CODES
from rolecall.contracts.tencent.ciam.errors import rows
from rolecall.contracts.tencent.ciam.rules import PAGE, SDK
from rolecall.domain.reasons import Reason

_AT_ONCE = 100
"""Groups, attributes, ids in one call: ours, the vendor names no bound."""

_STORE = "qcs::ciam::uin/{owner}:userStoreId/{UserStoreId}"
_POOL = "qcs::ciam::uin/{owner}:userStoreId/{UserPoolId}"
_STORES = "qcs::ciam::uin/{owner}:userStoreId/*"


def _text(name: str, *wanted: Rule, required: bool = False) -> Field:
    return Field(name, Kind.STRING, required, None, wanted)


def _texts(name: str, *wanted: Rule, required: bool = False, at_most: int = _AT_ONCE) -> Field:
    return Field(name, ListOf(Kind.STRING, at_most), required, None, wanted)


STORE_ID = _text("UserStoreId", *rules.identifier(Reason.STORE_MISSING), required=True)
_POOL_ID = _text("UserPoolId", *rules.identifier(Reason.STORE_MISSING), required=True)
_USER_ID = _text("UserId", *rules.identifier(Reason.USER_MISSING), required=True)
_GROUP_ID = _text("UserGroupId", *rules.identifier(Reason.USER_GROUP_MISSING), required=True)
_ORIGINAL = Field("Original", Kind.BOOLEAN, default=False)
_DRY_RUN = Field("DryRun", Kind.BOOLEAN, default=False)

PAGEABLE = Shape(
    "Pageable",
    (
        Field("PageSize", Kind.INTEGER, required=True, rules=rules.PAGE_SIZE),
        Field("PageNumber", Kind.INTEGER, required=True, rules=rules.PAGE_NUMBER),
    ),
)
FILTER = Shape(
    "Filter",
    (
        _text("Key", *rules.CONDITION),
        _texts("Values"),
        Field("Logic", Kind.BOOLEAN, default=True),
    ),
)
QUERY_USER_FILTER = Shape(
    "QueryUserFilter",
    (
        _text("PropertyKey", *rules.CONDITION),
        _text("PropertyValue", *rules.CONDITION),
        Field("Logic", Kind.BOOLEAN),
        _text("OperateLogic", *rules.CONDITION),
    ),
)
SORT = Shape("Sort", (_text("PropertyKey", *rules.CONDITION), _text("Order", *rules.CONDITION)))
MEMBER_MAP = Shape(
    "MemberMap",
    (
        _text("Name", *rules.ATTRIBUTE_NAME, required=True),
        _text("Value", *rules.ATTRIBUTE_VALUE, required=True),
        Field("Type", Kind.STRING, default="STRING", rules=rules.ATTRIBUTE_TYPE),
    ),
)

_PAGE_OF = Field("Pageable", PAGEABLE, required=True)
_FILTERS = Field("Filters", ListOf(FILTER, 20))

_ATTRIBUTES = (
    _text("Nickname", *rules.TEXT),
    _text("Address", *rules.TEXT),
    _texts("UserGroup", *rules.GROUP_IDS),
    Field("Birthdate", Kind.INTEGER, rules=rules.BIRTHDATE),
    Field("CustomizationAttributes", ListOf(MEMBER_MAP, _AT_ONCE), rules=rules.ATTRIBUTES),
    *(_text(f"IndexedAttribute{number}", *rules.INDEXED) for number in range(1, 6)),
    _texts("UserOrg"),
)
"""What a user may be given, at its making and later."""


def _action(
    name: str,
    *params: Field,
    output: tuple[str, ...] = (),
    changes: bool = False,
    resources: tuple[str, ...] = (_STORE,),
    source: str = SDK,
    mints_secret: bool = False,
) -> Action:
    own = (*params, _DRY_RUN) if changes else params
    return Action(
        name,
        source,
        own,
        output,
        CODES[name],
        rows(name),
        changes=changes,
        resources=resources,
        blank_is_absent=True,
        mints_secret=mints_secret,
    )


_USERS = (
    _action(
        "CreateUser",
        STORE_ID,
        _text("PhoneNumber", *rules.NEW_PHONE, required=True),
        _text("Email", *rules.NEW_MAIL, required=True),
        Field("Password", Kind.SECRET, required=True, rules=rules.PASSWORD),
        _text("UserName", *rules.NEW_USER_NAME, required=True),
        *_ATTRIBUTES,
        output=("User",),
        changes=True,
        source=PAGE,
    ),
    _action(
        "UpdateUser",
        _USER_ID,
        STORE_ID,
        _text("UserName", *rules.USER_NAME),
        _text("PhoneNumber", *rules.PHONE),
        _text("Email", *rules.MAIL),
        *_ATTRIBUTES,
        output=("User",),
        changes=True,
    ),
    # An id of another form names nobody, and nobody is the answer.
    _action("DescribeUserById", STORE_ID, _text("UserId", required=True), _ORIGINAL, output=("User",)),
    _action(
        "DescribeUser",
        STORE_ID,
        _PAGE_OF,
        Field("Filters", ListOf(QUERY_USER_FILTER, 20)),
        _ORIGINAL,
        Field("Sort", SORT),
        output=("Total", "Pageable", "Content"),
    ),
    _action("ListUser", STORE_ID, _PAGE_OF, _FILTERS, _ORIGINAL, output=("Total", "Pageable", "Content")),
    _action(
        "ListUserByProperty",
        STORE_ID,
        _text("PropertyCode", *rules.PROPERTY, required=True),
        _text("PropertyValue", *rules.CONDITION, required=True),
        _ORIGINAL,
        output=("Users",),
    ),
    _action(
        "UpdateUserStatus",
        STORE_ID,
        _USER_ID,
        _text("Status", *rules.STATUS, required=True),
        changes=True,
    ),
    _action(
        "SetPassword",
        STORE_ID,
        _USER_ID,
        Field("Password", Kind.SECRET, required=True, rules=rules.PASSWORD),
        changes=True,
    ),
    _action("ResetPassword", _USER_ID, STORE_ID, output=("Password",), changes=True, mints_secret=True),
    _action("DeleteUsers", STORE_ID, _texts("UserIds", required=True), changes=True),
    _action(
        "LinkAccount",
        STORE_ID,
        _text("PrimaryUserId", *rules.identifier(Reason.LINK_PRIMARY_MISSING), required=True),
        _text("SecondaryUserId", *rules.identifier(Reason.LINK_SECONDARY_MISSING), required=True),
        _text("UserLinkedOnAttribute", *rules.LINKED_ON, required=True),
        changes=True,
    ),
)

_STORES_AND_GROUPS = (
    _action(
        "CreateUserStore",
        _text("UserPoolName", *rules.NAME, required=True),
        _text("UserPoolDesc", *rules.DESCRIPTION),
        _text("UserPoolLogo", *rules.LOGO),
        output=("UserStoreId",),
        changes=True,
        resources=(_STORES,),
    ),
    _action("ListUserStore", output=("UserStoreSet",), resources=(_STORES,)),
    _action(
        "UpdateUserStore",
        _POOL_ID,
        _text("UserPoolName", *rules.NAME),
        _text("UserPoolDesc", *rules.DESCRIPTION),
        _text("UserPoolLogo", *rules.LOGO),
        changes=True,
        resources=(_POOL,),
    ),
    _action("DeleteUserStore", _POOL_ID, changes=True, resources=(_POOL,)),
    _action(
        "CreateUserGroup",
        _text("DisplayName", *rules.NAME, required=True),
        STORE_ID,
        _text("Description", *rules.DESCRIPTION),
        output=("UserGroupId",),
        changes=True,
    ),
    _action("ListUserGroups", STORE_ID, _PAGE_OF, _FILTERS, output=("Content", "Total", "Pageable")),
    _action(
        "UpdateUserGroup",
        _GROUP_ID,
        _text("DisplayName", *rules.NAME, required=True),
        STORE_ID,
        _text("Description", *rules.DESCRIPTION),
        changes=True,
    ),
    _action(
        "DeleteUserGroups",
        _texts("UserGroupIds", required=True),
        STORE_ID,
        output=("UserGroupDeletedInfo",),
        changes=True,
    ),
    _action(
        "ListLogMessageByCondition",
        STORE_ID,
        _PAGE_OF,
        Field("StartTime", Kind.INTEGER, required=True, rules=rules.MOMENT),
        _FILTERS,
        output=("Total", "Pageable", "Content"),
    ),
)

CONTRACT = Contract(
    dialect="tencent",
    service="ciam",
    version="2022-03-31",
    actions={action.name: action for action in (*_USERS, *_STORES_AND_GROUPS)},
    errors={},
)

_SDK_2021 = "tencentcloud-sdk-python-intl-en 3.1.193, ciam/v20210420/models.py"

EARLIER = Contract(
    dialect="tencent",
    service="ciam",
    version="2021-04-20",
    actions={
        "ListUserGroups": _action(
            "ListUserGroups",
            STORE_ID,
            Field("Page", Kind.INTEGER, required=True, rules=rules.PAGE_NUMBER),
            Field("Size", Kind.INTEGER, required=True, rules=rules.PAGE_SIZE),
            _text("Condition", *rules.CONDITION),
            output=("Content", "Total", "Pageable"),
            source=_SDK_2021,
        )
    },
    errors={},
)
"""The one action of the version before, which the vendor's international package still has."""
