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
    "CreateInstances": (
        "AuthFailure.UnauthorizedOperation FailedOperation.AllocateQuotasError FailedOperation.CamAuthFailed "
        "FailedOperation.CamSigAndAuthError FailedOperation.CdbCgwConnectError "
        "FailedOperation.CreateBasicNetworkDeniedError FailedOperation.CreateOrderFailed "
        "FailedOperation.DatabaseAccessError FailedOperation.DatabaseAffectedError "
        "FailedOperation.FailedOperationError FailedOperation.FlowCreateError FailedOperation.GetSubnetError "
        "FailedOperation.GetVpcInfoError FailedOperation.InvalidTradeOperate FailedOperation.PayOrderFailed "
        "FailedOperation.QueryPriceFailed FailedOperation.QuerySpecError FailedOperation.QueryVpcFailed "
        "FailedOperation.QueryVpcFalied FailedOperation.ServiceAccessError "
        "FailedOperation.StorageMemoryCheckError FailedOperation.TradeCreateError "
        "FailedOperation.TradePayOrdersError InternalError.CgwError InternalError.CnsError "
        "InternalError.DBError InternalError.DfwError InternalError.FlowError "
        "InternalError.InternalHttpServerError InternalError.SystemError InternalError.UnknownError "
        "InternalError.VpcError InvalidParameter InvalidParameter.ParameterCheckError "
        "InvalidParameter.TradeAccessDeniedError InvalidParameter.VpcNotFoundError "
        "InvalidParameterValue.AccountExist InvalidParameterValue.BadSpec "
        "InvalidParameterValue.CharsetNotFoundError InvalidParameterValue.DataConvertError "
        "InvalidParameterValue.IllegalInstanceChargeType InvalidParameterValue.IllegalProjectId "
        "InvalidParameterValue.IllegalRegion InvalidParameterValue.IllegalZone "
        "InvalidParameterValue.InterfaceNameNotFound InvalidParameterValue.InvalidAccountError "
        "InvalidParameterValue.InvalidAccountFormat InvalidParameterValue.InvalidAccountName "
        "InvalidParameterValue.InvalidCharset InvalidParameterValue.InvalidInstanceNum "
        "InvalidParameterValue.InvalidOrderNum InvalidParameterValue.InvalidParameterValueError "
        "InvalidParameterValue.InvalidPasswordFormat InvalidParameterValue.InvalidPasswordLengthError "
        "InvalidParameterValue.InvalidPasswordValueError InvalidParameterValue.InvalidPid "
        "InvalidParameterValue.InvalidZoneIdError InvalidParameterValue.ParameterCharacterError "
        "InvalidParameterValue.ParameterHandleError InvalidParameterValue.ParameterLengthLimitError "
        "InvalidParameterValue.ParameterOutRangeError InvalidParameterValue.RegionNotSupported "
        "InvalidParameterValue.SpecNotRecognizedError InvalidParameterValue.StructParseFailed InvalidPid "
        "OperationDenied.CamDeniedError OperationDenied.InstanceStatusLimitOpError "
        "OperationDenied.UserNotAuthenticatedError OperationDenied.VpcDeniedError "
        "ResourceInsufficient.ResourceNotEnough ResourceUnavailable.InvalidInstanceStatus "
        "ResourceUnavailable.ResourceNoPermission ResourceUnavailable.VpcResourceNotFound "
        "UnauthorizedOperation.UserHasNoRealnameAuthentication UnknownError"
    ),
    "IsolateDBInstances": (
        "AuthFailure AuthFailure.UnauthorizedOperation DBError FailedOperation.DatabaseAccessError "
        "FailedOperation.GetInstanceByResourceIdError FailedOperation.InvalidAccountStatus "
        "FailedOperation.QueryTradeStatusError FailedOperation.TradeAccessError "
        "FailedOperation.TradeCreateError FailedOperation.TradePayOrdersError "
        "FailedOperation.TradeQueryOrderError FailedOperation.TradeQueryPriceError InstanceNotExist "
        "InternalError.InstanceDataError InvalidInstanceStatus InvalidParameter "
        "InvalidParameter.TradeAccessDeniedError InvalidParameterValue "
        "InvalidParameterValue.InvalidParameterValueError LimitExceeded LimitOperation "
        "MissingParameter OperationDenied.CamDeniedError OperationDenied.DTSInstanceStatusError "
        "OperationDenied.InstanceAccessDeniedError OperationDenied.InstanceStatusLimitOpError "
        "RegionNotSupported RequestLimitExceeded ResourceNotFound.InstanceNotFoundError"
    ),
    "DisIsolateDBInstances": (
        "AuthFailure FailedOperation.CamAuthFailed FailedOperation.CamCheckResourceError "
        "FailedOperation.CamCheckResourceFailed FailedOperation.CamSigAndAuthError "
        "FailedOperation.DatabaseAccessError FailedOperation.FailedOperationError "
        "FailedOperation.FlowCreateError FailedOperation.InvalidTradeOperate "
        "FailedOperation.QueryTradeStatusError FailedOperation.TradeAccessError "
        "FailedOperation.TradeCreateError FailedOperation.TradePayOrdersError "
        "FailedOperation.TradeQueryOrderError FailedOperation.TradeQueryPriceError InvalidInstanceStatus "
        "InvalidParameter InvalidParameter.ParameterCheckError "
        "InvalidParameter.TradeAccessDeniedError InvalidParameterValue.InvalidParameterValueError "
        "InvalidParameterValue.ParameterCharacterLimitError InvalidParameterValue.ParameterLengthLimitError "
        "InvalidParameterValue.StructParseFailed LimitExceeded LimitOperation "
        "MissingParameter OperationDenied.CamDeniedError OperationDenied.InstanceAccessDeniedError "
        "OperationDenied.InstanceStatusDeniedError OperationDenied.InstanceStatusLimitError "
        "OperationDenied.InstanceStatusLimitOpError ResourceNotFound "
        "ResourceNotFound.InstanceNotFoundError UnknownParameter"
    ),
    "DestroyDBInstance": (
        "AccountNotExist AuthFailure.UnauthorizedOperation FailedOperation.CMQResponseError "
        "FailedOperation.CamSigAndAuthError FailedOperation.DatabaseAccessError "
        "FailedOperation.DeleteResourceProjectTagError FailedOperation.FailedOperationError "
        "FailedOperation.LimitOperation FailedOperation.PostPaidUnblockError "
        "FailedOperation.QueryPriceFailed FailedOperation.TradeAccessError InternalError.DBError "
        "InternalError.FlowError InternalError.SystemError InvalidAccountStatus InvalidInstanceStatus "
        "InvalidParameter InvalidParameterValue.IllegalInstanceChargeType "
        "InvalidParameterValue.InstanceNotExist InvalidParameterValue.InvalidParameterValueError "
        "InvalidParameterValue.ParameterHandleError InvalidParameterValue.StructParseFailed LimitOperation "
        "OperationDenied.CamDeniedError OperationDenied.InstanceAccessDeniedError "
        "OperationDenied.InstanceStatusLimitOpError ResourceNotFound.InstanceNotFoundError "
        "ResourceUnavailable.InvalidInstanceStatus StructParseFailed SystemError UnknownError"
    ),
    "RestartDBInstance": (
        "AuthFailure.UnauthorizedOperation FailedOperation.CamSigAndAuthError "
        "FailedOperation.DatabaseAccessError FailedOperation.FailedOperationError "
        "FailedOperation.FlowCreateError InternalError.DBError InternalError.FlowError "
        "InternalError.SystemError InvalidParameter InvalidParameterValue.InstanceNotExist "
        "InvalidParameterValue.InvalidParameterValueError InvalidParameterValue.ParameterHandleError "
        "OperationDenied.CamDeniedError OperationDenied.InstanceAccessDeniedError "
        "OperationDenied.InstanceStatusLimitOpError ResourceNotFound.InstanceNotFoundError "
        "ResourceUnavailable.InvalidInstanceStatus"
    ),
    "DescribeDBInstances": _INSTANCES,
    "DescribeDBInstanceAttribute": _INSTANCES,
    "DescribeRegions": _PLACES,
    "DescribeZones": _PLACES,
}

CODES: Mapping[str, frozenset[str]] = {action: frozenset(codes.split()) for action, codes in _LISTS.items()}
"""By action: the codes that its documentation lists."""
