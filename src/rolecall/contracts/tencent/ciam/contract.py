"""The contract of Tencent Cloud `ciam` 2022-03-31: user stores (the vendor also calls them user pools and user
directories), the users and groups in them, and the log of what happened there.

Sources: CreateUser is its page of 2024-11-25. The siblings' parameters, types and requiredness are those of
tencentcloud-sdk-python-ciam 3.1.97 (``models.py``) and tccli 3.1.189 (``api.json``); a test compares them.

The same id is ``UserStoreId`` in most actions and ``UserPoolId`` in UpdateUserStore and DeleteUserStore. Inputs say
UserPool..., UserGroup, CustomizationAttributes; outputs say UserStore..., UserGroups, CustomAttributes.
"""

from __future__ import annotations

from functools import partial

from rolecall.contracts.model import Contract
from rolecall.contracts.tencent.ciam import parameters
from rolecall.contracts.tencent.ciam.codes import CODES
from rolecall.contracts.tencent.ciam.errors import PREFERENCES
from rolecall.contracts.tencent.ciam.rules import PAGE, SDK
from rolecall.contracts.tencent.ciam.texts import TEXTS
from rolecall.contracts.tencent.error_preferences import action_of

_STORE = "qcs::ciam::uin/{owner}:userStoreId/{UserStoreId}"
_POOL = "qcs::ciam::uin/{owner}:userStoreId/{UserPoolId}"
_STORES = "qcs::ciam::uin/{owner}:userStoreId/*"


_action = partial(
    action_of,
    codes=CODES,
    preferences=PREFERENCES,
    texts=TEXTS,
    source=SDK,
    regions=frozenset(),
    resources=(_STORE,),
)

_USERS = (
    _action(parameters.CreateUser, output=("User",), changes=True, source=PAGE),
    _action(parameters.UpdateUser, output=("User",), changes=True),
    _action(parameters.DescribeUserById, output=("User",)),
    _action(parameters.DescribeUser, output=("Total", "Pageable", "Content")),
    _action(parameters.ListUser, output=("Total", "Pageable", "Content")),
    _action(parameters.ListUserByProperty, output=("Users",)),
    _action(parameters.UpdateUserStatus, changes=True),
    _action(parameters.SetPassword, changes=True),
    _action(parameters.ResetPassword, output=("Password",), changes=True, mints_secret=True),
    _action(parameters.DeleteUsers, changes=True),
    _action(parameters.LinkAccount, changes=True),
)

_STORES_AND_GROUPS = (
    _action(parameters.CreateUserStore, output=("UserStoreId",), changes=True, resources=(_STORES,)),
    _action(parameters.ListUserStore, output=("UserStoreSet",), resources=(_STORES,)),
    _action(parameters.UpdateUserStore, changes=True, resources=(_POOL,)),
    _action(parameters.DeleteUserStore, changes=True, resources=(_POOL,)),
    _action(parameters.CreateUserGroup, output=("UserGroupId",), changes=True),
    _action(parameters.ListUserGroups, output=("Content", "Total", "Pageable")),
    _action(parameters.UpdateUserGroup, changes=True),
    _action(parameters.DeleteUserGroups, output=("UserGroupDeletedInfo",), changes=True),
    _action(parameters.ListLogMessageByCondition, output=("Total", "Pageable", "Content")),
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
            parameters.ListUserGroups2021, output=("Content", "Total", "Pageable"), source=_SDK_2021
        )
    },
    errors={},
)
"""The one action of the version before, which the vendor's international package still has."""
