"""Tencent Cloud `tag` 2018-08-13 (contract: `rolecall.contracts.tencent.tag.contract`).

| action | command | answer |
|---|---|---|
| CreateTag, CreateTags | CreatePairs | - |
| DeleteTag, DeleteTags | DeletePairs | - |
| DescribeTags, DescribeTagsSeq, GetTags | PagePairs | Tags, with a page or a token |
| DescribeTagValues, DescribeTagValuesSeq, GetTagValues | PagePairs | Tags, with a page or a token |
| DescribeTagKeys, GetTagKeys | PageKeys | Tags or TagKeys |
| AddResourceTag, UpdateResourceTagValue, DeleteResourceTag, ModifyResourceTags | ChangeTags | - |
| AttachResourcesTag, ModifyResourcesTagValue, DetachResourcesTag | ChangeTags | - |
| TagResources, UnTagResources | ChangeTags | FailedResources |
| DescribeResourceTags | PageTags | Rows |
| DescribeResourceTagsByResourceIds, DescribeResourceTagsByResourceIdsSeq | PageTags | Tags |
| DescribeResourceTagsByTagKeys, DescribeResourcesByTags, DescribeResourcesByTagsUnion | PageTagged | Rows |
| GetResources | PageTagged | ResourceTagMappingList |
| AddProject, UpdateProject, DescribeProjects | CreateProject, ChangeProject, PageProjects | the project |

Of the six segments of a resource, the region counts for nothing: tags belong to a service's resource of an id.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from rolecall.contracts.check import require_rules
from rolecall.contracts.tencent.tag import parameters
from rolecall.contracts.tencent.tag.parameters import TAG_KEY, TAG_VALUE
from rolecall.domain.iam import tag_commands as commands
from rolecall.domain.iam.tag_commands import Pair, TagMode, TagPlace, TagQuery
from rolecall.domain.reasons import Reason, Refused
from rolecall.values import Checked
from rolecall.verbs import Verbs, call_verb, nothing, verb, verbs_of
from rolecall.verbs.tag import answers
from rolecall.verbs.tag.answers import offset_of

_NO_ACCOUNT = ("", "uin/", "uid/")
_SYSTEM = "System"
"""The category of tags that services create themselves: there are none."""


def _pair(key: str, value: str, *, value_needed: bool = False) -> Pair:
    """PARAMETER_MISSING, PARAMETER_LENGTH, PARAMETER_CHARACTERS, PARAMETER_VALUE (a reserved key)."""
    require_rules(TAG_KEY, key, "TagKey")
    require_rules(TAG_VALUE, value, "TagValue")
    if value_needed and not value:
        raise Refused(Reason.PARAMETER_MISSING, "TagValue")
    return key, value


def _pairs(tags: Sequence[parameters.Tag], name: str) -> tuple[Pair, ...]:
    """PARAMETER_VALUE for a key that the list has more than once, and the reasons of `_pair`."""
    pairs = tuple(_pair(tag.TagKey, tag.TagValue) for tag in tags)
    if len({key for key, _ in pairs}) != len(pairs):
        raise Refused(Reason.PARAMETER_VALUE, name, facts={"value": "[...]"})
    return pairs


def _key(value: str) -> str:
    require_rules(TAG_KEY, value, "TagKey")
    return value


def _keys(tag_keys: Sequence[str]) -> tuple[str, ...]:
    keys = tuple(_key(each) for each in tag_keys)
    if len(set(keys)) != len(keys):
        raise Refused(Reason.PARAMETER_VALUE, "TagKeys", facts={"value": "[...]"})
    return keys


def _place(checked: Checked[object], resource: str, field: str = "Resource") -> TagPlace:
    """The account's segment may be empty (Terraform sends ``uin/``), but not another's. PARAMETER_VALUE."""
    caller = checked.caller
    _, _, service, _, account, content = resource.split(":", 5)
    if account not in (*_NO_ACCOUNT, f"uin/{caller.owner_number}", f"uid/{caller.app_id}"):
        raise Refused(Reason.PARAMETER_VALUE, field, facts={"value": resource})
    prefix, slash, name = content.partition("/")
    return TagPlace(service, prefix, name) if slash else TagPlace(service, "", prefix)


def _places(checked: Checked[object], resources: Sequence[str]) -> tuple[TagPlace, ...]:
    found = (_place(checked, resource, "ResourceList") for resource in resources)
    return tuple(dict.fromkeys(found))


def _of_kind(params: parameters.OfKind) -> tuple[TagPlace, ...]:
    prefix = params.ResourcePrefix or ""
    return tuple(TagPlace(params.ServiceType, prefix, each) for each in dict.fromkeys(params.ResourceIds))


def _create(params: parameters.CreateTag) -> commands.CreatePairs:
    return commands.CreatePairs((_pair(params.TagKey, params.TagValue, value_needed=True),))


def _create_all(params: parameters.CreateTags) -> commands.CreatePairs:
    tags = params.Tags or ()
    pairs = [_pair(tag.TagKey, tag.TagValue, value_needed=True) for tag in tags]
    if not pairs or len(set(pairs)) != len(pairs):
        raise Refused(Reason.PARAMETER_VALUE, "Tags", facts={"value": "[...]"})
    return commands.CreatePairs(tuple(pairs))


def _delete(params: parameters.DeleteTag) -> commands.DeletePairs:
    return commands.DeletePairs((_pair(params.TagKey, params.TagValue),))


def _delete_all(params: parameters.DeleteTags) -> commands.DeletePairs:
    pairs = dict.fromkeys(_pair(tag.TagKey, tag.TagValue) for tag in params.Tags)
    return commands.DeletePairs(tuple(pairs))


Window = Callable[[int, int], tuple[int, int]]


def _any_page(offset: int, limit: int) -> tuple[int, int]:
    return offset, limit


def _whole_pages(offset: int, limit: int) -> tuple[int, int]:
    """PARAMETER_VALUE for an offset that is not a multiple of the limit."""
    if offset % limit:
        raise Refused(Reason.PARAMETER_VALUE, "Offset", facts={"value": offset})
    return offset, limit


def _by_token(params: parameters.ByToken) -> tuple[int, int]:
    """PARAMETER_VALUE for a token that no answer had."""
    return offset_of(params.PaginationToken or ""), params.MaxResults


def _describe_tags(window: Window, params: parameters.DescribeTags) -> commands.PagePairs:
    keys = None if params.TagKeys is None else tuple(params.TagKeys)
    key, value = params.TagKey or "", params.TagValue or ""
    if keys is None and key and not value:
        keys = (key,)
    pair = (key, value) if key and value and keys is None else None
    return commands.PagePairs(keys, *window(params.Offset, params.Limit), pair, params.CreateUin)


def _get_tags(params: parameters.GetTags) -> commands.PagePairs:
    keys = None if params.TagKeys is None else tuple(params.TagKeys)
    return commands.PagePairs(() if params.Category == _SYSTEM else keys, *_by_token(params))


def _describe_values(params: parameters.DescribeTagValues) -> commands.PagePairs:
    keys = () if params.Category == _SYSTEM else tuple(params.TagKeys)
    return commands.PagePairs(keys, params.Offset, params.Limit, None, params.CreateUin)


def _describe_values_in_pages(params: parameters.DescribeTagValuesSeq) -> commands.PagePairs:
    window = _whole_pages(params.Offset, params.Limit)
    return commands.PagePairs(tuple(params.TagKeys), *window, None, params.CreateUin)


def _get_values(params: parameters.GetTagValues) -> commands.PagePairs:
    keys = () if params.Category == _SYSTEM else tuple(params.TagKeys)
    return commands.PagePairs(keys, *_by_token(params))


def _describe_keys(params: parameters.DescribeTagKeys) -> commands.PageKeys:
    creator = -1 if params.Category == _SYSTEM else params.CreateUin
    return commands.PageKeys(params.Offset, params.Limit, creator)


def _get_keys(params: parameters.GetTagKeys) -> commands.PageKeys:
    creator = -1 if params.Category == _SYSTEM else None
    return commands.PageKeys(*_by_token(params), creator)


def _change_one(
    mode: TagMode, checked: Checked[parameters.AddResourceTag | parameters.UpdateResourceTagValue]
) -> commands.ChangeTags:
    params = checked.params
    place = _place(checked, params.Resource)
    return commands.ChangeTags((place,), (_pair(params.TagKey, params.TagValue),), mode=mode)


def _take_from_one(checked: Checked[parameters.DeleteResourceTag]) -> commands.ChangeTags:
    place = _place(checked, checked.params.Resource)
    return commands.ChangeTags((place,), take=(_key(checked.params.TagKey),), strict=True)


def _modify(checked: Checked[parameters.ModifyResourceTags]) -> commands.ChangeTags:
    params = checked.params
    put = _pairs(params.ReplaceTags or (), "ReplaceTags")
    take = tuple(each.TagKey for each in params.DeleteTags or ())
    if not put and not take:
        raise Refused(Reason.PARAMETER_MISSING, "ReplaceTags")
    if not {key for key, _ in put}.isdisjoint(take):
        raise Refused(Reason.PARAMETER_VALUE, "DeleteTags", facts={"value": "[...]"})
    return commands.ChangeTags((_place(checked, params.Resource),), put, take)


def _change_many(mode: TagMode, checked: Checked[parameters.AttachResourcesTag]) -> commands.ChangeTags:
    params = checked.params
    return commands.ChangeTags(_of_kind(params), (_pair(params.TagKey, params.TagValue),), mode=mode)


def _take_from_many(params: parameters.DetachResourcesTag) -> commands.ChangeTags:
    take = (_key(params.TagKey),)
    return commands.ChangeTags(_of_kind(params), take=take, strict=True)


def _tag(checked: Checked[parameters.TagResources]) -> commands.ChangeTags:
    params = checked.params
    return commands.ChangeTags(_places(checked, params.ResourceList), _pairs(params.Tags, "Tags"), apart=True)


def _untag(checked: Checked[parameters.UnTagResources]) -> commands.ChangeTags:
    params = checked.params
    return commands.ChangeTags(_places(checked, params.ResourceList), take=_keys(params.TagKeys), apart=True)


def _filtered(params: parameters.DescribeResourceTags | parameters.DescribeResourcesByTags) -> TagQuery:
    resources = None if params.ResourceId is None else (params.ResourceId,)
    return TagQuery(params.ServiceType, params.ResourcePrefix, resources)


def _tags_of(params: parameters.DescribeResourceTags) -> commands.PageTags:
    return commands.PageTags(_filtered(params), params.Offset, params.Limit)


def _tags_of_kind(params: parameters.DescribeResourceTagsByResourceIds) -> commands.PageTags:
    resources = () if params.Category == _SYSTEM else tuple(params.ResourceIds)
    query = TagQuery(params.ServiceType, params.ResourcePrefix, resources)
    return commands.PageTags(query, params.Offset, params.Limit)


def _tags_of_kind_in_pages(params: parameters.DescribeResourceTagsByResourceIdsSeq) -> commands.PageTags:
    query = TagQuery(params.ServiceType, params.ResourcePrefix, tuple(params.ResourceIds))
    return commands.PageTags(query, *_whole_pages(params.Offset, params.Limit))


def _by_keys(params: parameters.DescribeResourceTagsByTagKeys) -> commands.PageTagged:
    query = TagQuery(params.ServiceType, params.ResourcePrefix, tuple(params.ResourceIds))
    filters = tuple((key, ()) for key in _keys(params.TagKeys))
    return commands.PageTagged(query, filters, False, params.Offset, params.Limit)


def _filters(filters: Sequence[parameters.TagFilter]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return tuple((each.TagKey, tuple(each.TagValue or ())) for each in filters)


def _by_tags(every: bool, params: parameters.DescribeResourcesByTags) -> commands.PageTagged:
    filters = _filters(params.TagFilters)
    return commands.PageTagged(_filtered(params), filters, every, params.Offset, params.Limit)


def _resources(checked: Checked[parameters.GetResources]) -> commands.PageTagged:
    """Resources that are named are not filtered, and those without a tag are left out."""
    params = checked.params
    places = None if params.ResourceList is None else _places(checked, params.ResourceList)
    filters = _filters(params.TagFilters or ())
    return commands.PageTagged(TagQuery(places=places), filters, True, *_by_token(params))


def _add_project(params: parameters.AddProject) -> commands.CreateProject:
    return commands.CreateProject(params.ProjectName, params.Info)


def _change_project(params: parameters.UpdateProject) -> commands.ChangeProject:
    disabled = None if params.Disable is None else params.Disable == 1
    return commands.ChangeProject(params.ProjectId, params.ProjectName, params.Info, disabled)


def _projects(params: parameters.DescribeProjects) -> commands.PageProjects:
    return commands.PageProjects(
        params.AllList == 1, params.Offset, params.Limit, params.ProjectId, params.ProjectName
    )


VERBS: Verbs = verbs_of(
    verb(parameters.CreateTag, _create, nothing),
    verb(parameters.CreateTags, _create_all, nothing),
    verb(parameters.DeleteTag, _delete, nothing),
    verb(parameters.DeleteTags, _delete_all, nothing),
    verb(parameters.DescribeTags, partial(_describe_tags, _any_page), answers.known_pairs),
    verb(parameters.DescribeTagsSeq, partial(_describe_tags, _whole_pages), answers.known_pairs),
    verb(parameters.GetTags, _get_tags, answers.pairs_by_token),
    verb(parameters.DescribeTagKeys, _describe_keys, answers.keys),
    verb(parameters.GetTagKeys, _get_keys, answers.keys_by_token),
    verb(parameters.DescribeTagValues, _describe_values, answers.pairs),
    verb(parameters.DescribeTagValuesSeq, _describe_values_in_pages, answers.pairs),
    verb(parameters.GetTagValues, _get_values, answers.pairs_by_token),
    call_verb(parameters.AddResourceTag, partial(_change_one, TagMode.ADD), nothing),
    call_verb(parameters.UpdateResourceTagValue, partial(_change_one, TagMode.CHANGE), nothing),
    call_verb(parameters.DeleteResourceTag, _take_from_one, nothing),
    call_verb(parameters.ModifyResourceTags, _modify, nothing),
    call_verb(parameters.AttachResourcesTag, partial(_change_many, TagMode.ADD), nothing),
    call_verb(parameters.ModifyResourcesTagValue, partial(_change_many, TagMode.CHANGE), nothing),
    verb(parameters.DetachResourcesTag, _take_from_many, nothing),
    call_verb(parameters.TagResources, _tag, answers.failed),
    call_verb(parameters.UnTagResources, _untag, answers.failed),
    call_verb(parameters.GetResources, _resources, answers.resources),
    verb(parameters.DescribeResourceTags, _tags_of, answers.rows_of_tags),
    verb(parameters.DescribeResourceTagsByResourceIds, _tags_of_kind, answers.tags),
    verb(parameters.DescribeResourceTagsByResourceIdsSeq, _tags_of_kind_in_pages, answers.tags),
    verb(parameters.DescribeResourceTagsByTagKeys, _by_keys, answers.tags_by_keys),
    verb(parameters.DescribeResourcesByTags, partial(_by_tags, True), answers.tagged),
    verb(parameters.DescribeResourcesByTagsUnion, partial(_by_tags, False), answers.tagged),
    verb(parameters.AddProject, _add_project, answers.project_created),
    verb(parameters.UpdateProject, _change_project, nothing),
    verb(parameters.DescribeProjects, _projects, answers.projects),
)
