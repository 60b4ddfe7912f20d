"""The contract of Tencent Cloud `tag` 2018-08-13: tags on resources, the pairs that they are made of, projects.

Parameters, types and requiredness are those of tencentcloud-sdk-python-tag 3.1.109 (``models.py``) and tccli 3.1.189
(``api.json``); a test compares them.
"""

from __future__ import annotations

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
from rolecall.contracts.tencent.tag.codes import CODES, TEXTS
from rolecall.contracts.tencent.tag.errors import WISHES
from rolecall.contracts.tencent.wishes import chosen
from rolecall.domain.reasons import Reason

SDK = "tencentcloud-sdk-python-tag 3.1.109, models.py"
_LIMITS = "tag, Use limits (product 651, 13354)"
_TAGS_AT_MOST = 50  # as many as a resource may have
_TAGS_AT_ONCE = 10
_RESOURCES_AT_ONCE = 50
_FILTERS_AT_MOST = 6

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
_SEGMENTS = (
    r"qcs::[A-Za-z0-9_-]{1,64}:[A-Za-z0-9_-]{0,64}:((uin|uid)/[0-9]{0,18})?:"
    r"([A-Za-z0-9_-]{1,64}/)?[^/:*\s]{1,128}"
)
_SEGMENTS_SOURCE = "CAM, Resource description (product 598, 10606)"
RESOURCE = (matches(_SEGMENTS, Reason.PARAMETER_VALUE, _SEGMENTS_SOURCE),)

_WORD = (matches(r"[A-Za-z0-9_-]{1,64}", Reason.PARAMETER_VALUE, "ours: what a segment could be made of"),)
_NAME = (matches(r"[^/:*\s]{1,128}", Reason.PARAMETER_VALUE, "ours: what a segment could be made of"),)
_OFFSET = (between(0, 2**31 - 1, Reason.PARAMETER_RANGE, SDK),)
_LIMIT = (between(1, 1000, Reason.PARAMETER_RANGE, "as DescribeTags has it"),)
_NUMBER = (between(1, 2**63 - 1, Reason.PARAMETER_VALUE, SDK),)
_FLAG = (between(0, 1, Reason.PARAMETER_VALUE, SDK),)
_CATEGORY = (one_of(("Custom", "System", "All"), Reason.PARAMETER_VALUE, SDK),)
_SOME = (Rule(lambda value: value != [], Reason.PARAMETER_VALUE, SDK),)
_PROJECT = (spans(1, 64, Reason.PARAMETER_LENGTH, "ours: the vendor names no bound"),)
_INFO = (at_most(256, Reason.PARAMETER_LENGTH, "ours: the vendor names no bound"),)

_RESOURCES = (
    Rule(
        lambda value: (
            isinstance(value, list) and value != [] and all(RESOURCE[0].holds(each) for each in value)
        ),
        Reason.PARAMETER_VALUE,
        _SEGMENTS_SOURCE,
    ),
)
_NAMES = (
    Rule(
        lambda value: isinstance(value, list) and all(_NAME[0].holds(each) for each in value),
        Reason.PARAMETER_VALUE,
        _NAME[0].source,
    ),
)


def _text(
    name: str, *, required: bool = False, default: str | None = None, rules: tuple[Rule, ...] = ()
) -> Field:
    return Field(name, Kind.STRING, required, default, rules)


def _texts(name: str, most: int, *, required: bool = False, rules: tuple[Rule, ...] = ()) -> Field:
    return Field(name, ListOf(Kind.STRING, most), required, rules=rules)


TAG = Shape(
    "Tag",
    (_text("TagKey", required=True), _text("TagValue", required=True), _text("Category", rules=_CATEGORY)),
)
TAG_KEY_OBJECT = Shape("TagKeyObject", (_text("TagKey", required=True),))
TAG_FILTER = Shape("TagFilter", (_text("TagKey", required=True), _texts("TagValue", 10)))

_KEY = _text("TagKey", required=True)
_VALUE = _text("TagValue", required=True)
_RESOURCE = _text("Resource", required=True, rules=RESOURCE)
_LIST = _texts("ResourceList", _RESOURCES_AT_ONCE, required=True, rules=_RESOURCES)
_SERVICE = _text("ServiceType", required=True, rules=_WORD)
_PREFIX = _text("ResourcePrefix", required=True, rules=_WORD)
_PAGE = (
    Field("Offset", Kind.INTEGER, default=0, rules=_OFFSET),
    Field("Limit", Kind.INTEGER, default=15, rules=_LIMIT),
)
_CREATOR = Field("CreateUin", Kind.INTEGER, rules=_NUMBER)
_IN_CATEGORY = _text("Category", default="All", rules=_CATEGORY)
_SHOW_PROJECT = Field("ShowProject", Kind.INTEGER, default=0, rules=_FLAG)
_TAG_LIST = ListOf(TAG, _TAGS_AT_ONCE)
_OF_KIND = (
    _SERVICE,
    _texts("ResourceIds", _RESOURCES_AT_ONCE, required=True, rules=_NAMES),
    _text("ResourceRegion"),
    _text("ResourcePrefix", rules=_WORD),
)
_ONE = "qcs::{Resource.service}::uin/{owner}:{Resource.content}"
_EACH = "{ResourceList.owned}"
_KIND = "qcs::{ServiceType}::uin/{owner}:{ResourcePrefix}/{ResourceIds}"
_NAMED = "qcs::{ServiceType}::uin/{owner}:{ResourcePrefix/}{ResourceIds}"
"""Resources that are changed: some services have none of the prefixes."""
_FILTERED = "qcs::{ServiceType}::uin/{owner}:{ResourcePrefix}/{ResourceId}"


def _token(most: int) -> tuple[Field, Field]:
    rules = (between(1, most, Reason.PARAMETER_RANGE, SDK),)
    return _text("PaginationToken"), Field("MaxResults", Kind.INTEGER, default=50, rules=rules)


def _action(
    name: str,
    *params: Field,
    output: tuple[str, ...] = (),
    changes: bool = False,
    resource: str = "*",
) -> Action:
    """`resource` is as policies have it: the service's own name for it, whatever region and account the call spells."""
    return Action(
        name,
        SDK,
        params,
        output,
        CODES[name],
        chosen(WISHES, CODES[name], TEXTS),
        regions=None,
        changes=changes,
        resources=(resource,),
        blank_is_absent=True,
    )


def _filtering(name: str) -> Action:
    return _action(
        name,
        Field("TagFilters", ListOf(TAG_FILTER, _FILTERS_AT_MOST), required=True, rules=_SOME),
        _CREATOR,
        *_PAGE,
        _text("ResourcePrefix", rules=_WORD),
        _text("ResourceId", rules=_NAME),
        _text("ResourceRegion"),
        _text("ServiceType", rules=_WORD),
        output=("TotalCount", "Offset", "Limit", "Rows"),
        resource=_FILTERED,
    )


def _listing_pairs(name: str) -> Action:
    return _action(
        name,
        _text("TagKey"),
        _text("TagValue"),
        *_PAGE,
        _CREATOR,
        _texts("TagKeys", 20),
        _SHOW_PROJECT,
        output=("TotalCount", "Offset", "Limit", "Tags"),
    )


_PAGED = ("TotalCount", "Offset", "Limit", "Tags")

_ACTIONS = (
    _action("CreateTag", _KEY, _VALUE, changes=True),
    _action("CreateTags", Field("Tags", _TAG_LIST, rules=_SOME), changes=True),
    _action("DeleteTag", _KEY, _VALUE, changes=True),
    _action("DeleteTags", Field("Tags", _TAG_LIST, required=True, rules=_SOME), changes=True),
    _listing_pairs("DescribeTags"),
    _listing_pairs("DescribeTagsSeq"),
    _action(
        "GetTags", *_token(1000), _texts("TagKeys", 20), _IN_CATEGORY, output=("PaginationToken", "Tags")
    ),
    _action("DescribeTagKeys", _CREATOR, *_PAGE, _SHOW_PROJECT, _IN_CATEGORY, output=_PAGED),
    _action("GetTagKeys", *_token(1000), _IN_CATEGORY, output=("PaginationToken", "TagKeys")),
    _action(
        "DescribeTagValues",
        _texts("TagKeys", 20, required=True),
        _CREATOR,
        *_PAGE,
        _IN_CATEGORY,
        output=_PAGED,
    ),
    _action("DescribeTagValuesSeq", _texts("TagKeys", 20, required=True), _CREATOR, *_PAGE, output=_PAGED),
    _action(
        "GetTagValues",
        _texts("TagKeys", 20, required=True),
        *_token(1000),
        _IN_CATEGORY,
        output=("PaginationToken", "Tags"),
    ),
    _action("AddResourceTag", _KEY, _VALUE, _RESOURCE, changes=True, resource=_ONE),
    _action("UpdateResourceTagValue", _KEY, _VALUE, _RESOURCE, changes=True, resource=_ONE),
    _action("DeleteResourceTag", _KEY, _RESOURCE, changes=True, resource=_ONE),
    _action(
        "ModifyResourceTags",
        _RESOURCE,
        Field("ReplaceTags", ListOf(TAG, _TAGS_AT_MOST)),
        Field("DeleteTags", ListOf(TAG_KEY_OBJECT, _TAGS_AT_MOST)),
        changes=True,
        resource=_ONE,
    ),
    _action("AttachResourcesTag", *_OF_KIND, _KEY, _VALUE, changes=True, resource=_NAMED),
    _action("ModifyResourcesTagValue", *_OF_KIND, _KEY, _VALUE, changes=True, resource=_NAMED),
    _action("DetachResourcesTag", *_OF_KIND, _KEY, changes=True, resource=_NAMED),
    _action(
        "TagResources",
        _LIST,
        Field("Tags", _TAG_LIST, required=True, rules=_SOME),
        output=("FailedResources",),
        changes=True,
        resource=_EACH,
    ),
    _action(
        "UnTagResources",
        _LIST,
        _texts("TagKeys", _TAGS_AT_ONCE, required=True, rules=_SOME),
        output=("FailedResources",),
        changes=True,
        resource=_EACH,
    ),
    _action(
        "GetResources",
        _texts("ResourceList", _RESOURCES_AT_ONCE, rules=_RESOURCES),
        Field("TagFilters", ListOf(TAG_FILTER, _FILTERS_AT_MOST)),
        *_token(200),
        output=("PaginationToken", "ResourceTagMappingList"),
        resource=_EACH,
    ),
    _action(
        "DescribeResourceTags",
        _CREATOR,
        _text("ResourceRegion"),
        _text("ServiceType", rules=_WORD),
        _text("ResourcePrefix", rules=_WORD),
        _text("ResourceId", rules=_NAME),
        *_PAGE,
        Field("CosResourceId", Kind.INTEGER, default=0, rules=_FLAG),
        output=("TotalCount", "Offset", "Limit", "Rows"),
        resource=_FILTERED,
    ),
    _action(
        "DescribeResourceTagsByResourceIds",
        _SERVICE,
        _PREFIX,
        _texts("ResourceIds", _RESOURCES_AT_ONCE, required=True),
        _text("ResourceRegion", required=True),
        *_PAGE,
        _IN_CATEGORY,
        output=_PAGED,
        resource=_KIND,
    ),
    _action(
        "DescribeResourceTagsByResourceIdsSeq",
        _SERVICE,
        _PREFIX,
        _texts("ResourceIds", _RESOURCES_AT_ONCE, required=True),
        _text("ResourceRegion", required=True),
        *_PAGE,
        output=_PAGED,
        resource=_KIND,
    ),
    _action(
        "DescribeResourceTagsByTagKeys",
        _SERVICE,
        _PREFIX,
        _text("ResourceRegion", required=True),
        _texts("ResourceIds", 20, required=True),
        _texts("TagKeys", 20, required=True),
        Field("Limit", Kind.INTEGER, default=400, rules=_LIMIT),
        Field("Offset", Kind.INTEGER, default=0, rules=_OFFSET),
        output=("TotalCount", "Offset", "Limit", "Rows"),
        resource=_KIND,
    ),
    _filtering("DescribeResourcesByTags"),
    _filtering("DescribeResourcesByTagsUnion"),
    _action(
        "AddProject",
        _text("ProjectName", required=True, rules=_PROJECT),
        _text("Info", default="", rules=_INFO),
        output=("ProjectId", "IsNew"),
        changes=True,
    ),
    _action(
        "UpdateProject",
        Field("ProjectId", Kind.INTEGER, required=True, rules=_NUMBER),
        _text("ProjectName", rules=_PROJECT),
        Field("Disable", Kind.INTEGER, rules=_FLAG),
        _text("Info", rules=_INFO),
        changes=True,
    ),
    _action(
        "DescribeProjects",
        Field("AllList", Kind.INTEGER, required=True, rules=_FLAG),
        Field("Limit", Kind.INTEGER, required=True, rules=_LIMIT),
        Field("Offset", Kind.INTEGER, required=True, rules=_OFFSET),
        Field("ProjectId", Kind.INTEGER, rules=_NUMBER),
        _text("ProjectName", rules=_PROJECT),
        output=("Total", "Projects"),
    ),
)

CONTRACT = Contract(
    dialect="tencent",
    service="tag",
    version="2018-08-13",
    actions={action.name: action for action in _ACTIONS},
    errors={},
)
