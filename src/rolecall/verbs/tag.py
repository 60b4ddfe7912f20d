"""Tencent Cloud `tag` 2018-08-13 (contract: `rolecall.contracts.tencent.tag`).

| action | command | answer |
|---|---|---|
| DescribeResourceTagsByResourceIds | PageTags | TotalCount, Offset, Limit, Tags |
| ModifyResourceTags | ChangeTags | - |

Of the six segments of a resource, the region counts for nothing: tags belong to a service's resource of an id.
"""

from __future__ import annotations

import hashlib

from rolecall.contracts.check import keep
from rolecall.contracts.tencent.tag import TAG_KEY, TAG_VALUE
from rolecall.domain.people import commands
from rolecall.domain.people.views import Tag
from rolecall.domain.reasons import Reason, Refused
from rolecall.domain.views import Page
from rolecall.values import Checked
from rolecall.verbs import Answer, Decipher, Verb, Verbs
from rolecall.verbs.params import number, structures, text, texts


def _page(checked: Checked, _: Decipher) -> commands.PageTags:
    params = checked.params
    return commands.PageTags(
        text(params, "ServiceType"),
        text(params, "ResourcePrefix"),
        tuple(texts(params, "ResourceIds")) if text(params, "Category") != "System" else (),
        number(params, "Offset"),
        number(params, "Limit"),
    )


def _change(checked: Checked, _: Decipher) -> commands.ChangeTags:
    params = checked.params
    replace = [(text(one, "TagKey"), text(one, "TagValue")) for one in structures(params, "ReplaceTags")]
    delete = [text(one, "TagKey") for one in structures(params, "DeleteTags")]
    for key, value in replace:
        keep(TAG_KEY, key, "TagKey")
        keep(TAG_VALUE, value, "TagValue")
    if not replace and not delete:
        raise Refused(Reason.PARAMETER_MISSING, "ReplaceTags")
    keys = {key for key, _ in replace}
    if len(keys) != len(replace):
        raise Refused(Reason.PARAMETER_VALUE, "ReplaceTags", facts={"value": "[...]"})
    if not keys.isdisjoint(delete):
        raise Refused(Reason.PARAMETER_VALUE, "DeleteTags", facts={"value": "[...]"})
    return commands.ChangeTags(_place(checked), tuple(replace), tuple(delete))


def _place(checked: Checked) -> commands.TagPlace:
    """The account's segment may be empty (Terraform sends ``uin/``), but not another's."""
    resource = text(checked.params, "Resource")
    _, _, service, _, account, rest = resource.split(":", 5)
    if account.removeprefix("uin/") not in ("", str(checked.caller.owner_number)):
        raise Refused(Reason.PARAMETER_VALUE, "Resource", facts={"value": resource})
    prefix, _, name = rest.partition("/")
    return commands.TagPlace(service, prefix, name)


def _tags(checked: Checked, page: Page[Tag]) -> Answer:
    params = checked.params
    return {
        "TotalCount": page.total,
        "Offset": number(params, "Offset"),
        "Limit": number(params, "Limit"),
        "Tags": [
            {
                "TagKey": tag.key,
                "TagValue": tag.value,
                "ResourceId": tag.resource,
                "TagKeyMd5": _md5(tag.key),
                "TagValueMd5": _md5(tag.value),
                "ServiceType": text(params, "ServiceType"),
                "Category": "Custom",
            }
            for tag in page.items
        ],
    }


def _md5(words: str) -> str:
    """What the field is called; it protects nothing."""
    return hashlib.md5(words.encode(), usedforsecurity=False).hexdigest()


def _nothing(_checked: Checked, _outcome: object) -> Answer:
    return {}


VERBS: Verbs = {
    "DescribeResourceTagsByResourceIds": Verb(_page, _tags),
    "ModifyResourceTags": Verb(_change, _nothing),
}
