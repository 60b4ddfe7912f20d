"""Roles of `cam` 2019-01-16, and database tokens (contract: `rolecall.contracts.tencent.cam.roles`).

| action | command | answer |
|---|---|---|
| CreateRole, GetRole, DescribeRoleList | CreateRole, ShowRole, PageRoles | RoleId; RoleInfo; List, TotalNum |
| UpdateAssumeRolePolicy, UpdateRoleDescription, UpdateRoleConsoleLogin, UpdateRoleSessionDuration | ChangeRole | - |
| DeleteRole | DeleteRole | - |
| TagRole, UntagRole | TagRole | - |
| AttachRolePolicy, DetachRolePolicy | AttachPolicy, DetachPolicy | - |
| ListAttachedRolePolicies | PageAttached | List, TotalNum |
| BuildDataFlowAuthToken | ShowDatabaseToken | Credentials |
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import unquote_plus

from rolecall.contracts.tencent.cam import roles as contract
from rolecall.domain.accounts.password_tokens import ShowDatabaseToken
from rolecall.domain.iam import policy_commands
from rolecall.domain.iam import role_commands as commands
from rolecall.domain.iam.policy_commands import Bearer, BearerRef
from rolecall.domain.iam.role_commands import RoleRef
from rolecall.domain.messages import InstanceName
from rolecall.domain.reasons import Reason, Refused
from rolecall.verbs import Verbs, nothing, verb, verbs_of
from rolecall.verbs.cam import policy_answers as answers
from rolecall.verbs.cam.groups import window
from rolecall.verbs.cam.policies import policy_ref, tags

_KINDS: Mapping[str, bool | None] = {"": None, "User": False, "QCS": True}


def unescaped(document: str) -> str:
    """The vendor's examples send these documents escaped for a URL, some of them twice.

    Terraform's provider and the vendor's COS STS SDK escape them as forms, where ``+`` is a space and ``%2B`` a plus.
    """
    for _ in range(2):
        if document.lstrip().startswith("%"):
            document = unquote_plus(document)
    return document


def _role(role_id: str | int | None, name: str | None, prefix: str = "") -> RoleRef:
    """By id, or without it by name. PARAMETER_MISSING; `prefix` stands before the parameters' names."""
    if role_id not in (None, ""):
        return RoleRef(int(role_id))
    if not name:
        raise Refused(Reason.PARAMETER_MISSING, f"{prefix}RoleId")
    return RoleRef(None, name)


def _bearer(role: RoleRef) -> BearerRef:
    return BearerRef(Bearer.ROLE, role.id, role.name)


def _create(params: contract.CreateRole) -> commands.CreateRole:
    return commands.CreateRole(
        params.RoleName,
        unescaped(params.PolicyDocument),
        params.Description,
        params.ConsoleLogin == 1,
        params.SessionDuration or 0,
        tags(params.Tags),
    )


def _get(params: contract.GetRole) -> commands.ShowRole:
    return commands.ShowRole(_role(params.RoleId, params.RoleName))


def _list(params: contract.DescribeRoleList) -> commands.PageRoles:
    return commands.PageRoles(*window(params.Page, params.Rp), tags(params.Tags))


def _trust(params: contract.UpdateAssumeRolePolicy) -> commands.ChangeRole:
    return commands.ChangeRole(_role(params.RoleId, params.RoleName), trust=unescaped(params.PolicyDocument))


def _describe(params: contract.UpdateRoleDescription) -> commands.ChangeRole:
    return commands.ChangeRole(_role(params.RoleId, params.RoleName), description=params.Description)


def _console(params: contract.UpdateRoleConsoleLogin) -> commands.ChangeRole:
    return commands.ChangeRole(_role(params.RoleId, params.RoleName), console_login=params.ConsoleLogin == 1)


def _duration(params: contract.UpdateRoleSessionDuration) -> commands.ChangeRole:
    return commands.ChangeRole(_role(params.RoleId, params.RoleName), session_seconds=params.SessionDuration)


def _delete(params: contract.DeleteRole) -> commands.DeleteRole:
    return commands.DeleteRole(_role(params.RoleId, params.RoleName))


def _tag(params: contract.TagRole) -> commands.TagRole:
    return commands.TagRole(_role(params.RoleId, params.RoleName), put=tags(params.Tags))


def _untag(params: contract.UntagRole) -> commands.TagRole:
    return commands.TagRole(_role(params.RoleId, params.RoleName), take=tuple(params.TagKeys))


def _attach(params: contract.AttachRolePolicy) -> policy_commands.AttachPolicy:
    return policy_commands.AttachPolicy(
        policy_ref(params.PolicyId, params.PolicyName),
        _bearer(_role(params.AttachRoleId, params.AttachRoleName, "Attach")),
    )


def _detach(params: contract.DetachRolePolicy) -> policy_commands.DetachPolicy:
    return policy_commands.DetachPolicy(
        policy_ref(params.PolicyId, params.PolicyName),
        _bearer(_role(params.DetachRoleId, params.DetachRoleName, "Detach")),
    )


def _attached(params: contract.ListAttachedRolePolicies) -> policy_commands.PageAttached:
    return policy_commands.PageAttached(
        _bearer(_role(params.RoleId, params.RoleName)),
        *window(params.Page, params.Rp),
        preset=_KINDS[params.PolicyType or ""],
        name_contains=params.Keyword,
    )


def _database_token(params: contract.BuildDataFlowAuthToken) -> ShowDatabaseToken:
    return ShowDatabaseToken(InstanceName("tencent", params.ResourceId), params.ResourceAccount)


VERBS: Verbs = verbs_of(
    verb(contract.CreateRole, _create, answers.role_created),
    verb(contract.GetRole, _get, answers.role),
    verb(contract.DeleteRole, _delete, nothing),
    verb(contract.DescribeRoleList, _list, answers.roles),
    verb(contract.UpdateAssumeRolePolicy, _trust, nothing),
    verb(contract.UpdateRoleDescription, _describe, nothing),
    verb(contract.UpdateRoleConsoleLogin, _console, nothing),
    verb(contract.UpdateRoleSessionDuration, _duration, nothing),
    verb(contract.TagRole, _tag, nothing),
    verb(contract.UntagRole, _untag, nothing),
    verb(contract.AttachRolePolicy, _attach, nothing),
    verb(contract.DetachRolePolicy, _detach, nothing),
    verb(contract.ListAttachedRolePolicies, _attached, answers.attached_to_role),
    verb(contract.BuildDataFlowAuthToken, _database_token, answers.database_token),
)
