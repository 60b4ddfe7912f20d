"""The error rows of `postgres` 2017-03-12: which reason takes which code, and what the answer says.

Reasons that are not here (a malformed request, a missing parameter, a bad signature ...) belong to the dialect's common
table. The lists of codes are in `codes`, the texts in `texts`, each with its source.
"""

from __future__ import annotations

from collections.abc import Mapping

from rolecall.contracts.tencent.error_preferences import (
    HAS_FORBIDDEN_CHARACTERS,
    IS_INVALID,
    IS_OUT_OF_RANGE,
    IS_TOO_LONG,
    ErrorPreference,
    Key,
    fallback,
)
from rolecall.domain.reasons import Reason

DATABASE_ACCESS = "FailedOperation.DatabaseAccessError"
FAILED = "FailedOperation.FailedOperationError"
PRE_CHECK = "FailedOperation.PreCheckError"
PARAMETER_CHECK = "InvalidParameter.ParameterCheckError"
DECRYPT = "InvalidParameterValue.DecryptPasswordFailed"
ACCOUNT_NAME = "InvalidParameterValue.InvalidAccountNameError"
ACCOUNT_FORMAT = "InvalidParameterValue.InvalidAccountNameFormatError"
ACCOUNT_INVALID = "InvalidParameterValue.InvalidAccountError"
ACCOUNT_NOT_EXIST = "InvalidParameterValue.AccountNotExistError"
ACCOUNT_NOT_EXIST_OLD = "InvalidParameterValue.AccountNotExist"
DATABASE_FORMAT = "InvalidParameterValue.InvalidDatabaseNameFormatError"
OBJECT_NAME = "InvalidParameterValue.InvalidDatabaseObjectName"
PASSWORD_LENGTH = "InvalidParameterValue.InvalidPasswordLengthError"
PASSWORD_VALUE = "InvalidParameterValue.InvalidPasswordValueError"
CHARACTERS = "InvalidParameterValue.ParameterCharacterError"
LENGTH = "InvalidParameterValue.ParameterLengthLimitError"
OUT_OF_RANGE = "InvalidParameterValue.ParameterOutOfRange"
OUT_RANGE = "InvalidParameterValue.ParameterOutRangeError"
VALUE = "InvalidParameterValue.InvalidParameterValueError"
CHARSET = "InvalidParameterValue.CharsetNotFoundError"
UNSUPPORTED_REGION = "InvalidParameterValue.UnsupportedRegionError"
ILLEGAL_REGION = "InvalidParameterValue.IllegalRegion"
INSTANCE_NOT_EXIST = "InvalidParameterValue.InstanceNotExist"
ACCESS_DENIED = "OperationDenied.InstanceAccessDeniedError"
STATUS_LIMIT = "OperationDenied.InstanceStatusLimitError"
STATUS_LIMIT_OP = "OperationDenied.InstanceStatusLimitOpError"
KERNEL = "OperationDenied.KernelVersionError"
NOT_LISTED = "OperationDenied.UserNotInWhiteListError"
INSTANCE_NOT_FOUND = "ResourceNotFound.InstanceNotFoundError"
INVALID_STATUS = "ResourceUnavailable.InvalidInstanceStatus"
LIMITED = "LimitOperation"
LIMITED_OPERATION = "FailedOperation.LimitOperation"
MANAGED = "FailedOperation.CheckAccountCAMCloseError"
NOT_MANAGED = "FailedOperation.CheckAccountCAMOpenError"

_NO_VALUE = "InvalidParameterValue"
_NO_ACCOUNT = "ResourceNotFound"
_FAILED = (PRE_CHECK, FAILED, "FailedOperation")
_BROKEN = (FAILED, "FailedOperation")
_WRONG_VALUE = (PARAMETER_CHECK, VALUE, _NO_VALUE)
_WRONG = (PARAMETER_CHECK, _NO_VALUE)
_MISSING = (PRE_CHECK, PARAMETER_CHECK, "ResourceNotFound")
_PROTECTED = (PRE_CHECK, PARAMETER_CHECK, "FailedOperation")

PREFERENCES: Mapping[Key, ErrorPreference] = {
    Reason.CALLER_NOT_LISTED: ErrorPreference((NOT_LISTED, "UnauthorizedOperation"), ()),
    Reason.PARAMETER_VALUE: fallback(_WRONG_VALUE, *IS_INVALID),
    Reason.PARAMETER_RANGE: fallback(
        (OUT_OF_RANGE, OUT_RANGE, PARAMETER_CHECK, VALUE, _NO_VALUE), *IS_OUT_OF_RANGE
    ),
    Reason.PARAMETER_LENGTH: fallback((LENGTH, PARAMETER_CHECK, _NO_VALUE), *IS_TOO_LONG),
    Reason.PARAMETER_CHARACTERS: ErrorPreference((CHARACTERS,), _WRONG, *HAS_FORBIDDEN_CHARACTERS),
    Reason.REGION_UNSUPPORTED: ErrorPreference((UNSUPPORTED_REGION, ILLEGAL_REGION, "UnsupportedRegion"), ()),
    Reason.ACCOUNT_NAME_MALFORMED: ErrorPreference(
        (ACCOUNT_FORMAT, ACCOUNT_INVALID),
        _WRONG,
        "The account name `{value}` is not valid.",
        "账号名`{value}`不合法。",
    ),
    Reason.ACCOUNT_NAME_RESERVED: ErrorPreference(
        (ACCOUNT_NAME, ACCOUNT_FORMAT, ACCOUNT_INVALID),
        _WRONG,
        "The account name `{value}` is reserved.",
        "账号名`{value}`为保留名称。",
    ),
    Reason.DATABASE_NAME_MALFORMED: ErrorPreference(
        (DATABASE_FORMAT,),
        _WRONG_VALUE,
        "The database name `{value}` is not valid.",
        "数据库名称`{value}`不合法。",
    ),
    Reason.OBJECT_NAME_MALFORMED: ErrorPreference(
        (OBJECT_NAME,),
        _WRONG,
        "The object name `{value}` in the parameter `{field}` is not valid.",
        "参数`{field}`中的对象名称`{value}`不合法。",
    ),
    Reason.PASSWORD_LENGTH: ErrorPreference(
        (PASSWORD_LENGTH,), _WRONG, "The password must be 8-32 characters long.", "密码长度须为8-32个字符。"
    ),
    Reason.PASSWORD_CONTENT: ErrorPreference(
        (PASSWORD_VALUE,),
        _WRONG,
        "The password must contain uppercase letters, lowercase letters, digits and symbols, "
        "and cannot start with a slash (/).",
        "密码必须包含大写字母、小写字母、数字和符号，且不能以“/”开头。",
    ),
    Reason.PASSWORD_UNDECIPHERABLE: ErrorPreference(
        (DECRYPT,), _WRONG, "The password could not be decrypted.", "无法解密密码。"
    ),
    # The instance of another owner is hidden: these actions have a code for a missing instance only.
    Reason.INSTANCE_MISSING: ErrorPreference(
        (INSTANCE_NOT_FOUND, INSTANCE_NOT_EXIST, ACCESS_DENIED, "ResourceNotFound"), ()
    ),
    Reason.INSTANCE_FORBIDDEN: ErrorPreference(
        (ACCESS_DENIED, INSTANCE_NOT_FOUND, INSTANCE_NOT_EXIST, "UnauthorizedOperation"), ()
    ),
    Reason.INSTANCE_ISOLATED: fallback(
        (STATUS_LIMIT_OP, STATUS_LIMIT, INVALID_STATUS, "ResourceUnavailable"),
        "The instance is isolated.",
        "实例已隔离。",
    ),
    # The vendor's Terraform provider repeats InstanceStatusLimitError and ResourceUnavailable for some minutes.
    Reason.INSTANCE_RESTARTING: fallback(
        (STATUS_LIMIT, STATUS_LIMIT_OP, INVALID_STATUS, "ResourceUnavailable"),
        "The instance is restarting.",
        "实例正在重启。",
    ),
    Reason.INSTANCE_STARTING: fallback(
        (STATUS_LIMIT, STATUS_LIMIT_OP, INVALID_STATUS, "ResourceUnavailable"),
        "The instance is being created.",
        "实例正在创建。",
    ),
    Reason.INSTANCE_FAILED: fallback(
        (STATUS_LIMIT_OP, INVALID_STATUS, STATUS_LIMIT, "ResourceUnavailable"),
        "The instance could not be created.",
        "实例创建失败。",
    ),
    Reason.INSTANCE_RUNNING: fallback(
        (STATUS_LIMIT_OP, STATUS_LIMIT, INVALID_STATUS, "ResourceUnavailable"),
        "The instance is not isolated.",
        "实例未隔离。",
    ),
    Reason.VERSION_UNOFFERED: fallback(
        _WRONG_VALUE, "The database version `{value}` is not offered.", "不提供数据库版本`{value}`。"
    ),
    Reason.INSTANCE_QUOTA: ErrorPreference(("LimitExceeded",), ()),
    Reason.PROVISIONER_MISSING: ErrorPreference(
        (LIMITED, LIMITED_OPERATION),
        ("UnsupportedOperation",),
        "No server is started, stopped or deleted here for this instance.",
        "此处无法为该实例启动、停止或删除服务器。",
    ),
    Reason.ENGINE_TOO_OLD: ErrorPreference(
        (KERNEL,),
        (FAILED, "UnsupportedOperation"),
        "The server of the instance is too old for this operation.",
        "实例的数据库版本过低，不支持此操作。",
    ),
    Reason.ENGINE_UNREACHABLE: ErrorPreference(
        (DATABASE_ACCESS,), _BROKEN, "The instance cannot be reached.", "无法访问实例。"
    ),
    Reason.ENGINE_BUSY: fallback(_BROKEN, "The instance is busy.", "实例繁忙。"),
    Reason.ENGINE_REFUSED: fallback(_BROKEN, "The instance refused the operation.", "实例拒绝了此操作。"),
    Reason.ACCOUNT_TAKEN: fallback(_FAILED, "The account `{value}` already exists.", "账号`{value}`已存在。"),
    Reason.ACCOUNT_MISSING: ErrorPreference(
        (ACCOUNT_NOT_EXIST, ACCOUNT_NOT_EXIST_OLD),
        (ACCOUNT_INVALID, PRE_CHECK, PARAMETER_CHECK, _NO_ACCOUNT),
        "The account `{value}` does not exist.",
        "账号`{value}`不存在。",
    ),
    Reason.ACCOUNT_PROTECTED: fallback(
        _FAILED,
        "The account `{value}` belongs to the system and cannot be changed.",
        "账号`{value}`为系统账号，不允许修改。",
    ),
    Reason.PASSWORD_MANAGED: ErrorPreference(
        (MANAGED,),
        _FAILED,
        "The account `{value}` has CAM verification enabled.",
        "账号`{value}`已开启CAM验证。",
    ),
    Reason.PASSWORD_NOT_MANAGED: ErrorPreference(
        (NOT_MANAGED,),
        _FAILED,
        "The account `{value}` has CAM verification disabled.",
        "账号`{value}`未开启CAM验证。",
    ),
    Reason.DATABASE_TAKEN: fallback(
        _FAILED, "The database `{value}` already exists.", "数据库`{value}`已存在。"
    ),
    Reason.DATABASE_MISSING: fallback(
        _MISSING, "The database `{value}` does not exist.", "数据库`{value}`不存在。"
    ),
    Reason.DATABASE_PROTECTED: fallback(
        _PROTECTED,
        "The database `{value}` belongs to the system and cannot be changed.",
        "数据库`{value}`为系统数据库，不允许修改。",
    ),
    Reason.ENCODING_UNSUPPORTED: fallback(
        (CHARSET, PARAMETER_CHECK, _NO_VALUE),
        "The encoding `{value}` is not supported.",
        "不支持字符编码`{value}`。",
    ),
    Reason.LOCALE_UNSUPPORTED: fallback(
        _WRONG,
        "The collation or character classification `{value}` is not supported.",
        "不支持排序规则或字符分类`{value}`。",
    ),
    Reason.OBJECT_MISSING: fallback(
        _MISSING, "The database object `{value}` does not exist.", "数据库对象`{value}`不存在。"
    ),
    Reason.OBJECT_PROTECTED: fallback(
        _PROTECTED,
        "The database object `{value}` belongs to the system and cannot be changed.",
        "数据库对象`{value}`为系统对象，不允许修改。",
    ),
    Reason.PRIVILEGE_UNKNOWN: fallback(
        (PARAMETER_CHECK, PRE_CHECK, _NO_VALUE),
        "The privilege `{value}` does not apply to this type of object.",
        "权限`{value}`不适用于该类型的对象。",
    ),
    Reason.PRIVILEGE_DEPENDENT: fallback(
        _FAILED,
        "Other privileges depend on it; set IsCascade to revoke them too.",
        "存在依赖的权限，如需级联撤销请设置IsCascade。",
    ),
    Reason.MEMBERSHIP_CIRCULAR: fallback(
        _FAILED,
        "The account would become a member of itself through its members.",
        "该账号会通过其成员成为自身的成员。",
    ),
    Reason.INTERRUPTED: fallback(
        _BROKEN,
        "The operation was interrupted; check its effect before repeating it.",
        "操作被中断，请确认其结果后再重试。",
    ),
}

NEW_INSTANCES: Mapping[Key, ErrorPreference] = {
    **PREFERENCES,
    (Reason.PARAMETER_VALUE, "Zone"): ErrorPreference(("InvalidParameterValue.IllegalZone",), ()),
    (Reason.PARAMETER_RANGE, "InstanceCount"): ErrorPreference(
        ("InvalidParameterValue.InvalidInstanceNum",), ()
    ),
    (Reason.PARAMETER_VALUE, "InstanceChargeType"): ErrorPreference(
        ("InvalidParameterValue.IllegalInstanceChargeType",), ()
    ),
    (Reason.PARAMETER_VALUE, "ProjectId"): ErrorPreference(("InvalidParameterValue.IllegalProjectId",), ()),
    (Reason.ENCODING_UNSUPPORTED, "Charset"): ErrorPreference(("InvalidParameterValue.InvalidCharset",), ()),
}
"""CreateInstances has codes of its own for some parameters."""
