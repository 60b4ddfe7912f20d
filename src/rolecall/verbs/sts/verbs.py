"""Tencent Cloud `sts` 2018-08-13 (contract: `rolecall.contracts.tencent.sts.contract`).

| action | command | answer |
|---|---|---|
| AssumeRole | AssumeRole | Credentials, ExpiredTime, Expiration |
| GetFederationToken | IssueOwnSession | the same |
| GetCallerIdentity | (the proven caller) | Arn, AccountId, UserId, PrincipalId, Type |
| QueryApiKey | ListKeys | IdKeys |
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from rolecall.contracts.tencent.sts import parameters
from rolecall.domain.access.keys import AccessKey
from rolecall.domain.iam import role_commands as commands
from rolecall.domain.iam.commands import ListKeys
from rolecall.domain.iam.role_commands import IssuedSession, RoleRef
from rolecall.values import Checked, PrincipalKind
from rolecall.verbs import Answer, StaticVerb, Verbs, verb, verbs_of
from rolecall.verbs.cam.roles import unescaped

_VALID, _DISABLED = 2, 3


def _assume(params: parameters.AssumeRole) -> commands.AssumeRole:
    owner, name = params.RoleArn.removeprefix("qcs::cam::uin/").split(":", 1)
    kind, which = name.split("/", 1)
    return commands.AssumeRole(
        int(owner),
        RoleRef(int(which)) if kind == "role" else RoleRef(None, which),
        params.RoleSessionName,
        params.DurationSeconds,
        unescaped(params.Policy or ""),
        params.ExternalId or "",
    )


def _federate(params: parameters.GetFederationToken) -> commands.IssueOwnSession:
    return commands.IssueOwnSession(params.Name, unescaped(params.Policy), params.DurationSeconds)


def _issued(_checked: Checked[object], issued: IssuedSession) -> Answer:
    return {
        "Credentials": {
            "Token": issued.token.reveal(),
            "TmpSecretId": issued.key_id,
            "TmpSecretKey": issued.secret.reveal(),
        },
        "ExpiredTime": issued.expires_at,
        "Expiration": datetime.fromtimestamp(issued.expires_at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


def _identity(checked: Checked[object]) -> Answer:
    """The spellings are those of the vendor's examples; an owner is a CAMUser too."""
    caller = checked.caller
    owner, principal, session = str(caller.owner_number), str(caller.principal), caller.session
    name, kind, user, by = f"qcs::cam:{owner}:uin/{principal}", "CAMUser", principal, principal
    if session is not None and caller.kind is PrincipalKind.ROLE:
        name, kind = f"qcs::sts:{owner}:assumed-role/{principal}", "CAMRole"
        user, by = f"{principal}:{session.name}", str(session.taken_by)
    elif session is not None:
        name, user = f"qcs::sts:{owner}:federated-user/{principal}", f"{principal}:{session.name}"
    return {"Arn": name, "AccountId": owner, "UserId": user, "PrincipalId": by, "Type": kind}


def _keys(_checked: Checked[object], keys: Sequence[AccessKey]) -> Answer:
    return {
        "IdKeys": [
            {
                "SecretId": key.id,
                "CreateTime": int(key.created_at.timestamp()),
                "Status": _VALID if key.active else _DISABLED,
            }
            for key in keys
        ]
    }


VERBS: Verbs = verbs_of(
    verb(parameters.AssumeRole, _assume, _issued),
    verb(parameters.GetFederationToken, _federate, _issued),
    StaticVerb(parameters.GetCallerIdentity, _identity),
    verb(parameters.QueryApiKey, lambda params: ListKeys(params.TargetUin), _keys),
)
