"""Sub-users, access keys and password rules of `cam` 2019-01-16 (contract: `rolecall.contracts.tencent.cam.users`).

| action | command | answer |
|---|---|---|
| AddUser | AddSubUser | Uin, Name, Password, SecretId, SecretKey, Uid, PhoneNumVerifyLink |
| GetUser | ShowSubUser | the sub-user's fields |
| ListUsers | ListSubUsers | Data |
| ListAccounts | PageSubUsers | Users, Marker, IsTruncated |
| UpdateUser, DeleteUser | ChangeSubUser, DeleteSubUser | - |
| DescribeSubAccounts | FindSubUsers | SubAccounts |
| GetUserAppId | (the caller) | Uin, OwnerUin, AppId |
| ListCollaborators | (there are none) | TotalNum, Data |
| GetAccountSummary | CountPeople | counts |
| CreateAccessKey, ListAccessKeys | CreateKey, ListKeys | AccessKey, AccessKeys |
| UpdateAccessKey, DeleteAccessKey | ChangeKey, DeleteKey | - |
| GetSecurityLastUsed | ShowKeyUses | SecretIdLastUsedRows |
| GetPasswordRules, UpdatePasswordRules | ShowPasswordRules, ChangePasswordRules | Rules, UpdateTime, Modifier |
| DescribeSafeAuthFlagColl | FindSubUser | LoginFlag, ActionFlag, OffsiteFlag, PromptTrust |
"""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from rolecall.contracts.permission import policy_request
from rolecall.contracts.tencent.cam.contract import CONTRACT
from rolecall.contracts.tencent.cam.rules import unescaped_email
from rolecall.domain.iam import commands
from rolecall.domain.policy.requests import PolicyRequest
from rolecall.values import Secret
from rolecall.verbs import Decipher, Verbs, nothing
from rolecall.verbs.cam import answers
from rolecall.verbs.params import Checked, Params, loose, loose_static, number, secret, structure, text

_TAGGED = ("cam", "uin")
"""The service and prefix that sub-users' tags are kept under (verbs/tag/verbs.py)."""


def maybe_text(params: Params, name: str) -> str | None:
    """None where the parameter is absent."""
    return cast("str | None", params.get(name))


def maybe_number(params: Params, name: str) -> int | None:
    """None where the parameter is absent."""
    return cast("int | None", params.get(name))


def _maybe_flag(params: Params, name: str) -> bool | None:
    value = maybe_number(params, name)
    return None if value is None else bool(value)


def _password(params: Params) -> Secret | None:
    """An empty one counts as none: the page lets the platform make one then."""
    given = secret(params, "Password")
    return None if given is None or given == Secret("") else given


def _email(params: Params) -> str | None:
    given = maybe_text(params, "Email")
    return None if given is None else unescaped_email(given)


def _add_user(checked: Checked, _: Decipher) -> commands.AddSubUser:
    params = checked.params
    return commands.AddSubUser(
        name=text(params, "Name"),
        remark=text(params, "Remark"),
        console_login=bool(number(params, "ConsoleLogin")),
        mint_key=bool(number(params, "UseApi")),
        password=_password(params),
        must_reset_password=bool(number(params, "NeedResetPassword")),
        phone=text(params, "PhoneNum"),
        country_code=text(params, "CountryCode"),
        email=_email(params) or "",
    )


def _get_user(checked: Checked, _: Decipher) -> commands.ShowSubUser:
    return commands.ShowSubUser(text(checked.params, "Name"))


def _list_users(_checked: Checked, _: Decipher) -> commands.ListSubUsers:
    return commands.ListSubUsers()


def _list_accounts(checked: Checked, _: Decipher) -> commands.PageSubUsers:
    """One more than fits, so that the answer can say whether that is all."""
    after = int(text(checked.params, "Marker") or 0)
    return commands.PageSubUsers(after, number(checked.params, "MaxItems") + 1)


def _update_user(checked: Checked, _: Decipher) -> commands.ChangeSubUser:
    params = checked.params
    return commands.ChangeSubUser(
        name=text(params, "Name"),
        remark=maybe_text(params, "Remark"),
        console_login=_maybe_flag(params, "ConsoleLogin"),
        password=_password(params),
        must_reset_password=_maybe_flag(params, "NeedResetPassword"),
        phone=maybe_text(params, "PhoneNum"),
        country_code=maybe_text(params, "CountryCode"),
        email=_email(params),
    )


def _delete_user(checked: Checked, _: Decipher) -> commands.DeleteSubUser:
    """With Force keys are deleted too, which takes the permission ``cam:DeleteApiKey`` (SDK: DeleteUserRequest)."""
    ask: PolicyRequest | None = None
    if number(checked.params, "Force"):
        ask = replace(
            policy_request(checked, CONTRACT, CONTRACT.actions["DeleteUser"]), operation="cam:DeleteApiKey"
        )
    return commands.DeleteSubUser(text(checked.params, "Name"), ask, _TAGGED)


def _describe_sub_accounts(checked: Checked, _: Decipher) -> commands.FindSubUsers:
    return commands.FindSubUsers(tuple(cast("list[int]", checked.params["FilterSubAccountUin"])))


def _summary(_checked: Checked, _: Decipher) -> commands.CountPeople:
    return commands.CountPeople()


def _create_key(checked: Checked, _: Decipher) -> commands.CreateKey:
    target = maybe_number(checked.params, "TargetUin")
    return commands.CreateKey(target, text(checked.params, "Description"))


def _list_keys(checked: Checked, _: Decipher) -> commands.ListKeys:
    return commands.ListKeys(maybe_number(checked.params, "TargetUin"))


def _update_key(checked: Checked, _: Decipher) -> commands.ChangeKey:
    params = checked.params
    active = text(params, "Status") == "Active"
    return commands.ChangeKey(maybe_number(params, "TargetUin"), text(params, "AccessKeyId"), active)


def _delete_key(checked: Checked, _: Decipher) -> commands.DeleteKey:
    return commands.DeleteKey(maybe_number(checked.params, "TargetUin"), text(checked.params, "AccessKeyId"))


def _key_uses(checked: Checked, _: Decipher) -> commands.ShowKeyUses:
    return commands.ShowKeyUses(tuple(cast("list[str]", checked.params["SecretIdList"])))


def _show_rules(_checked: Checked, _: Decipher) -> commands.ShowPasswordRules:
    return commands.ShowPasswordRules()


def _change_rules(checked: Checked, _: Decipher) -> commands.ChangePasswordRules:
    """What is not sent stays as it is; a MinimumLength of 0 is the default of 8."""
    sent = structure(checked.params, "Rules") or {}
    letters, expiration = (
        maybe_text(sent, "MustContain"),
        maybe_number(sent, "PasswordExpirationInvalidation"),
    )
    minimum = maybe_number(sent, "MinimumLength")
    return commands.ChangePasswordRules(
        minimum_length=8 if minimum == 0 else minimum,
        must_contain=None if letters is None else frozenset(answers.CLASS_LETTERS[one] for one in letters),
        change_every_days=maybe_number(sent, "ForcePasswordChange"),
        reuse_limit=maybe_number(sent, "ReusePasswordLimit"),
        retry_limit=maybe_number(sent, "RetryPasswordLimit"),
        expired_is_locked=None if expiration is None else expiration == 1,
    )


def _safety(checked: Checked, _: Decipher) -> commands.FindSubUser:
    return commands.FindSubUser(commands.SubUserRef(number(checked.params, "SubUin")))


VERBS: Verbs = {
    "AddUser": loose(_add_user, answers.added),
    "GetUser": loose(_get_user, answers.shown),
    "ListUsers": loose(_list_users, answers.listed),
    "ListAccounts": loose(_list_accounts, answers.accounts),
    "UpdateUser": loose(_update_user, nothing),
    "DeleteUser": loose(_delete_user, nothing),
    "DescribeSubAccounts": loose(_describe_sub_accounts, answers.described),
    "GetUserAppId": loose_static(answers.app_id),
    "ListCollaborators": loose_static(lambda _: {"TotalNum": 0, "Data": []}),
    "GetAccountSummary": loose(_summary, answers.summary),
    "CreateAccessKey": loose(_create_key, answers.key_created),
    "ListAccessKeys": loose(_list_keys, answers.keys),
    "UpdateAccessKey": loose(_update_key, nothing),
    "DeleteAccessKey": loose(_delete_key, nothing),
    "GetSecurityLastUsed": loose(_key_uses, answers.key_uses),
    "GetPasswordRules": loose(_show_rules, answers.rules),
    "UpdatePasswordRules": loose(_change_rules, nothing),
    "DescribeSafeAuthFlagColl": loose(_safety, answers.safety),
}
