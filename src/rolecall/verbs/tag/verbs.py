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

from collections.abc import Callable

from rolecall.contracts.check import keep
from rolecall.contracts.tencent.tag.contract import TAG_KEY, TAG_VALUE
from rolecall.domain.iam import tag_commands as commands
from rolecall.domain.iam.tag_commands import Pair, TagMode, TagPlace, TagQuery
from rolecall.domain.reasons import Reason, Refused
from rolecall.verbs import Decipher, Verbs, nothing
from rolecall.verbs.params import Checked, Params, loose, number, structures, text, texts
from rolecall.verbs.tag import answers
from rolecall.verbs.tag.answers import offset_of

_NOBODY_ELSES = ("", "uin/", "uid/")


def _pair(params: Params, *, value_needed: bool = False) -> Pair:
    """PARAMETER_MISSING, PARAMETER_LENGTH, PARAMETER_CHARACTERS, PARAMETER_VALUE (a reserved key)."""
    key, value = text(params, "TagKey"), text(params, "TagValue")
    keep(TAG_KEY, key, "TagKey")
    keep(TAG_VALUE, value, "TagValue")
    if value_needed and not value:
        raise Refused(Reason.PARAMETER_MISSING, "TagValue")
    return key, value


def _pairs(params: Params, name: str, *, value_needed: bool = False) -> tuple[Pair, ...]:
    """PARAMETER_VALUE for a key that the list has more than once, and the reasons of `_pair`."""
    pairs = tuple(_pair(each, value_needed=value_needed) for each in structures(params, name))
    if len({key for key, _ in pairs}) != len(pairs):
        raise Refused(Reason.PARAMETER_VALUE, name, facts={"value": "[...]"})
    return pairs


def _key(value: str) -> str:
    keep(TAG_KEY, value, "TagKey")
    return value


def _keys(params: Params) -> tuple[str, ...]:
    keys = tuple(_key(each) for each in texts(params, "TagKeys"))
    if len(set(keys)) != len(keys):
        raise Refused(Reason.PARAMETER_VALUE, "TagKeys", facts={"value": "[...]"})
    return keys


def _place(checked: Checked, resource: str, field: str = "Resource") -> TagPlace:
    """The account's segment may be empty (Terraform sends ``uin/``), but not another's. PARAMETER_VALUE."""
    caller = checked.caller
    _, _, service, _, account, content = resource.split(":", 5)
    if account not in (*_NOBODY_ELSES, f"uin/{caller.owner_number}", f"uid/{caller.app_id}"):
        raise Refused(Reason.PARAMETER_VALUE, field, facts={"value": resource})
    prefix, slash, name = content.partition("/")
    return TagPlace(service, prefix, name) if slash else TagPlace(service, "", prefix)


def _places(checked: Checked) -> tuple[TagPlace, ...]:
    found = (_place(checked, each, "ResourceList") for each in texts(checked.params, "ResourceList"))
    return tuple(dict.fromkeys(found))


def _of_kind(params: Params) -> tuple[TagPlace, ...]:
    service, prefix = text(params, "ServiceType"), text(params, "ResourcePrefix")
    return tuple(TagPlace(service, prefix, each) for each in dict.fromkeys(texts(params, "ResourceIds")))


def _create(checked: Checked, _: Decipher) -> commands.CreatePairs:
    return commands.CreatePairs((_pair(checked.params, value_needed=True),))


def _create_all(checked: Checked, _: Decipher) -> commands.CreatePairs:
    pairs = [_pair(each, value_needed=True) for each in structures(checked.params, "Tags")]
    if not pairs or len(set(pairs)) != len(pairs):
        raise Refused(Reason.PARAMETER_VALUE, "Tags", facts={"value": "[...]"})
    return commands.CreatePairs(tuple(pairs))


def _delete(checked: Checked, _: Decipher) -> commands.DeletePairs:
    return commands.DeletePairs((_pair(checked.params),))


def _delete_all(checked: Checked, _: Decipher) -> commands.DeletePairs:
    pairs = dict.fromkeys(_pair(each) for each in structures(checked.params, "Tags"))
    return commands.DeletePairs(tuple(pairs))


def _page(params: Params) -> tuple[int, int]:
    return number(params, "Offset"), number(params, "Limit")


def _in_pages(params: Params) -> tuple[int, int]:
    """PARAMETER_VALUE for an offset that is not a multiple of the limit."""
    offset, limit = _page(params)
    if offset % limit:
        raise Refused(Reason.PARAMETER_VALUE, "Offset", facts={"value": offset})
    return offset, limit


def _by_token(params: Params) -> tuple[int, int]:
    """PARAMETER_VALUE for a token that no answer had."""
    return offset_of(text(params, "PaginationToken")), number(params, "MaxResults")


Window = Callable[[Params], tuple[int, int]]


def _list_pairs(window: Window) -> Callable[[Checked, Decipher], commands.PagePairs]:
    def command(checked: Checked, _: Decipher) -> commands.PagePairs:
        params = checked.params
        keys = tuple(texts(params, "TagKeys")) if "TagKeys" in params else None
        key, value = text(params, "TagKey"), text(params, "TagValue")
        if keys is None and key and not value:
            keys = (key,)
        if params.get("Category") == "System":
            keys = ()
        pair = (key, value) if key and value and keys is None else None
        return commands.PagePairs(keys, *window(params), pair, _creator(params))

    return command


def _list_keys(window: Window) -> Callable[[Checked, Decipher], commands.PageKeys]:
    def command(checked: Checked, _: Decipher) -> commands.PageKeys:
        creator = _creator(checked.params)
        return commands.PageKeys(
            *window(checked.params), -1 if checked.params.get("Category") == "System" else creator
        )

    return command


def _creator(params: Params) -> int | None:
    return number(params, "CreateUin") if "CreateUin" in params else None


def _change_one(mode: TagMode) -> Callable[[Checked, Decipher], commands.ChangeTags]:
    def command(checked: Checked, _: Decipher) -> commands.ChangeTags:
        place = _place(checked, text(checked.params, "Resource"))
        return commands.ChangeTags((place,), (_pair(checked.params),), mode=mode)

    return command


def _take_from_one(checked: Checked, _: Decipher) -> commands.ChangeTags:
    place = _place(checked, text(checked.params, "Resource"))
    return commands.ChangeTags((place,), take=(_key(text(checked.params, "TagKey")),), strict=True)


def _modify(checked: Checked, _: Decipher) -> commands.ChangeTags:
    params = checked.params
    put = _pairs(params, "ReplaceTags")
    take = tuple(text(each, "TagKey") for each in structures(params, "DeleteTags"))
    if not put and not take:
        raise Refused(Reason.PARAMETER_MISSING, "ReplaceTags")
    if not {key for key, _ in put}.isdisjoint(take):
        raise Refused(Reason.PARAMETER_VALUE, "DeleteTags", facts={"value": "[...]"})
    return commands.ChangeTags((_place(checked, text(params, "Resource")),), put, take)


def _change_many(mode: TagMode) -> Callable[[Checked, Decipher], commands.ChangeTags]:
    def command(checked: Checked, _: Decipher) -> commands.ChangeTags:
        return commands.ChangeTags(_of_kind(checked.params), (_pair(checked.params),), mode=mode)

    return command


def _take_from_many(checked: Checked, _: Decipher) -> commands.ChangeTags:
    take = (_key(text(checked.params, "TagKey")),)
    return commands.ChangeTags(_of_kind(checked.params), take=take, strict=True)


def _tag(checked: Checked, _: Decipher) -> commands.ChangeTags:
    return commands.ChangeTags(_places(checked), _pairs(checked.params, "Tags"), apart=True)


def _untag(checked: Checked, _: Decipher) -> commands.ChangeTags:
    return commands.ChangeTags(_places(checked), take=_keys(checked.params), apart=True)


def _some(params: Params, name: str) -> tuple[str, ...] | None:
    return (text(params, name),) if name in params else None


def _maybe(params: Params, name: str) -> str | None:
    return text(params, name) if name in params else None


def _filtered(params: Params) -> TagQuery:
    return TagQuery(
        _maybe(params, "ServiceType"), _maybe(params, "ResourcePrefix"), _some(params, "ResourceId")
    )


def _tags_of(checked: Checked, _: Decipher) -> commands.PageTags:
    return commands.PageTags(_filtered(checked.params), *_page(checked.params))


def _tags_of_kind(window: Window) -> Callable[[Checked, Decipher], commands.PageTags]:
    def command(checked: Checked, _: Decipher) -> commands.PageTags:
        params = checked.params
        resources = () if params.get("Category") == "System" else tuple(texts(params, "ResourceIds"))
        query = TagQuery(text(params, "ServiceType"), text(params, "ResourcePrefix"), resources)
        return commands.PageTags(query, *window(params))

    return command


def _by_keys(checked: Checked, _: Decipher) -> commands.PageTagged:
    params = checked.params
    query = TagQuery(
        text(params, "ServiceType"), text(params, "ResourcePrefix"), tuple(texts(params, "ResourceIds"))
    )
    filters = tuple((key, ()) for key in _keys(params))
    return commands.PageTagged(query, filters, False, *_page(params))


def _filters(params: Params) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return tuple(
        (text(each, "TagKey"), tuple(texts(each, "TagValue"))) for each in structures(params, "TagFilters")
    )


def _by_tags(every: bool) -> Callable[[Checked, Decipher], commands.PageTagged]:
    def command(checked: Checked, _: Decipher) -> commands.PageTagged:
        params = checked.params
        return commands.PageTagged(_filtered(params), _filters(params), every, *_page(params))

    return command


def _resources(checked: Checked, _: Decipher) -> commands.PageTagged:
    """Resources that are named are not filtered, and those without a tag are left out."""
    params = checked.params
    places = _places(checked) if "ResourceList" in params else None
    return commands.PageTagged(TagQuery(places=places), _filters(params), True, *_by_token(params))


def _add_project(checked: Checked, _: Decipher) -> commands.CreateProject:
    return commands.CreateProject(text(checked.params, "ProjectName"), text(checked.params, "Info"))


def _change_project(checked: Checked, _: Decipher) -> commands.ChangeProject:
    params = checked.params
    disabled = number(params, "Disable") == 1 if "Disable" in params else None
    return commands.ChangeProject(
        number(params, "ProjectId"), _maybe(params, "ProjectName"), _maybe(params, "Info"), disabled
    )


def _projects(checked: Checked, _: Decipher) -> commands.PageProjects:
    params = checked.params
    return commands.PageProjects(
        number(params, "AllList") == 1,
        *_page(params),
        number(params, "ProjectId") if "ProjectId" in params else None,
        _maybe(params, "ProjectName"),
    )


VERBS: Verbs = {
    "CreateTag": loose(_create, nothing),
    "CreateTags": loose(_create_all, nothing),
    "DeleteTag": loose(_delete, nothing),
    "DeleteTags": loose(_delete_all, nothing),
    "DescribeTags": loose(_list_pairs(_page), answers.known_pairs),
    "DescribeTagsSeq": loose(_list_pairs(_in_pages), answers.known_pairs),
    "GetTags": loose(_list_pairs(_by_token), answers.pairs_by_token),
    "DescribeTagKeys": loose(_list_keys(_page), answers.keys),
    "GetTagKeys": loose(_list_keys(_by_token), answers.keys_by_token),
    "DescribeTagValues": loose(_list_pairs(_page), answers.pairs),
    "DescribeTagValuesSeq": loose(_list_pairs(_in_pages), answers.pairs),
    "GetTagValues": loose(_list_pairs(_by_token), answers.pairs_by_token),
    "AddResourceTag": loose(_change_one(TagMode.ADD), nothing),
    "UpdateResourceTagValue": loose(_change_one(TagMode.CHANGE), nothing),
    "DeleteResourceTag": loose(_take_from_one, nothing),
    "ModifyResourceTags": loose(_modify, nothing),
    "AttachResourcesTag": loose(_change_many(TagMode.ADD), nothing),
    "ModifyResourcesTagValue": loose(_change_many(TagMode.CHANGE), nothing),
    "DetachResourcesTag": loose(_take_from_many, nothing),
    "TagResources": loose(_tag, answers.failed),
    "UnTagResources": loose(_untag, answers.failed),
    "GetResources": loose(_resources, answers.resources),
    "DescribeResourceTags": loose(_tags_of, answers.rows_of_tags),
    "DescribeResourceTagsByResourceIds": loose(_tags_of_kind(_page), answers.tags),
    "DescribeResourceTagsByResourceIdsSeq": loose(_tags_of_kind(_in_pages), answers.tags),
    "DescribeResourceTagsByTagKeys": loose(_by_keys, answers.tags_by_keys),
    "DescribeResourcesByTags": loose(_by_tags(True), answers.tagged),
    "DescribeResourcesByTagsUnion": loose(_by_tags(False), answers.tagged),
    "AddProject": loose(_add_project, answers.project_created),
    "UpdateProject": loose(_change_project, nothing),
    "DescribeProjects": loose(_projects, answers.projects),
}
