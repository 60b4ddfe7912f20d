"""The error rows of `ciam` 2022-03-31: which reason takes which code, and what the answer says.

Reasons that are not here belong to the dialect's common table. The lists are `codes`, the texts `texts`.
"""

from __future__ import annotations

from collections.abc import Mapping

from rolecall.contracts.tencent.error_preferences import IS_TOO_LONG, ErrorPreference, Key, fallback
from rolecall.domain.reasons import Reason

_FAILED = "FailedOperation."
_ILLEGAL = "InvalidParameter.ParameterIllegal"
_VALUE = "InvalidParameterValue"

LISTS = ("UserGroup", "CustomizationAttributes", "UserIds", "UserGroupIds", "Filters")
"""Parameters of which there may be so many and no more."""


def _exact(*codes: str) -> ErrorPreference:
    return ErrorPreference(codes, ())


_TOO_MANY = fallback(
    ("LimitExceeded",),
    "The parameter `{field}` has more entries than are allowed.",
    "参数`{field}`的数量超过上限。",
)

PREFERENCES: Mapping[Key, ErrorPreference] = {
    Reason.NOT_PERMITTED: fallback(
        ("UnauthorizedOperation",),
        "[request id:{request_id}]you are not authorized to perform operation ({operation})\nresource ({resource}) "
        "has no permission\n",
        "[request id:{request_id}]you are not authorized to perform operation ({operation})\nresource ({resource}) "
        "has no permission\n",
    ),
    # parameters
    Reason.PARAMETER_VALUE: fallback(
        (_VALUE,),
        "The value `{value}` specified in the parameter `{field}` is not valid.",
        "参数`{field}`的取值`{value}`不合法。",
    ),
    Reason.PARAMETER_RANGE: fallback(
        (_VALUE,),
        "The value `{value}` specified in the parameter `{field}` is out of range.",
        "参数`{field}`的取值`{value}`超出范围。",
    ),
    **{(Reason.PARAMETER_RANGE, name): _TOO_MANY for name in LISTS},
    Reason.PARAMETER_LENGTH: fallback((_ILLEGAL, _VALUE), *IS_TOO_LONG),
    Reason.PARAMETER_CHARACTERS: fallback(
        (_ILLEGAL, _VALUE),
        "The value specified in the parameter `{field}` is not allowed.",
        "参数`{field}`的取值不被允许。",
    ),
    Reason.PASSWORD_LENGTH: fallback((_ILLEGAL, _VALUE), "The password is too long.", "密码过长。"),
    Reason.ENGINE_UNSUITED: fallback(
        ("UnsupportedOperation",),
        "The parameter `{field}` is not supported: there are no organizations.",
        "不支持参数`{field}`：没有组织机构。",
    ),
    Reason.ATTRIBUTE_MALFORMED: fallback(
        (_FAILED + "AttributeFormatError", _ILLEGAL),
        "The value specified in the parameter `{field}` does not have its format.",
        "参数`{field}`的格式不正确。",
    ),
    Reason.ATTRIBUTE_TOO_LONG: _exact(_FAILED + "IndexedAttributeTooLong", _VALUE),
    # whose it is
    Reason.DIRECTORIES_INACTIVE: _exact("UnauthorizedOperation.TenantNotActivated"),
    Reason.TENANT_FOREIGN: _exact(_FAILED + "InvalidTenant"),
    # stores
    Reason.STORE_MISSING: _exact(_FAILED + "UserStoreNotExist", _FAILED + "InvalidUserStore"),
    Reason.STORE_TAKEN: _exact(_FAILED + "UserStoreAlreadyExists", "FailedOperation"),
    Reason.STORE_QUOTA: _exact(_FAILED + "QuotaLimitExceeded"),
    # users
    Reason.USER_MISSING: _exact(_FAILED + "UserNotFound", "ResourceNotFound"),
    Reason.USER_QUOTA: _exact(_FAILED + "QuotaLimitExceeded"),
    Reason.USER_NAME_TAKEN: _exact(_FAILED + "UserNameAlreadyExists", "FailedOperation"),
    Reason.USER_PHONE_TAKEN: _exact(_FAILED + "PhoneNumberAlreadyExists", "FailedOperation"),
    Reason.USER_EMAIL_TAKEN: _exact(_FAILED + "EmailAlreadyExists", "FailedOperation"),
    Reason.USER_NAME_EMPTY: _exact(_FAILED + "UserNameIsNull", _ILLEGAL),
    Reason.USER_PHONE_EMPTY: _exact(_FAILED + "PhoneNumberIsNull", _ILLEGAL),
    Reason.USER_EMAIL_EMPTY: _exact(_FAILED + "EmailIsNull", _ILLEGAL),
    Reason.USER_PASSWORD_EMPTY: _exact(_FAILED + "PasswordIsNull", _ILLEGAL),
    Reason.USER_FROZEN: _exact(_FAILED + "UserIsFreeze", "FailedOperation"),
    Reason.USER_STATUS_UNKNOWN: _exact(_FAILED + "InvalidUserStatusEnum", _ILLEGAL),
    Reason.USER_STATUS_EMPTY: _exact(_FAILED + "UserStatusRequired", _ILLEGAL),
    Reason.LINK_PRIMARY_MISSING: _exact(_FAILED + "PrimaryUserNotFound", "ResourceNotFound"),
    Reason.LINK_SECONDARY_MISSING: _exact(_FAILED + "SecondaryUserNotFound", "ResourceNotFound"),
    Reason.LINKED_ALREADY: _exact(_FAILED + "AccountAlreadyBeLinked", "FailedOperation"),
    # groups
    Reason.USER_GROUP_TAKEN: _exact(_FAILED + "UserGroupNameAlreadyExists", "FailedOperation"),
    Reason.USER_GROUP_MISSING: _exact(_FAILED + "UserGroupNotFound", "ResourceNotFound"),
    # queries
    Reason.QUERY_FIELD_UNKNOWN: _exact(_FAILED + "QueryUsersParameterMustInWhitelist", _ILLEGAL),
    Reason.QUERY_FIELD_REPEATED: _exact(_FAILED + "QueryUsersParameterRepeat", _ILLEGAL),
    Reason.QUERY_SORT_UNKNOWN: _exact(_FAILED + "QueryUsersSortParameterMustInWhitelist", _ILLEGAL),
    # how it goes
    Reason.REQUEST_REPEATED: _exact("RequestLimitExceeded.RepeatRequest"),
    Reason.REQUESTS_TOO_FREQUENT: _exact("RequestLimitExceeded.FrequentRequest"),
    Reason.DRY_RUN: _exact("DryRunOperation"),
    Reason.HASHING_BUSY: fallback(
        ("ResourceInsufficient",),
        "Too many passwords are waiting to be hashed. Please try again later.",
        "等待处理的密码过多，请稍后重试。",
    ),
    Reason.ENGINE_UNREACHABLE: fallback(
        ("ResourceUnavailable",),
        "User directories cannot be written at present. Please try again later.",
        "用户目录暂不可写，请稍后重试。",
    ),
    Reason.ENGINE_BUSY: fallback(
        ("ResourceInUse",),
        "Another operation holds the user directory. Please try again later.",
        "用户目录正被其他操作占用，请稍后重试。",
    ),
    Reason.ENGINE_REFUSED: fallback(
        ("FailedOperation",), "The operation was refused by the store.", "存储拒绝了该操作。"
    ),
    Reason.INTERRUPTED: fallback(
        ("InternalError.UnknownError",),
        "The connection to the store was lost. Check the effect of the operation before you repeat it.",
        "与存储的连接中断，请确认操作结果后再重试。",
    ),
}
