"""Answers of Tencent Cloud `tag` 2018-08-13."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Sequence

from rolecall.contracts.tencent.tag import parameters
from rolecall.contracts.tencent.tag.codes import TEXTS
from rolecall.contracts.tencent.tag.errors import PREFERENCES
from rolecall.domain.iam.tag_commands import KnownPair, Pair, Project, Tag, Tagged, TagPlace
from rolecall.domain.messages import Page
from rolecall.domain.reasons import Reason, Refused
from rolecall.values import Checked, Language
from rolecall.verbs import Answer

_CUSTOM = "Custom"


def _paged(
    checked: Checked[parameters.Paged], page: Page[object], name: str, items: Sequence[object]
) -> Answer:
    params = checked.params
    return {"TotalCount": page.total, "Offset": params.Offset, "Limit": params.Limit, name: list(items)}


def tags(checked: Checked[parameters.Paged], page: Page[Tag]) -> Answer:
    return _paged(checked, page, "Tags", [_tag_resource(tag) for tag in page.items])


def rows_of_tags(checked: Checked[parameters.Paged], page: Page[Tag]) -> Answer:
    return _paged(checked, page, "Rows", [_tag_resource(tag) for tag in page.items])


def tags_by_keys(checked: Checked[parameters.DescribeResourceTagsByTagKeys], page: Page[Tagged]) -> Answer:
    wanted = set(checked.params.TagKeys)
    rows = [
        {
            "ResourceId": each.place.resource,
            "TagKeyValues": _listed([pair for pair in each.tags if pair[0] in wanted]),
        }
        for each in page.items
    ]
    return _paged(checked, page, "Rows", rows)


def tagged(checked: Checked[parameters.Paged], page: Page[Tagged]) -> Answer:
    rows = [
        {
            "ResourceRegion": "",
            "ServiceType": each.place.service,
            "ResourcePrefix": each.place.prefix,
            "ResourceId": each.place.resource,
            "Tags": _listed(each.tags),
        }
        for each in page.items
    ]
    return _paged(checked, page, "Rows", rows)


def resources(checked: Checked[parameters.GetResources], page: Page[Tagged]) -> Answer:
    """A resource is written without region, as the vendor's recorded answers have it."""
    mapping = [
        {"Resource": _resource(checked, each.place), "Tags": _listed(each.tags)} for each in page.items
    ]
    return {"PaginationToken": _next(checked, page), "ResourceTagMappingList": mapping}


def known_pairs(checked: Checked[parameters.Paged], page: Page[KnownPair]) -> Answer:
    rows = [
        {
            "TagKey": pair.key,
            "TagValue": pair.value,
            "CanDelete": 0 if pair.attached else 1,
            "Category": _CUSTOM,
        }
        for pair in page.items
    ]
    return _paged(checked, page, "Tags", rows)


def pairs(checked: Checked[parameters.Paged], page: Page[KnownPair]) -> Answer:
    return _paged(checked, page, "Tags", _listed([(pair.key, pair.value) for pair in page.items]))


def pairs_by_token(checked: Checked[parameters.ByToken], page: Page[KnownPair]) -> Answer:
    listed = _listed([(pair.key, pair.value) for pair in page.items])
    return {"PaginationToken": _next(checked, page), "Tags": listed}


def keys(checked: Checked[parameters.Paged], page: Page[str]) -> Answer:
    return _paged(checked, page, "Tags", page.items)


def keys_by_token(checked: Checked[parameters.ByToken], page: Page[str]) -> Answer:
    return {"PaginationToken": _next(checked, page), "TagKeys": list(page.items)}


def failed(checked: Checked[object], outcome: Sequence[tuple[TagPlace, Reason]]) -> Answer:
    english = checked.call.envelope.language is Language.ENGLISH
    rows = []
    for place, reason in outcome:
        preference = PREFERENCES[reason]
        code = (*preference.exact, *preference.fallbacks)[0]
        message = TEXTS[code][0 if english else 1]
        rows.append({"Resource": _resource(checked, place), "Code": code, "Message": message})
    return {"FailedResources": rows}


def project_created(_checked: Checked[object], project_id: int) -> Answer:
    return {"ProjectId": project_id, "IsNew": 1}


def projects(_checked: Checked[object], page: Page[Project]) -> Answer:
    rows = [
        {
            "ProjectId": project.id,
            "ProjectName": project.name,
            "CreatorUin": project.creator,
            "ProjectInfo": project.info,
            "CreateTime": project.created_at.strftime("%Y-%m-%d %H:%M:%S"),
        }
        for project in page.items
    ]
    return {"Total": page.total, "Projects": rows}


def offset_of(token: str) -> int:
    """Where the page of a token begins; 0 for no token. PARAMETER_VALUE for one that no answer had."""
    try:
        offset = int(base64.urlsafe_b64decode(token).decode("ascii")) if token else 0
    except (binascii.Error, ValueError):
        offset = -1
    if offset < 0 or offset >= 2**31:
        raise Refused(Reason.PARAMETER_VALUE, "PaginationToken", facts={"value": token[:64]})
    return offset


def _next(checked: Checked[parameters.ByToken], page: Page[object]) -> str:
    """The token of the page behind this one; empty for the last."""
    behind = offset_of(checked.params.PaginationToken or "") + len(page.items)
    return base64.urlsafe_b64encode(str(behind).encode()).decode() if behind < page.total else ""


def _resource(checked: Checked[object], place: TagPlace) -> str:
    content = f"{place.prefix}/{place.resource}" if place.prefix else place.resource
    return f"qcs::{place.service}::uin/{checked.caller.owner_number}:{content}"


def _listed(found: Sequence[Pair]) -> list[dict[str, str]]:
    return [{"TagKey": key, "TagValue": value, "Category": _CUSTOM} for key, value in found]


def _tag_resource(tag: Tag) -> dict[str, str]:
    return {
        "TagKey": tag.key,
        "TagValue": tag.value,
        "ResourceId": tag.place.resource,
        "TagKeyMd5": _md5(tag.key),
        "TagValueMd5": _md5(tag.value),
        "ServiceType": tag.place.service,
        "Category": _CUSTOM,
    }


def _md5(words: str) -> str:
    """MD5, as the name of the field says; it protects nothing."""
    return hashlib.md5(words.encode(), usedforsecurity=False).hexdigest()
