"""What `cam` answers about policies and roles.

Times are ``YYYY-MM-DD hh:mm:ss`` in UTC+8, as at the vendor. Source: tencentcloud-sdk-python-cam 3.1.181, models.py,
and the examples of tccli 3.1.189. ListAttachedUserAllPolicies writes numbers as text, the other lists do not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from rolecall.contracts.tencent.cam.policies import UpdatePolicy
from rolecall.domain.accounts.password_tokens import DatabaseToken
from rolecall.domain.iam.model import Role
from rolecall.domain.iam.policy_commands import Attached, Bearer, BearerView, PolicyView
from rolecall.domain.messages import Page
from rolecall.domain.policy.model import Policy
from rolecall.values import Checked
from rolecall.verbs import Answer
from rolecall.verbs.cam.answers import moment

_BY_SYNTAX = 2  # CreateMode: 1 is by product, in the console
_RELATED: Mapping[Bearer, int] = {Bearer.SUB_USER: 1, Bearer.GROUP: 2, Bearer.ROLE: 3}


def _type(policy: Policy) -> int:
    return 2 if policy.preset else 1


def _word(policy: Policy) -> str:
    return "QCS" if policy.preset else "User"


def created(_checked: Checked[object], policy_id: int) -> Answer:
    return {"PolicyId": policy_id}


def updated(checked: Checked[UpdatePolicy], policy_id: int) -> Answer:
    """ "The id is answered if the name was sent", says the SDK."""
    return {"PolicyId": policy_id if checked.params.PolicyId is None else None}


def tags(pairs: Sequence[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in pairs]


def policy(_checked: Checked[object], policy: Policy) -> Answer:
    return {
        "PolicyName": policy.name,
        "Description": policy.description,
        "Type": _type(policy),
        "AddTime": moment(policy.created_at),
        "UpdateTime": moment(policy.updated_at),
        "PolicyDocument": policy.document,
        "PresetAlias": policy.alias or None,
        "IsServiceLinkedRolePolicy": 0,
        "Tags": tags(policy.tags),
    }


def policies(_checked: Checked[object], page: Page[PolicyView]) -> Answer:
    return {"TotalNum": page.total, "List": [_listed(view) for view in page.items], "ServiceTypeList": []}


def _listed(view: PolicyView) -> Answer:
    one = view.policy
    return {
        "PolicyId": one.id,
        "PolicyName": one.name,
        "AddTime": moment(one.created_at),
        "Type": _type(one),
        "Description": one.description,
        "CreateMode": _BY_SYNTAX,
        "Attachments": view.sub_users,
        "ServiceType": "",
        "IsAttached": None,
        "Deactived": 0,
        "DeactivedDetail": [],
        "IsServiceLinkedPolicy": 0,
        "AttachEntityCount": view.bearers,
        "AttachEntityBoundaryCount": 0,
        "UpdateTime": moment(one.updated_at),
        "Tags": tags(one.tags),
    }


def attached(checked: Checked[object], page: Page[Attached]) -> Answer:
    """The operator may have been deleted since: its number stays."""
    owner = str(checked.caller.owner_number)
    return {
        "TotalNum": page.total,
        "List": [
            _attached(attachment)
            | {
                "Remark": attachment.policy.description,
                "OperateOwnerUin": owner,
                "OperateUin": str(attachment.attached_by),
                "OperateUinType": 0,
            }
            for attachment in page.items
        ],
    }


def attached_to_role(_checked: Checked[object], page: Page[Attached]) -> Answer:
    rows = [
        _attached(attachment) | {"Description": attachment.policy.description} for attachment in page.items
    ]
    return {"List": rows, "TotalNum": page.total}


def _attached(attachment: Attached) -> Answer:
    return {
        "PolicyId": attachment.policy.id,
        "PolicyName": attachment.policy.name,
        "AddTime": moment(attachment.attached_at),
        "CreateMode": _BY_SYNTAX,
        "PolicyType": _word(attachment.policy),
        "Deactived": 0,
        "DeactivedDetail": [],
    }


def attached_all(_checked: Checked[object], page: Page[Attached]) -> Answer:
    return {
        "PolicyList": [
            {
                "PolicyId": str(attachment.policy.id),
                "PolicyName": attachment.policy.name,
                "Description": attachment.policy.description,
                "AddTime": moment(attachment.attached_at),
                "StrategyType": str(_type(attachment.policy)),
                "CreateMode": str(_BY_SYNTAX),
                "Groups": [{"GroupId": group_id, "GroupName": name} for group_id, name in attachment.groups],
                "Deactived": 0,
                "DeactivedDetail": [],
            }
            for attachment in page.items
        ],
        "TotalNum": page.total,
    }


def entities(_checked: Checked[object], page: Page[BearerView]) -> Answer:
    return {
        "TotalNum": page.total,
        "List": [
            {
                "Id": str(bearer.id),
                "Name": bearer.name,
                "Uin": bearer.number,
                "RelatedType": _RELATED[bearer.kind],
                "AttachmentTime": moment(bearer.attached_at),
            }
            for bearer in page.items
        ],
    }


def role_created(_checked: Checked[object], role_id: int) -> Answer:
    return {"RoleId": str(role_id)}


def role(checked: Checked[object], role: Role) -> Answer:
    return {"RoleInfo": _role(checked, role)}


def roles(checked: Checked[object], page: Page[Role]) -> Answer:
    return {"List": [_role(checked, each) for each in page.items], "TotalNum": page.total}


def _role(checked: Checked[object], role: Role) -> Answer:
    return {
        "RoleId": str(role.id),
        "RoleName": role.name,
        "PolicyDocument": role.trust,
        "Description": role.description,
        "AddTime": moment(role.created_at),
        "UpdateTime": moment(role.updated_at),
        "ConsoleLogin": int(role.console_login),
        "RoleType": "user",
        "SessionDuration": role.session_seconds,
        "DeletionTaskId": None,
        "Tags": tags(role.tags),
        "RoleArn": f"qcs::cam::uin/{checked.caller.owner_number}:roleName/{role.name}",
    }


def database_token(_checked: Checked[object], token: DatabaseToken) -> Answer:
    """All times are milliseconds: the vendor's client subtracts one from the other."""
    return {
        "Credentials": {
            "Token": token.password.reveal(),
            "CurrentTime": _milliseconds(token.now),
            "NextRotationTime": None if token.next_at is None else _milliseconds(token.next_at),
            "LastRotationTimeCost": token.cost_milliseconds,
            "RotationStatus": "success" if token.succeeded else "failed",
            "RotationMessage": token.message or "success",
        }
    }


def _milliseconds(when: datetime) -> int:
    return int(when.timestamp() * 1000)
