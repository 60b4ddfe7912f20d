"""How the reasons of `tag` 2018-08-13 choose among the codes that each action lists."""

from __future__ import annotations

from collections.abc import Mapping

from rolecall.contracts.tencent.error_preferences import IS_INVALID, ErrorPreference, Key, fallback
from rolecall.contracts.tencent.tag.codes import TEXTS
from rolecall.domain.reasons import Reason

_VALUE = "InvalidParameterValue"


def _exact(*codes: str, common: str = _VALUE) -> ErrorPreference:
    """Codes whose text says it all, and a common one that is given the text of the first."""
    return ErrorPreference(codes, (common,), *TEXTS[codes[0]])


_RESERVED_KEY = _exact("InvalidParameter.ReservedTagKey", "InvalidParameterValue.ReservedTagKey")
_RESOURCE = _exact("InvalidParameterValue.ResourceDescriptionError")
_TOO_MANY_TAGS = _exact("LimitExceeded.TagNumPerRequest", common="LimitExceeded")
_TOO_MANY_RESOURCES = _exact("LimitExceeded.ResourceNumPerRequest", common="LimitExceeded")

PREFERENCES: Mapping[Key, ErrorPreference] = {
    **dict.fromkeys(
        (
            Reason.PARAMETER_VALUE,
            Reason.PARAMETER_RANGE,
            Reason.PARAMETER_LENGTH,
            Reason.PARAMETER_CHARACTERS,
        ),
        fallback((_VALUE,), *IS_INVALID),
    ),
    (Reason.PARAMETER_VALUE, "ServiceType"): _exact("InvalidParameterValue.ServiceTypeInvalid"),
    (Reason.PARAMETER_VALUE, "ResourcePrefix"): _exact("InvalidParameterValue.ResourcePrefixInvalid"),
    (Reason.PARAMETER_VALUE, "ResourceId"): _exact("InvalidParameterValue.ResourceIdInvalid"),
    (Reason.PARAMETER_VALUE, "ResourceIds"): _exact("InvalidParameterValue.ResourceIdInvalid"),
    (Reason.PARAMETER_RANGE, "ResourceIds"): _TOO_MANY_RESOURCES,
    (Reason.PARAMETER_VALUE, "Resource"): _RESOURCE,
    (Reason.PARAMETER_VALUE, "ResourceList"): _RESOURCE,
    (Reason.PARAMETER_RANGE, "ResourceList"): _TOO_MANY_RESOURCES,
    (Reason.PARAMETER_VALUE, "DeleteTags"): _exact("InvalidParameterValue.DeleteTagsParamError"),
    (Reason.PARAMETER_VALUE, "ReplaceTags"): _exact("InvalidParameter.Tag"),
    (Reason.PARAMETER_VALUE, "Tags"): _exact("InvalidParameterValue.TagKeyDuplicate", "InvalidParameter.Tag"),
    (Reason.PARAMETER_RANGE, "Tags"): _TOO_MANY_TAGS,
    (Reason.PARAMETER_VALUE, "TagKeys"): _exact(
        "InvalidParameterValue.TagKeyDuplicate", "InvalidParameter.Tag"
    ),
    (Reason.PARAMETER_RANGE, "TagKeys"): _TOO_MANY_TAGS,
    (Reason.PARAMETER_VALUE, "TagFilters"): _exact(
        "InvalidParameterValue.TagFilters", "InvalidParameter.Tag"
    ),
    (Reason.PARAMETER_RANGE, "TagFilters"): _exact(
        "InvalidParameterValue.TagFiltersLengthExceeded", "LimitExceeded.TagNumPerRequest"
    ),
    (Reason.PARAMETER_VALUE, "Offset"): _exact("InvalidParameterValue.OffsetInvalid"),
    (Reason.PARAMETER_VALUE, "PaginationToken"): _exact("InvalidParameter.PaginationTokenInvalid"),
    (Reason.PARAMETER_VALUE, "TagKey"): _RESERVED_KEY,
    (Reason.PARAMETER_MISSING, "TagKey"): _exact("InvalidParameterValue.TagKeyEmpty"),
    (Reason.PARAMETER_LENGTH, "TagKey"): _exact("InvalidParameterValue.TagKeyLengthExceeded"),
    (Reason.PARAMETER_CHARACTERS, "TagKey"): _exact("InvalidParameterValue.TagKeyCharacterIllegal"),
    (Reason.PARAMETER_MISSING, "TagValue"): _exact("InvalidParameterValue.TagValueEmpty"),
    (Reason.PARAMETER_LENGTH, "TagValue"): _exact("InvalidParameterValue.TagValueLengthExceeded"),
    (Reason.PARAMETER_CHARACTERS, "TagValue"): _exact("InvalidParameterValue.TagValueCharacterIllegal"),
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
    Reason.TAG_TAKEN: _exact("ResourceInUse.TagDuplicate", common="ResourceInUse"),
    Reason.TAG_MISSING: _exact("ResourceNotFound.TagNonExist", common="ResourceNotFound"),
    Reason.TAG_IN_USE: _exact("FailedOperation.TagAttachedResource", common="FailedOperation"),
    Reason.TAG_ATTACHED: _exact("ResourceInUse.TagKeyAttached", common="ResourceInUse"),
    Reason.TAG_UNATTACHED: _exact("ResourceNotFound.AttachedTagKeyNotFound", common="ResourceNotFound"),
    Reason.PROJECT_TAKEN: _exact("InvalidParameter.ProjectNameExisted", common="FailedOperation"),
    Reason.PROJECT_MISSING: _exact("ResourceNotFound.RecordNotFound", common="ResourceNotFound"),
    Reason.PROJECT_QUOTA: _exact("FailedOperation.ProjectNumExceed", common="LimitExceeded"),
}
