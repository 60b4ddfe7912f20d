"""Which error codes the vendor documents for which action of `postgres` 2017-03-12.

CreateAccount's 18 codes are its page of 2026-04-13. The siblings' lists are those printed over each method of the
vendor's Go SDKs (tencentcloud-sdk-go, tencentcloud-sdk-go-intl-en); DescribeDatabases and DescribeRegions: an
older tencentcloud-sdk-go-intl-en. DescribeZones was not found there and has DescribeRegions' list here.
"""

from __future__ import annotations

from collections.abc import Mapping

_ACCOUNT_READ = (
    "AuthFailure.UnauthorizedOperation FailedOperation.CamSigAndAuthError FailedOperation.DatabaseAccessError "
    "FailedOperation.FailedOperationError InvalidParameterValue.InstanceNotExist "
    "InvalidParameterValue.InvalidParameterValueError InvalidParameterValue.ParameterHandleError "
    "OperationDenied.CamDeniedError ResourceNotFound.InstanceNotFoundError "
)
_ACCOUNT_CHANGE = (
    _ACCOUNT_READ + "InternalError.InternalHttpServerError InvalidParameter.ParameterCheckError "
    "InvalidParameterValue.AccountNotExistError InvalidParameterValue.InvalidAccountNameError "
    "InvalidParameterValue.InvalidAccountNameFormatError "
)
_LOCK = (
    "DBError FailedOperation.DatabaseAccessError FailedOperation.FailedOperationError "
    "FailedOperation.PreCheckError InternalError.DBError InvalidParameter.ParameterCheckError "
    "InvalidParameterValue.InvalidAccountNameError InvalidParameterValue.InvalidAccountNameFormatError "
    "OperationDenied.InstanceAccessDeniedError OperationDenied.InstanceStatusLimitOpError "
    "ResourceNotFound.InstanceNotFoundError "
)
_CAM = (
    "FailedOperation.DatabaseAccessError InvalidParameter.ParameterCheckError "
    "InvalidParameterValue.InvalidAccountNameFormatError InvalidParameterValue.UnsupportedRegionError "
    "OperationDenied.UserNotInWhiteListError ResourceNotFound.InstanceNotFoundError "
)
_INSTANCES = (
    _ACCOUNT_READ
    + "FailedOperation.CamCheckResourceError FailedOperation.DatabaseAffectedError InternalError "
    "InternalError.DBError InternalError.SystemError InvalidParameter InvalidParameterValue.IllegalRegion "
)
_PLACES = (
    "AuthFailure.UnauthorizedOperation FailedOperation.CamSigAndAuthError FailedOperation.DatabaseAccessError "
    "FailedOperation.FailedOperationError InternalError InternalError.DBError InvalidParameter "
    "InvalidParameterValue.InterfaceNameNotFound InvalidParameterValue.InvalidParameterValueError "
    "InvalidParameterValue.ParameterHandleError InvalidParameterValue.RegionNotSupported "
    "InvalidParameterValue.StructParseFailed OperationDenied.CamDeniedError "
    "ResourceNotFound.InstanceNotFoundError "
)

_LISTS: Mapping[str, str] = {
    "CreateAccount": (
        "FailedOperation.DatabaseAccessError FailedOperation.FailedOperationError FailedOperation.PreCheckError "
        "InvalidParameter.ParameterCheckError InvalidParameterValue.DecryptPasswordFailed "
        "InvalidParameterValue.InvalidAccountNameError InvalidParameterValue.InvalidAccountNameFormatError "
        "InvalidParameterValue.InvalidDatabaseNameFormatError InvalidParameterValue.InvalidPasswordLengthError "
        "InvalidParameterValue.InvalidPasswordValueError InvalidParameterValue.ParameterCharacterError "
        "InvalidParameterValue.ParameterLengthLimitError InvalidParameterValue.UnsupportedRegionError "
        "OperationDenied.InstanceAccessDeniedError OperationDenied.InstanceStatusLimitError "
        "OperationDenied.InstanceStatusLimitOpError OperationDenied.KernelVersionError "
        "OperationDenied.UserNotInWhiteListError"
    ),
    "DescribeAccounts": (
        _ACCOUNT_READ + "DBError FailedOperation.DatabaseAffectedError FailedOperation.PreCheckError "
        "InternalError.DBError InternalError.InternalHttpServerError InternalError.SystemError "
        "InvalidParameter.ParameterCheckError InvalidParameterValue.AccountNotExist"
    ),
    "DeleteAccount": (
        "FailedOperation.DatabaseAccessError FailedOperation.FailedOperationError FailedOperation.PreCheckError "
        "InvalidParameter.ParameterCheckError InvalidParameterValue.InvalidAccountNameError "
        "InvalidParameterValue.InvalidAccountNameFormatError InvalidParameterValue.UnsupportedRegionError "
        "OperationDenied.InstanceAccessDeniedError OperationDenied.InstanceStatusLimitOpError "
        "OperationDenied.UserNotInWhiteListError ResourceNotFound.InstanceNotFoundError"
    ),
    "ModifyAccountRemark": (
        _ACCOUNT_CHANGE + "InvalidParameterValue.InvalidAccountFormat "
        "InvalidParameterValue.ParameterCharacterError InvalidParameterValue.ParameterLengthLimitError"
    ),
    "ResetAccountPassword": (
        _ACCOUNT_CHANGE + "FailedOperation.CheckAccountCAMCloseError FailedOperation.OssAccessError "
        "FailedOperation.OssOperationFailed FailedOperation.PreCheckError InternalError.DBError "
        "InternalError.SystemError InvalidAccountPassword InvalidParameter "
        "InvalidParameterValue.DecryptPasswordFailed InvalidParameterValue.InvalidPasswordFormat "
        "InvalidParameterValue.InvalidPasswordLengthError InvalidParameterValue.InvalidPasswordValueError"
    ),
    "LockAccount": _LOCK,
    "UnlockAccount": (
        _LOCK
        + "InvalidParameterValue.InvalidDatabaseObjectName InvalidParameterValue.ParameterLengthLimitError"
    ),
    "DescribeAccountPrivileges": (
        "DBError FailedOperation.FailedOperationError FailedOperation.PreCheckError InternalError.DBError "
        "InvalidParameterValue.InvalidAccountNameError InvalidParameterValue.InvalidAccountNameFormatError "
        "InvalidParameterValue.InvalidDatabaseObjectName OperationDenied.InstanceAccessDeniedError "
        "OperationDenied.InstanceStatusLimitOpError ResourceNotFound.InstanceNotFoundError"
    ),
    "ModifyAccountPrivileges": (
        _LOCK + "InvalidParameterValue.InvalidDatabaseObjectName InvalidParameterValue.ParameterOutOfRange "
        "OperationDenied.KernelVersionError"
    ),
    "OpenAccountCAM": (
        _CAM + "FailedOperation.CheckAccountCAMCloseError FailedOperation.FailedOperationError "
        "InvalidParameterValue.AccountNotExistError OperationDenied.InstanceStatusLimitOpError"
    ),
    "CloseAccountCAM": (
        _CAM
        + "FailedOperation FailedOperation.CheckAccountCAMOpenError InvalidParameterValue.AccountNotExist "
        "OperationDenied.InstanceStatusLimitOpError"
    ),
    "RefreshAccountPassword": (
        _CAM + "FailedOperation.CheckAccountCAMOpenError FailedOperation.FailedOperationError "
        "InvalidParameterValue.AccountNotExistError OperationDenied.InstanceStatusLimitError"
    ),
    "CreateDatabase": (
        "AuthFailure.UnauthorizedOperation FailedOperation.DatabaseAccessError "
        "FailedOperation.DatabaseAffectedError FailedOperation.FailedOperationError FailedOperation.PreCheckError "
        "InvalidParameter.ParameterCheckError InvalidParameterValue.CharsetNotFoundError "
        "InvalidParameterValue.InvalidAccountError InvalidParameterValue.ParameterLengthLimitError "
        "InvalidParameterValue.ParameterOutRangeError OperationDenied.InstanceStatusLimitError "
        "ResourceNotFound.InstanceNotFoundError"
    ),
    "DeleteDatabase": (
        "FailedOperation.DatabaseAccessError FailedOperation.FailedOperationError "
        "InvalidParameter.ParameterCheckError OperationDenied.InstanceStatusLimitOpError"
    ),
    "DescribeDatabases": (
        _ACCOUNT_READ + "FailedOperation.LimitOperation FailedOperation.OssAccessError InternalError.DBError "
        "InternalError.InstanceDataError InternalError.SystemError InvalidInstanceStatus InvalidParameter "
        "InvalidParameterValue.AccountNotExistError InvalidParameterValue.IllegalRegion "
        "OperationDenied.InstanceAccessDeniedError OperationDenied.InstanceStatusLimitOpError "
        "ResourceUnavailable.InvalidInstanceStatus"
    ),
    "DescribeDatabaseObjects": (
        "FailedOperation.FailedOperationError FailedOperation.PreCheckError "
        "OperationDenied.InstanceAccessDeniedError OperationDenied.InstanceStatusLimitOpError "
        "ResourceNotFound.InstanceNotFoundError"
    ),
    "ModifyDatabaseOwner": (
        "FailedOperation.DatabaseAccessError FailedOperation.DatabaseAffectedError "
        "FailedOperation.FailedOperationError FailedOperation.PreCheckError InvalidParameter.ParameterCheckError "
        "InvalidParameterValue.InvalidAccountError InvalidParameterValue.InvalidDatabaseNameFormatError "
        "InvalidParameterValue.ParameterLengthLimitError InvalidParameterValue.ParameterOutRangeError "
        "OperationDenied.InstanceAccessDeniedError OperationDenied.InstanceStatusLimitOpError "
        "ResourceNotFound.InstanceNotFoundError ResourceUnavailable.InvalidInstanceStatus"
    ),
    "DescribeDBInstances": _INSTANCES,
    "DescribeDBInstanceAttribute": _INSTANCES,
    "DescribeRegions": _PLACES,
    "DescribeZones": _PLACES,
}

CODES: Mapping[str, frozenset[str]] = {action: frozenset(codes.split()) for action, codes in _LISTS.items()}
"""By action: the codes that its documentation lists."""
