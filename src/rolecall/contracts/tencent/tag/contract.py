"""The contract of Tencent Cloud `tag` 2018-08-13: tags on resources, the pairs that they are made of, projects."""

from __future__ import annotations

from functools import partial

from rolecall.contracts.model import Contract
from rolecall.contracts.tencent.error_preferences import action_of
from rolecall.contracts.tencent.tag import parameters
from rolecall.contracts.tencent.tag.codes import CODES, TEXTS
from rolecall.contracts.tencent.tag.errors import PREFERENCES
from rolecall.contracts.tencent.tag.parameters import SDK

# As policies have them: by the service's own name, whatever region and account the call spells.
_ONE = ("qcs::{Resource.service}::uin/{owner}:{Resource.content}",)
_EACH = ("{ResourceList.owned}",)
_KIND = ("qcs::{ServiceType}::uin/{owner}:{ResourcePrefix}/{ResourceIds}",)
_NAMED = ("qcs::{ServiceType}::uin/{owner}:{ResourcePrefix/}{ResourceIds}",)
"""Resources that are changed: some services have none of the prefixes."""
_FILTERED = ("qcs::{ServiceType}::uin/{owner}:{ResourcePrefix}/{ResourceId}",)


_action = partial(action_of, codes=CODES, preferences=PREFERENCES, texts=TEXTS, source=SDK)

_ROWS = ("TotalCount", "Offset", "Limit", "Rows")
_PAGED = ("TotalCount", "Offset", "Limit", "Tags")
_ACTIONS = (
    _action(parameters.CreateTag, changes=True),
    _action(parameters.CreateTags, changes=True),
    _action(parameters.DeleteTag, changes=True),
    _action(parameters.DeleteTags, changes=True),
    _action(parameters.DescribeTags, output=_PAGED),
    _action(parameters.DescribeTagsSeq, output=_PAGED),
    _action(parameters.GetTags, output=("PaginationToken", "Tags")),
    _action(parameters.DescribeTagKeys, output=_PAGED),
    _action(parameters.GetTagKeys, output=("PaginationToken", "TagKeys")),
    _action(parameters.DescribeTagValues, output=_PAGED),
    _action(parameters.DescribeTagValuesSeq, output=_PAGED),
    _action(parameters.GetTagValues, output=("PaginationToken", "Tags")),
    _action(parameters.AddResourceTag, changes=True, resources=_ONE),
    _action(parameters.UpdateResourceTagValue, changes=True, resources=_ONE),
    _action(parameters.DeleteResourceTag, changes=True, resources=_ONE),
    _action(parameters.ModifyResourceTags, changes=True, resources=_ONE),
    _action(parameters.AttachResourcesTag, changes=True, resources=_NAMED),
    _action(parameters.ModifyResourcesTagValue, changes=True, resources=_NAMED),
    _action(parameters.DetachResourcesTag, changes=True, resources=_NAMED),
    _action(parameters.TagResources, output=("FailedResources",), changes=True, resources=_EACH),
    _action(parameters.UnTagResources, output=("FailedResources",), changes=True, resources=_EACH),
    _action(parameters.GetResources, output=("PaginationToken", "ResourceTagMappingList"), resources=_EACH),
    _action(parameters.DescribeResourceTags, output=_ROWS, resources=_FILTERED),
    _action(parameters.DescribeResourceTagsByResourceIds, output=_PAGED, resources=_KIND),
    _action(parameters.DescribeResourceTagsByResourceIdsSeq, output=_PAGED, resources=_KIND),
    _action(parameters.DescribeResourceTagsByTagKeys, output=_ROWS, resources=_KIND),
    _action(parameters.DescribeResourcesByTags, output=_ROWS, resources=_FILTERED),
    _action(parameters.DescribeResourcesByTagsUnion, output=_ROWS, resources=_FILTERED),
    _action(parameters.AddProject, output=("ProjectId", "IsNew"), changes=True),
    _action(parameters.UpdateProject, changes=True),
    _action(parameters.DescribeProjects, output=("Total", "Projects")),
)

CONTRACT = Contract(
    dialect="tencent",
    service="tag",
    version="2018-08-13",
    actions={action.name: action for action in _ACTIONS},
    errors={},
)
