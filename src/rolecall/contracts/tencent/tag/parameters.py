"""The parameters of `tag` 2018-08-13, a class for each action.

Names, types and requiredness are those of tencentcloud-sdk-python-tag 3.1.109 (``models.py``) and tccli 3.1.189
(``api.json``); a test compares them.
"""

from __future__ import annotations

from typing import Annotated, TypeAlias

from rolecall.contracts.model import Rule, at_most, between, matches, not_starting, one_of, spans
from rolecall.contracts.parameters import Most, Params
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

_WORD = (matches(r"[A-Za-z0-9_-]{1,64}", Reason.PARAMETER_VALUE, "ours: the characters of a segment"),)
_NAME = (matches(r"[^/:*\s]{1,128}", Reason.PARAMETER_VALUE, "ours: the characters of a segment"),)
_OFFSET = (between(0, 2**31 - 1, Reason.PARAMETER_RANGE, SDK),)
_LIMIT = (between(1, 1000, Reason.PARAMETER_RANGE, "as DescribeTags has it"),)
_NUMBER = (between(1, 2**63 - 1, Reason.PARAMETER_VALUE, SDK),)
_FLAG = (between(0, 1, Reason.PARAMETER_VALUE, SDK),)
_CATEGORY = (one_of(("Custom", "System", "All"), Reason.PARAMETER_VALUE, SDK),)
_RESULTS = (between(1, 1000, Reason.PARAMETER_RANGE, SDK),)
_SOME = (Rule(lambda value: value != [], Reason.PARAMETER_VALUE, SDK),)
_PROJECT = (spans(1, 64, Reason.PARAMETER_LENGTH, "ours: the vendor names no bound"),)
_INFO = (at_most(256, Reason.PARAMETER_LENGTH, "ours: the vendor names no bound"),)

_RESOURCES = (
    Rule(
        lambda value: (
            isinstance(value, list) and value != [] and all(RESOURCE[0].holds(each) for each in value)
        ),
        Reason.PARAMETER_VALUE,
        f"one or more resources of six segments: {_SEGMENTS_SOURCE}",
    ),
)
_NAMES = (
    Rule(
        lambda value: isinstance(value, list) and all(_NAME[0].holds(each) for each in value),
        Reason.PARAMETER_VALUE,
        "ours: each of 1 to 128 characters, without `/`, `:`, `*` and white space",
    ),
)


class OneTag(Params):
    TagKey: str
    TagValue: str


class CreateTag(OneTag):
    pass


class Tag(Params):
    TagKey: str
    TagValue: str
    Category: Annotated[str, _CATEGORY] | None = None


class CreateTags(Params):
    Tags: Annotated[list[Tag], Most(_TAGS_AT_ONCE), _SOME] | None = None


class DeleteTag(OneTag):
    pass


class DeleteTags(Params):
    Tags: Annotated[list[Tag], Most(_TAGS_AT_ONCE), _SOME]


class DescribeTags(Params):
    TagKey: str | None = None
    TagValue: str | None = None
    Offset: Annotated[int, _OFFSET] = 0
    Limit: Annotated[int, _LIMIT] = 15
    CreateUin: Annotated[int, _NUMBER] | None = None
    TagKeys: Annotated[list[str], Most(20)] | None = None
    ShowProject: Annotated[int, _FLAG] = 0


class DescribeTagsSeq(DescribeTags):
    pass


class GetTags(Params):
    PaginationToken: str | None = None
    MaxResults: Annotated[int, _RESULTS] = 50
    TagKeys: Annotated[list[str], Most(20)] | None = None
    Category: Annotated[str, _CATEGORY] = "All"


class DescribeTagKeys(Params):
    CreateUin: Annotated[int, _NUMBER] | None = None
    Offset: Annotated[int, _OFFSET] = 0
    Limit: Annotated[int, _LIMIT] = 15
    ShowProject: Annotated[int, _FLAG] = 0
    Category: Annotated[str, _CATEGORY] = "All"


class GetTagKeys(Params):
    PaginationToken: str | None = None
    MaxResults: Annotated[int, _RESULTS] = 50
    Category: Annotated[str, _CATEGORY] = "All"


class DescribeTagValuesSeq(Params):
    TagKeys: Annotated[list[str], Most(20)]
    CreateUin: Annotated[int, _NUMBER] | None = None
    Offset: Annotated[int, _OFFSET] = 0
    Limit: Annotated[int, _LIMIT] = 15


class DescribeTagValues(DescribeTagValuesSeq):
    Category: Annotated[str, _CATEGORY] = "All"


class GetTagValues(Params):
    TagKeys: Annotated[list[str], Most(20)]
    PaginationToken: str | None = None
    MaxResults: Annotated[int, _RESULTS] = 50
    Category: Annotated[str, _CATEGORY] = "All"


class AddResourceTag(OneTag):
    Resource: Annotated[str, RESOURCE]


class UpdateResourceTagValue(OneTag):
    Resource: Annotated[str, RESOURCE]


class DeleteResourceTag(Params):
    TagKey: str
    Resource: Annotated[str, RESOURCE]


class TagKeyObject(Params):
    TagKey: str


class ModifyResourceTags(Params):
    Resource: Annotated[str, RESOURCE]
    ReplaceTags: Annotated[list[Tag], Most(_TAGS_AT_MOST)] | None = None
    DeleteTags: Annotated[list[TagKeyObject], Most(_TAGS_AT_MOST)] | None = None


class OfKind(Params):
    """Resources of one kind, by their ids."""

    ServiceType: Annotated[str, _WORD]
    ResourceIds: Annotated[list[str], Most(_RESOURCES_AT_ONCE), _NAMES]
    ResourceRegion: str | None = None
    ResourcePrefix: Annotated[str, _WORD] | None = None


class AttachResourcesTag(OfKind):
    TagKey: str
    TagValue: str


class ModifyResourcesTagValue(AttachResourcesTag):
    pass


class DetachResourcesTag(OfKind):
    TagKey: str


class TagResources(Params):
    ResourceList: Annotated[list[str], Most(_RESOURCES_AT_ONCE), _RESOURCES]
    Tags: Annotated[list[Tag], Most(_TAGS_AT_ONCE), _SOME]


class UnTagResources(Params):
    ResourceList: Annotated[list[str], Most(_RESOURCES_AT_ONCE), _RESOURCES]
    TagKeys: Annotated[list[str], Most(_TAGS_AT_ONCE), _SOME]


class TagFilter(Params):
    TagKey: str
    TagValue: Annotated[list[str], Most(10)] | None = None


class GetResources(Params):
    ResourceList: Annotated[list[str], Most(_RESOURCES_AT_ONCE), _RESOURCES] | None = None
    TagFilters: Annotated[list[TagFilter], Most(_FILTERS_AT_MOST)] | None = None
    PaginationToken: str | None = None
    MaxResults: Annotated[int, between(1, 200, Reason.PARAMETER_RANGE, SDK)] = 50


class DescribeResourceTags(Params):
    CreateUin: Annotated[int, _NUMBER] | None = None
    ResourceRegion: str | None = None
    ServiceType: Annotated[str, _WORD] | None = None
    ResourcePrefix: Annotated[str, _WORD] | None = None
    ResourceId: Annotated[str, _NAME] | None = None
    Offset: Annotated[int, _OFFSET] = 0
    Limit: Annotated[int, _LIMIT] = 15
    CosResourceId: Annotated[int, _FLAG] = 0


class DescribeResourceTagsByResourceIdsSeq(Params):
    ServiceType: Annotated[str, _WORD]
    ResourcePrefix: Annotated[str, _WORD]
    ResourceIds: Annotated[list[str], Most(_RESOURCES_AT_ONCE)]
    ResourceRegion: str
    Offset: Annotated[int, _OFFSET] = 0
    Limit: Annotated[int, _LIMIT] = 15


class DescribeResourceTagsByResourceIds(DescribeResourceTagsByResourceIdsSeq):
    Category: Annotated[str, _CATEGORY] = "All"


class DescribeResourceTagsByTagKeys(Params):
    ServiceType: Annotated[str, _WORD]
    ResourcePrefix: Annotated[str, _WORD]
    ResourceRegion: str
    ResourceIds: Annotated[list[str], Most(20)]
    TagKeys: Annotated[list[str], Most(20)]
    Limit: Annotated[int, _LIMIT] = 400
    Offset: Annotated[int, _OFFSET] = 0


class DescribeResourcesByTags(Params):
    TagFilters: Annotated[list[TagFilter], Most(_FILTERS_AT_MOST), _SOME]
    CreateUin: Annotated[int, _NUMBER] | None = None
    Offset: Annotated[int, _OFFSET] = 0
    Limit: Annotated[int, _LIMIT] = 15
    ResourcePrefix: Annotated[str, _WORD] | None = None
    ResourceId: Annotated[str, _NAME] | None = None
    ResourceRegion: str | None = None
    ServiceType: Annotated[str, _WORD] | None = None


class DescribeResourcesByTagsUnion(DescribeResourcesByTags):
    pass


class AddProject(Params):
    ProjectName: Annotated[str, _PROJECT]
    Info: Annotated[str, _INFO] = ""


class UpdateProject(Params):
    ProjectId: Annotated[int, _NUMBER]
    ProjectName: Annotated[str, _PROJECT] | None = None
    Disable: Annotated[int, _FLAG] | None = None
    Info: Annotated[str, _INFO] | None = None


class DescribeProjects(Params):
    AllList: Annotated[int, _FLAG]
    Limit: Annotated[int, _LIMIT]
    Offset: Annotated[int, _OFFSET]
    ProjectId: Annotated[int, _NUMBER] | None = None
    ProjectName: Annotated[str, _PROJECT] | None = None


Paged: TypeAlias = (
    DescribeTags
    | DescribeTagKeys
    | DescribeTagValuesSeq
    | DescribeResourceTags
    | DescribeResourceTagsByResourceIdsSeq
    | DescribeResourceTagsByTagKeys
    | DescribeResourcesByTags
)
"""Those whose answers repeat Offset and Limit."""

ByToken: TypeAlias = GetTags | GetTagKeys | GetTagValues | GetResources
"""Those whose answers have the token of the next page."""
