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

from rolecall.domain.accounts.password_tokens import ShowDatabaseToken
from rolecall.domain.iam import policy_commands
from rolecall.domain.iam import role_commands as commands
from rolecall.domain.iam.policy_commands import Bearer, BearerRef
from rolecall.domain.iam.role_commands import RoleRef
from rolecall.domain.messages import InstanceName
from rolecall.domain.reasons import Reason, Refused
from rolecall.verbs import Decipher, Verbs, nothing
from rolecall.verbs.cam import policy_answers as answers
from rolecall.verbs.cam.policies import maybe, policy_ref, tags, window
from rolecall.verbs.params import Checked, Params, loose, number, text, texts

_KINDS: Mapping[str, bool | None] = {"": None, "User": False, "QCS": True}


def unescaped(document: str) -> str:
    """The vendor's examples send these documents escaped for a URL, some of them twice.

    Terraform's provider and the vendor's COS STS SDK escape them as forms, where ``+`` is a space and ``%2B`` a plus.
    """
    for _ in range(2):
        if document.lstrip().startswith("%"):
            document = unquote_plus(document)
    return document


def _role(params: Params, prefix: str = "") -> RoleRef:
    """By id, or without it by name. PARAMETER_MISSING."""
    role_id = params.get(f"{prefix}RoleId")
    if role_id not in (None, ""):
        return RoleRef(int(str(role_id)))
    name = text(params, f"{prefix}RoleName")
    if not name:
        raise Refused(Reason.PARAMETER_MISSING, f"{prefix}RoleId")
    return RoleRef(None, name)


def _create(checked: Checked, _: Decipher) -> commands.CreateRole:
    params = checked.params
    return commands.CreateRole(
        text(params, "RoleName"),
        unescaped(text(params, "PolicyDocument")),
        text(params, "Description"),
        number(params, "ConsoleLogin") == 1,
        number(params, "SessionDuration") if "SessionDuration" in params else 0,
        tags(params),
    )


def _get(checked: Checked, _: Decipher) -> commands.ShowRole:
    return commands.ShowRole(_role(checked.params))


def _list(checked: Checked, _: Decipher) -> commands.PageRoles:
    return commands.PageRoles(*window(checked.params), tags(checked.params))


def _trust(checked: Checked, _: Decipher) -> commands.ChangeRole:
    return commands.ChangeRole(_role(checked.params), trust=unescaped(text(checked.params, "PolicyDocument")))


def _describe(checked: Checked, _: Decipher) -> commands.ChangeRole:
    return commands.ChangeRole(_role(checked.params), description=text(checked.params, "Description"))


def _console(checked: Checked, _: Decipher) -> commands.ChangeRole:
    return commands.ChangeRole(
        _role(checked.params), console_login=number(checked.params, "ConsoleLogin") == 1
    )


def _duration(checked: Checked, _: Decipher) -> commands.ChangeRole:
    return commands.ChangeRole(
        _role(checked.params), session_seconds=number(checked.params, "SessionDuration")
    )


def _delete(checked: Checked, _: Decipher) -> commands.DeleteRole:
    return commands.DeleteRole(_role(checked.params))


def _tag(checked: Checked, _: Decipher) -> commands.TagRole:
    return commands.TagRole(_role(checked.params), put=tags(checked.params))


def _untag(checked: Checked, _: Decipher) -> commands.TagRole:
    return commands.TagRole(_role(checked.params), take=tuple(texts(checked.params, "TagKeys")))


def _bearer(params: Params, prefix: str = "") -> BearerRef:
    role = _role(params, prefix)
    return BearerRef(Bearer.ROLE, role.id, role.name)


def _attach(checked: Checked, _: Decipher) -> policy_commands.AttachPolicy:
    params = checked.params
    return policy_commands.AttachPolicy(policy_ref(params), _bearer(params, "Attach"))


def _detach(checked: Checked, _: Decipher) -> policy_commands.DetachPolicy:
    params = checked.params
    return policy_commands.DetachPolicy(policy_ref(params), _bearer(params, "Detach"))


def _attached(checked: Checked, _: Decipher) -> policy_commands.PageAttached:
    params = checked.params
    return policy_commands.PageAttached(
        _bearer(params),
        *window(params),
        preset=_KINDS[maybe(params, "PolicyType") or ""],
        name_contains=text(params, "Keyword"),
    )


def _database_token(checked: Checked, _: Decipher) -> ShowDatabaseToken:
    params = checked.params
    return ShowDatabaseToken(
        InstanceName("tencent", text(params, "ResourceId")), text(params, "ResourceAccount")
    )


VERBS: Verbs = {
    "CreateRole": loose(_create, answers.role_created),
    "GetRole": loose(_get, answers.role),
    "DeleteRole": loose(_delete, nothing),
    "DescribeRoleList": loose(_list, answers.roles),
    "UpdateAssumeRolePolicy": loose(_trust, nothing),
    "UpdateRoleDescription": loose(_describe, nothing),
    "UpdateRoleConsoleLogin": loose(_console, nothing),
    "UpdateRoleSessionDuration": loose(_duration, nothing),
    "TagRole": loose(_tag, nothing),
    "UntagRole": loose(_untag, nothing),
    "AttachRolePolicy": loose(_attach, nothing),
    "DetachRolePolicy": loose(_detach, nothing),
    "ListAttachedRolePolicies": loose(_attached, answers.attached_to_role),
    "BuildDataFlowAuthToken": loose(_database_token, answers.database_token),
}
