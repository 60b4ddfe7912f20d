"""The error rows of `cam` 2019-01-16 for policies, roles and database tokens: the code of each reason.

Reasons that are not here belong to the dialect's common table. The lists are `policy_codes`, the texts
`policy_texts`. What is wrong in a document is quoted behind the vendor's text.
"""

from __future__ import annotations

from collections.abc import Mapping

from rolecall.contracts.tencent.error_preferences import (
    IS_INVALID,
    IS_OUT_OF_RANGE,
    IS_TOO_LONG,
    ErrorPreference,
    Key,
    fallback,
)
from rolecall.domain.reasons import Reason

_PARAM = "InvalidParameter.ParamError"
_VALUE = (_PARAM, "InvalidParameterValue")
_DOCUMENT = "InvalidParameter.PolicyDocumentError"


def _quoting(*codes: str) -> ErrorPreference:
    return fallback((*codes, _DOCUMENT, *_VALUE), "It says `{value}`.", "其内容为`{value}`。")


def _value(*codes: str) -> ErrorPreference:
    return fallback((*codes, *_VALUE), *IS_INVALID)


_PARAMETERS: Mapping[Key, ErrorPreference] = {
    Reason.PARAMETER_VALUE: _value(),
    (Reason.PARAMETER_VALUE, "Scope"): _value("InvalidParameter.ScopeError"),
    (Reason.PARAMETER_VALUE, "EntityFilter"): _value("InvalidParameter.EntityFilterError"),
    (Reason.PARAMETER_VALUE, "PolicyId"): _value("InvalidParameter.PolicyIdError"),
    (Reason.PARAMETER_VALUE, "Tags"): _value("InvalidParameter.TagParamError"),
    Reason.PARAMETER_RANGE: fallback(_VALUE, *IS_OUT_OF_RANGE),
    (Reason.PARAMETER_RANGE, "PolicyId"): ErrorPreference(
        ("InvalidParameter.OperatePoliciesOverLimit",), _VALUE, *IS_TOO_LONG
    ),
    (Reason.PARAMETER_RANGE, "Tags"): _value("InvalidParameter.TagLimitExceeded"),
    (Reason.PARAMETER_VALUE, "TagKeys"): _value("InvalidParameter.TagParamError"),
    Reason.PARAMETER_LENGTH: fallback(_VALUE, *IS_TOO_LONG),
    (Reason.PARAMETER_LENGTH, "Description"): ErrorPreference(
        ("InvalidParameter.DescriptionLengthOverlimit",), _VALUE, *IS_TOO_LONG
    ),
    (Reason.PARAMETER_LENGTH, "Keyword"): ErrorPreference(
        ("InvalidParameter.SearchKeywordLengthError",), _VALUE, *IS_TOO_LONG
    ),
    Reason.PARAMETER_CHARACTERS: _value(),
}

_DOCUMENTS: Mapping[Key, ErrorPreference] = {
    Reason.POLICY_MALFORMED: fallback(
        (_DOCUMENT, *_VALUE), "The document cannot be read: {value}.", "策略文档无法解析：{value}。"
    ),
    Reason.POLICY_TOO_LONG: ErrorPreference(
        ("InvalidParameter.PolicyDocumentLengthOverLimit",),
        _VALUE,
        "The policy document has `{value}` characters.",
        "策略文档有`{value}`个字符。",
    ),
    Reason.POLICY_VERSION: _quoting("InvalidParameter.VersionError"),
    Reason.POLICY_STATEMENT: _quoting("InvalidParameter.StatementError"),
    Reason.POLICY_EFFECT: _quoting("InvalidParameter.EffectError"),
    Reason.POLICY_ACTION: _quoting("InvalidParameter.ActionError"),
    (Reason.POLICY_ACTION, "action.missing"): ErrorPreference(
        ("InvalidParameter.ActionMiss",), _VALUE, "A statement has no action.", "缺少action。"
    ),
    Reason.POLICY_RESOURCE: _quoting("InvalidParameter.ResourceError"),
    (Reason.POLICY_RESOURCE, "resource.segments"): _quoting("InvalidParameter.ResourceQcsError"),
    (Reason.POLICY_RESOURCE, "resource.project"): _quoting("InvalidParameter.ResourceProjectError"),
    (Reason.POLICY_RESOURCE, "resource.service"): _quoting("InvalidParameter.ResourceServiceNotExist"),
    (Reason.POLICY_RESOURCE, "resource.region"): _quoting("InvalidParameter.ResourceRegionError"),
    (Reason.POLICY_RESOURCE, "resource.account"): _quoting("InvalidParameter.ResourceUinError"),
    (Reason.POLICY_RESOURCE, "resource.content"): _quoting("InvalidParameter.ResourceContentError"),
    Reason.POLICY_CONDITION: _quoting("InvalidParameter.ConditionError"),
    (Reason.POLICY_CONDITION, "condition.operator"): _quoting("InvalidParameter.ConditionTypeError"),
    (Reason.POLICY_CONDITION, "condition.value"): _quoting("InvalidParameter.ConditionContentError"),
    Reason.POLICY_PRINCIPAL: _quoting("InvalidParameter.PrincipalError"),
    (Reason.POLICY_PRINCIPAL, "principal.qcs"): _quoting("InvalidParameter.PrincipalQcsError"),
}

_NO_POLICY = ("ResourceNotFound.PolicyIdNotFound", "InvalidParameter.PolicyIdNotExist")

_PEOPLE: Mapping[Key, ErrorPreference] = {
    Reason.POLICY_NAME_MALFORMED: ErrorPreference(
        ("InvalidParameter.PolicyNameError",),
        _VALUE,
        "The policy name `{value}` is not valid.",
        "策略名`{value}`不合法。",
    ),
    Reason.POLICY_TAKEN: ErrorPreference(
        ("FailedOperation.PolicyNameInUse",),
        ("FailedOperation",),
        "The policy name `{value}` is taken.",
        "策略名`{value}`已存在。",
    ),
    Reason.POLICY_MISSING: ErrorPreference(
        _NO_POLICY,
        ("InvalidParameter.PolicyIdError", _PARAM, "ResourceNotFound"),
        "The policy `{value}` does not exist.",
        "策略`{value}`不存在。",
    ),
    Reason.POLICY_QUOTA: ErrorPreference(
        ("FailedOperation.PolicyFull",),
        ("LimitExceeded",),
        "An owner may have `{value}` policies.",
        "策略数量上限为`{value}`。",
    ),
    Reason.POLICY_PRESET: fallback(
        ("InvalidParameter.PolicyIdError", _PARAM, "UnauthorizedOperation"),
        "The preset policy `{value}` cannot be changed.",
        "预设策略`{value}`不可修改。",
    ),
    Reason.ATTACHMENT_QUOTA: ErrorPreference(
        ("FailedOperation.PolicyFull", "InvalidParameter.AttachmentFull"),
        ("LimitExceeded",),
        "At most `{value}` policies can be attached.",
        "最多可关联`{value}`条策略。",
    ),
    Reason.SUB_USER_MISSING: ErrorPreference(
        ("ResourceNotFound.UserNotExist", "InvalidParameter.UserNotExist"),
        (_PARAM, "ResourceNotFound"),
        "The sub-user `{value}` does not exist.",
        "子用户`{value}`不存在。",
    ),
    Reason.GROUP_MISSING: ErrorPreference(
        ("ResourceNotFound.GroupNotExist",),
        (_PARAM, "ResourceNotFound"),
        "The user group `{value}` does not exist.",
        "用户组`{value}`不存在。",
    ),
    Reason.ROLE_NAME_MALFORMED: ErrorPreference(
        ("InvalidParameter.RoleNameError",),
        _VALUE,
        "The role name `{value}` is not valid.",
        "角色名`{value}`不合法。",
    ),
    Reason.ROLE_TAKEN: ErrorPreference(
        ("InvalidParameter.RoleNameInUse",),
        ("FailedOperation",),
        "The role name `{value}` is taken.",
        "角色名`{value}`已存在。",
    ),
    Reason.ROLE_MISSING: ErrorPreference(
        ("InvalidParameter.RoleNotExist",),
        (_PARAM, "ResourceNotFound"),
        "The role `{value}` does not exist.",
        "角色`{value}`不存在。",
    ),
    **dict.fromkeys(
        (Reason.TAG_QUOTA, Reason.TAG_KEY_QUOTA, Reason.TAG_VALUE_QUOTA),
        fallback(
            ("InvalidParameter.TagLimitExceeded", _PARAM, "LimitExceeded"),
            "There may be `{value}`.",
            "数量上限为`{value}`。",
        ),
    ),
    Reason.ROLE_QUOTA: ErrorPreference(
        ("InvalidParameter.RoleFull",),
        ("LimitExceeded",),
        "An owner may have `{value}` roles.",
        "角色数量上限为`{value}`。",
    ),
}

PREFERENCES: Mapping[Key, ErrorPreference] = {**_PARAMETERS, **_DOCUMENTS, **_PEOPLE}

_NO_TOKEN = "FailedOperation.BuildAuthToken"
_NO_ACCOUNT = fallback(
    (_PARAM,), "The instance or its account `{value}` does not exist.", "实例或其账号`{value}`不存在。"
)

DATABASE_TOKENS: Mapping[Key, ErrorPreference] = {
    **PREFERENCES,
    Reason.INSTANCE_MISSING: _NO_ACCOUNT,
    Reason.INSTANCE_FORBIDDEN: _NO_ACCOUNT,
    Reason.ACCOUNT_MISSING: _NO_ACCOUNT,
    Reason.PASSWORD_NOT_MANAGED: ErrorPreference(
        ("ResourceNotFound.DataFlowAuthClose",), ("ResourceNotFound",)
    ),
    Reason.ENGINE_UNREACHABLE: fallback(
        (_NO_TOKEN, "FailedOperation"), "The instance cannot be reached.", "无法访问实例。"
    ),
    Reason.ENGINE_BUSY: fallback((_NO_TOKEN, "FailedOperation"), "The instance is busy.", "实例繁忙。"),
    Reason.PASSWORD_UNDECIPHERABLE: ErrorPreference(
        ("ResourceUnavailable.FlowAuthSecet",),
        ("ResourceUnavailable",),
        "The credential cannot be read.",
        "凭据无法读取。",
    ),
}
