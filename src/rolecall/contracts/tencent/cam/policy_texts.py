"""The texts of error codes of `cam` 2019-01-16 for policies, roles and database tokens, English and Chinese.

Sources: ``errorcodes.py`` of tencentcloud-sdk-python-intl-en 3.1.193 (English) and tencentcloud-sdk-python-cam 3.1.181
(Chinese), word for word. Codes that the international service does not have, those of database tokens and
`OperatePoliciesOverLimit`, are put into English by us. The vendor's "Common Error Codes" have no text of their own.
"""

from __future__ import annotations

from collections.abc import Mapping

TEXTS: Mapping[str, tuple[str, str]] = {
    # The gateway says nothing but which value of which parameter: the reason's own sentence follows.
    "FailedOperation": ("", ""),
    "InvalidParameterValue": ("", ""),
    "LimitExceeded": ("", ""),
    "ResourceNotFound": ("", ""),
    "ResourceUnavailable": ("", ""),
    "UnauthorizedOperation": ("", ""),
    "FailedOperation.BuildAuthToken": ("Building the AuthToken failed.", "生成AuthToken异常。"),
    "FailedOperation.FlowAuthIllegal": ("The operation on the credential failed.", "凭据操作失败。"),
    "FailedOperation.PolicyFull": (
        "The number of user policies has exceeded the limit.",
        "用户策略数超过上限。",
    ),
    "FailedOperation.PolicyNameInUse": (
        "The policy name specified by the `PolicyName` field already exists.",
        "PolicyName字段指定的策略名已存在。",
    ),
    "InvalidParameter.ActionError": (
        "`Action` field of policy document invalid.",
        "策略文档的Action字段不合法。",
    ),
    "InvalidParameter.ActionMiss": (
        "The action in the policy syntax does not exist.",
        "策略语法中操作不存在。",
    ),
    "InvalidParameter.AttachmentFull": (
        "Limit on number of authorization object associated policies in the `principal` field reached.",
        "principal字段的授权对象关联策略数已达到上限。",
    ),
    "InvalidParameter.ConditionContentError": (
        "The condition content in the policy syntax is incorrect.",
        "策略语法中条件内容不正确。",
    ),
    "InvalidParameter.ConditionError": (
        "`condition` field of policy document invalid.",
        "策略文档的condition字段不合法。",
    ),
    "InvalidParameter.ConditionTypeError": (
        "The condition operator in the policy syntax is incorrect.",
        "策略语法中条件操作符不正确。",
    ),
    "InvalidParameter.DescriptionLengthOverlimit": (
        "The input parameter `description` cannot exceed 300 bytes in length.",
        "Description入参长度不能大于300字节。",
    ),
    "InvalidParameter.EffectError": (
        "`Effect` field of policy document invalid.",
        "策略文档的Effect字段不合法。",
    ),
    "InvalidParameter.EntityFilterError": ("`EntityFilter` field invalid.", "EntityFilter字段不合法。"),
    "InvalidParameter.OperatePoliciesOverLimit": (
        "There were too many policies in one operation.",
        "一次操作策略数过多。",
    ),
    "InvalidParameter.ParamError": ("Invalid input parameter.", "非法入参。"),
    "InvalidParameter.PolicyDocumentError": ("`PolicyDocument` field invalid.", "PolicyDocument字段不合法。"),
    "InvalidParameter.PolicyDocumentLengthOverLimit": (
        "`PolicyDocument` field exceeds length restriction.",
        "PolicyDocument字段超过长度限制。",
    ),
    "InvalidParameter.PolicyIdError": ("Input parameter `PolicyId` invalid.", "输入参数PolicyId不合法。"),
    "InvalidParameter.PolicyIdNotExist": ("Policy ID does not exist.", "策略ID不存在。"),
    "InvalidParameter.PolicyNameError": ("`PolicyName` field invalid.", "PolicyName字段不合法。"),
    "InvalidParameter.PrincipalError": (
        "`principal` field of policy document invalid.",
        "策略文档的principal字段不合法。",
    ),
    "InvalidParameter.PrincipalQcsError": ("Incorrect `PrincipalQcsc`.", "PrincipalQcsc错误。"),
    "InvalidParameter.ResourceContentError": (
        "The resource context in the policy syntax is incorrect.",
        "策略语法中资源内容不正确。",
    ),
    "InvalidParameter.ResourceError": (
        "`Resource` field of policy document invalid.",
        "策略文档的Resource字段不合法。",
    ),
    "InvalidParameter.ResourceProjectError": (
        "The resource project in the policy syntax is incorrect.",
        "策略语法中资源项目不正确。",
    ),
    "InvalidParameter.ResourceQcsError": ("Incorrect resource `QCS`.", "资源QCS错误。"),
    "InvalidParameter.ResourceRegionError": (
        "The resource region in the policy syntax is incorrect.",
        "策略语法中资源地域不正确。",
    ),
    "InvalidParameter.ResourceServiceNotExist": (
        "The resource service in the policy syntax does not exist.",
        "策略语法中资源服务不存在。",
    ),
    "InvalidParameter.ResourceUinError": (
        "The resource root account in the policy syntax is incorrect.",
        "策略语法中资源所属主账号不正确。",
    ),
    "InvalidParameter.RoleFull": ("Limit on number of roles reached.", "角色数量达到上限。"),
    "InvalidParameter.RoleNameError": ("Role name invalid.", "角色名不合法。"),
    "InvalidParameter.RoleNameInUse": ("A role with the same name already exists.", "相同名称的角色已存在。"),
    "InvalidParameter.RoleNotExist": ("Role does not exist.", "角色不存在。"),
    "InvalidParameter.ScopeError": ("`Scope` field invalid.", "Scope字段不合法。"),
    "InvalidParameter.SearchKeywordLengthError": (
        "An error occurred while querying the keyword length.",
        "查询关键字长度错误。",
    ),
    "InvalidParameter.StatementError": (
        "`Statement` field of policy document invalid.",
        "策略文档的Statement字段不合法。",
    ),
    "InvalidParameter.TagLimitExceeded": ("The tag limit has been exceeded.", "超出标签限制。"),
    "InvalidParameter.TagParamError": ("Incorrect tag parameter.", "标签参数错误。"),
    "InvalidParameter.UserNotExist": ("User object does not exist", "用户对象不存在。"),
    "InvalidParameter.VersionError": (
        "`Version` field of policy document invalid.",
        "策略文档的Version字段不合法。",
    ),
    "ResourceNotFound.DataFlowAuthClose": (
        "CAM data flow authentication is not enabled.",
        "未开启CAM数据流认证。",
    ),
    "ResourceNotFound.GroupNotExist": ("User group does not exist.", "用户组不存在。"),
    "ResourceNotFound.PolicyIdNotFound": (
        "Resources specified by `PolicyId` does not exist.",
        "PolicyId指定的资源不存在。",
    ),
    "ResourceNotFound.UserNotExist": ("User does not exist.", "用户不存在。"),
    "ResourceUnavailable.FlowAuthSecet": ("The credential is abnormal.", "凭据信息异常。"),
}
