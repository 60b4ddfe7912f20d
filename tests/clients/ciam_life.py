"""One life of a user store, told through any client of the vendor.

A client is driven as `call(action, params) -> Response`; a refusal is a `ClientRefused`. Whether a password is the
user's is asked of the store's rows by `password_of`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import argon2
import pytest

from rolecall.contracts.tencent.ciam.contract import CONTRACT

ACTIONS = frozenset(CONTRACT.actions)
PAGE = {"PageSize": 10, "PageNumber": 1}
PHONE, MAIL = "+86-13812345678", "ada.lovelace@example.com"


@dataclass
class DirectoryLife:
    """Every action of the contract in a natural order. `lacks`: what the client does not know.

    `store` is where it happens; without one, the client makes it.
    """

    client: Callable[[str, Mapping[str, Any]], Mapping[str, Any]]
    refused: type[Exception]
    name: Callable[[str], str]
    password_of: Callable[[str], str]
    store: str = ""
    lacks: frozenset[str] = frozenset()
    called: set[str] = field(default_factory=set)

    def run(self) -> None:
        self.stores()
        self.groups()
        self.creation()
        self.reading()
        self.changing()
        self.passwords()
        self.linking()
        self.log()
        self.removal()
        assert self.called == ACTIONS - self.lacks

    def call(self, action: str, **params: Any) -> Mapping[str, Any]:
        self.called.add(action)
        response = self.client(action, params)
        assert len(response["RequestId"]) == 36
        return response

    def of_store(self, action: str, **params: Any) -> Mapping[str, Any]:
        return self.call(action, UserStoreId=self.store, **params)

    def code(self, action: str, **params: Any) -> str:
        with pytest.raises(self.refused) as refused:
            self.of_store(action, **params)
        assert len(refused.value.request_id) == 36  # type: ignore[attr-defined]
        return str(refused.value.code)  # type: ignore[attr-defined]

    def stores(self) -> None:
        if "CreateUserStore" in self.lacks:
            return
        made = self.name("store")
        self.store = self.call("CreateUserStore", UserPoolName=made, UserPoolDesc="d")["UserStoreId"]
        self.call("UpdateUserStore", UserPoolId=self.store, UserPoolDesc="changed")
        (row,) = [
            one for one in self.call("ListUserStore")["UserStoreSet"] if one["UserStoreId"] == self.store
        ]
        assert (row["UserStoreName"], row["UserStoreDesc"], row["UserNum"]) == (made, "changed", 0)

    def groups(self) -> None:
        self.group: list[str] = []
        if "CreateUserGroup" in self.lacks:
            return
        self.group = [self.of_store("CreateUserGroup", DisplayName=self.name("g"))["UserGroupId"]]
        self.of_store("UpdateUserGroup", UserGroupId=self.group[0], DisplayName="renamed", Description="d")
        asked = [{"Key": "condition", "Values": ["renamed"], "Logic": True}]
        page = self.of_store("ListUserGroups", Pageable=PAGE, Filters=asked)
        assert [one["UserGroupId"] for one in page["Content"]] == self.group

    def creation(self) -> None:
        self.user_name = self.name("用户 ")
        self.wanted = {
            "PhoneNumber": PHONE, "Email": MAIL, "Password": "password", "UserName": self.user_name, "Nickname": "nick",
            "Address": "1 Long Street & more", "UserGroup": self.group, "Birthdate": 1706682491339,
            "CustomizationAttributes": [{"Name": "k", "Value": "v=1&w", "Type": "STRING"}],
            **{f"IndexedAttribute{number}": f"value{number}" for number in range(1, 6)},
        }  # fmt: skip
        if not self.group:
            del self.wanted["UserGroup"]  # a flattened request has no empty list
        user = self.of_store("CreateUser", **self.wanted)["User"]
        self.user = user["UserId"]
        assert {key: user[key] for key in ("PhoneNumber", "Email", "UserName", "Birthdate")} == {
            key: self.wanted[key] for key in ("PhoneNumber", "Email", "UserName", "Birthdate")
        }
        assert user["CustomAttributes"] == self.wanted["CustomizationAttributes"]
        assert user["UserGroups"] == self.group
        assert self.is_password("password")
        assert self.code("CreateUser", **self.wanted) == "RequestLimitExceeded.RepeatRequest"
        another = self.wanted | {"PhoneNumber": "13800138000"}
        assert self.code("CreateUser", **another) == "FailedOperation.UserNameAlreadyExists"

    def is_password(self, password: str) -> bool:
        return argon2.PasswordHasher().verify(self.password_of(self.user), password)

    def reading(self) -> None:
        masked = self.of_store("DescribeUserById", UserId=self.user)["User"]
        assert (masked["PhoneNumber"], masked["Email"]) == ("+86-138****5678", "ada****@example.com")
        clear = self.of_store("DescribeUserById", UserId=self.user, Original=True)["User"]
        assert (clear["PhoneNumber"], clear["Email"]) == (PHONE, MAIL)
        listed = self.of_store(
            "ListUser",
            Pageable=PAGE,
            Filters=[{"Key": "condition", "Values": [self.user_name], "Logic": True}],
        )
        assert (listed["Total"], listed["Content"]) == (1, [masked])
        queried = self.of_store(
            "DescribeUser", Pageable=PAGE, Original=True,
            Filters=[{"PropertyKey": "indexedAttribute1", "PropertyValue": "value1", "OperateLogic": "="}],
            Sort={"PropertyKey": "userName", "Order": "DESC"},
        )  # fmt: skip
        assert clear in queried["Content"]
        found = self.of_store(
            "ListUserByProperty", PropertyCode="phoneNumber", PropertyValue=PHONE, Original=True
        )
        assert found["Users"] == [clear]

    def changing(self) -> None:
        changed = self.of_store("UpdateUser", UserId=self.user, Nickname="other")["User"]
        assert (changed["Nickname"], changed["Address"]) == ("other", self.wanted["Address"])
        for status in ("LOCK", "FREEZE"):
            self.of_store("UpdateUserStatus", UserId=self.user, Status=status)
            assert self.of_store("DescribeUserById", UserId=self.user)["User"]["Status"] == status
        assert self.code("SetPassword", UserId=self.user, Password="x") == "FailedOperation.UserIsFreeze"
        self.of_store("UpdateUserStatus", UserId=self.user, Status="NORMAL")

    def passwords(self) -> None:
        self.of_store("SetPassword", UserId=self.user, Password="p+A&9=%_x")
        assert self.is_password("p+A&9=%_x")
        assert self.is_password(self.of_store("ResetPassword", UserId=self.user)["Password"])

    def linking(self) -> None:
        other = self.wanted | {
            "UserName": self.name("second"),
            "PhoneNumber": "13900139000",
            "Email": "second@example.com",
        }
        self.second = self.of_store("CreateUser", **other)["User"]["UserId"]
        link = {"PrimaryUserId": self.user, "SecondaryUserId": self.second, "UserLinkedOnAttribute": "EMAIL"}
        self.of_store("LinkAccount", **link)
        assert self.code("LinkAccount", **link) == "FailedOperation.AccountAlreadyBeLinked"
        assert self.of_store("DescribeUserById", UserId=self.second)["User"]["Primary"] is False

    def log(self) -> None:
        messages = self.of_store(
            "ListLogMessageByCondition", StartTime=0, Pageable=PAGE,
            Filters=[{"Key": "events", "Values": ["USER_CREATE", "ACCOUNT_LINKING"], "Logic": True}],
        )  # fmt: skip
        assert messages["Content"][0]["EventCode"] == "ACCOUNT_LINKING"
        assert messages["Content"][0]["UserId"] == self.second

    def removal(self) -> None:
        self.of_store("DeleteUsers", UserIds=[self.user, self.second])
        assert self.of_store("DescribeUserById", UserId=self.user)["User"] is None
        if self.group:
            self.of_store("DeleteUserGroups", UserGroupIds=self.group)
        if "DeleteUserStore" not in self.lacks:
            self.call("DeleteUserStore", UserPoolId=self.store)
            assert self.code("ListUser", Pageable=PAGE) == "FailedOperation.InvalidUserStore"
