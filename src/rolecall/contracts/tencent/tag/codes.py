"""Which error codes the vendor documents for which action of `tag` 2018-08-13, and the texts of codes.

The lists are those printed over each method of the vendor's Go SDK (tencentcloud-sdk-go, ``client.go``). Texts, English
and Chinese: ``errorcodes.py`` of tencentcloud-sdk-python-intl-en 3.1.193 and of tencentcloud-sdk-python-tag 3.1.109.
"""

from __future__ import annotations

from collections.abc import Mapping

_LISTS: Mapping[str, str] = {
    "AddProject": (
        "FailedOperation FailedOperation.ProjectNumExceed InvalidParameter.ProjectNameExisted "
        "ResourceNotFound.RecordNotFound"
    ),
    "AddResourceTag": (
        "FailedOperation FailedOperation.PolicyEnforcedInvalid InvalidParameter.ReservedTagKey "
        "InvalidParameterValue.ResourceDescriptionError InvalidParameterValue.TagKeyCharacterIllegal "
        "InvalidParameterValue.TagKeyEmpty InvalidParameterValue.TagKeyLengthExceeded "
        "InvalidParameterValue.TagValueCharacterIllegal InvalidParameterValue.TagValueLengthExceeded "
        "LimitExceeded.ResourceAttachedTags LimitExceeded.TagKey LimitExceeded.TagValue "
        "ResourceInUse.TagKeyAttached"
    ),
    "AttachResourcesTag": (
        "AuthFailure.UnauthorizedOperation FailedOperation FailedOperation.PolicyEnforcedInvalid "
        "FailedOperation.ResourceAppIdNotSame InvalidParameter InvalidParameter.ReservedTagKey "
        "InvalidParameterValue.RegionInvalid InvalidParameterValue.ResourceDescriptionError "
        "InvalidParameterValue.ResourceIdInvalid InvalidParameterValue.ResourcePrefixInvalid "
        "InvalidParameterValue.ServiceTypeInvalid InvalidParameterValue.TagKeyCharacterIllegal "
        "InvalidParameterValue.TagKeyEmpty InvalidParameterValue.TagValueCharacterIllegal "
        "InvalidParameterValue.UinInvalid LimitExceeded.Quota LimitExceeded.ResourceAttachedTags "
        "LimitExceeded.ResourceNumPerRequest OperationDenied ResourceInUse.TagKeyAttached "
        "ResourceNotFound.TagNonExist"
    ),
    "CreateTag": (
        "FailedOperation InvalidParameter.ReservedTagKey InvalidParameterValue.ReservedTagKey "
        "InvalidParameterValue.TagKeyCharacterIllegal InvalidParameterValue.TagKeyDuplicate "
        "InvalidParameterValue.TagKeyEmpty InvalidParameterValue.TagKeyLengthExceeded "
        "InvalidParameterValue.TagValueCharacterIllegal InvalidParameterValue.TagValueEmpty "
        "InvalidParameterValue.TagValueLengthExceeded LimitExceeded.TagKey LimitExceeded.TagValue "
        "ResourceInUse.TagDuplicate"
    ),
    "CreateTags": (
        "FailedOperation InvalidParameter InvalidParameter.ReservedTagKey InvalidParameter.Tag "
        "InvalidParameterValue.ReservedTagKey InvalidParameterValue.TagKeyCharacterIllegal "
        "InvalidParameterValue.TagKeyEmpty InvalidParameterValue.TagKeyLengthExceeded "
        "InvalidParameterValue.TagValueCharacterIllegal InvalidParameterValue.TagValueEmpty "
        "InvalidParameterValue.TagValueLengthExceeded LimitExceeded.TagKey LimitExceeded.TagValue "
        "ResourceInUse.TagDuplicate"
    ),
    "DeleteResourceTag": (
        "FailedOperation FailedOperation.PolicyEnforcedInvalid InvalidParameter.ReservedTagKey "
        "InvalidParameterValue.ResourceDescriptionError InvalidParameterValue.TagKeyCharacterIllegal "
        "InvalidParameterValue.TagKeyEmpty InvalidParameterValue.TagKeyLengthExceeded "
        "ResourceNotFound.AttachedTagKeyNotFound"
    ),
    "DeleteTag": (
        "FailedOperation FailedOperation.TagAttachedQuota FailedOperation.TagAttachedResource "
        "InvalidParameterValue.TagKeyCharacterIllegal InvalidParameterValue.TagKeyDuplicate "
        "InvalidParameterValue.TagKeyEmpty InvalidParameterValue.TagValueCharacterIllegal "
        "InvalidParameterValue.TagValueEmpty InvalidParameterValue.TagValueLengthExceeded "
        "ResourceNotFound.TagNonExist"
    ),
    "DeleteTags": (
        "FailedOperation FailedOperation.TagAttachedQuota FailedOperation.TagAttachedResource "
        "InvalidParameter InvalidParameter.ReservedTagKey InvalidParameterValue.TagKeyCharacterIllegal "
        "InvalidParameterValue.TagKeyEmpty InvalidParameterValue.TagKeyLengthExceeded "
        "InvalidParameterValue.TagValueCharacterIllegal InvalidParameterValue.TagValueEmpty "
        "InvalidParameterValue.TagValueLengthExceeded ResourceNotFound.TagNonExist"
    ),
    "DescribeProjects": "AuthFailure AuthFailure.UnauthorizedOperation FailedOperation InvalidParameter",
    "DescribeResourceTags": "FailedOperation",
    "DescribeResourceTagsByResourceIds": (
        "FailedOperation InvalidParameterValue.RegionInvalid InvalidParameterValue.ResourceIdInvalid "
        "InvalidParameterValue.ResourcePrefixInvalid InvalidParameterValue.ServiceTypeInvalid "
        "InvalidParameterValue.UinInvalid UnsupportedOperation"
    ),
    "DescribeResourceTagsByResourceIdsSeq": (
        "InvalidParameterValue.OffsetInvalid InvalidParameterValue.RegionInvalid "
        "InvalidParameterValue.ResourceIdInvalid InvalidParameterValue.ResourcePrefixInvalid "
        "InvalidParameterValue.ServiceTypeInvalid InvalidParameterValue.UinInvalid"
    ),
    "DescribeResourceTagsByTagKeys": (
        "FailedOperation InvalidParameter.Tag InvalidParameterValue.RegionInvalid "
        "InvalidParameterValue.ResourceIdInvalid InvalidParameterValue.ResourcePrefixInvalid "
        "InvalidParameterValue.TagKeyCharacterIllegal InvalidParameterValue.TagKeyEmpty "
        "InvalidParameterValue.TagKeyLengthExceeded"
    ),
    "DescribeResourcesByTags": (
        "FailedOperation InvalidParameterValue.TagFilters InvalidParameterValue.TagFiltersLengthExceeded "
        "InvalidParameterValue.UinInvalid UnsupportedOperation"
    ),
    "DescribeResourcesByTagsUnion": (
        "FailedOperation InvalidParameterValue.TagFilters InvalidParameterValue.TagFiltersLengthExceeded "
        "InvalidParameterValue.UinInvalid"
    ),
    "DescribeTagKeys": "FailedOperation InvalidParameterValue.UinInvalid",
    "DescribeTagValues": (
        "FailedOperation InvalidParameterValue.TagKeyEmpty InvalidParameterValue.UinInvalid"
    ),
    "DescribeTagValuesSeq": "InvalidParameterValue.OffsetInvalid InvalidParameterValue.UinInvalid",
    "DescribeTags": "FailedOperation InvalidParameterValue.UinInvalid",
    "DescribeTagsSeq": (
        "FailedOperation InvalidParameterValue.OffsetInvalid InvalidParameterValue.UinInvalid"
    ),
    "DetachResourcesTag": (
        "AuthFailure.UnauthorizedOperation FailedOperation FailedOperation.PolicyEnforcedInvalid "
        "FailedOperation.ResourceAppIdNotSame InvalidParameter InvalidParameter.ReservedTagKey "
        "InvalidParameterValue.RegionInvalid InvalidParameterValue.ResourceDescriptionError "
        "InvalidParameterValue.ResourceIdInvalid InvalidParameterValue.ResourcePrefixInvalid "
        "InvalidParameterValue.ServiceTypeInvalid InvalidParameterValue.TagKeyCharacterIllegal "
        "InvalidParameterValue.TagKeyEmpty InvalidParameterValue.UinInvalid "
        "LimitExceeded.ResourceNumPerRequest ResourceNotFound.AttachedTagKeyNotFound"
    ),
    "GetResources": (
        "AuthFailure.UnauthorizedOperation FailedOperation FailedOperation.ResourceTagProcessing "
        "InvalidParameter InvalidParameter.PaginationTokenInvalid InvalidParameter.ReservedTagKey "
        "InvalidParameter.Tag InvalidParameterValue.ResourceDescriptionError "
        "InvalidParameterValue.TagKeyDuplicate InvalidParameterValue.TagKeyEmpty "
        "InvalidParameterValue.TagKeyLengthExceeded InvalidParameterValue.TagValueCharacterIllegal "
        "InvalidParameterValue.TagValueLengthExceeded LimitExceeded.ResourceNumPerRequest "
        "LimitExceeded.TagNumPerRequest LimitExceeded.TagValue"
    ),
    "GetTagKeys": (
        "InvalidParameter InvalidParameter.PaginationTokenInvalid InvalidParameterValue.ReservedTagKey "
        "InvalidParameterValue.TagKeyLengthExceeded LimitExceeded"
    ),
    "GetTagValues": (
        "FailedOperation InvalidParameter InvalidParameter.PaginationTokenInvalid "
        "InvalidParameterValue.ReservedTagKey LimitExceeded MissingParameter"
    ),
    "GetTags": (
        "FailedOperation InvalidParameter InvalidParameter.PaginationTokenInvalid "
        "InvalidParameter.ReservedTagKey InvalidParameterValue.TagKeyEmpty LimitExceeded"
    ),
    "ModifyResourceTags": (
        "FailedOperation FailedOperation.PolicyEnforcedInvalid InvalidParameter.ReservedTagKey "
        "InvalidParameter.Tag InvalidParameterValue.DeleteTagsParamError "
        "InvalidParameterValue.ResourceDescriptionError InvalidParameterValue.TagKeyCharacterIllegal "
        "InvalidParameterValue.TagKeyEmpty InvalidParameterValue.TagKeyLengthExceeded "
        "InvalidParameterValue.TagValueCharacterIllegal InvalidParameterValue.TagValueLengthExceeded "
        "LimitExceeded.Quota LimitExceeded.ResourceAttachedTags LimitExceeded.TagKey "
        "LimitExceeded.TagValue"
    ),
    "ModifyResourcesTagValue": (
        "AuthFailure.UnauthorizedOperation FailedOperation FailedOperation.PolicyEnforcedInvalid "
        "FailedOperation.ResourceAppIdNotSame InvalidParameter InvalidParameterValue.RegionInvalid "
        "InvalidParameterValue.ResourceDescriptionError InvalidParameterValue.ResourceIdInvalid "
        "InvalidParameterValue.ResourcePrefixInvalid InvalidParameterValue.ServiceTypeInvalid "
        "InvalidParameterValue.TagKeyCharacterIllegal InvalidParameterValue.TagValueCharacterIllegal "
        "InvalidParameterValue.TagValueLengthExceeded InvalidParameterValue.UinInvalid "
        "LimitExceeded.Quota LimitExceeded.ResourceNumPerRequest ResourceNotFound.AttachedTagKeyNotFound "
        "ResourceNotFound.TagNonExist"
    ),
    "TagResources": (
        "AuthFailure.UnauthorizedOperation FailedOperation FailedOperation.PolicyEnforcedInvalid "
        "FailedOperation.ResourceTagProcessing InvalidParameter InvalidParameter.ReservedTagKey "
        "InvalidParameter.Tag InvalidParameter.UnsupportedService "
        "InvalidParameterValue.ResourceDescriptionError InvalidParameterValue.TagKeyCharacterIllegal "
        "InvalidParameterValue.TagKeyDuplicate InvalidParameterValue.TagKeyEmpty "
        "InvalidParameterValue.TagKeyLengthExceeded InvalidParameterValue.TagValueCharacterIllegal "
        "InvalidParameterValue.TagValueEmpty InvalidParameterValue.TagValueLengthExceeded "
        "LimitExceeded.ResourceNumPerRequest LimitExceeded.TagNumPerRequest LimitExceeded.TagValue"
    ),
    "UnTagResources": (
        "AuthFailure.UnauthorizedOperation FailedOperation FailedOperation.PolicyEnforcedInvalid "
        "FailedOperation.ResourceTagProcessing InvalidParameter InvalidParameter.ReservedTagKey "
        "InvalidParameter.Tag InvalidParameterValue.ResourceDescriptionError "
        "InvalidParameterValue.TagKeyCharacterIllegal InvalidParameterValue.TagKeyDuplicate "
        "InvalidParameterValue.TagKeyEmpty InvalidParameterValue.TagKeyLengthExceeded "
        "InvalidParameterValue.TagValueCharacterIllegal LimitExceeded.ResourceNumPerRequest "
        "LimitExceeded.TagNumPerRequest"
    ),
    "UpdateProject": (
        "FailedOperation.ProjectDisabled FailedOperation.ProjectNumExceed InvalidParameter "
        "InvalidParameter.ProjectNameExisted ResourceNotFound.RecordNotFound"
    ),
    "UpdateResourceTagValue": (
        "FailedOperation FailedOperation.PolicyEnforcedInvalid InvalidParameter.ReservedTagKey "
        "InvalidParameterValue.ResourceDescriptionError InvalidParameterValue.TagKeyCharacterIllegal "
        "InvalidParameterValue.TagValueCharacterIllegal InvalidParameterValue.TagValueLengthExceeded "
        "LimitExceeded.TagValue ResourceNotFound.AttachedTagKeyNotFound"
    ),
}

CODES: Mapping[str, frozenset[str]] = {action: frozenset(codes.split()) for action, codes in _LISTS.items()}
"""By action: the codes that its documentation lists."""

TEXTS: Mapping[str, tuple[str, str]] = {
    # The gateway's common codes say nothing but which value of which parameter: the reason's own sentence follows.
    "InvalidParameter": ("", ""),
    "InvalidParameterValue": ("", ""),
    "FailedOperation": ("", ""),
    "ResourceNotFound": ("", ""),
    "ResourceInUse": ("", ""),
    "InvalidParameter.PaginationTokenInvalid": (
        "The `PaginationToken` parameter is invalid.",
        "PaginationToken参数非法。",
    ),
    "InvalidParameter.ProjectNameExisted": ("The project name already exists.", "项目名称已存在。"),
    "InvalidParameter.ReservedTagKey": (
        "System reserved tag keys `qcloud`, `tencent` and `project` cannot be created.",
        "系统预留标签键 qcloud、tencent和project 禁止创建。",
    ),
    "InvalidParameter.Tag": ("`Tag` parameter error.", "Tag参数错误。"),
    "InvalidParameterValue.DeleteTagsParamError": (
        "`DeleteTags` cannot contain the elements in `ReplaceTags` or `AddTags`.",
        "DeleteTags中不能包含ReplaceTags或AddTags中元素。",
    ),
    "InvalidParameterValue.OffsetInvalid": ("Offset error.", "offset error。"),
    "InvalidParameterValue.ReservedTagKey": (
        "System reserved tag keys `qcloud`, `tencent` and `project` cannot be created.",
        "系统预留标签键 qcloud、tencent和project 禁止创建。",
    ),
    "InvalidParameterValue.ResourceDescriptionError": ("Resource description error.", "资源描述错误。"),
    "InvalidParameterValue.ResourceIdInvalid": ("Resource ID error.", "资源Id错误。"),
    "InvalidParameterValue.ResourcePrefixInvalid": ("Resource prefix error.", "资源前缀错误。"),
    "InvalidParameterValue.ServiceTypeInvalid": ("Service type error.", "业务类型错误。"),
    "InvalidParameterValue.TagFilters": ("`TagFilters` parameter error", "TagFilters参数错误。"),
    "InvalidParameterValue.TagFiltersLengthExceeded": (
        "Tag filtering arrays reached the upper limit 6 when querying resources by tag.",
        "过滤标签键对应标签值达到上限数 6。",
    ),
    "InvalidParameterValue.TagKeyCharacterIllegal": (
        "Tag key contains illegal characters.",
        "标签键包含非法字符。",
    ),
    "InvalidParameterValue.TagKeyDuplicate": (
        "There are duplicate `TagKeys` in `TagList`.",
        "TagList中存在重复的TagKey。",
    ),
    "InvalidParameterValue.TagKeyEmpty": ("Tag key cannot be empty.", "标签键不能为空值。"),
    "InvalidParameterValue.TagKeyLengthExceeded": ("Tag key length exceeds limit.", "标签键长度超过限制。"),
    "InvalidParameterValue.TagValueCharacterIllegal": (
        "Tag value contains illegal characters.",
        "标签值包含非法字符。",
    ),
    "InvalidParameterValue.TagValueEmpty": ("The tag value cannot be empty.", "标签值不能为空值。"),
    "InvalidParameterValue.TagValueLengthExceeded": (
        "Tag value length exceeds limit.",
        "标签值长度超过限制。",
    ),
    "FailedOperation.ProjectNumExceed": ("Exceeding the project count limit.", "项目数超过限制。"),
    "FailedOperation.TagAttachedResource": (
        "Tags associated with resources cannot be deleted.",
        "已关联资源的标签无法删除。",
    ),
    "LimitExceeded.ResourceAttachedTags": (
        "The number of tags associated with the resource exceeds the limit.",
        "资源关联的标签数超过限制。",
    ),
    "LimitExceeded.ResourceNumPerRequest": (
        "The number of resources requested at a time reaches the upper limit.",
        "单次请求的资源数达到上限。",
    ),
    "LimitExceeded.TagNumPerRequest": (
        "The number of tags in a single request exceeds the limit.",
        "单次请求的标签数超过上限。",
    ),
    "LimitExceeded.TagKey": (
        "The number of created tag keys reaches the limit of 1,000.",
        "用户创建标签键达到上限数 1000。",
    ),
    "LimitExceeded.TagValue": (
        "Each tag key can have up to 1,000 values.",
        "单个标签键对应标签值达到上限数 1000。",
    ),
    "LimitExceeded": ("The quota limit is exceeded.", "超过配额限制。"),
    "ResourceInUse.TagDuplicate": ("Tag already exists.", "标签已存在。"),
    "ResourceInUse.TagKeyAttached": (
        "The corresponding tag key has already been associated with the resource.",
        "对应的标签键和资源已关联。",
    ),
    "ResourceNotFound.AttachedTagKeyNotFound": (
        "The tag key associated with the resource doesn’t exist.",
        "资源关联的标签键不存在。",
    ),
    "ResourceNotFound.RecordNotFound": ("Record does not exist.", "记录不存在。"),
    "ResourceNotFound.TagNonExist": ("Tag does not exist.", "标签不存在。"),
}
