"""Actions of `cam` 2019-01-16 on sub-users, their access keys and the rules of their passwords.

AddUser is its page of 2023-03-15. The siblings' parameters, types and requiredness are those of
tencentcloud-sdk-python-cam 3.1.181 (``models.py``) and tccli 3.1.189 (``api.json``); a test compares them.

In policies a sub-user is ``qcs::cam::uin/<root>:uin/<sub-user>``; actions that name it by its name ask for
``qcs::cam::uin/<root>:name/<name>``.
"""

from __future__ import annotations

from rolecall.contracts.model import Action, Field, Kind, ListOf, Rule, Shape
from rolecall.contracts.tencent.cam.codes import CODES
from rolecall.contracts.tencent.cam.errors import rows
from rolecall.contracts.tencent.cam.rules import (
    COUNTRY_CODE,
    DAYS,
    DESCRIPTION,
    EMAIL,
    EXPIRATION,
    FLAG,
    ITEMS,
    KEY_ID,
    MARKER,
    MINIMUM_LENGTH,
    MUST_CONTAIN,
    NEW_NAME,
    NUMBER,
    PAGE,
    PASSWORD,
    PHONE,
    REMARK,
    RETRY_LIMIT,
    REUSE_LIMIT,
    SDK,
    STATUS,
    USER_TYPE,
)

EVERYTHING = ("*",)
BY_NAME = ("qcs::cam::uin/{owner}:name/{Name}",)
BY_NUMBER = ("qcs::cam::uin/{owner}:uin/{TargetUin|caller}",)


def text(
    name: str, *, required: bool = False, default: str | None = None, rules: tuple[Rule, ...] = ()
) -> Field:
    return Field(name, Kind.STRING, required, default, rules)


def integer(
    name: str, *, required: bool = False, default: int | None = None, rules: tuple[Rule, ...] = ()
) -> Field:
    return Field(name, Kind.INTEGER, required, default, rules)


def action(
    name: str,
    *params: Field,
    output: tuple[str, ...] = (),
    resources: tuple[str, ...] = EVERYTHING,
    changes: bool = False,
    free: bool = False,
    mints_secret: bool = False,
    source: str = SDK,
) -> Action:
    return Action(
        name,
        source,
        params,
        output,
        CODES[name],
        rows(name),
        regions=None,
        changes=changes,
        resources=resources,
        free=free,
        blank_is_absent=True,
        mints_secret=mints_secret,
    )


_NAME = text("Name", required=True)
_PASSWORD = Field("Password", Kind.SECRET, rules=PASSWORD)
_CONTACT = (
    text("PhoneNum", rules=PHONE),
    text("CountryCode", rules=COUNTRY_CODE),
    text("Email", rules=EMAIL),
)
_TARGET = integer("TargetUin", rules=NUMBER)

PASSWORD_RULE = Shape(
    "PassWordRule",
    (
        integer("MinimumLength", rules=MINIMUM_LENGTH),
        text("MustContain", rules=MUST_CONTAIN),
        integer("ForcePasswordChange", rules=DAYS),
        integer("ReusePasswordLimit", rules=REUSE_LIMIT),
        integer("RetryPasswordLimit", rules=RETRY_LIMIT),
        integer("PasswordExpirationInvalidation", rules=EXPIRATION),
    ),
)

ACTIONS = (
    action(
        "AddUser",
        text("Name", required=True, rules=NEW_NAME),
        text("Remark", rules=REMARK),
        integer("ConsoleLogin", default=0, rules=FLAG),
        integer("UseApi", default=0, rules=FLAG),
        _PASSWORD,
        integer("NeedResetPassword", default=0, rules=FLAG),
        *_CONTACT,
        output=("Uin", "Name", "Password", "SecretId", "SecretKey", "Uid", "PhoneNumVerifyLink"),
        resources=BY_NAME,
        changes=True,
        mints_secret=True,
        source=PAGE,
    ),
    action(
        "GetUser",
        _NAME,
        output=(
            "Uin", "Name", "Uid", "Remark", "ConsoleLogin", "PhoneNum", "CountryCode", "Email", "RecentlyLoginIP",
            "RecentlyLoginTime",
        ),
        resources=BY_NAME,
    ),
    action("ListUsers", output=("Data",)),
    action(
        "ListAccounts",
        integer("MaxItems", default=100, rules=ITEMS),
        text("Marker", default="", rules=MARKER),
        text("UserType", rules=USER_TYPE),
        output=("Users", "Marker", "IsTruncated"),
    ),
    action(
        "UpdateUser",
        _NAME,
        text("Remark", rules=REMARK),
        integer("ConsoleLogin", rules=FLAG),
        _PASSWORD,
        integer("NeedResetPassword", rules=FLAG),
        *_CONTACT,
        resources=BY_NAME,
        changes=True,
    ),
    action("DeleteUser", _NAME, integer("Force", default=0, rules=FLAG), resources=BY_NAME, changes=True),
    action(
        "DescribeSubAccounts",
        Field("FilterSubAccountUin", ListOf(Kind.INTEGER, 50), required=True),
        output=("SubAccounts",),
        resources=("qcs::cam::uin/{owner}:uin/{FilterSubAccountUin}",),
    ),
    action(
        "ListCollaborators",
        integer("Limit", default=20, rules=ITEMS),
        integer("Offset", default=0),
        output=("TotalNum", "Data"),
    ),
    action("GetUserAppId", output=("Uin", "OwnerUin", "AppId"), free=True),
    action(
        "GetAccountSummary",
        output=("Policies", "Roles", "Idps", "User", "Group", "Member", "IdentityProviders"),
    ),
    action(
        "CreateAccessKey",
        _TARGET,
        text("Description", default="", rules=DESCRIPTION),
        output=("AccessKey",),
        resources=BY_NUMBER,
        changes=True,
        mints_secret=True,
    ),
    action("ListAccessKeys", _TARGET, output=("AccessKeys",), resources=BY_NUMBER),
    action(
        "UpdateAccessKey",
        text("AccessKeyId", required=True, rules=KEY_ID),
        text("Status", required=True, rules=STATUS),
        _TARGET,
        resources=BY_NUMBER,
        changes=True,
    ),
    action(
        "DeleteAccessKey",
        text("AccessKeyId", required=True, rules=KEY_ID),
        _TARGET,
        resources=BY_NUMBER,
        changes=True,
    ),
    action(
        "GetSecurityLastUsed",
        Field("SecretIdList", ListOf(Kind.STRING, 10), required=True),
        output=("SecretIdLastUsedRows",),
    ),
    action("GetPasswordRules", output=("Rules", "UpdateTime", "Modifier")),
    action("UpdatePasswordRules", Field("Rules", PASSWORD_RULE, required=True), changes=True),
    action(
        "DescribeSafeAuthFlagColl",
        integer("SubUin", required=True),
        output=("LoginFlag", "ActionFlag", "OffsiteFlag", "PromptTrust"),
        resources=("qcs::cam::uin/{owner}:uin/{SubUin}",),
    ),
)  # fmt: skip
