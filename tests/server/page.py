"""The error table of the vendor's page of CreateAccount."""

from __future__ import annotations

PAGE = {
    "FailedOperation.DatabaseAccessError": (
        "Failed to access database management service. Please try again later. If the problem persists, please "
        "contact customer service."
    ),
    "FailedOperation.FailedOperationError": "Operation failed. Please try again later.",
    "FailedOperation.PreCheckError": "Pre-check failed",
    "InvalidParameter.ParameterCheckError": "Failed to check the parameter.",
    "InvalidParameterValue.DecryptPasswordFailed": (
        "Decrypting the password failed. confirm whether the password encryption is correct."
    ),
    "InvalidParameterValue.InvalidAccountNameError": (
        "The account setting is invalid. please follow the account naming rules: the account name must be 1-16 "
        "characters, can only consist of letters, digits, or underscores; cannot be postgres; cannot start with a "
        "digit, pg_, or tencentdb_; all rules are case-insensitive."
    ),
    "InvalidParameterValue.InvalidAccountNameFormatError": (
        "The account is invalid. follow the account naming rules: it must consist of letters (a-z, a-z), digits "
        "(0-9), and underscores (_), start with a letter or underscore (_), and be no more than 63 characters. "
        "system reserved keywords cannot be used, 'postgres' is not allowed, and it cannot start with 'pg_' or "
        "'tencentdb_'."
    ),
    "InvalidParameterValue.InvalidDatabaseNameFormatError": (
        "The database name is invalid. follow the naming rule: it must be made up of letters (a-z, a-z), digits "
        "(0-9), or underscores (_), start with a letter or underscore (_), and be no more than 63 characters. "
        "system reserved keywords cannot be used."
    ),
    "InvalidParameterValue.InvalidPasswordLengthError": (
        "Invalid password. The password length does not meet the requirements."
    ),
    # The page's own text breaks off after the underscore.
    "InvalidParameterValue.InvalidPasswordValueError": (
        "Invalid password. The password must contain uppercase letters, lowercase letters, digits, and symbols "
        "(()`~!@#$%^&*-+=_"
    ),
    "InvalidParameterValue.ParameterCharacterError": (
        "Invalid parameter. The parameter can contain only letters, digits, underscores, and hyphens."
    ),
    "InvalidParameterValue.ParameterLengthLimitError": "The length of parameter exceeds the limit.",
    "InvalidParameterValue.UnsupportedRegionError": (
        "The incoming region does not support this API feature."
    ),
    "OperationDenied.InstanceAccessDeniedError": "You do not have the permission to operate this resource.",
    "OperationDenied.InstanceStatusLimitError": (
        "This operation cannot be performed on an instance in this status."
    ),
    "OperationDenied.InstanceStatusLimitOpError": (
        "This operation cannot be performed on an instance in this status."
    ),
    "OperationDenied.KernelVersionError": (
        "The kernel version is too low, causing the instance to fail to create a tencentDBSuper account. if you "
        "want to use this feature, upgrade the kernel."
    ),
    "OperationDenied.UserNotInWhiteListError": "User not in allowlist.",
}
"""Code -> description. Source: Tencent Cloud API, CreateAccount (postgres), "6. Error Code", page of 2026-04-13."""
