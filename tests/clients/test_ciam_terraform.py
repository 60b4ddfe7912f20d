"""The calls of the vendor's Terraform provider for user stores and groups, in its order and with its odd parameters.

Source: terraform-provider-tencentcloud, tencentcloud/services/ciam: resources tencentcloud_ciam_user_store and
tencentcloud_ciam_user_group. It sends POST with TC3-HMAC-SHA256, `X-TC-Language: en-US`.
"""

from __future__ import annotations

from typing import Any


def sent(rolecall: Any, action: str, **params: Any) -> dict[str, Any]:
    headers = {"X-TC-Language": "en-US"}
    response: dict[str, Any] = rolecall.call(
        action, params, service="ciam", version="2022-03-31", headers=headers
    )
    assert "Error" not in response, response
    return response


def read_store(rolecall: Any, pool: str) -> dict[str, Any] | None:
    """The provider reads the whole list and looks for the exact id."""
    rows = sent(rolecall, "ListUserStore")["UserStoreSet"]
    return next((row for row in rows if row["UserStoreId"] == pool), None)


def read_group(rolecall: Any, store: str, group: str) -> dict[str, Any] | None:
    """Pages by an offset that it takes for a page's number, until one has less than twenty; the first is the one."""
    found: list[dict[str, Any]] = []
    offset, limit = 1, 20
    filters = [{"Key": "UserGroupId", "Values": [group], "Logic": True}]
    while True:
        pageable = {"PageSize": limit, "PageNumber": offset}
        answer = sent(rolecall, "ListUserGroups", UserStoreId=store, Pageable=pageable, Filters=filters)
        found += answer["Content"]
        if len(answer["Content"]) < limit:
            return found[0] if found else None
        offset += limit


def test_a_store_resource_lives_from_create_to_destroy(rolecall: Any, name: Any) -> None:
    first, second = name("tf_store"), name("tf_store")
    pool = sent(
        rolecall, "CreateUserStore", UserPoolName=first, UserPoolDesc="for terraform",
        UserPoolLogo="https://ciam-prd-1302490086.cos.ap-guangzhou.myqcloud.com/temporary/92630252a2c5422d9663db5feafd619b.png",
    )["UserStoreId"]  # fmt: skip
    state = read_store(rolecall, pool)
    assert state is not None
    assert (state["UserStoreName"], state["UserStoreDesc"]) == (first, "for terraform")
    assert state["UserStoreLogo"].startswith("https://")
    sent(rolecall, "UpdateUserStore", UserPoolId=pool, UserPoolName=second, UserPoolDesc="changed")
    state = read_store(rolecall, pool)
    assert state is not None
    assert (state["UserStoreName"], state["UserStoreDesc"]) == (second, "changed")
    sent(rolecall, "DeleteUserStore", UserPoolId=pool)
    assert read_store(rolecall, pool) is None


def test_a_group_resource_lives_from_create_to_destroy(rolecall: Any, name: Any) -> None:
    store = sent(rolecall, "CreateUserStore", UserPoolName=name("tf_store"))["UserStoreId"]
    for _ in range(21):  # an unfiltered list would not have it first
        sent(rolecall, "CreateUserGroup", DisplayName=name("other"), UserStoreId=store)
    group = sent(
        rolecall, "CreateUserGroup", DisplayName="tf_user_group", UserStoreId=store, Description="d"
    )["UserGroupId"]
    state = read_group(rolecall, store, group)
    assert state is not None
    assert (state["UserGroupId"], state["DisplayName"], state["Description"]) == (group, "tf_user_group", "d")
    assert state["UserStoreId"] == store
    sent(
        rolecall,
        "UpdateUserGroup",
        UserGroupId=group,
        DisplayName="renamed",
        UserStoreId=store,
        Description="e",
    )
    state = read_group(rolecall, store, group)
    assert state is not None
    assert (state["DisplayName"], state["Description"]) == ("renamed", "e")
    sent(rolecall, "DeleteUserGroups", UserGroupIds=[group], UserStoreId=store)
    assert read_group(rolecall, store, group) is None
    sent(rolecall, "DeleteUserStore", UserPoolId=store)
