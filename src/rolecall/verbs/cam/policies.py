"""Policies of `cam` 2019-01-16 (contract: `rolecall.contracts.tencent.cam.policies`).

| action | command | answer |
|---|---|---|
| CreatePolicy | CreatePolicy | PolicyId |
| GetPolicy | ShowPolicy | the policy |
| ListPolicies | PagePolicies | TotalNum, List |
| UpdatePolicy, DeletePolicy | ChangePolicy, DeletePolicies | PolicyId, - |
| AttachUserPolicy, AttachGroupPolicy | AttachPolicy | - |
| DetachUserPolicy, DetachGroupPolicy | DetachPolicy | - |
| ListAttachedUserPolicies, ListAttachedUserAllPolicies, ListAttachedGroupPolicies | PageAttached | List, TotalNum |
| ListEntitiesForPolicy | PageBearers | TotalNum, List |
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import cast

from rolecall.domain.iam import policy_commands as commands
from rolecall.domain.iam.policy_commands import Bearer, BearerRef, PolicyRef
from rolecall.domain.reasons import Reason, Refused
from rolecall.verbs import Decipher, Verbs, nothing
from rolecall.verbs.cam import policy_answers as answers
from rolecall.verbs.params import Checked, Params, loose, number, structures, text

_SCOPES: Mapping[str, bool | None] = {"All": None, "QCS": True, "Local": False}
PRESET_BY_TYPE: Mapping[int, bool | None] = {0: None, 1: False, 2: True}
_ENTITIES: Mapping[str, frozenset[Bearer]] = {
    "All": frozenset(Bearer),
    "User": frozenset({Bearer.SUB_USER}),
    "Group": frozenset({Bearer.GROUP}),
    "Role": frozenset({Bearer.ROLE}),
}


def window(params: Params) -> tuple[int, int]:
    """Offset and limit of a page: Page counts from 1, Rp are the rows of one."""
    limit = number(params, "Rp")
    return (number(params, "Page") - 1) * limit, limit


def maybe(params: Params, name: str) -> str | None:
    """None where the parameter is absent."""
    return text(params, name) if name in params else None


def policy_ref(params: Params) -> PolicyRef:
    """By PolicyId, or without it by PolicyName. PARAMETER_MISSING."""
    if "PolicyId" in params:
        return PolicyRef(number(params, "PolicyId"))
    if not text(params, "PolicyName"):
        raise Refused(Reason.PARAMETER_MISSING, "PolicyId")
    return PolicyRef(None, text(params, "PolicyName"))


def tags(params: Params) -> tuple[tuple[str, str], ...]:
    """PARAMETER_VALUE for a key that stands twice."""
    tags = tuple((text(one, "Key"), text(one, "Value")) for one in structures(params, "Tags"))
    if len({key for key, _ in tags}) != len(tags):
        raise Refused(Reason.PARAMETER_VALUE, "Tags", facts={"value": "Key"})
    return tags


def _create(checked: Checked, _: Decipher) -> commands.CreatePolicy:
    params = checked.params
    return commands.CreatePolicy(
        text(params, "PolicyName"), text(params, "PolicyDocument"), text(params, "Description"), tags(params)
    )


def _get(checked: Checked, _: Decipher) -> commands.ShowPolicy:
    return commands.ShowPolicy(policy_ref(checked.params))


def _list(checked: Checked, _: Decipher) -> commands.PagePolicies:
    params = checked.params
    return commands.PagePolicies(*window(params), _SCOPES[text(params, "Scope")], text(params, "Keyword"))


def _update(checked: Checked, _: Decipher) -> commands.ChangePolicy:
    """A name beside an id is a new name: the vendor's list of codes has PolicyNameInUse."""
    params = checked.params
    return commands.ChangePolicy(
        policy_ref(params),
        maybe(params, "PolicyName") if "PolicyId" in params else None,
        maybe(params, "Description"),
        maybe(params, "PolicyDocument"),
        maybe(params, "Alias"),
    )


def _delete(checked: Checked, _: Decipher) -> commands.DeletePolicies:
    return commands.DeletePolicies(tuple(cast("list[int]", checked.params["PolicyId"])))


def _attach(kind: Bearer, name: str) -> Callable[[Checked, Decipher], commands.AttachPolicy]:
    return lambda checked, _: commands.AttachPolicy(
        policy_ref(checked.params), BearerRef(kind, number(checked.params, name))
    )


def _detach(kind: Bearer, name: str) -> Callable[[Checked, Decipher], commands.DetachPolicy]:
    return lambda checked, _: commands.DetachPolicy(
        policy_ref(checked.params), BearerRef(kind, number(checked.params, name))
    )


def _of_user(checked: Checked, _: Decipher) -> commands.PageAttached:
    params = checked.params
    return commands.PageAttached(BearerRef(Bearer.SUB_USER, number(params, "TargetUin")), *window(params))


def _all_of_user(checked: Checked, _: Decipher) -> commands.PageAttached:
    params = checked.params
    kind = number(params, "AttachType")
    return commands.PageAttached(
        BearerRef(Bearer.SUB_USER, number(params, "TargetUin")),
        *window(params),
        direct=kind != 2,
        by_group=kind != 1,
        preset=PRESET_BY_TYPE[number(params, "StrategyType") if "StrategyType" in params else 0],
        name_contains=text(params, "Keyword"),
    )


def _of_group(checked: Checked, _: Decipher) -> commands.PageAttached:
    params = checked.params
    group = BearerRef(Bearer.GROUP, number(params, "TargetGroupId"))
    return commands.PageAttached(group, *window(params), name_contains=text(params, "Keyword"))


def _entities(checked: Checked, _: Decipher) -> commands.PageBearers:
    params = checked.params
    return commands.PageBearers(policy_ref(params), *window(params), _ENTITIES[text(params, "EntityFilter")])


VERBS: Verbs = {
    "CreatePolicy": loose(_create, answers.created),
    "GetPolicy": loose(_get, answers.policy),
    "ListPolicies": loose(_list, answers.policies),
    "UpdatePolicy": loose(_update, answers.updated),
    "DeletePolicy": loose(_delete, nothing),
    "AttachUserPolicy": loose(_attach(Bearer.SUB_USER, "AttachUin"), nothing),
    "DetachUserPolicy": loose(_detach(Bearer.SUB_USER, "DetachUin"), nothing),
    "AttachGroupPolicy": loose(_attach(Bearer.GROUP, "AttachGroupId"), nothing),
    "DetachGroupPolicy": loose(_detach(Bearer.GROUP, "DetachGroupId"), nothing),
    "ListAttachedUserPolicies": loose(_of_user, answers.attached),
    "ListAttachedUserAllPolicies": loose(_all_of_user, answers.attached_all),
    "ListAttachedGroupPolicies": loose(_of_group, answers.attached),
    "ListEntitiesForPolicy": loose(_entities, answers.entities),
}
