"""What `cam` answers about people: sub-users, keys, rules, groups.

Times are ``YYYY-MM-DD hh:mm:ss`` in UTC+8, as at the vendor. Source: tencentcloud-sdk-python-cam 3.1.181, models.py,
and the examples of tccli 3.1.189. Terraform reads AddUser's Password, SecretId and SecretKey unseen: never null.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, timezone

from rolecall.contracts.tencent.cam.users import ListAccounts
from rolecall.domain.access.keys import AccessKey
from rolecall.domain.iam.model import SubUser
from rolecall.domain.iam.views import AddedSubUser, Census, Group, GroupView, KeyShown, KeyUse, RulesView
from rolecall.domain.messages import Page
from rolecall.values import Checked, Secret
from rolecall.verbs import Answer

_VENDOR_ZONE = timezone(timedelta(hours=8))
_SUB_USER = 2  # SubAccountUser.UserType
_MEMBER = 3  # GroupMemberInfo.UserType: what the vendor's examples have for a sub-user

CLASS_LETTERS: Mapping[str, str] = {"A": "upper", "a": "lower", "1": "digit", "!": "symbol"}
"""The characters of MustContain, each of which stands for its class."""

_NO_FLAGS = {
    "Phone": 0, "Token": 0, "Stoken": 0, "Wechat": 0, "Custom": 0, "Mail": 0, "U2FToken": 0, "Passkey": 0,
}  # fmt: skip
_NO_OFFSITE_FLAGS = {"VerifyFlag": 0, "NotifyPhone": 0, "NotifyEmail": 0, "NotifyWechat": 0, "Tips": 0}


def moment(when: datetime | None) -> str:
    """Empty for what never was."""
    return "" if when is None else when.astimezone(_VENDOR_ZONE).strftime("%Y-%m-%d %H:%M:%S")


def _shown(secret: Secret | None) -> str:
    return "" if secret is None else secret.reveal()


def added(_checked: Checked[object], outcome: AddedSubUser) -> Answer:
    """The password that it has now, given or made; empty strings for what there is not."""
    return {
        "Uin": outcome.user.number,
        "Name": outcome.user.name,
        "Password": _shown(outcome.password),
        "SecretId": "" if outcome.key is None else outcome.key.id,
        "SecretKey": _shown(None if outcome.key is None else outcome.key.secret),
        "Uid": outcome.user.id,
        "PhoneNumVerifyLink": "",
    }


def _basics(user: SubUser) -> Answer:
    return {
        "Uin": user.number,
        "Name": user.name,
        "Uid": user.id,
        "Remark": user.remark,
        "ConsoleLogin": int(user.console_login),
        "PhoneNum": user.phone,
        "CountryCode": user.country_code,
        "Email": user.email,
    }


def shown(_checked: Checked[object], user: SubUser) -> Answer:
    return _basics(user) | {
        "RecentlyLoginIP": user.last_login_ip,
        "RecentlyLoginTime": moment(user.last_login_at),
    }


def listed(_checked: Checked[object], users: Sequence[SubUser]) -> Answer:
    return {
        "Data": [
            _basics(user) | {"CreateTime": moment(user.created_at), "NickName": user.name} for user in users
        ]
    }


def described(_checked: Checked[object], users: Sequence[SubUser]) -> Answer:
    return {
        "SubAccounts": [
            {
                "Uin": user.number,
                "Name": user.name,
                "Uid": user.id,
                "Remark": user.remark,
                "CreateTime": moment(user.created_at),
                "UserType": _SUB_USER,
                "LastLoginIp": user.last_login_ip,
                "LastLoginTime": moment(user.last_login_at) or None,
            }
            for user in users
        ]
    }


def accounts(checked: Checked[ListAccounts], users: Sequence[SubUser]) -> Answer:
    """The command asked for one more than fits: its being there says that the list is cut off.

    The root account stands before all sub-users, under its number; kinds that are not kept here have no members.
    """
    kind, marker, most = (checked.params.UserType or "", checked.params.Marker, checked.params.MaxItems)
    rows = [_owner(checked)] if kind in ("", "Owner") and not marker else []
    if kind in ("", "SubUser"):
        rows += [
            _basics(user) | {"CreateTime": moment(user.created_at), "UserType": "SubUser"} for user in users
        ]
    cut_off = len(rows) > most
    rows = rows[:most]
    # The owner's number says nothing of where the sub-users begin: a page of the owner alone is followed by all.
    last = 0 if not rows or rows[-1]["UserType"] == "Owner" else rows[-1]["Uin"]
    return {"Users": rows, "Marker": str(last) if cut_off else "", "IsTruncated": cut_off}


def _owner(checked: Checked[object]) -> Answer:
    uin = checked.caller.owner_number
    return {
        "Uin": uin, "Name": str(uin), "Uid": uin, "Remark": "", "ConsoleLogin": 0, "PhoneNum": "", "CountryCode": "",
        "Email": "", "CreateTime": "", "UserType": "Owner",
    }  # fmt: skip


def app_id(checked: Checked[object]) -> Answer:
    caller = checked.caller
    return {"Uin": str(caller.principal), "OwnerUin": str(caller.owner_number), "AppId": caller.app_id}


def summary(_checked: Checked[object], census: Census) -> Answer:
    return {
        "Policies": census.policies,
        "Roles": census.roles,
        "Idps": 0,
        "User": census.sub_users,
        "Group": census.groups,
        "Member": census.members,
        "IdentityProviders": 0,
    }


def key_created(_checked: Checked[object], key: KeyShown) -> Answer:
    return {
        "AccessKey": {
            "AccessKeyId": key.id,
            "SecretAccessKey": key.secret.reveal(),
            "Status": "Active",
            "CreateTime": moment(key.created_at),
            "Description": key.description,
        }
    }


def keys(_checked: Checked[object], found: Sequence[AccessKey]) -> Answer:
    return {
        "AccessKeys": [
            {
                "AccessKeyId": key.id,
                "Status": "Active" if key.active else "Inactive",
                "CreateTime": moment(key.created_at),
                "Description": key.description,
            }
            for key in found
        ]
    }


def key_uses(_checked: Checked[object], uses: Sequence[KeyUse]) -> Answer:
    return {"SecretIdLastUsedRows": [_use(use) for use in uses]}


def _use(use: KeyUse) -> Answer:
    day, at = moment(use.used_at)[:10], use.used_at
    milliseconds = None if at is None else int(at.timestamp() * 1000)
    return {"SecretId": use.key_id, "LastUsedDate": day or None, "LastSecretUsedDate": milliseconds}


def rules(_checked: Checked[object], view: RulesView) -> Answer:
    of = view.rules
    return {
        "Rules": {
            "MinimumLength": of.minimum_length,
            "MustContain": "".join(
                letter for letter, name in CLASS_LETTERS.items() if name in of.must_contain
            ),
            "ForcePasswordChange": of.change_every_days,
            "ReusePasswordLimit": of.reuse_limit,
            "RetryPasswordLimit": of.retry_limit,
            "PasswordExpirationInvalidation": 1 if of.expired_is_locked else 2,
        },
        "UpdateTime": moment(view.updated_at),
        "Modifier": "" if view.updated_by is None else str(view.updated_by),
    }


def safety(_checked: Checked[object], _user: object) -> Answer:
    """There is no second factor, and no notice of sign-ins from elsewhere."""
    return {
        "LoginFlag": dict(_NO_FLAGS),
        "ActionFlag": dict(_NO_FLAGS),
        "OffsiteFlag": dict(_NO_OFFSITE_FLAGS),
        "PromptTrust": 0,
    }


def group_created(_checked: Checked[object], group_id: int) -> Answer:
    return {"GroupId": group_id}


def _group(group: Group) -> Answer:
    return {
        "GroupId": group.id,
        "GroupName": group.name,
        "CreateTime": moment(group.created_at),
        "Remark": group.remark,
    }


def group(_checked: Checked[object], view: GroupView) -> Answer:
    return _group(view.group) | {
        "GroupNum": len(view.members),
        "UserInfo": [_member(user) for user in view.members],
    }


def groups(_checked: Checked[object], page: Page[Group]) -> Answer:
    return {"TotalNum": page.total, "GroupInfo": [_group(each) for each in page.items]}


def members(_checked: Checked[object], page: Page[SubUser]) -> Answer:
    return {"TotalNum": page.total, "UserInfo": [_member(user) for user in page.items]}


def _member(user: SubUser) -> Answer:
    """Phones and mail addresses are never verified here."""
    return {
        "Uid": user.id,
        "Uin": user.number,
        "Name": user.name,
        "PhoneNum": user.phone,
        "CountryCode": user.country_code,
        "PhoneFlag": 0,
        "Email": user.email,
        "EmailFlag": 0,
        "UserType": _MEMBER,
        "CreateTime": moment(user.created_at),
        "IsReceiverOwner": 0,
        "Remark": user.remark,
    }
