"""The contract of Tencent Cloud `tag` 2018-08-13: what the vendor's Terraform provider reads and writes of tags.

Parameters, types and requiredness are those of tencentcloud-sdk-python-tag 3.1.109 (``models.py``) and tccli 3.1.189
(``api.json``); a test compares them. The lists of codes are those printed over each method of the vendor's Go SDK
(tencentcloud-sdk-go-intl-en). Texts: ``errorcodes.py`` of tencentcloud-sdk-python-intl-en 3.1.193 and of the former.
"""

from __future__ import annotations

from collections.abc import Mapping

from rolecall.contracts.model import (
    Action,
    Contract,
    Field,
    Kind,
    ListOf,
    Rule,
    Shape,
    at_most,
    between,
    matches,
    one_of,
)
from rolecall.contracts.rules import not_starting, spans
from rolecall.contracts.tencent.wishes import Key, Wish, chosen
from rolecall.domain.reasons import Reason

SDK = "tencentcloud-sdk-python-tag 3.1.109, models.py"
_LIMITS = "tag, Use limits (product 651, 13354)"
_TAGS_AT_MOST = 50  # as many as a resource may have

_LISTS: Mapping[str, str] = {
    "DescribeResourceTagsByResourceIds": (
        "FailedOperation InvalidParameterValue.RegionInvalid InvalidParameterValue.ResourceIdInvalid "
        "InvalidParameterValue.ResourcePrefixInvalid InvalidParameterValue.ServiceTypeInvalid "
        "InvalidParameterValue.UinInvalid UnsupportedOperation"
    ),
    "ModifyResourceTags": (
        "FailedOperation FailedOperation.PolicyEnforcedInvalid InvalidParameter.ReservedTagKey "
        "InvalidParameter.Tag InvalidParameterValue.DeleteTagsParamError "
        "InvalidParameterValue.ResourceDescriptionError InvalidParameterValue.TagKeyCharacterIllegal "
        "InvalidParameterValue.TagKeyEmpty InvalidParameterValue.TagKeyLengthExceeded "
        "InvalidParameterValue.TagValueCharacterIllegal InvalidParameterValue.TagValueLengthExceeded "
        "LimitExceeded.Quota LimitExceeded.ResourceAttachedTags LimitExceeded.TagKey LimitExceeded.TagValue"
    ),
}

CODES: Mapping[str, frozenset[str]] = {action: frozenset(codes.split()) for action, codes in _LISTS.items()}
"""By action: the codes that its documentation lists."""

TEXTS: Mapping[str, tuple[str, str]] = {
    "InvalidParameterValue": ("", ""),
    "LimitExceeded": ("", ""),
    "InvalidParameter.ReservedTagKey": (
        "System reserved tag keys `qcloud`, `tencent` and `project` cannot be created.",
        "系统预留标签键 qcloud、tencent和project 禁止创建。",
    ),
    "InvalidParameter.Tag": ("`Tag` parameter error.", "Tag参数错误。"),
    "InvalidParameterValue.DeleteTagsParamError": (
        "`DeleteTags` cannot contain the elements in `ReplaceTags` or `AddTags`.",
        "DeleteTags中不能包含ReplaceTags或AddTags中元素。",
    ),
    "InvalidParameterValue.ResourceDescriptionError": ("Resource description error.", "资源描述错误。"),
    "InvalidParameterValue.ResourceIdInvalid": ("Resource ID error.", "资源Id错误。"),
    "InvalidParameterValue.ResourcePrefixInvalid": ("Resource prefix error.", "资源前缀错误。"),
    "InvalidParameterValue.ServiceTypeInvalid": ("Service type error.", "业务类型错误。"),
    "InvalidParameterValue.TagKeyCharacterIllegal": (
        "Tag key contains illegal characters.",
        "标签键包含非法字符。",
    ),
    "InvalidParameterValue.TagKeyEmpty": ("Tag key cannot be empty.", "标签键不能为空值。"),
    "InvalidParameterValue.TagKeyLengthExceeded": ("Tag key length exceeds limit.", "标签键长度超过限制。"),
    "InvalidParameterValue.TagValueCharacterIllegal": (
        "Tag value contains illegal characters.",
        "标签值包含非法字符。",
    ),
    "InvalidParameterValue.TagValueLengthExceeded": (
        "Tag value length exceeds limit.",
        "标签值长度超过限制。",
    ),
    "LimitExceeded.ResourceAttachedTags": (
        "The number of tags associated with the resource exceeds the limit.",
        "资源关联的标签数超过限制。",
    ),
}

_SHOWN = (
    "The value `{value}` specified in the parameter `{field}` is not valid.",
    "参数`{field}`的值`{value}`不合法。",
)
_VALUE = "InvalidParameterValue"


def _telling(code: str) -> Wish:
    """A code whose text says it all, and a common one that is given the same text."""
    return Wish((code,), (_VALUE,), *TEXTS[code])


WISHES: Mapping[Key, Wish] = {
    Reason.PARAMETER_VALUE: Wish((), (_VALUE,), *_SHOWN),
    Reason.PARAMETER_RANGE: Wish((), (_VALUE,), *_SHOWN),
    Reason.PARAMETER_LENGTH: Wish((), (_VALUE,), *_SHOWN),
    Reason.PARAMETER_CHARACTERS: Wish((), (_VALUE,), *_SHOWN),
    (Reason.PARAMETER_VALUE, "ServiceType"): _telling("InvalidParameterValue.ServiceTypeInvalid"),
    (Reason.PARAMETER_VALUE, "ResourcePrefix"): _telling("InvalidParameterValue.ResourcePrefixInvalid"),
    (Reason.PARAMETER_VALUE, "Resource"): _telling("InvalidParameterValue.ResourceDescriptionError"),
    (Reason.PARAMETER_VALUE, "DeleteTags"): _telling("InvalidParameterValue.DeleteTagsParamError"),
    (Reason.PARAMETER_VALUE, "ReplaceTags"): _telling("InvalidParameter.Tag"),
    (Reason.PARAMETER_VALUE, "TagKey"): _telling("InvalidParameter.ReservedTagKey"),
    (Reason.PARAMETER_MISSING, "TagKey"): _telling("InvalidParameterValue.TagKeyEmpty"),
    (Reason.PARAMETER_LENGTH, "TagKey"): _telling("InvalidParameterValue.TagKeyLengthExceeded"),
    (Reason.PARAMETER_LENGTH, "TagValue"): _telling("InvalidParameterValue.TagValueLengthExceeded"),
    (Reason.PARAMETER_CHARACTERS, "TagKey"): _telling("InvalidParameterValue.TagKeyCharacterIllegal"),
    (Reason.PARAMETER_CHARACTERS, "TagValue"): _telling("InvalidParameterValue.TagValueCharacterIllegal"),
    Reason.TAG_QUOTA: Wish(
        ("LimitExceeded.ResourceAttachedTags",),
        ("LimitExceeded",),
        "A resource may have `{value}` tags.",
        "每个资源最多关联`{value}`个标签。",
    ),
}

_CHARACTERS = r"[\w+\-=.:/@() ，。【】（）：]*"

TAG_KEY = (
    spans(1, 10**6, Reason.PARAMETER_MISSING, _LIMITS),
    at_most(127, Reason.PARAMETER_LENGTH, _LIMITS),
    matches(_CHARACTERS, Reason.PARAMETER_CHARACTERS, _LIMITS),
    not_starting(("qcloud", "tencent", "project"), Reason.PARAMETER_VALUE, "the text of its error code"),
)
"""Asked by the verb, under the bare name of the member: each has a code of its own."""

TAG_VALUE = (
    at_most(255, Reason.PARAMETER_LENGTH, _LIMITS),
    matches(_CHARACTERS, Reason.PARAMETER_CHARACTERS, _LIMITS),
)

_WORD = (matches(r"[A-Za-z0-9_-]{1,64}", Reason.PARAMETER_VALUE, "ours: what a segment could be made of"),)
RESOURCE = (
    matches(
        r"qcs::[A-Za-z0-9_-]{1,64}:[A-Za-z0-9_-]{0,64}:(uin/[0-9]{0,18})?:[A-Za-z0-9_-]{1,64}/[^/:*\s]{1,128}",
        Reason.PARAMETER_VALUE,
        "CAM, Resource description (product 598, 10606)",
    ),
)
_OFFSET = (between(0, 2**31 - 1, Reason.PARAMETER_RANGE, SDK),)
_LIMIT = (between(1, 1000, Reason.PARAMETER_RANGE, "as DescribeTags has it"),)
_CATEGORY = (one_of(("Custom", "System", "All"), Reason.PARAMETER_VALUE, SDK),)


def _text(
    name: str, *, required: bool = False, default: str | None = None, rules: tuple[Rule, ...] = ()
) -> Field:
    return Field(name, Kind.STRING, required, default, rules)


TAG = Shape(
    "Tag",
    (_text("TagKey", required=True), _text("TagValue", required=True), _text("Category", rules=_CATEGORY)),
)
TAG_KEY_OBJECT = Shape("TagKeyObject", (_text("TagKey", required=True),))


def _action(
    name: str, *params: Field, resource: str, output: tuple[str, ...] = (), changes: bool = False
) -> Action:
    """`resource` is as policies have it: the service's own name for it, whatever region and account the call spells."""
    rows = chosen(WISHES, CODES[name], TEXTS)
    return Action(
        name,
        SDK,
        params,
        output,
        CODES[name],
        rows,
        regions=None,
        changes=changes,
        resources=(resource,),
        blank_is_absent=True,
    )


_ACTIONS = (
    _action(
        "DescribeResourceTagsByResourceIds",
        _text("ServiceType", required=True, rules=_WORD),
        _text("ResourcePrefix", required=True, rules=_WORD),
        Field("ResourceIds", ListOf(Kind.STRING, 50), required=True),
        _text("ResourceRegion", required=True),
        Field("Offset", Kind.INTEGER, default=0, rules=_OFFSET),
        Field("Limit", Kind.INTEGER, default=15, rules=_LIMIT),
        _text("Category", default="All", rules=_CATEGORY),
        output=("TotalCount", "Offset", "Limit", "Tags"),
        resource="qcs::{ServiceType}::uin/{owner}:{ResourcePrefix}/{ResourceIds}",
    ),
    _action(
        "ModifyResourceTags",
        _text("Resource", required=True, rules=RESOURCE),
        Field("ReplaceTags", ListOf(TAG, _TAGS_AT_MOST)),
        Field("DeleteTags", ListOf(TAG_KEY_OBJECT, _TAGS_AT_MOST)),
        changes=True,
        resource="qcs::{Resource.service}::uin/{owner}:{Resource.content}",
    ),
)

CONTRACT = Contract(
    dialect="tencent",
    service="tag",
    version="2018-08-13",
    actions={action.name: action for action in _ACTIONS},
    errors={},
)
