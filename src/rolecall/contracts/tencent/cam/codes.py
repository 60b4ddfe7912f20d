"""Which error codes the vendor documents for which action of `cam` 2019-01-16: sub-users, their keys and their groups.

AddUser's 8 codes are its page of 2023-03-15. The siblings' lists are those printed over each method of the vendor's
Go SDK (tencentcloud-sdk-go-intl-en); ListAccounts is not there and has DescribeSubAccounts' list here.
"""

from __future__ import annotations

from collections.abc import Mapping

_KEYS = (
    "AuthFailure.UnauthorizedOperation FailedOperation.Accesskey InvalidParameter.ParamError "
    "InvalidParameter.UserNotExist OperationDenied.AccessKeyOverLimit OperationDenied.SubUin "
    "OperationDenied.UinNotMatch "
)
_FOUND = "FailedOperation InternalError.SystemError InvalidParameter"

_LISTS: Mapping[str, str] = {
    "AddUser": (
        "AuthFailure.UnauthorizedOperation FailedOperation InvalidParameter.ParamError "
        "InvalidParameter.PasswordViolatedRules InvalidParameter.SubUserFull InvalidParameter.SubUserNameInUse "
        "InvalidParameter.UserNameIllegal RequestLimitExceeded.CreateUser"
    ),
    "GetUser": "AuthFailure.UnauthorizedOperation FailedOperation ResourceNotFound.UserNotExist",
    "ListUsers": "FailedOperation",
    "ListAccounts": _FOUND,
    "UpdateUser": (
        "AuthFailure.UnauthorizedOperation FailedOperation FailedOperation.ExistHighRiskOperations "
        "FailedOperation.Unmodifiable InvalidParameter InvalidParameter.PasswordViolatedRules "
        "InvalidParameter.UserNameIllegal ResourceNotFound.UserNotExist"
    ),
    "DeleteUser": (
        "AuthFailure.UnauthorizedOperation FailedOperation FailedOperation.Unmodifiable OperationDenied.HaveKeys "
        "RequestLimitExceeded.UinLimitExceeded ResourceNotFound.UserNotExist UnauthorizedOperation.DeleteApiKey"
    ),
    "DescribeSubAccounts": _FOUND,
    "GetUserAppId": "FailedOperation InternalError.SystemError",
    "GetAccountSummary": "InternalError.SystemError",
    "CreateAccessKey": _KEYS,
    "ListAccessKeys": _KEYS + "InternalError.UnknownError ResourceNotFound.SecretNotExist",
    "UpdateAccessKey": _KEYS + "ResourceNotFound.SecretNotExist",
    "DeleteAccessKey": _KEYS + "ResourceNotFound.SecretNotExist",
    "GetSecurityLastUsed": "FailedOperation InvalidParameter",
    "ListCollaborators": "FailedOperation ResourceNotFound.UserNotExist",
    "GetPasswordRules": "FailedOperation ResourceNotFound.UserNotExist",
    "UpdatePasswordRules": "InvalidParameter.PasswordRuleError",
    "DescribeSafeAuthFlagColl": "FailedOperation InvalidParameter.ParamError ResourceNotFound.UserNotExist",
    "CreateGroup": (
        "FailedOperation InvalidParameter.GroupFull InvalidParameter.GroupNameInUse InvalidParameter.ParamError"
    ),
    "GetGroup": "FailedOperation ResourceNotFound.UserNotExist",
    "ListGroups": "FailedOperation",
    "UpdateGroup": (
        "FailedOperation InvalidParameter.GroupNameInUse InvalidParameter.GroupNotExist "
        "InvalidParameter.ParamError ResourceNotFound.GroupNotExist"
    ),
    "DeleteGroup": "FailedOperation ResourceNotFound.UserNotExist",
    "AddUserToGroup": (
        "AuthFailure.UnauthorizedOperation FailedOperation InvalidParameter.GroupNotExist "
        "InvalidParameter.GroupUserFull InvalidParameter.UserGroupFull "
        "InvalidParameter.UserUinAndUinNotAllNull ResourceNotFound.UserNotExist"
    ),
    "RemoveUserFromGroup": (
        "AuthFailure.UnauthorizedOperation FailedOperation InvalidParameter.UserUinAndUinNotAllNull "
        "ResourceNotFound.UserNotExist"
    ),
    "ListUsersForGroup": "FailedOperation ResourceNotFound.GroupNotExist",
    "ListGroupsForUser": "AuthFailure.UnauthorizedOperation FailedOperation ResourceNotFound.UserNotExist",
}

CODES: Mapping[str, frozenset[str]] = {action: frozenset(codes.split()) for action, codes in _LISTS.items()}
"""By action: the codes that its documentation lists."""
