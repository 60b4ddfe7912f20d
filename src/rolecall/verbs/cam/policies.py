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
from rolecall.verbs import Verbs, nothing, verb, verbs_of
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


def _create(params: contract.CreatePolicy) -> commands.CreatePolicy:
    return commands.CreatePolicy(
        params.PolicyName, params.PolicyDocument, params.Description, tags(params.Tags)
    )


def _list(params: contract.ListPolicies) -> commands.PagePolicies:
    return commands.PagePolicies(*window(params.Page, params.Rp), _SCOPES[params.Scope], params.Keyword)


def _update(params: contract.UpdatePolicy) -> commands.ChangePolicy:
    """A name beside an id is a new name: the vendor's list of codes has PolicyNameInUse."""
    return commands.ChangePolicy(
        policy_ref(params.PolicyId, params.PolicyName),
        None if params.PolicyId is None else params.PolicyName,
        params.Description,
        params.PolicyDocument,
        params.Alias,
    )


def _attach_user(params: contract.AttachUserPolicy) -> commands.AttachPolicy:
    bearer = BearerRef(Bearer.SUB_USER, params.AttachUin)
    return commands.AttachPolicy(PolicyRef(params.PolicyId), bearer)


def _detach_user(params: contract.DetachUserPolicy) -> commands.DetachPolicy:
    bearer = BearerRef(Bearer.SUB_USER, params.DetachUin)
    return commands.DetachPolicy(PolicyRef(params.PolicyId), bearer)


def _attach_group(params: contract.AttachGroupPolicy) -> commands.AttachPolicy:
    bearer = BearerRef(Bearer.GROUP, params.AttachGroupId)
    return commands.AttachPolicy(PolicyRef(params.PolicyId), bearer)


def _detach_group(params: contract.DetachGroupPolicy) -> commands.DetachPolicy:
    bearer = BearerRef(Bearer.GROUP, params.DetachGroupId)
    return commands.DetachPolicy(PolicyRef(params.PolicyId), bearer)


def _of_user(params: contract.ListAttachedUserPolicies) -> commands.PageAttached:
    return commands.PageAttached(
        BearerRef(Bearer.SUB_USER, params.TargetUin), *window(params.Page, params.Rp)
    )


def _all_of_user(params: contract.ListAttachedUserAllPolicies) -> commands.PageAttached:
    kind = params.AttachType
    return commands.PageAttached(
        BearerRef(Bearer.SUB_USER, params.TargetUin),
        *window(params.Page, params.Rp),
        direct=kind != 2,
        by_group=kind != 1,
        preset=PRESET_BY_TYPE[params.StrategyType or 0],
        name_contains=params.Keyword,
    )


def _of_group(params: contract.ListAttachedGroupPolicies) -> commands.PageAttached:
    group = BearerRef(Bearer.GROUP, params.TargetGroupId)
    return commands.PageAttached(group, *window(params.Page, params.Rp), name_contains=params.Keyword)


def _entities(params: contract.ListEntitiesForPolicy) -> commands.PageBearers:
    return commands.PageBearers(
        PolicyRef(params.PolicyId), *window(params.Page, params.Rp), _ENTITIES[params.EntityFilter]
    )


VERBS: Verbs = verbs_of(
    verb(contract.CreatePolicy, _create, answers.created),
    verb(contract.GetPolicy, lambda params: commands.ShowPolicy(PolicyRef(params.PolicyId)), answers.policy),
    verb(contract.ListPolicies, _list, answers.policies),
    verb(contract.UpdatePolicy, _update, answers.updated),
    verb(contract.DeletePolicy, lambda params: commands.DeletePolicies(tuple(params.PolicyId)), nothing),
    verb(contract.AttachUserPolicy, _attach_user, nothing),
    verb(contract.DetachUserPolicy, _detach_user, nothing),
    verb(contract.AttachGroupPolicy, _attach_group, nothing),
    verb(contract.DetachGroupPolicy, _detach_group, nothing),
    verb(contract.ListAttachedUserPolicies, _of_user, answers.attached),
    verb(contract.ListAttachedUserAllPolicies, _all_of_user, answers.attached_all),
    verb(contract.ListAttachedGroupPolicies, _of_group, answers.attached),
    verb(contract.ListEntitiesForPolicy, _entities, answers.entities),
)
