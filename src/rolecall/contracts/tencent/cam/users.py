"""Actions of `cam` 2019-01-16 on sub-users, their access keys and the rules of their passwords.

AddUser is its page of 2023-03-15. The siblings' parameters, types and requiredness are those of
tencentcloud-sdk-python-cam 3.1.181 (``models.py``) and tccli 3.1.189 (``api.json``); a test compares them.

In policies a sub-user is ``qcs::cam::uin/<root>:uin/<sub-user>``; actions that name it by its name ask for
``qcs::cam::uin/<root>:name/<name>``.
"""

from __future__ import annotations

from functools import partial
from typing import Annotated

from rolecall.contracts.parameters import Most, Params
from rolecall.contracts.tencent.cam import rules
from rolecall.contracts.tencent.cam.codes import CODES
from rolecall.contracts.tencent.cam.errors import PREFERENCES
from rolecall.contracts.tencent.cam.texts import TEXTS
from rolecall.contracts.tencent.error_preferences import action_of
from rolecall.values import Secret

BY_NAME = ("qcs::cam::uin/{owner}:name/{Name}",)
BY_NUMBER = ("qcs::cam::uin/{owner}:uin/{TargetUin|caller}",)


action = partial(action_of, codes=CODES, preferences=PREFERENCES, texts=TEXTS, source=rules.SDK)


class OnName(Params):
    Name: str


class AddUser(OnName):
    Name: Annotated[str, rules.NEW_NAME]
    Remark: Annotated[str, rules.REMARK] | None = None
    ConsoleLogin: Annotated[int, rules.FLAG] = 0
    UseApi: Annotated[int, rules.FLAG] = 0
    Password: Annotated[Secret, rules.PASSWORD] | None = None
    NeedResetPassword: Annotated[int, rules.FLAG] = 0
    PhoneNum: Annotated[str, rules.PHONE] | None = None
    CountryCode: Annotated[str, rules.COUNTRY_CODE] | None = None
    Email: Annotated[str, rules.EMAIL] | None = None


class GetUser(OnName):
    pass


class ListUsers(Params):
    pass


class ListAccounts(Params):
    MaxItems: Annotated[int, rules.ITEMS] = 100
    Marker: Annotated[str, rules.MARKER] = ""
    UserType: Annotated[str, rules.USER_TYPE] | None = None


class UpdateUser(OnName):
    Remark: Annotated[str, rules.REMARK] | None = None
    ConsoleLogin: Annotated[int, rules.FLAG] | None = None
    Password: Annotated[Secret, rules.PASSWORD] | None = None
    NeedResetPassword: Annotated[int, rules.FLAG] | None = None
    PhoneNum: Annotated[str, rules.PHONE] | None = None
    CountryCode: Annotated[str, rules.COUNTRY_CODE] | None = None
    Email: Annotated[str, rules.EMAIL] | None = None


class DeleteUser(OnName):
    Force: Annotated[int, rules.FLAG] = 0


class DescribeSubAccounts(Params):
    FilterSubAccountUin: Annotated[list[int], Most(50)]


class ListCollaborators(Params):
    Limit: Annotated[int, rules.ITEMS] = 20
    Offset: int = 0


class GetUserAppId(Params):
    pass


class GetAccountSummary(Params):
    pass


class CreateAccessKey(Params):
    TargetUin: Annotated[int, rules.NUMBER] | None = None
    Description: Annotated[str, rules.DESCRIPTION] = ""


class ListAccessKeys(Params):
    TargetUin: Annotated[int, rules.NUMBER] | None = None


class UpdateAccessKey(Params):
    AccessKeyId: Annotated[str, rules.KEY_ID]
    Status: Annotated[str, rules.STATUS]
    TargetUin: Annotated[int, rules.NUMBER] | None = None


class DeleteAccessKey(Params):
    AccessKeyId: Annotated[str, rules.KEY_ID]
    TargetUin: Annotated[int, rules.NUMBER] | None = None


class GetSecurityLastUsed(Params):
    SecretIdList: Annotated[list[str], Most(10)]


class GetPasswordRules(Params):
    pass


class PassWordRule(Params):
    MinimumLength: Annotated[int, rules.MINIMUM_LENGTH] | None = None
    MustContain: Annotated[str, rules.MUST_CONTAIN] | None = None
    ForcePasswordChange: Annotated[int, rules.DAYS] | None = None
    ReusePasswordLimit: Annotated[int, rules.REUSE_LIMIT] | None = None
    RetryPasswordLimit: Annotated[int, rules.RETRY_LIMIT] | None = None
    PasswordExpirationInvalidation: Annotated[int, rules.EXPIRATION] | None = None


class UpdatePasswordRules(Params):
    Rules: PassWordRule


class DescribeSafeAuthFlagColl(Params):
    SubUin: int


ACTIONS = (
    action(
        AddUser,
        output=("Uin", "Name", "Password", "SecretId", "SecretKey", "Uid", "PhoneNumVerifyLink"),
        resources=BY_NAME,
        changes=True,
        mints_secret=True,
        source=rules.PAGE,
    ),
    action(
        GetUser,
        output=(
            "Uin",
            "Name",
            "Uid",
            "Remark",
            "ConsoleLogin",
            "PhoneNum",
            "CountryCode",
            "Email",
            "RecentlyLoginIP",
            "RecentlyLoginTime",
        ),
        resources=BY_NAME,
    ),
    action(ListUsers, output=("Data",)),
    action(ListAccounts, output=("Users", "Marker", "IsTruncated")),
    action(UpdateUser, resources=BY_NAME, changes=True),
    action(DeleteUser, resources=BY_NAME, changes=True),
    action(
        DescribeSubAccounts,
        output=("SubAccounts",),
        resources=("qcs::cam::uin/{owner}:uin/{FilterSubAccountUin}",),
    ),
    action(ListCollaborators, output=("TotalNum", "Data")),
    action(GetUserAppId, output=("Uin", "OwnerUin", "AppId"), free=True),
    action(
        GetAccountSummary,
        output=("Policies", "Roles", "Idps", "User", "Group", "Member", "IdentityProviders"),
    ),
    action(CreateAccessKey, output=("AccessKey",), resources=BY_NUMBER, changes=True, mints_secret=True),
    action(ListAccessKeys, output=("AccessKeys",), resources=BY_NUMBER),
    action(UpdateAccessKey, resources=BY_NUMBER, changes=True),
    action(DeleteAccessKey, resources=BY_NUMBER, changes=True),
    action(GetSecurityLastUsed, output=("SecretIdLastUsedRows",)),
    action(GetPasswordRules, output=("Rules", "UpdateTime", "Modifier")),
    action(UpdatePasswordRules, changes=True),
    action(
        DescribeSafeAuthFlagColl,
        output=("LoginFlag", "ActionFlag", "OffsiteFlag", "PromptTrust"),
        resources=("qcs::cam::uin/{owner}:uin/{SubUin}",),
    ),
)
