"""The vendor's page of CreateUser (ciam 2022-03-31), of 2024-11-25: its example, its answer's keys, its error table."""

from __future__ import annotations

from typing import Any

EXAMPLE: dict[str, Any] = {
    "UserStoreId": "2c3aca3b****************a7efe88e",
    "PhoneNumber": "132****0000",
    "Email": "132****@qq.com",
    "Password": "password",
    "Nickname": "nick name",
    "Address": "address",
    "UserGroup": ["6cd22e51****************f6f7cb81"],
    "Birthdate": 1706682491339,
    "CustomizationAttributes": [{"Name": "k", "Value": "v", "Type": "STRING"}],
    "UserName": "zhangsan",
    "IndexedAttribute1": "value1",
    "IndexedAttribute2": "value2",
    "IndexedAttribute3": "value3",
    "IndexedAttribute4": "value4",
    "IndexedAttribute5": "value5",
}
"""The input example as printed. Its ids are masked, so a call puts real ones in their place."""

REQUIRED = ("UserStoreId", "PhoneNumber", "Email", "Password", "UserName")

USER_KEYS = (
    "UserId", "UserName", "PhoneNumber", "Email", "LastSignOn", "CreatedDate", "Status", "UserDataSourceEnum",
    "Nickname", "Address", "Birthdate", "UserGroups", "LastModifiedDate", "CustomAttributes",
    "ResidentIdentityCard", "QqOpenId", "QqUnionId", "WechatOpenId", "WechatUnionId", "AlipayUserId",
    "WeComUserId", "Description", "Name", "Locale", "Gender", "IdentityVerificationMethod",
    "IdentityVerified", "Job", "Nationality", "Primary", "Zone", "AlreadyFirstLogin", "TenantId",
    "UserStoreId", "Version", "LockType", "LockTime", "IndexedAttribute1", "IndexedAttribute2",
    "IndexedAttribute3", "IndexedAttribute4", "IndexedAttribute5",
)  # fmt: skip
"""The keys of `User` in the output example, in its order."""

LATER_KEYS = {"UserGroupNames", "UserOrgs", "WeComUserOrgs"}
"""Keys that the vendor's newer specification adds (tencentcloud-sdk-python-ciam 3.1.97)."""

PAGE: dict[str, str] = {
    "AuthFailure": "A CAM signature/authentication error occurred.",
    "DryRunOperation": (
        "DryRun Operation. It means that the request would have succeeded, but the DryRun parameter was used."
    ),
    "FailedOperation": "The operation failed.",
    "FailedOperation.AttributeFormatError": "The user attribute format is abnormal.",
    "FailedOperation.EmailAlreadyExists": "The email address has already been bound to a user.",
    "FailedOperation.EmailIsNull": "The email address cannot be empty.",
    "FailedOperation.IndexedAttributeTooLong": "indexedAttribute can contain up to 512 characters.",
    "FailedOperation.InvalidTenant": "The tenant is invalid.",
    "FailedOperation.InvalidUserStore": "The user pool is invalid.",
    "FailedOperation.PasswordIsNull": "The password cannot be empty.",
    "FailedOperation.PhoneNumberAlreadyExists": "The mobile number has already been bound to a user.",
    "FailedOperation.PhoneNumberIsNull": "The mobile number cannot be empty.",
    "FailedOperation.QuotaLimitExceeded": "The quota is exceeded. Contact customer service.",
    "FailedOperation.UserGroupNotFound": "The user group does not exist.",
    "FailedOperation.UserNameAlreadyExists": "The user name already exists.",
    "FailedOperation.UserNameIsNull": "The username cannot be empty.",
    "InternalError": "An internal error occurred.",
    "InternalError.UnknownError": "An unknown error occurred.",
    "InvalidParameter": "The parameter is incorrect.",
    "InvalidParameter.ParameterIllegal": "The request parameter is invalid.",
    "InvalidParameterValue": "The parameter value is incorrect.",
    "LimitExceeded": "The quota limit is exceeded.",
    "MissingParameter": "The parameter is missing.",
    "OperationDenied": "The operation was denied.",
    "RequestLimitExceeded": "The number of requests exceeds the frequency limit.",
    "RequestLimitExceeded.FrequentRequest": "Too many requests. Try again later.",
    "RequestLimitExceeded.RepeatRequest": "Repeated request. Try again later.",
    "ResourceInUse": "The resource is in use.",
    "ResourceInsufficient": "The resource is insufficient.",
    "ResourceNotFound": "The resource does not exist.",
    "ResourceUnavailable": "The resource is unavailable.",
    "ResourcesSoldOut": "The resources have been sold out.",
    "UnauthorizedOperation": "The operation is unauthorized.",
    "UnauthorizedOperation.TenantNotActivated": "The service is not activated.",
    "UnknownParameter": "The parameter is unknown.",
    "UnsupportedOperation": "The operation is not supported.",
}
"""Code -> description. Source: "6. Error Code"."""

GATEWAY = {
    "InternalError",
    "InvalidParameter",
    "MissingParameter",
    "RequestLimitExceeded",
    "UnknownParameter",
}
"""Codes that every product has, with the gateway's own wording: it names the parameter, or the count."""
