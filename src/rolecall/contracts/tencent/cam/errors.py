"""The error rows of `cam` 2019-01-16 for sub-users, keys and groups: which reason takes which code.

Reasons that are not here belong to the dialect's common table. The lists are `codes`, the texts `texts`.
"""

from __future__ import annotations

from collections.abc import Mapping

from rolecall.contracts.tencent.cam.texts import TEXTS
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

PARAM_ERROR = "InvalidParameter.ParamError"
VIOLATED = "InvalidParameter.PasswordViolatedRules"
NO_USER = "ResourceNotFound.UserNotExist"


def _rule(english: str, chinese: str) -> ErrorPreference:
    """A broken rule of passwords."""
    return fallback((VIOLATED, "InvalidParameterValue"), english, chinese)


def _exact(code: str, common: str) -> ErrorPreference:
    """A code whose text says it all, and a common one that is given the same text."""
    return ErrorPreference((code,), (common,), *TEXTS[code])


_VALUE = (PARAM_ERROR, "InvalidParameter", "InvalidParameterValue")

PREFERENCES: Mapping[Key, ErrorPreference] = {
    Reason.PARAMETER_VALUE: fallback(_VALUE, *IS_INVALID),
    Reason.PARAMETER_RANGE: fallback(_VALUE, *IS_OUT_OF_RANGE),
    Reason.PARAMETER_LENGTH: fallback(_VALUE, *IS_TOO_LONG),
    Reason.PARAMETER_CHARACTERS: fallback(_VALUE, *HAS_FORBIDDEN_CHARACTERS),
    Reason.SUB_USER_NAME_MALFORMED: _exact("InvalidParameter.UserNameIllegal", "InvalidParameterValue"),
    Reason.SUB_USER_TAKEN: _exact("InvalidParameter.SubUserNameInUse", "FailedOperation"),
    Reason.SUB_USER_MISSING: ErrorPreference(
        (NO_USER, "InvalidParameter.UserNotExist"),
        ("ResourceNotFound",),
        "The sub-user `{value}` does not exist.",
        "子用户`{value}`不存在。",
    ),
    Reason.SUB_USER_QUOTA: ErrorPreference(
        ("InvalidParameter.SubUserFull",),
        ("LimitExceeded",),
        "An owner may have `{value}` sub-users.",
        "子账号数量上限为`{value}`。",
    ),
    Reason.SUB_USER_RATE: ErrorPreference(
        ("RequestLimitExceeded.CreateUser",),
        ("RequestLimitExceeded",),
        "An owner may make `{value}` sub-users within a minute.",
        "每分钟最多创建`{value}`个子用户。",
    ),
    Reason.SUB_USER_HAS_KEYS: _exact("OperationDenied.HaveKeys", "FailedOperation"),
    Reason.SUB_USER_KEYS_KEPT: ErrorPreference(
        ("UnauthorizedOperation.DeleteApiKey",),
        ("UnauthorizedOperation",),
        "The sub-user's keys may not be deleted.",
        "没有删除API密钥权限。",
    ),
    Reason.SUB_USER_UNNAMED: ErrorPreference(
        ("InvalidParameter.UserUinAndUinNotAllNull",),
        ("MissingParameter",),
        "A sub-user's UIN and UID cannot be left empty at the same time.",
        "用户的Uin和Uid不能都为空。",
    ),
    Reason.OWNER_PROTECTED: ErrorPreference(
        ("OperationDenied.SubUin",),
        ("UnauthorizedOperation",),
        "A sub-user may not touch what belongs to the root account.",
        "子用户不允许操作主账号。",
    ),
    Reason.PASSWORD_BREAKS_RULES: ErrorPreference(
        (VIOLATED,), ("InvalidParameterValue",), "The password breaks the rules.", "密码不符合密码规则。"
    ),
    (Reason.PASSWORD_BREAKS_RULES, "password.length"): _rule(
        "It must have at least `{value}` characters.", "长度至少为`{value}`个字符。"
    ),
    (Reason.PASSWORD_BREAKS_RULES, "password.upper"): _rule(
        "It must contain an upper-case letter.", "必须包含大写字母。"
    ),
    (Reason.PASSWORD_BREAKS_RULES, "password.lower"): _rule(
        "It must contain a lower-case letter.", "必须包含小写字母。"
    ),
    (Reason.PASSWORD_BREAKS_RULES, "password.digit"): _rule("It must contain a digit.", "必须包含数字。"),
    (Reason.PASSWORD_BREAKS_RULES, "password.symbol"): _rule(
        "It must contain a character that is neither a letter nor a digit.", "必须包含特殊字符。"
    ),
    (Reason.PASSWORD_BREAKS_RULES, "password.reuse"): _rule(
        "It must differ from the passwords used before.", "不能与历史密码相同。"
    ),
    Reason.PASSWORD_LENGTH: ErrorPreference(
        (VIOLATED,), ("InvalidParameterValue",), "The password is too long.", "密码过长。"
    ),
    Reason.PASSWORD_RULES_MALFORMED: fallback(
        ("InvalidParameter.PasswordRuleError", "InvalidParameterValue"), *IS_INVALID
    ),
    Reason.KEY_MISSING: ErrorPreference(
        ("ResourceNotFound.SecretNotExist",), ("ResourceNotFound",), "The key does not exist.", "密钥不存在。"
    ),
    Reason.KEY_QUOTA: _exact("OperationDenied.AccessKeyOverLimit", "LimitExceeded"),
    Reason.KEY_FOREIGN: ErrorPreference(
        ("OperationDenied.UinNotMatch",),
        ("UnauthorizedOperation",),
        "The access key does not match the account.",
        "被操作密钥与账号不匹配。",
    ),
    Reason.GROUP_TAKEN: _exact("InvalidParameter.GroupNameInUse", "FailedOperation"),
    # For a missing group some actions list a code that speaks of a user.
    Reason.GROUP_MISSING: ErrorPreference(
        ("ResourceNotFound.GroupNotExist", "InvalidParameter.GroupNotExist"),
        (NO_USER, "ResourceNotFound"),
        "The user group `{value}` does not exist.",
        "用户组`{value}`不存在。",
    ),
    Reason.GROUP_QUOTA: _exact("InvalidParameter.GroupFull", "LimitExceeded"),
    Reason.GROUP_FULL: _exact("InvalidParameter.GroupUserFull", "LimitExceeded"),
    Reason.MEMBERSHIP_QUOTA: _exact("InvalidParameter.UserGroupFull", "LimitExceeded"),
    Reason.HASHING_BUSY: fallback(
        ("FailedOperation",),
        "Too many passwords are being hashed. Please try again later.",
        "正在处理的密码过多，请稍后重试。",
    ),
}
