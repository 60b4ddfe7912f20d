"""The texts of the error codes of `postgres` 2017-03-12, English and Chinese, as the vendor publishes them.

Sources: the table "Error Code" of CreateAccount's page of 2026-04-13; ``errorcodes.py`` of
tencentcloud-sdk-python-intl-en 3.1.193 (English) and tencentcloud-sdk-python-postgres 3.1.194 (Chinese). Spelling and
capitals are the vendor's. The vendor's "Common Error Codes" have no text of their own there: those are ours.
"""

from __future__ import annotations

from collections.abc import Mapping

TEXTS: Mapping[str, tuple[str, str]] = {
    # The gateway says nothing but which value of which parameter: the reason's own sentence follows.
    "InvalidParameterValue": ("", ""),
    "FailedOperation": ("Operation failed.", "操作失败。"),
    "FailedOperation.CheckAccountCAMCloseError": (
        (
            "Checking database account status error: the account has enabled CAM verification. the "
            "current operation is not supported."
        ),
        "检查数据库账号状态错误：账号已开启CAM验证，不支持当前操作。",
    ),
    "FailedOperation.CheckAccountCAMOpenError": (
        (
            "Check database account status error: disabled for account CAM verification. the current "
            "operation is not supported."
        ),
        "检查数据库账号状态错误：账号未开启CAM验证，不支持当前操作。",
    ),
    "FailedOperation.DatabaseAccessError": (
        (
            "Failed to access database management service. Please try again later. If the problem "
            "persists, please contact customer service."
        ),
        "管控元数据库访问失败，请稍后重试。如果持续不成功，请联系客服进行处理。",
    ),
    "FailedOperation.FailedOperationError": (
        "Operation failed. Please try again later.",
        "操作失败，请稍后重试。",
    ),
    "FailedOperation.PreCheckError": ("Pre-check failed", "操作预检查失败。"),
    "FailedOperation.LimitOperation": ("Operations are not allowed on the instance.", "实例被限制操作。"),
    "InvalidParameter.ParameterCheckError": ("Failed to check the parameter.", "参数检查失败。"),
    "InvalidParameterValue.AccountNotExist": ("The current account does not exist.", "当前账号不存在。"),
    "InvalidParameterValue.AccountNotExistError": ("The account does not exist.", "账号不存在。"),
    "InvalidParameterValue.CharsetNotFoundError": ("Incorrect database character set", "数据库字符集错误。"),
    "InvalidParameterValue.DecryptPasswordFailed": (
        "Decrypting the password failed. confirm whether the password encryption is correct.",
        "解密密码失败，请确认密码加密是否正确。",
    ),
    "InvalidParameterValue.IllegalInstanceChargeType": ("Incorrect billing mode.", "计费模式错误。"),
    "InvalidParameterValue.IllegalProjectId": ("Invalid `ProjectId`.", "非法ProjectId。"),
    "InvalidParameterValue.IllegalRegion": ("Invalid `Region` parameter.", "非法的Region参数。"),
    "InvalidParameterValue.IllegalZone": ("Invalid `Zone` parameter.", "非法的Zone参数。"),
    "InvalidParameterValue.InstanceNotExist": ("The current instance does not exist.", "当前实例不存在。"),
    "InvalidParameterValue.InvalidAccountError": (
        (
            "Invalid account. The account name is case-insensitive, must contain 1-16 characters "
            'comprised of letters, digits, underscores, and should neither be "postgres" nor start '
            'with a digit or "pg_".'
        ),
        (
            "账号设置无效，请遵循账号命名规则：账号名需要1-16个字符，只能由字母、数字或下划线组成；不"
            "能为postgres；不能由数字和pg_开头；所有规则均不区分大小写。"
        ),
    ),
    "InvalidParameterValue.InvalidAccountNameError": (
        (
            "The account setting is invalid. please follow the account naming rules: the account "
            "name must be 1-16 characters, can only consist of letters, digits, or underscores; "
            "cannot be postgres; cannot start with a digit, pg_, or tencentdb_; all rules are "
            "case-insensitive."
        ),
        (
            "账号设置无效，请遵循账号命名规则：账号名需要1-16个字符，只能由字母、数字或下划线组成；不"
            "能为postgres；不能由数字、pg_及tencentdb_开头；所有规则均不区分大小写。"
        ),
    ),
    "InvalidParameterValue.InvalidAccountNameFormatError": (
        (
            "The account is invalid. follow the account naming rules: it must consist of letters "
            "(a-z, a-z), digits (0-9), and underscores (_), start with a letter or underscore (_), "
            "and be no more than 63 characters. system reserved keywords cannot be used, 'postgres' "
            "is not allowed, and it cannot start with 'pg_' or 'tencentdb_'."
        ),
        (
            "账号无效，请遵循账号命名规则：由字母（a-z, A-Z）、数字（0-9）、下划线（_）组成，以字母或"
            "（_）开头，最多63个字符。不能使用系统保留关键字，不能为postgres，且不能由pg_或tencentdb_"
            "开头。"
        ),
    ),
    "InvalidParameterValue.InvalidCharset": (
        "Incorrect database character set. Currently, only `UTF8` and `LATIN1` are supported.",
        "数据库字符集错误，当前只支持UTF8、LATIN1。",
    ),
    "InvalidParameterValue.InvalidDatabaseNameFormatError": (
        (
            "The database name is invalid. follow the naming rule: it must be made up of letters "
            "(a-z, a-z), digits (0-9), or underscores (_), start with a letter or underscore (_), "
            "and be no more than 63 characters. system reserved keywords cannot be used."
        ),
        (
            "数据库名称无效，请遵循命名规则：由字母（a-z, A-Z）、数字（0-9）、下划线（_）组成，以字母"
            "或（_）开头，最多63个字符。不能使用系统保留关键字。"
        ),
    ),
    "InvalidParameterValue.InvalidDatabaseObjectName": (
        (
            "Currently only support database objects with operation names composed of english, "
            "underscore, digits, and special symbols []. functions and stored procedures "
            "additionally support three special symbols (,)."
        ),
        (
            "当前仅支持操作名称为英文、下划线、数字及特殊符号[]组成的数据库对象，函数及存储过程额外支"
            "持三个特殊符号(,)"
        ),
    ),
    "InvalidParameterValue.InvalidInstanceNum": (
        "The number of purchased instances exceeds the limit.",
        "购买实例数超过限制。",
    ),
    "InvalidParameterValue.InvalidParameterValueError": ("Incorrect parameter value", "参数值有误。"),
    "InvalidParameterValue.InvalidPasswordLengthError": (
        "Invalid password. The password length does not meet the requirements.",
        "密码设置无效，长度不满足规则。",
    ),
    "InvalidParameterValue.InvalidPasswordValueError": (
        (
            "Invalid password. The password must contain uppercase letters, lowercase letters, "
            "digits, and symbols (()`~!@#$%^&*-+=_|{}[]:;'<>,.?/), and cannot start with a slash (/)."
        ),
        (
            "密码设置无效，不能以“/”开头，必须包含大写字母、小写字母、符号()`~!@#$%^&*-+=_|{}[]:;'<>,"
            ".?/和数字。"
        ),
    ),
    "InvalidParameterValue.ParameterCharacterError": (
        ("Invalid parameter. The parameter can contain only letters, digits, underscores, and hyphens."),
        "参数无效，只允许英文字母、数字、下划线、中划线，以及全体汉字。",
    ),
    "InvalidParameterValue.ParameterLengthLimitError": (
        "The length of parameter exceeds the limit.",
        "参数长度超过限制。",
    ),
    "InvalidParameterValue.ParameterOutOfRange": ("Invalid parameter", "参数超出可设置范围"),
    "InvalidParameterValue.ParameterOutRangeError": ("Invalid parameter values.", "存在无效的参数值。"),
    "InvalidParameterValue.UnsupportedRegionError": (
        "The incoming region does not support this API feature.",
        "传入地域不支持使用本接口功能。",
    ),
    "LimitExceeded": ("Quota limit exceeded.", "超过配额限制。"),
    "LimitOperation": ("Operations are not allowed on the instance.", "实例被限制操作。"),
    "OperationDenied.InstanceAccessDeniedError": (
        "You do not have the permission to operate this resource.",
        "您没有权限操作当前资源。",
    ),
    "OperationDenied.InstanceStatusLimitError": (
        "This operation cannot be performed on an instance in this status.",
        "实例当前状态限制本次操作。",
    ),
    "OperationDenied.InstanceStatusLimitOpError": (
        "This operation cannot be performed on an instance in this status.",
        "实例状态限制当前操作。",
    ),
    "OperationDenied.KernelVersionError": (
        (
            "The kernel version is too low, causing the instance to fail to create a tencentDBSuper "
            "account. if you want to use this feature, upgrade the kernel."
        ),
        "内核版本过低，导致实例无法创建tencentDBSuper账号。如果您想使用此功能，请升级内核版本。",
    ),
    "OperationDenied.UserNotInWhiteListError": ("User not in allowlist.", "用户不在白名单内。"),
    "ResourceNotFound": ("The resource does not exist.", "资源不存在。"),
    "ResourceNotFound.InstanceNotFoundError": ("The instance does not exist.", "实例不存在。"),
    "ResourceUnavailable": ("The resource is unavailable.", "资源不可用。"),
    "ResourceUnavailable.InvalidInstanceStatus": ("Incorrect instance status.", "实例状态错误。"),
    "UnauthorizedOperation": ("The operation is not authorized.", "未授权操作。"),
    "UnsupportedOperation": ("The operation is not supported.", "操作不支持。"),
    "UnsupportedRegion": ("The region is not supported.", "不支持当前地域。"),
}
