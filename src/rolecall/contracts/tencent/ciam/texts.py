"""The texts of error codes of `ciam` 2022-03-31, English and Chinese, as the vendor publishes them.

Sources: the table "Error Code" of CreateUser's page of 2024-11-25; ``errorcodes.py`` of tencentcloud-sdk-python-intl-en
3.1.193 (English) and tencentcloud-sdk-python-ciam 3.1.97 (Chinese). Codes of the Chinese SDK alone have an English text
of ours: UserGroupNameAlreadyExists, UserStoreAlreadyExists, UserStoreNotExist.
"""

from __future__ import annotations

from collections.abc import Mapping

TEXTS: Mapping[str, tuple[str, str]] = {
    "DryRunOperation": (
        (
            "DryRun Operation. It means that the request would have succeeded, but the DryRun "
            "parameter was used."
        ),
        "DryRun 操作，代表请求将会是成功的，只是多传了 DryRun 参数。",
    ),
    "FailedOperation": ("The operation failed.", "操作失败。"),
    "FailedOperation.AccountAlreadyBeLinked": (
        "The secondary account has already been merged and cannot be merged again.",
        "从账号已经被融合过，不允许再次融合。",
    ),
    "FailedOperation.AttributeFormatError": ("The user attribute format is abnormal.", "用户属性格式异常。"),
    "FailedOperation.EmailAlreadyExists": (
        "The email address has already been bound to a user.",
        "该邮箱已被用户绑定。",
    ),
    "FailedOperation.EmailIsNull": ("The email address cannot be empty.", "邮箱地址不能为空。"),
    "FailedOperation.IndexedAttributeTooLong": (
        "indexedAttribute can contain up to 512 characters.",
        "indexedAttribute最长512字符。",
    ),
    "FailedOperation.InvalidTenant": ("The tenant is invalid.", "无效租户。"),
    "FailedOperation.InvalidUserStatusEnum": (
        "The status enumerated value is wrong. See the API documentation.",
        "状态枚举值错误，请参考接口文档。",
    ),
    "FailedOperation.InvalidUserStore": ("The user pool is invalid.", "无效用户池。"),
    "FailedOperation.PasswordIsNull": ("The password cannot be empty.", "密码不能为空。"),
    "FailedOperation.PhoneNumberAlreadyExists": (
        "The mobile number has already been bound to a user.",
        "该手机号已被用户绑定。",
    ),
    "FailedOperation.PhoneNumberIsNull": ("The mobile number cannot be empty.", "电话号码不能为空。"),
    "FailedOperation.PrimaryUserNotFound": ("The primary user does not exist.", "主用户不存在。"),
    "FailedOperation.QueryUsersParameterMustInWhitelist": (
        (
            "The query condition must contain at least one of the followings: userName, phoneNumber, "
            "email, userGroup, alipayUserId, wechatOpenId,wechatUnionId, qqOpenId, qqUnionId,"
            "lastModifiedDate, indexedAttribute1, indexedAttribute2,indexedAttribute3, "
            "indexedAttribute4, indexedAttribute5."
        ),
        (
            "查询条件必须包含id, userName, phoneNumber, email, userGroup, alipayUserId, wechatOpenId,"
            "wechatUnionId, qqOpenId, qqUnionId,lastModifiedDate, indexedAttribute1, "
            "indexedAttribute2,indexedAttribute3, indexedAttribute4, indexedAttribute5重的一个或者多个。"
        ),
    ),
    "FailedOperation.QueryUsersParameterRepeat": (
        "The conditions can not duplicate.",
        "查询用户条件不能有重复的条件。",
    ),
    "FailedOperation.QueryUsersSortParameterMustInWhitelist": (
        (
            "The `PropertyKey` of `Sort` must include one of the followings: id, userName, "
            "phoneNumber, email, userGroup, alipayUserId, wechatOpenId,wechatUnionId, qqOpenId, "
            "qqUnionId,lastModifiedDate, indexedAttribute1, indexedAttribute2,indexedAttribute3, "
            "indexedAttribute4, indexedAttribute5."
        ),
        (
            "Sort条件的PropertyKey必须在id, userName, phoneNumber, email, userGroup, alipayUserId, "
            "wechatOpenId,wechatUnionId, qqOpenId, qqUnionId,lastModifiedDate, indexedAttribute1, "
            "indexedAttribute2,indexedAttribute3, indexedAttribute4, indexedAttribute5中。"
        ),
    ),
    "FailedOperation.QuotaLimitExceeded": (
        "The quota is exceeded. Contact customer service.",
        "配额超限，如有需求请联系客服人员。",
    ),
    "FailedOperation.SecondaryUserNotFound": ("The secondary user does not exist.", "从用户不存在。"),
    "FailedOperation.UserGroupNameAlreadyExists": (
        "The user group name already exists.",
        "用户组名称已存在。",
    ),
    "FailedOperation.UserGroupNotFound": ("The user group does not exist.", "用户组不存在。"),
    "FailedOperation.UserIsFreeze": ("The user account is frozen.", "用户已被冻结。"),
    "FailedOperation.UserNameAlreadyExists": ("The user name already exists.", "用户名称已存在。"),
    "FailedOperation.UserNameIsNull": ("The username cannot be empty.", "用户名不能为空。"),
    "FailedOperation.UserNotFound": ("The user does not exist.", "用户不存在。"),
    "FailedOperation.UserStatusRequired": ("The updated status is required.", "更新状态必传。"),
    "FailedOperation.UserStoreAlreadyExists": (
        "A user store with the same name already exists.",
        "已存在相同用户目录名。",
    ),
    "FailedOperation.UserStoreNotExist": ("The user store does not exist.", "用户目录不存在。"),
    "InternalError.UnknownError": ("An unknown error occurred.", "未知错误。"),
    "InvalidParameter.ParameterIllegal": ("The request parameter is invalid.", "请求参数不合法。"),
    "InvalidParameterValue": ("The parameter value is incorrect.", "参数取值错误。"),
    "LimitExceeded": ("The quota limit is exceeded.", "超过配额限制。"),
    "RequestLimitExceeded.FrequentRequest": (
        "Too many requests. Try again later.",
        "请求过于频繁，请稍后再试。",
    ),
    "RequestLimitExceeded.RepeatRequest": ("Repeated request. Try again later.", "请求重复，请稍后再试。"),
    "ResourceInUse": ("The resource is in use.", "资源被占用。"),
    "ResourceInsufficient": ("The resource is insufficient.", "资源不足。"),
    "ResourceNotFound": ("The resource does not exist.", "资源不存在。"),
    "ResourceUnavailable": ("The resource is unavailable.", "资源不可用。"),
    "UnauthorizedOperation": ("The operation is unauthorized.", "未授权操作。"),
    "UnauthorizedOperation.TenantNotActivated": ("The service is not activated.", "服务未开通。"),
    "UnsupportedOperation": ("The operation is not supported.", "操作不支持。"),
}
