"""The contract of Tencent Cloud `sts` 2018-08-13: temporary credentials, and who a caller is.

Not served, and answered with InvalidAction: credentials for those whom another
identity provider vouches for (SAML, OIDC), and those that an MFA device confirms. The service has its version in
common with `tag`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from rolecall.contracts.model import Contract
from rolecall.contracts.tencent.error_preferences import IS_INVALID, ErrorPreference, Key, action_of, fallback
from rolecall.contracts.tencent.sts import parameters
from rolecall.domain.reasons import Reason

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
"""By action: the codes that its documentation lists, as printed over each method of the vendor's Go SDK
(tencentcloud-sdk-go, ``client.go``)."""

TEXTS: Mapping[str, tuple[str, str]] = {
    # Word for word from ``errorcodes.py`` of the international SDK (English) and of tencentcloud-sdk-python-sts. The
    # gateway's common codes say nothing but which value of which parameter: the reason's own sentence follows.
    "InvalidParameterValue": ("", ""),
    "ResourceNotFound": ("", ""),
    "LimitExceeded": ("", ""),
    "InvalidParameter.AccessKeyNotSupport": ("This type of key is not supported.", "不支持该类型密钥。"),
    "InvalidParameter.AccountNotAvaliable": (
        "The account does not exist or is unavailable.",
        "账号不存在或不可用。",
    ),
    "InvalidParameter.GrantOtherResource": ("Unauthorized access to the resource.", "越权访问资源。"),
    "InvalidParameter.OverTimeError": ("The expiration time exceeds the threshold.", "过期时间超过阈值。"),
    "InvalidParameter.ParamError": ("Invalid parameter.", "参数错误。"),
    "InvalidParameter.PolicyTooLong": ("The policy is too long.", "策略过长。"),
    "InvalidParameter.ResouceError": ("Six-segment resource description error.", "策略资源六段式错误。"),
    "InvalidParameter.StrategyFormatError": ("Policy syntax error.", "策略语法错误。"),
    "InvalidParameter.StrategyInvalid": ("Invalid policy.", "非法策略。"),
    "ResourceNotFound.RoleNotFound": (
        "The role corresponding to the account does not exist.",
        "账号对应的角色不存在。",
    ),
    "UnauthorizedOperation": ("Unauthorized operation.", "未授权操作。"),
    "UnsupportedOperation": ("Unsupported operation.", "操作不支持。"),
}

_PARAM = ("InvalidParameter.ParamError", "InvalidParameterValue")
_DOCUMENT = fallback(
    ("InvalidParameter.StrategyFormatError", *_PARAM), "It says `{value}`.", "其内容为`{value}`。"
)

PREFERENCES: Mapping[Key, ErrorPreference] = {
    **dict.fromkeys(
        (
            Reason.PARAMETER_VALUE,
            Reason.PARAMETER_RANGE,
            Reason.PARAMETER_LENGTH,
            Reason.PARAMETER_CHARACTERS,
        ),
        fallback(_PARAM, *IS_INVALID),
    ),
    Reason.SESSION_TOO_LONG: ErrorPreference(
        ("InvalidParameter.OverTimeError",), ("LimitExceeded",), "It is too long.", "时间过长。"
    ),
    Reason.POLICY_TOO_LONG: ErrorPreference(
        ("InvalidParameter.PolicyTooLong",), ("LimitExceeded",), "The policy is too long.", "策略过长。"
    ),
    Reason.POLICY_MALFORMED: fallback(
        ("InvalidParameter.StrategyFormatError", *_PARAM),
        "The policy cannot be read: {value}.",
        "策略无法解析：{value}。",
    ),
    **dict.fromkeys(
        (
            Reason.POLICY_VERSION,
            Reason.POLICY_STATEMENT,
            Reason.POLICY_EFFECT,
            Reason.POLICY_ACTION,
            Reason.POLICY_CONDITION,
        ),
        _DOCUMENT,
    ),
    Reason.POLICY_PRINCIPAL: fallback(
        ("InvalidParameter.StrategyInvalid", *_PARAM),
        "A session's policy has no principal.",
        "策略中不能包含principal。",
    ),
    Reason.POLICY_RESOURCE: fallback(
        ("InvalidParameter.ResouceError", *_PARAM), "It says `{value}`.", "其内容为`{value}`。"
    ),
    (Reason.POLICY_RESOURCE, "resource.foreign"): ErrorPreference(
        ("InvalidParameter.GrantOtherResource",),
        ("InvalidParameter.ResouceError", *_PARAM),
        "`{value}` is a resource of another account.",
        "`{value}`是其他账号的资源。",
    ),
    Reason.ROLE_MISSING: ErrorPreference(
        ("ResourceNotFound.RoleNotFound",), ("ResourceNotFound",), "The role does not exist.", "角色不存在。"
    ),
    Reason.ROLE_UNTRUSTING: fallback(
        ("UnauthorizedOperation",),
        "The trust policy of the role `{value}` does not allow the caller to take it.",
        "角色`{value}`的信任策略不允许调用者扮演该角色。",
    ),
    Reason.SESSION_NESTED: ErrorPreference(
        ("UnsupportedOperation",), (), "Temporary credentials cannot be used here.", "不支持临时密钥。"
    ),
    Reason.SUB_USER_MISSING: fallback(
        _PARAM, "The sub-user `{value}` does not exist.", "子用户`{value}`不存在。"
    ),
    Reason.OWNER_PROTECTED: fallback(
        _PARAM, "A sub-user may not see the keys of the root account.", "子用户不允许查看主账号密钥。"
    ),
}


_action = partial(action_of, codes=CODES, preferences=PREFERENCES, texts=TEXTS, source=parameters.SDK)

_CREDENTIALS = ("Credentials", "ExpiredTime", "Expiration")
_ACTIONS = (
    _action(parameters.AssumeRole, output=_CREDENTIALS, resources=("{RoleArn}",), mints_secret=True),
    _action(parameters.GetFederationToken, output=_CREDENTIALS, mints_secret=True),
    _action(
        parameters.GetCallerIdentity, output=("Arn", "AccountId", "UserId", "PrincipalId", "Type"), free=True
    ),
    _action(
        parameters.QueryApiKey,
        output=("IdKeys",),
        resources=("qcs::cam::uin/{owner}:uin/{TargetUin|caller}",),
    ),
)

CONTRACT = Contract(
    dialect="tencent",
    service="sts",
    version="2018-08-13",
    actions={action.name: action for action in _ACTIONS},
    errors={},
)
