"""Which error codes the vendor documents for which action of `cam` 2019-01-16: policies, roles, and database tokens.

The lists are those printed over each method of the vendor's Go SDK (tencentcloud-sdk-go, ``client.go``).
"""

from __future__ import annotations

from collections.abc import Mapping

_LISTS: Mapping[str, str] = {
    "CreatePolicy": (
        "FailedOperation.PolicyFull FailedOperation.PolicyNameInUse InternalError.SystemError "
        "InvalidParameter.ActionError InvalidParameter.ActionMiss InvalidParameter.ActionNotExist "
        "InvalidParameter.ActionServiceNotExist InvalidParameter.AttachmentFull "
        "InvalidParameter.ConditionContentError InvalidParameter.ConditionError "
        "InvalidParameter.ConditionTypeError InvalidParameter.DescriptionLengthOverlimit "
        "InvalidParameter.EffectError InvalidParameter.NotSupportProduct InvalidParameter.ParamError "
        "InvalidParameter.PolicyDocumentError InvalidParameter.PolicyDocumentLengthOverLimit "
        "InvalidParameter.PolicyNameError InvalidParameter.PrincipalError InvalidParameter.PrincipalQcsError "
        "InvalidParameter.PrincipalQcsNotExist InvalidParameter.PrincipalServiceNotExist "
        "InvalidParameter.ResourceContentError InvalidParameter.ResourceError "
        "InvalidParameter.ResourceProjectError InvalidParameter.ResourceQcsError "
        "InvalidParameter.ResourceRegionError InvalidParameter.ResourceServiceNotExist "
        "InvalidParameter.ResourceUinError InvalidParameter.StatementError InvalidParameter.UserNotExist "
        "InvalidParameter.VersionError ResourceNotFound.GroupNotExist ResourceNotFound.NotFound "
        "ResourceNotFound.UserNotExist"
    ),
    "GetPolicy": (
        "InternalError.SystemError InvalidParameter.ParamError InvalidParameter.PolicyIdError "
        "ResourceNotFound.PolicyIdNotFound"
    ),
    "ListPolicies": (
        "FailedOperation.GetUserAreaError InternalError.SystemError InvalidParameter.GroupIdError "
        "InvalidParameter.KeywordError InvalidParameter.ParamError InvalidParameter.ScopeError "
        "InvalidParameter.SearchKeywordLengthError InvalidParameter.ServiceTypeError "
        "InvalidParameter.UinError"
    ),
    "UpdatePolicy": (
        "FailedOperation.OrganizationPolicyOperateError FailedOperation.PolicyNameInUse "
        "InternalError.SystemError InvalidParameter.ActionError InvalidParameter.ActionMiss "
        "InvalidParameter.ActionNotExist InvalidParameter.ActionServiceNotExist "
        "InvalidParameter.AttachmentFull InvalidParameter.ConditionContentError "
        "InvalidParameter.ConditionError InvalidParameter.ConditionTypeError "
        "InvalidParameter.DescriptionLengthOverlimit InvalidParameter.EffectError "
        "InvalidParameter.NotSupportProduct InvalidParameter.ParamError InvalidParameter.PolicyDocumentError "
        "InvalidParameter.PolicyDocumentLengthOverLimit InvalidParameter.PolicyIdError "
        "InvalidParameter.PolicyIdNotExist InvalidParameter.PolicyNameError InvalidParameter.PrincipalError "
        "InvalidParameter.PrincipalQcsError InvalidParameter.PrincipalQcsNotExist "
        "InvalidParameter.PrincipalServiceNotExist InvalidParameter.ResourceContentError "
        "InvalidParameter.ResourceError InvalidParameter.ResourceProjectError "
        "InvalidParameter.ResourceQcsError InvalidParameter.ResourceRegionError "
        "InvalidParameter.ResourceServiceNotExist InvalidParameter.ResourceUinError "
        "InvalidParameter.StatementError InvalidParameter.UserNotExist InvalidParameter.VersionError "
        "OperationDenied.PolicyTagConflict ResourceNotFound.GroupNotExist ResourceNotFound.NotFound "
        "ResourceNotFound.PolicyIdNotFound ResourceNotFound.UserNotExist"
    ),
    "DeletePolicy": (
        "FailedOperation.OrganizationPolicyOperateError InternalError.SystemError "
        "InvalidParameter.OperatePoliciesOverLimit InvalidParameter.ParamError InvalidParameter.PolicyIdError "
        "InvalidParameter.PolicyIdNotExist ResourceNotFound.NotFound ResourceNotFound.PolicyIdNotFound"
    ),
    "AttachUserPolicy": (
        "FailedOperation.OrganizationPolicyOperateError FailedOperation.PolicyFull InternalError.SystemError "
        "InvalidParameter.AttachmentFull InvalidParameter.ParamError InvalidParameter.PolicyIdError "
        "InvalidParameter.PolicyIdNotExist InvalidParameter.UserNotExist ResourceNotFound.PolicyIdNotFound "
        "ResourceNotFound.UserNotExist"
    ),
    "DetachUserPolicy": (
        "FailedOperation.OrganizationPolicyOperateError InternalError.SystemError "
        "InvalidParameter.AttachmentFull InvalidParameter.ParamError InvalidParameter.PolicyIdError "
        "InvalidParameter.PolicyIdNotExist InvalidParameter.UserNotExist ResourceNotFound.PolicyIdNotFound "
        "ResourceNotFound.UserNotExist"
    ),
    "AttachGroupPolicy": (
        "FailedOperation.OrganizationPolicyOperateError FailedOperation.PolicyFull InternalError.SystemError "
        "InvalidParameter.AttachmentFull InvalidParameter.ParamError InvalidParameter.PolicyIdError "
        "InvalidParameter.PolicyIdNotExist InvalidParameter.UserNotExist ResourceNotFound.GroupNotExist "
        "ResourceNotFound.PolicyIdNotFound ResourceNotFound.UserNotExist"
    ),
    "DetachGroupPolicy": (
        "FailedOperation.OrganizationPolicyOperateError InternalError.SystemError InvalidParameter.ParamError "
        "InvalidParameter.PolicyIdError InvalidParameter.PolicyIdNotExist InvalidParameter.UserNotExist "
        "ResourceNotFound.GroupNotExist ResourceNotFound.UserNotExist"
    ),
    "ListAttachedUserPolicies": "InternalError.SystemError InvalidParameter.ParamError",
    "ListAttachedUserAllPolicies": "InvalidParameter.ParamError ResourceNotFound.UserNotExist UnauthorizedOperation",
    "ListAttachedGroupPolicies": (
        "InternalError.SystemError InvalidParameter.ParamError InvalidParameter.SearchKeywordLengthError"
    ),
    "ListEntitiesForPolicy": (
        "InternalError.SystemError InvalidParameter.EntityFilterError InvalidParameter.ParamError "
        "InvalidParameter.PolicyIdError"
    ),
    "CreateRole": (
        "FailedOperation.TagResourceFailed InternalError.SystemError InvalidParameter.ActionError "
        "InvalidParameter.ActionMiss InvalidParameter.AttachmentFull InvalidParameter.ConditionContentError "
        "InvalidParameter.ConditionError InvalidParameter.ConditionTypeError "
        "InvalidParameter.DescriptionLengthOverlimit InvalidParameter.EffectError InvalidParameter.ParamError "
        "InvalidParameter.PrincipalError InvalidParameter.PrincipalQcsCrossError "
        "InvalidParameter.PrincipalQcsError InvalidParameter.PrincipalQcsNotExist "
        "InvalidParameter.PrincipalServiceNotExist InvalidParameter.RoleFull InvalidParameter.RoleNameError "
        "InvalidParameter.RoleNameInUse InvalidParameter.StatementError InvalidParameter.TagLimitExceeded "
        "InvalidParameter.TagParamError InvalidParameter.UserNotExist InvalidParameter.VersionError"
    ),
    "GetRole": "InternalError.SystemError InvalidParameter.ParamError InvalidParameter.RoleNotExist",
    "DeleteRole": (
        "InternalError.SystemError InvalidParameter.OrganizationRoleOperateError InvalidParameter.ParamError "
        "InvalidParameter.PolicyNameError InvalidParameter.RoleNotExist InvalidParameter.TagParamError"
    ),
    "DescribeRoleList": "FailedOperation InternalError.SystemError InvalidParameter.ParamError",
    "UpdateAssumeRolePolicy": (
        "InternalError.SystemError InvalidParameter.ActionError InvalidParameter.ActionMiss "
        "InvalidParameter.AttachmentFull InvalidParameter.ConditionContentError "
        "InvalidParameter.ConditionError InvalidParameter.ConditionTypeError InvalidParameter.EffectError "
        "InvalidParameter.ParamError InvalidParameter.PolicyDocumentLengthOverLimit "
        "InvalidParameter.PrincipalError InvalidParameter.PrincipalQcsCrossError "
        "InvalidParameter.PrincipalQcsError InvalidParameter.PrincipalQcsNotExist "
        "InvalidParameter.PrincipalServiceNotExist InvalidParameter.RoleNotExist "
        "InvalidParameter.StatementError InvalidParameter.UserNotExist InvalidParameter.VersionError"
    ),
    "UpdateRoleDescription": (
        "InternalError.SystemError InvalidParameter.DescriptionLengthOverlimit InvalidParameter.ParamError "
        "InvalidParameter.RoleNotExist"
    ),
    "UpdateRoleConsoleLogin": "InternalError.SystemError InvalidParameter.ParamError InvalidParameter.RoleNotExist",
    "UpdateRoleSessionDuration": "InternalError.SystemError InvalidParameter.ParamError InvalidParameter.RoleNotExist",
    "TagRole": (
        "AuthFailure.UnauthorizedOperation FailedOperation.TagResourceFailed InternalError "
        "InternalError.SystemError InvalidParameter InvalidParameter.ParamError InvalidParameter.RoleNotExist "
        "InvalidParameter.TagLimitExceeded InvalidParameter.TagParamError"
    ),
    "UntagRole": (
        "AuthFailure.UnauthorizedOperation FailedOperation.UnTagResourceFailed InternalError "
        "InternalError.SystemError InvalidParameter InvalidParameter.ParamError "
        "InvalidParameter.RoleNameError InvalidParameter.RoleNotExist InvalidParameter.TagParamError"
    ),
    "AttachRolePolicy": (
        "FailedOperation.OrganizationPolicyOperateError InternalError.SystemError "
        "InvalidParameter.AttachmentFull InvalidParameter.ParamError InvalidParameter.PolicyIdNotExist "
        "InvalidParameter.PolicyNameError InvalidParameter.RoleNotExist InvalidParameter.VersionError"
    ),
    "DetachRolePolicy": (
        "FailedOperation.OrganizationPolicyOperateError InternalError.SystemError InvalidParameter.ParamError "
        "InvalidParameter.PolicyIdNotExist InvalidParameter.RoleNotExist"
    ),
    "ListAttachedRolePolicies": "InternalError.SystemError InvalidParameter.ParamError",
    "BuildDataFlowAuthToken": (
        "FailedOperation.BuildAuthToken FailedOperation.FlowAuthIllegal InvalidParameter.ParamError "
        "ResourceNotFound.DataFlowAuthClose ResourceUnavailable.FlowAuthSecet"
    ),
}

_AWAITED: Mapping[str, str] = {
    "ListAttachedUserPolicies": "ResourceNotFound.UserNotExist",
    "ListAttachedGroupPolicies": "ResourceNotFound.GroupNotExist",
    "ListAttachedRolePolicies": "InvalidParameter.RoleNotExist",
}
"""Codes that the lists lack and that clients wait for: Terraform's provider takes any ``ResourceNotFound``, and for
roles this one, as the absence of the attachment (``service_tencentcloud_cam.go``), and any other code as a failure."""

CODES: Mapping[str, frozenset[str]] = {
    action: frozenset((*codes.split(), *_AWAITED.get(action, "").split())) for action, codes in _LISTS.items()
}
"""By action: the codes that its documentation lists, and those of `_AWAITED`."""
