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
from rolecall.values import Checked
from rolecall.verbs import Decipher, Verb, Verbs, nothing
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


def _create(checked: Checked[contract.CreateRole], _: Decipher) -> commands.CreateRole:
    params = checked.params
    return commands.CreateRole(
        params.RoleName,
        unescaped(params.PolicyDocument),
        params.Description,
        params.ConsoleLogin == 1,
        params.SessionDuration or 0,
        tags(params.Tags),
    )


def _get(checked: Checked[contract.GetRole], _: Decipher) -> commands.ShowRole:
    return commands.ShowRole(_role(checked.params.RoleId, checked.params.RoleName))


def _list(checked: Checked[contract.DescribeRoleList], _: Decipher) -> commands.PageRoles:
    return commands.PageRoles(*window(checked.params.Page, checked.params.Rp), tags(checked.params.Tags))


def _trust(checked: Checked[contract.UpdateAssumeRolePolicy], _: Decipher) -> commands.ChangeRole:
    return commands.ChangeRole(
        _role(checked.params.RoleId, checked.params.RoleName), trust=unescaped(checked.params.PolicyDocument)
    )


def _describe(checked: Checked[contract.UpdateRoleDescription], _: Decipher) -> commands.ChangeRole:
    return commands.ChangeRole(
        _role(checked.params.RoleId, checked.params.RoleName), description=checked.params.Description
    )


def _console(checked: Checked[contract.UpdateRoleConsoleLogin], _: Decipher) -> commands.ChangeRole:
    return commands.ChangeRole(
        _role(checked.params.RoleId, checked.params.RoleName), console_login=checked.params.ConsoleLogin == 1
    )


def _duration(checked: Checked[contract.UpdateRoleSessionDuration], _: Decipher) -> commands.ChangeRole:
    return commands.ChangeRole(
        _role(checked.params.RoleId, checked.params.RoleName), session_seconds=checked.params.SessionDuration
    )


def _delete(checked: Checked[contract.DeleteRole], _: Decipher) -> commands.DeleteRole:
    return commands.DeleteRole(_role(checked.params.RoleId, checked.params.RoleName))


def _tag(checked: Checked[contract.TagRole], _: Decipher) -> commands.TagRole:
    return commands.TagRole(
        _role(checked.params.RoleId, checked.params.RoleName), put=tags(checked.params.Tags)
    )


def _untag(checked: Checked[contract.UntagRole], _: Decipher) -> commands.TagRole:
    return commands.TagRole(
        _role(checked.params.RoleId, checked.params.RoleName), take=tuple(checked.params.TagKeys)
    )


def _attach(checked: Checked[contract.AttachRolePolicy], _: Decipher) -> policy_commands.AttachPolicy:
    params = checked.params
    return policy_commands.AttachPolicy(
        policy_ref(params.PolicyId, params.PolicyName),
        _bearer(_role(params.AttachRoleId, params.AttachRoleName, "Attach")),
    )


def _detach(checked: Checked[contract.DetachRolePolicy], _: Decipher) -> policy_commands.DetachPolicy:
    params = checked.params
    return policy_commands.DetachPolicy(
        policy_ref(params.PolicyId, params.PolicyName),
        _bearer(_role(params.DetachRoleId, params.DetachRoleName, "Detach")),
    )


def _attached(
    checked: Checked[contract.ListAttachedRolePolicies], _: Decipher
) -> policy_commands.PageAttached:
    params = checked.params
    return policy_commands.PageAttached(
        _bearer(_role(params.RoleId, params.RoleName)),
        *window(params.Page, params.Rp),
        preset=_KINDS[params.PolicyType or ""],
        name_contains=params.Keyword,
    )


def _database_token(checked: Checked[contract.BuildDataFlowAuthToken], _: Decipher) -> ShowDatabaseToken:
    params = checked.params
    return ShowDatabaseToken(InstanceName("tencent", params.ResourceId), params.ResourceAccount)


VERBS: Verbs = {
    "CreateRole": Verb(contract.CreateRole, _create, answers.role_created),
    "GetRole": Verb(contract.GetRole, _get, answers.role),
    "DeleteRole": Verb(contract.DeleteRole, _delete, nothing),
    "DescribeRoleList": Verb(contract.DescribeRoleList, _list, answers.roles),
    "UpdateAssumeRolePolicy": Verb(contract.UpdateAssumeRolePolicy, _trust, nothing),
    "UpdateRoleDescription": Verb(contract.UpdateRoleDescription, _describe, nothing),
    "UpdateRoleConsoleLogin": Verb(contract.UpdateRoleConsoleLogin, _console, nothing),
    "UpdateRoleSessionDuration": Verb(contract.UpdateRoleSessionDuration, _duration, nothing),
    "TagRole": Verb(contract.TagRole, _tag, nothing),
    "UntagRole": Verb(contract.UntagRole, _untag, nothing),
    "AttachRolePolicy": Verb(contract.AttachRolePolicy, _attach, nothing),
    "DetachRolePolicy": Verb(contract.DetachRolePolicy, _detach, nothing),
    "ListAttachedRolePolicies": Verb(contract.ListAttachedRolePolicies, _attached, answers.attached_to_role),
    "BuildDataFlowAuthToken": Verb(contract.BuildDataFlowAuthToken, _database_token, answers.database_token),
}
