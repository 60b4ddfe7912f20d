"""Which error codes the vendor documents for which action of `sts` 2018-08-13.

The lists are those printed over each method of the vendor's Go SDK (tencentcloud-sdk-go, ``client.go``).
"""

from __future__ import annotations

from collections.abc import Mapping

_LISTS: Mapping[str, str] = {
    "AssumeRole": (
        "FailedOperation.CheckMFAError FailedOperation.MFATypeNotSupported InternalError.DbError "
        "InternalError.EncryptError InternalError.GetAppIdError InternalError.GetRoleError "
        "InternalError.GetSeedTokenError InternalError.IllegalRole InternalError.PbSerializeError "
        "InternalError.SystemError InternalError.UnknownError InvalidParameter.AccountNotAvaliable "
        "InvalidParameter.ExtendStrategyOverSize InvalidParameter.GrantOtherResource "
        "InvalidParameter.OverLimit InvalidParameter.OverTimeError InvalidParameter.ParamError "
        "InvalidParameter.PolicyTooLong InvalidParameter.ResouceError InvalidParameter.StrategyFormatError "
        "InvalidParameter.StrategyInvalid InvalidParameter.TempCodeNotAvaliable ResourceNotFound.RoleNotFound "
        "UnauthorizedOperation UnsupportedOperation"
    ),
    "GetFederationToken": (
        "InternalError.DbError InternalError.EncryptError InternalError.GetAppIdError "
        "InternalError.GetSeedTokenError InternalError.SystemError InvalidParameter.AccountNotAvaliable "
        "InvalidParameter.ExtendStrategyOverSize InvalidParameter.GrantOtherResource "
        "InvalidParameter.OverTimeError InvalidParameter.ParamError InvalidParameter.PolicyTooLong "
        "InvalidParameter.ResouceError InvalidParameter.StrategyFormatError InvalidParameter.StrategyInvalid "
        "InvalidParameter.TempCodeNotAvaliable ResourceNotFound.RoleNotFound UnauthorizedOperation "
        "UnsupportedOperation"
    ),
    "GetCallerIdentity": (
        "AuthFailure.AccessKeyIllegal InternalError.GetSeedTokenError InvalidParameter.AccessKeyNotSupport"
    ),
    "QueryApiKey": "InternalError.SystemError InternalError.UnknownError InvalidParameter.ParamError",
}

CODES: Mapping[str, frozenset[str]] = {action: frozenset(codes.split()) for action, codes in _LISTS.items()}
"""By action: the codes that its documentation lists."""
