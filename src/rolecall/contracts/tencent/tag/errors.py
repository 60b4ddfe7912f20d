"""How the reasons of `tag` 2018-08-13 choose among the codes that each action lists."""

from __future__ import annotations

from collections.abc import Mapping

from rolecall.contracts.tencent.error_preferences import ErrorPreference, Key
from rolecall.contracts.tencent.tag.codes import TEXTS
from rolecall.domain.reasons import Reason

_VALUE = "InvalidParameterValue"
_SHOWN = (
    "The value `{value}` specified in the parameter `{field}` is not valid.",
    "参数`{field}`的值`{value}`不合法。",
)


def _telling(*codes: str, common: str = _VALUE) -> ErrorPreference:
    """Codes whose text says it all, and a common one that is given the text of the first."""
    return ErrorPreference(codes, (common,), *TEXTS[codes[0]])


_RESERVED_KEY = _telling("InvalidParameter.ReservedTagKey", "InvalidParameterValue.ReservedTagKey")
_RESOURCE = _telling("InvalidParameterValue.ResourceDescriptionError")
_TOO_MANY_TAGS = _telling("LimitExceeded.TagNumPerRequest", common="LimitExceeded")
_TOO_MANY_RESOURCES = _telling("LimitExceeded.ResourceNumPerRequest", common="LimitExceeded")

PREFERENCES: Mapping[Key, ErrorPreference] = {
    **dict.fromkeys(
        (
            Reason.PARAMETER_VALUE,
            Reason.PARAMETER_RANGE,
            Reason.PARAMETER_LENGTH,
            Reason.PARAMETER_CHARACTERS,
        ),
        ErrorPreference((), (_VALUE,), *_SHOWN),
    ),
    (Reason.PARAMETER_VALUE, "ServiceType"): _telling("InvalidParameterValue.ServiceTypeInvalid"),
    (Reason.PARAMETER_VALUE, "ResourcePrefix"): _telling("InvalidParameterValue.ResourcePrefixInvalid"),
    (Reason.PARAMETER_VALUE, "ResourceId"): _telling("InvalidParameterValue.ResourceIdInvalid"),
    (Reason.PARAMETER_VALUE, "ResourceIds"): _telling("InvalidParameterValue.ResourceIdInvalid"),
    (Reason.PARAMETER_RANGE, "ResourceIds"): _TOO_MANY_RESOURCES,
    (Reason.PARAMETER_VALUE, "Resource"): _RESOURCE,
    (Reason.PARAMETER_VALUE, "ResourceList"): _RESOURCE,
    (Reason.PARAMETER_RANGE, "ResourceList"): _TOO_MANY_RESOURCES,
    (Reason.PARAMETER_VALUE, "DeleteTags"): _telling("InvalidParameterValue.DeleteTagsParamError"),
    (Reason.PARAMETER_VALUE, "ReplaceTags"): _telling("InvalidParameter.Tag"),
    (Reason.PARAMETER_VALUE, "Tags"): _telling(
        "InvalidParameterValue.TagKeyDuplicate", "InvalidParameter.Tag"
    ),
    (Reason.PARAMETER_RANGE, "Tags"): _TOO_MANY_TAGS,
    (Reason.PARAMETER_VALUE, "TagKeys"): _telling(
        "InvalidParameterValue.TagKeyDuplicate", "InvalidParameter.Tag"
    ),
    (Reason.PARAMETER_RANGE, "TagKeys"): _TOO_MANY_TAGS,
    (Reason.PARAMETER_VALUE, "TagFilters"): _telling(
        "InvalidParameterValue.TagFilters", "InvalidParameter.Tag"
    ),
    (Reason.PARAMETER_RANGE, "TagFilters"): _telling(
        "InvalidParameterValue.TagFiltersLengthExceeded", "LimitExceeded.TagNumPerRequest"
    ),
    (Reason.PARAMETER_VALUE, "Offset"): _telling("InvalidParameterValue.OffsetInvalid"),
    (Reason.PARAMETER_VALUE, "PaginationToken"): _telling("InvalidParameter.PaginationTokenInvalid"),
    (Reason.PARAMETER_VALUE, "TagKey"): _RESERVED_KEY,
    (Reason.PARAMETER_MISSING, "TagKey"): _telling("InvalidParameterValue.TagKeyEmpty"),
    (Reason.PARAMETER_LENGTH, "TagKey"): _telling("InvalidParameterValue.TagKeyLengthExceeded"),
    (Reason.PARAMETER_CHARACTERS, "TagKey"): _telling("InvalidParameterValue.TagKeyCharacterIllegal"),
    (Reason.PARAMETER_MISSING, "TagValue"): _telling("InvalidParameterValue.TagValueEmpty"),
    (Reason.PARAMETER_LENGTH, "TagValue"): _telling("InvalidParameterValue.TagValueLengthExceeded"),
    (Reason.PARAMETER_CHARACTERS, "TagValue"): _telling("InvalidParameterValue.TagValueCharacterIllegal"),
    Reason.TAG_QUOTA: ErrorPreference(
        ("LimitExceeded.ResourceAttachedTags",),
        ("LimitExceeded",),
        "A resource may have `{value}` tags.",
        "每个资源最多关联`{value}`个标签。",
    ),
    Reason.TAG_KEY_QUOTA: ErrorPreference(
        ("LimitExceeded.TagKey",),
        ("LimitExceeded",),
        "An owner may have `{value}` tag keys.",
        "标签键上限为`{value}`。",
    ),
    Reason.TAG_VALUE_QUOTA: ErrorPreference(
        ("LimitExceeded.TagValue",),
        ("LimitExceeded",),
        "A tag key may have `{value}` values.",
        "每个标签键最多`{value}`个标签值。",
    ),
    Reason.TAG_TAKEN: _telling("ResourceInUse.TagDuplicate", common="ResourceInUse"),
    Reason.TAG_MISSING: _telling("ResourceNotFound.TagNonExist", common="ResourceNotFound"),
    Reason.TAG_IN_USE: _telling("FailedOperation.TagAttachedResource", common="FailedOperation"),
    Reason.TAG_ATTACHED: _telling("ResourceInUse.TagKeyAttached", common="ResourceInUse"),
    Reason.TAG_UNATTACHED: _telling("ResourceNotFound.AttachedTagKeyNotFound", common="ResourceNotFound"),
    Reason.PROJECT_TAKEN: _telling("InvalidParameter.ProjectNameExisted", common="FailedOperation"),
    Reason.PROJECT_MISSING: _telling("ResourceNotFound.RecordNotFound", common="ResourceNotFound"),
    Reason.PROJECT_QUOTA: _telling("FailedOperation.ProjectNumExceed", common="LimitExceeded"),
}
