"""One life of sub-users, their keys, rules, groups and tags, told through any client of the vendor.

A client is driven as `call(service, action, params, key=None) -> Response`; a refusal is a `ClientRefused`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from rolecall.contracts.tencent.cam import groups as cam_groups
from rolecall.contracts.tencent.cam import users as cam_users
from rolecall.contracts.tencent.tag import contract as tag

ACTIONS = frozenset(one.name for one in (*cam_users.ACTIONS, *cam_groups.ACTIONS)) | frozenset(
    tag.CONTRACT.actions
)
EVERY_CLIENT = frozenset(
    {
        "ModifyResourceTags",
        "DescribeResourceTagsByResourceIds",
        "TagResources",
        "GetResources",
        "UnTagResources",
    }
)
DETAILS = frozenset(tag.CONTRACT.actions) - EVERY_CLIENT
"""Actions of tags that a client which takes a second for each call is spared."""
PASSWORD = "Right-Horse-42"


@dataclass
class PeopleLife:
    """Every action of sub-users, keys, groups and tags in a natural order. `lacks`: what the client does not know."""

    client: Callable[..., Mapping[str, Any]]
    refused: type[Exception]
    name: Callable[[str], str]
    lacks: frozenset[str] = frozenset()
    called: set[str] = field(default_factory=set)

    def run(self) -> None:
        self.user, self.group = self.name("u"), self.name("g")
        self.creation()
        self.listing()
        self.keys()
        self.rules()
        self.groups()
        self.tags()
        self.removal()
        assert self.called == ACTIONS - self.lacks

    def call(self, action: str, service: str = "cam", key: Any = None, **params: Any) -> Mapping[str, Any]:
        self.called.add(action)
        response = self.client(service, action, params, key)
        assert len(response["RequestId"]) == 36
        return response

    def code(self, action: str, service: str = "cam", key: Any = None, **params: Any) -> str:
        with pytest.raises(self.refused) as refused:
            self.call(action, service, key, **params)
        assert len(refused.value.request_id) == 36  # type: ignore[attr-defined]
        return str(refused.value.code)  # type: ignore[attr-defined]

    def creation(self) -> None:
        self.owner = self.call("GetUserAppId")
        assert self.call("ListCollaborators", Limit=50, Offset=0)["TotalNum"] == 0
        added = self.call(
            "AddUser", Name=self.user, Remark="made by a client", ConsoleLogin=1, UseApi=1, NeedResetPassword=0,
            PhoneNum="10086", CountryCode="86", Email="u@example.com",
        )  # fmt: skip
        self.uin, self.uid = added["Uin"], added["Uid"]
        assert len(added["Password"]) == 32
        self.key = added["SecretId"], added["SecretKey"]
        me = self.call("GetUserAppId", key=self.key)
        assert (me["Uin"], me["OwnerUin"]) == (str(self.uin), self.owner["OwnerUin"])
        assert self.code("AddUser", key=self.key, Name=self.user + "2") == "AuthFailure.UnauthorizedOperation"
        assert self.code("AddUser", Name=self.user) == "InvalidParameter.SubUserNameInUse"

    def listing(self) -> None:
        shown = self.call("GetUser", Name=self.user)
        told = (shown["Uin"], shown["Uid"], shown["Remark"], shown["ConsoleLogin"], shown["PhoneNum"])
        assert told == (self.uin, self.uid, "made by a client", 1, "10086")
        assert self.uin in {one["Uin"] for one in self.call("ListUsers")["Data"]}
        found = self.call("DescribeSubAccounts", FilterSubAccountUin=[self.uin])["SubAccounts"]
        assert [one["Name"] for one in found] == [self.user]
        if "ListAccounts" not in self.lacks:
            assert self.uin in self.walked()
        self.call("UpdateUser", Name=self.user, Remark="changed", Password=PASSWORD)
        assert self.call("GetUser", Name=self.user)["Remark"] == "changed"
        assert self.call("GetAccountSummary")["User"] >= 1
        assert self.call("DescribeSafeAuthFlagColl", SubUin=self.uin)["LoginFlag"]["Phone"] == 0

    def walked(self) -> set[int]:
        """The sub-users of all pages: other tests leave theirs."""
        found, marker = set[int](), ""
        while True:
            page = self.call("ListAccounts", MaxItems=100, UserType="SubUser", Marker=marker)
            found |= {one["Uin"] for one in page["Users"]}
            if not page["IsTruncated"]:
                return found
            marker = page["Marker"]

    def keys(self) -> None:
        made = self.call("CreateAccessKey", TargetUin=self.uin)["AccessKey"]
        key = made["AccessKeyId"], made["SecretAccessKey"]
        named = {"TargetUin": self.uin, "AccessKeyId": key[0]}
        assert self.call("GetUserAppId", key=key)["Uin"] == str(self.uin)
        self.call("UpdateAccessKey", **named, Status="Inactive")
        assert self.code("GetUserAppId", key=key) == "AuthFailure.SecretIdNotFound"
        listed = self.call("ListAccessKeys", TargetUin=self.uin)["AccessKeys"]
        assert [one["Status"] for one in listed] == ["Active", "Inactive"]
        used = self.call("GetSecurityLastUsed", SecretIdList=[self.key[0]])["SecretIdLastUsedRows"]
        assert used[0]["LastSecretUsedDate"] > 1_600_000_000_000
        self.call("DeleteAccessKey", **named)
        assert self.code("DeleteAccessKey", **named) == "ResourceNotFound.SecretNotExist"

    def rules(self) -> None:
        before = self.call("GetPasswordRules")["Rules"]
        self.call("UpdatePasswordRules", Rules={"MinimumLength": 16})
        try:
            assert self.call("GetPasswordRules")["Rules"] == {**before, "MinimumLength": 16}
            assert self.code("UpdateUser", Name=self.user, Password="Short-Horse-1") == (
                "InvalidParameter.PasswordViolatedRules"
            )
        finally:
            self.call("UpdatePasswordRules", Rules={"MinimumLength": before["MinimumLength"]})

    def groups(self) -> None:
        group = self.call("CreateGroup", GroupName=self.group, Remark="first")["GroupId"]
        member = [{"GroupId": group, "Uid": self.uid}]
        self.call("AddUserToGroup", Info=member)
        told = self.call("GetGroup", GroupId=group)
        assert (told["GroupName"], told["GroupNum"], told["UserInfo"][0]["Uin"]) == (self.group, 1, self.uin)
        self.call("UpdateGroup", GroupId=group, GroupName=self.group + "2", Remark="second")
        listed = self.call("ListGroups", Page=1, Rp=20, Keyword=self.group)
        assert [(one["GroupName"], one["Remark"]) for one in listed["GroupInfo"]] == [
            (self.group + "2", "second")
        ]
        assert self.call("ListGroupsForUser", Uid=self.uid)["GroupInfo"][0]["GroupId"] == group
        assert self.call("ListUsersForGroup", GroupId=group)["TotalNum"] == 1
        self.call("RemoveUserFromGroup", Info=member)
        assert self.call("ListUsersForGroup", GroupId=group)["UserInfo"] == []
        self.call("DeleteGroup", GroupId=group)

    def tags(self) -> None:
        place = {"ServiceType": "cam", "ResourcePrefix": "uin", "ResourceRegion": ""}
        self.place, self.resource = place, f"qcs::cam::uin/{self.owner['OwnerUin']}:uin/{self.uin}"
        put = [{"TagKey": "team", "TagValue": "storage"}]
        self.call("ModifyResourceTags", "tag", Resource=self.resource, ReplaceTags=put)
        page = self.call("DescribeResourceTagsByResourceIds", "tag", **place, ResourceIds=[str(self.uin)])
        assert [(one["TagKey"], one["TagValue"]) for one in page["Tags"]] == [("team", "storage")]
        both = {"ResourceList": [self.resource]}
        self.call("TagResources", "tag", **both, Tags=[{"TagKey": "owner", "TagValue": "dba"}])
        found = self.call("GetResources", "tag", **both, MaxResults=200)["ResourceTagMappingList"]
        assert [(one["Resource"], len(one["Tags"])) for one in found] == [(self.resource, 2)]
        assert self.call("UnTagResources", "tag", **both, TagKeys=["owner"])["FailedResources"] == []
        if "AddResourceTag" not in self.lacks:
            self.tags_one_by_one()
            self.pairs()
            self.projects()

    def tags_one_by_one(self) -> None:
        one, many = {"Resource": self.resource}, {**self.place, "ResourceIds": [str(self.uin)]}
        self.call("AddResourceTag", "tag", **one, TagKey="a", TagValue="1")
        assert (
            self.code("AddResourceTag", "tag", **one, TagKey="a", TagValue="2")
            == "ResourceInUse.TagKeyAttached"
        )
        self.call("UpdateResourceTagValue", "tag", **one, TagKey="a", TagValue="2")
        assert self.shown_tags() == {"a": "2", "team": "storage"}
        self.call("DeleteResourceTag", "tag", **one, TagKey="a")
        gone = "ResourceNotFound.AttachedTagKeyNotFound"
        assert self.code("DeleteResourceTag", "tag", **one, TagKey="a") == gone
        assert self.code("UpdateResourceTagValue", "tag", **one, TagKey="a", TagValue="2") == gone
        self.call("AttachResourcesTag", "tag", **many, TagKey="b", TagValue="1")
        self.call("ModifyResourcesTagValue", "tag", **many, TagKey="b", TagValue="2")
        rows = self.call("DescribeResourceTagsByTagKeys", "tag", **many, TagKeys=["b", "none"])["Rows"]
        assert [(row["ResourceId"], len(row["TagKeyValues"])) for row in rows] == [(str(self.uin), 1)]
        ordered = self.call("DescribeResourceTagsByResourceIdsSeq", "tag", **many)["Tags"]
        assert [tag["TagKey"] for tag in ordered] == ["b", "team"]
        filters = [{"TagKey": "b", "TagValue": ["2"]}, {"TagKey": "team"}]
        found = self.call("DescribeResourcesByTags", "tag", TagFilters=filters, ServiceType="cam")["Rows"]
        assert [row["ResourceId"] for row in found] == [str(self.uin)]
        either = [{"TagKey": "b", "TagValue": ["no"]}, {"TagKey": "team", "TagValue": ["storage"]}]
        union = self.call("DescribeResourcesByTagsUnion", "tag", TagFilters=either, ResourceId=str(self.uin))
        assert union["TotalCount"] == 1
        assert self.call("DescribeResourcesByTags", "tag", TagFilters=either)["TotalCount"] == 0
        self.call("DetachResourcesTag", "tag", **many, TagKey="b")
        assert self.shown_tags() == {"team": "storage"}

    def shown_tags(self) -> dict[str, str]:
        page = self.call("DescribeResourceTags", "tag", ServiceType="cam", ResourceId=str(self.uin))
        return {tag["TagKey"]: tag["TagValue"] for tag in page["Rows"]}

    def pairs(self) -> None:
        key = self.name("k")
        self.call("CreateTag", "tag", TagKey=key, TagValue="1")
        assert self.code("CreateTag", "tag", TagKey=key, TagValue="1") == "ResourceInUse.TagDuplicate"
        self.call("CreateTags", "tag", Tags=[{"TagKey": key, "TagValue": value} for value in ("2", "3")])
        listed = self.call("DescribeTags", "tag", TagKeys=[key])
        assert [(tag["TagValue"], tag["CanDelete"]) for tag in listed["Tags"]] == [
            ("1", 1),
            ("2", 1),
            ("3", 1),
        ]
        assert (
            self.call("DescribeTagsSeq", "tag", TagKeys=[key], Offset=2, Limit=2)["Tags"][0]["TagValue"]
            == "3"
        )
        assert self.call("DescribeTagValues", "tag", TagKeys=[key])["TotalCount"] == 3
        assert self.call("DescribeTagValuesSeq", "tag", TagKeys=[key])["TotalCount"] == 3
        first = self.call("GetTags", "tag", TagKeys=[key], MaxResults=2)
        second = self.call("GetTagValues", "tag", TagKeys=[key], PaginationToken=first["PaginationToken"])
        assert [tag["TagValue"] for tag in (*first["Tags"], *second["Tags"])] == ["1", "2", "3"]
        assert second["PaginationToken"] == ""
        assert key in self.call("DescribeTagKeys", "tag", Limit=1000)["Tags"]
        assert key in self.call("GetTagKeys", "tag", MaxResults=1000)["TagKeys"]
        in_use = self.code("DeleteTag", "tag", TagKey="team", TagValue="storage")
        assert in_use == "FailedOperation.TagAttachedResource"
        self.call("DeleteTag", "tag", TagKey=key, TagValue="1")
        self.call("DeleteTags", "tag", Tags=[{"TagKey": key, "TagValue": value} for value in ("2", "3")])
        assert self.code("DeleteTag", "tag", TagKey=key, TagValue="1") == "ResourceNotFound.TagNonExist"

    def projects(self) -> None:
        name = self.name("p")
        made = self.call("AddProject", "tag", ProjectName=name, Info="made by a client")["ProjectId"]
        taken = "InvalidParameter.ProjectNameExisted"
        assert self.code("AddProject", "tag", ProjectName=name) == taken
        if "UpdateProject" not in self.lacks:
            self.call("UpdateProject", "tag", ProjectId=made, Disable=1, Info="changed")
        window = {"Limit": 1000, "Offset": 0}
        shown = self.call("DescribeProjects", "tag", AllList=1, ProjectName=name, **window)["Projects"]
        assert (made, name) in [(one["ProjectId"], one["ProjectName"]) for one in shown]
        visible = self.call("DescribeProjects", "tag", AllList=0, ProjectName=name, **window)["Projects"]
        assert (made in [one["ProjectId"] for one in visible]) == ("UpdateProject" in self.lacks)

    def removal(self) -> None:
        assert self.code("DeleteUser", Name=self.user) == "OperationDenied.HaveKeys"
        self.call("DeleteUser", Name=self.user, Force=1)
        assert self.code("GetUser", Name=self.user) == "ResourceNotFound.UserNotExist"
        assert self.code("GetUserAppId", key=self.key) == "AuthFailure.SecretIdNotFound"
