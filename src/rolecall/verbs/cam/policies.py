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

from collections.abc import Mapping, Sequence

from rolecall.contracts.tencent.cam import policies as contract
from rolecall.contracts.tencent.cam.roles import RoleTags
from rolecall.domain.iam import policy_commands as commands
from rolecall.domain.iam.policy_commands import Bearer, BearerRef, PolicyRef
from rolecall.domain.reasons import Reason, Refused
from rolecall.values import Checked
from rolecall.verbs import Decipher, Verb, Verbs, nothing
from rolecall.verbs.cam import policy_answers as answers
from rolecall.verbs.cam.groups import window

_SCOPES: Mapping[str, bool | None] = {"All": None, "QCS": True, "Local": False}
PRESET_BY_TYPE: Mapping[int, bool | None] = {0: None, 1: False, 2: True}
_ENTITIES: Mapping[str, frozenset[Bearer]] = {
    "All": frozenset(Bearer),
    "User": frozenset({Bearer.SUB_USER}),
    "Group": frozenset({Bearer.GROUP}),
    "Role": frozenset({Bearer.ROLE}),
}


def policy_ref(policy_id: int | None, name: str | None) -> PolicyRef:
    """By PolicyId, or without it by PolicyName. PARAMETER_MISSING."""
    if policy_id is not None:
        return PolicyRef(policy_id)
    if not name:
        raise Refused(Reason.PARAMETER_MISSING, "PolicyId")
    return PolicyRef(None, name)


def tags(given: Sequence[contract.Tag | RoleTags] | None) -> tuple[tuple[str, str], ...]:
    """PARAMETER_VALUE for a key that occurs twice."""
    tags = tuple((tag.Key, tag.Value) for tag in given or ())
    if len({key for key, _ in tags}) != len(tags):
        raise Refused(Reason.PARAMETER_VALUE, "Tags", facts={"value": "Key"})
    return tags


def _create(checked: Checked[contract.CreatePolicy], _: Decipher) -> commands.CreatePolicy:
    params = checked.params
    return commands.CreatePolicy(
        params.PolicyName, params.PolicyDocument, params.Description, tags(params.Tags)
    )


def _get(checked: Checked[contract.GetPolicy], _: Decipher) -> commands.ShowPolicy:
    return commands.ShowPolicy(PolicyRef(checked.params.PolicyId))


def _list(checked: Checked[contract.ListPolicies], _: Decipher) -> commands.PagePolicies:
    params = checked.params
    return commands.PagePolicies(*window(params.Page, params.Rp), _SCOPES[params.Scope], params.Keyword)


def _update(checked: Checked[contract.UpdatePolicy], _: Decipher) -> commands.ChangePolicy:
    """A name beside an id is a new name: the vendor's list of codes has PolicyNameInUse."""
    params = checked.params
    return commands.ChangePolicy(
        policy_ref(params.PolicyId, params.PolicyName),
        None if params.PolicyId is None else params.PolicyName,
        params.Description,
        params.PolicyDocument,
        params.Alias,
    )


def _delete(checked: Checked[contract.DeletePolicy], _: Decipher) -> commands.DeletePolicies:
    return commands.DeletePolicies(tuple(checked.params.PolicyId))


def _attach_user(checked: Checked[contract.AttachUserPolicy], _: Decipher) -> commands.AttachPolicy:
    bearer = BearerRef(Bearer.SUB_USER, checked.params.AttachUin)
    return commands.AttachPolicy(PolicyRef(checked.params.PolicyId), bearer)


def _detach_user(checked: Checked[contract.DetachUserPolicy], _: Decipher) -> commands.DetachPolicy:
    bearer = BearerRef(Bearer.SUB_USER, checked.params.DetachUin)
    return commands.DetachPolicy(PolicyRef(checked.params.PolicyId), bearer)


def _attach_group(checked: Checked[contract.AttachGroupPolicy], _: Decipher) -> commands.AttachPolicy:
    bearer = BearerRef(Bearer.GROUP, checked.params.AttachGroupId)
    return commands.AttachPolicy(PolicyRef(checked.params.PolicyId), bearer)


def _detach_group(checked: Checked[contract.DetachGroupPolicy], _: Decipher) -> commands.DetachPolicy:
    bearer = BearerRef(Bearer.GROUP, checked.params.DetachGroupId)
    return commands.DetachPolicy(PolicyRef(checked.params.PolicyId), bearer)


def _of_user(checked: Checked[contract.ListAttachedUserPolicies], _: Decipher) -> commands.PageAttached:
    params = checked.params
    return commands.PageAttached(
        BearerRef(Bearer.SUB_USER, params.TargetUin), *window(params.Page, params.Rp)
    )


def _all_of_user(
    checked: Checked[contract.ListAttachedUserAllPolicies], _: Decipher
) -> commands.PageAttached:
    params = checked.params
    kind = params.AttachType
    return commands.PageAttached(
        BearerRef(Bearer.SUB_USER, params.TargetUin),
        *window(params.Page, params.Rp),
        direct=kind != 2,
        by_group=kind != 1,
        preset=PRESET_BY_TYPE[params.StrategyType or 0],
        name_contains=params.Keyword,
    )


def _of_group(checked: Checked[contract.ListAttachedGroupPolicies], _: Decipher) -> commands.PageAttached:
    params = checked.params
    group = BearerRef(Bearer.GROUP, params.TargetGroupId)
    return commands.PageAttached(group, *window(params.Page, params.Rp), name_contains=params.Keyword)


def _entities(checked: Checked[contract.ListEntitiesForPolicy], _: Decipher) -> commands.PageBearers:
    params = checked.params
    return commands.PageBearers(
        PolicyRef(params.PolicyId), *window(params.Page, params.Rp), _ENTITIES[params.EntityFilter]
    )


VERBS: Verbs = {
    "CreatePolicy": Verb(contract.CreatePolicy, _create, answers.created),
    "GetPolicy": Verb(contract.GetPolicy, _get, answers.policy),
    "ListPolicies": Verb(contract.ListPolicies, _list, answers.policies),
    "UpdatePolicy": Verb(contract.UpdatePolicy, _update, answers.updated),
    "DeletePolicy": Verb(contract.DeletePolicy, _delete, nothing),
    "AttachUserPolicy": Verb(contract.AttachUserPolicy, _attach_user, nothing),
    "DetachUserPolicy": Verb(contract.DetachUserPolicy, _detach_user, nothing),
    "AttachGroupPolicy": Verb(contract.AttachGroupPolicy, _attach_group, nothing),
    "DetachGroupPolicy": Verb(contract.DetachGroupPolicy, _detach_group, nothing),
    "ListAttachedUserPolicies": Verb(contract.ListAttachedUserPolicies, _of_user, answers.attached),
    "ListAttachedUserAllPolicies": Verb(
        contract.ListAttachedUserAllPolicies, _all_of_user, answers.attached_all
    ),
    "ListAttachedGroupPolicies": Verb(contract.ListAttachedGroupPolicies, _of_group, answers.attached),
    "ListEntitiesForPolicy": Verb(contract.ListEntitiesForPolicy, _entities, answers.entities),
}
