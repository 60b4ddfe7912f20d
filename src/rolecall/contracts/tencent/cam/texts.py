"""The texts of error codes of `cam` 2019-01-16, English and Chinese, as the vendor publishes them.

Sources: the table "Error Code" of AddUser's page of 2023-03-15; ``errorcodes.py`` of tencentcloud-sdk-python-intl-en
3.1.193 (English) and tencentcloud-sdk-python-cam 3.1.181 (Chinese). Spelling and capitals are the vendor's. The
vendor's "Common Error Codes" have no text of their own there: those are ours.
"""

from __future__ import annotations

from collections.abc import Mapping

TEXTS: Mapping[str, tuple[str, str]] = {
    # The gateway says nothing but which value of which parameter: the reason's own sentence follows.
    "InvalidParameterValue": ("", ""),
    "MissingParameter": ("", ""),
    "LimitExceeded": ("", ""),
    "ResourceNotFound": ("", ""),
    "UnauthorizedOperation": ("", ""),
    "RequestLimitExceeded": ("", ""),
    "FailedOperation": ("Operation failed.", "操作失败。"),
    "InvalidParameter": ("Incorrect parameter.", "参数错误。"),
    "InvalidParameter.GroupFull": ("Limit on number of user groups reached.", "用户组数量达到上限。"),
    "InvalidParameter.GroupNameInUse": ("User Group name repeated.", "用户组名称重复。"),
    "InvalidParameter.GroupNotExist": ("User Group does not exist.", "用户组不存在。"),
    "InvalidParameter.GroupUserFull": (
        "Limit on number of sub-users in the user group reached.",
        "用户组中的子用户数量达到上限。",
    ),
    "InvalidParameter.ParamError": ("Invalid input parameter.", "非法入参。"),
    "InvalidParameter.PasswordRuleError": ("Password rule error.", "密码规则错误。"),
    "InvalidParameter.PasswordViolatedRules": (
        "Password incompatible with user safety settings.",
        "密码不符合用户安全设置。",
    ),
    "InvalidParameter.SubUserFull": ("Limit on number of sub-accounts reached.", "子账号数量达到上限。"),
    "InvalidParameter.SubUserNameInUse": ("Sub-user name repeated.", "子用户名称重复。"),
    "InvalidParameter.UserGroupFull": (
        "Limit on number of user groups joined by a sub-user reached.",
        "子用户加入的用户组数量达到上限。",
    ),
    "InvalidParameter.UserNameIllegal": ("Invalid username.", "用户名不合法。"),
    "InvalidParameter.UserNotExist": ("User object does not exist", "用户对象不存在。"),
    "InvalidParameter.UserUinAndUinNotAllNull": (
        "A user’s UIN and UID cannot be left empty at the same time.",
        "用户的Uin和Uid不能都为空。",
    ),
    "OperationDenied.AccessKeyOverLimit": (
        "Each account can have up to two `AccessKey`.",
        "每个账号最多支持两个AccessKey。",
    ),
    "OperationDenied.HaveKeys": ("There are undeleted API keys.", "存在未删除的API密钥。"),
    "OperationDenied.SubUin": (
        "The sub-user is not allowed to use the root account key.",
        "子用户不允许操作主账号密钥。",
    ),
    "OperationDenied.UinNotMatch": ("The access key does not match the account.", "被操作密钥与账号不匹配。"),
    "RequestLimitExceeded.CreateUser": (
        "The frequency limit of creating sub-users has been reached.",
        "创建子用户频率超过限制。",
    ),
    "ResourceNotFound.GroupNotExist": ("User group does not exist.", "用户组不存在。"),
    "ResourceNotFound.SecretNotExist": ("The key does not exist.", "密钥不存在。"),
    "ResourceNotFound.UserNotExist": ("User does not exist.", "用户不存在。"),
    "UnauthorizedOperation.DeleteApiKey": (
        "User do not have the authorization to delete API keys.",
        "没有删除API密钥权限。",
    ),
}
