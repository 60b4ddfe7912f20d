"""Which error codes the vendor documents for which action of `ciam` 2022-03-31.

CreateUser's 36 codes are its page of 2024-11-25. The siblings' lists are those printed over each method of the vendor's
Go SDKs (tencentcloud-sdk-go, tencentcloud-sdk-go-intl-en).
"""

from __future__ import annotations

from collections.abc import Mapping

_EVERY = (
    "AuthFailure DryRunOperation FailedOperation FailedOperation.InvalidTenant FailedOperation.InvalidUserStore "
    "FailedOperation.QuotaLimitExceeded InternalError InternalError.UnknownError InvalidParameter "
    "InvalidParameter.ParameterIllegal InvalidParameterValue LimitExceeded MissingParameter OperationDenied "
    "RequestLimitExceeded RequestLimitExceeded.FrequentRequest RequestLimitExceeded.RepeatRequest ResourceInUse "
    "ResourceInsufficient ResourceNotFound ResourceUnavailable ResourcesSoldOut UnauthorizedOperation "
    "UnauthorizedOperation.TenantNotActivated UnknownParameter UnsupportedOperation"
)
_MORE: Mapping[str, str] = {
    "CreateUser": (
        "FailedOperation.AttributeFormatError FailedOperation.EmailAlreadyExists FailedOperation.EmailIsNull "
        "FailedOperation.IndexedAttributeTooLong FailedOperation.PasswordIsNull "
        "FailedOperation.PhoneNumberAlreadyExists FailedOperation.PhoneNumberIsNull "
        "FailedOperation.UserGroupNotFound FailedOperation.UserNameAlreadyExists FailedOperation.UserNameIsNull"
    ),
    "UpdateUser": (
        "FailedOperation.AttributeFormatError FailedOperation.EmailAlreadyExists "
        "FailedOperation.IndexedAttributeTooLong FailedOperation.PhoneNumberAlreadyExists "
        "FailedOperation.UserGroupNotFound FailedOperation.UserNameAlreadyExists FailedOperation.UserNotFound"
    ),
    "DescribeUser": (
        "FailedOperation.QueryUsersParameterMustInWhitelist FailedOperation.QueryUsersParameterRepeat "
        "FailedOperation.QueryUsersSortParameterMustInWhitelist"
    ),
    "DescribeUserById": "",
    "ListUser": "",
    "ListUserByProperty": "",
    "UpdateUserStatus": (
        "FailedOperation.InvalidUserStatusEnum FailedOperation.UserNotFound FailedOperation.UserStatusRequired"
    ),
    "SetPassword": "FailedOperation.PasswordIsNull FailedOperation.UserIsFreeze FailedOperation.UserNotFound",
    "ResetPassword": "FailedOperation.UserIsFreeze FailedOperation.UserNotFound",
    "DeleteUsers": "",
    "LinkAccount": (
        "FailedOperation.AccountAlreadyBeLinked FailedOperation.InvalidUserStatusEnum "
        "FailedOperation.PrimaryUserNotFound FailedOperation.SecondaryUserNotFound"
    ),
    "CreateUserStore": ("FailedOperation.UserStoreAlreadyExists InternalError.UserStoreCreateSecretFail"),
    "ListUserStore": "",
    "UpdateUserStore": "FailedOperation.UserStoreAlreadyExists FailedOperation.UserStoreNotExist",
    "DeleteUserStore": "FailedOperation.UserStoreNotExist InternalError.UserStoreDeleteUserFail",
    "CreateUserGroup": "FailedOperation.UserGroupNameAlreadyExists",
    "ListUserGroups": "",
    "UpdateUserGroup": "FailedOperation.UserGroupNameAlreadyExists FailedOperation.UserGroupNotFound",
    "DeleteUserGroups": "",
    "ListLogMessageByCondition": "",
}

CODES: Mapping[str, frozenset[str]] = {
    action: frozenset(f"{_EVERY} {more}".split()) for action, more in _MORE.items()
}
"""By action: the codes that its documentation lists."""
