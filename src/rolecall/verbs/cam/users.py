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

from rolecall.contracts.permission import policy_request
from rolecall.contracts.tencent.cam import users as contract
from rolecall.contracts.tencent.cam.contract import CONTRACT
from rolecall.contracts.tencent.cam.rules import unescaped_email
from rolecall.domain.iam import commands
from rolecall.domain.policy.requests import PolicyRequest
from rolecall.values import Checked, Secret
from rolecall.verbs import Decipher, StaticVerb, Verb, Verbs, nothing
from rolecall.verbs.cam import answers

_TAGGED = ("cam", "uin")
"""The service and prefix that sub-users' tags are kept under (verbs/tag/verbs.py)."""


def _flag(number: int | None) -> bool | None:
    return None if number is None else bool(number)


def _password(given: Secret | None) -> Secret | None:
    """An empty one counts as none: the page lets the platform make one then."""
    return None if given is None or given == Secret("") else given


def _email(given: str | None) -> str | None:
    return None if given is None else unescaped_email(given)


def _add_user(checked: Checked[contract.AddUser], _: Decipher) -> commands.AddSubUser:
    params = checked.params
    return commands.AddSubUser(
        name=params.Name,
        remark=params.Remark or "",
        console_login=bool(params.ConsoleLogin),
        mint_key=bool(params.UseApi),
        password=_password(params.Password),
        must_reset_password=bool(params.NeedResetPassword),
        phone=params.PhoneNum or "",
        country_code=params.CountryCode or "",
        email=_email(params.Email) or "",
    )


def _get_user(checked: Checked[contract.GetUser], _: Decipher) -> commands.ShowSubUser:
    return commands.ShowSubUser(checked.params.Name)


def _list_users(_checked: Checked[object], _: Decipher) -> commands.ListSubUsers:
    return commands.ListSubUsers()


def _list_accounts(checked: Checked[contract.ListAccounts], _: Decipher) -> commands.PageSubUsers:
    """One more than fits, so that the answer can say whether that is all."""
    after = int(checked.params.Marker or 0)
    return commands.PageSubUsers(after, checked.params.MaxItems + 1)


def _update_user(checked: Checked[contract.UpdateUser], _: Decipher) -> commands.ChangeSubUser:
    params = checked.params
    return commands.ChangeSubUser(
        name=params.Name,
        remark=params.Remark,
        console_login=_flag(params.ConsoleLogin),
        password=_password(params.Password),
        must_reset_password=_flag(params.NeedResetPassword),
        phone=params.PhoneNum,
        country_code=params.CountryCode,
        email=_email(params.Email),
    )


def _delete_user(checked: Checked[contract.DeleteUser], _: Decipher) -> commands.DeleteSubUser:
    """With Force keys are deleted too, which takes the permission ``cam:DeleteApiKey`` (SDK: DeleteUserRequest)."""
    ask: PolicyRequest | None = None
    if checked.params.Force:
        ask = replace(
            policy_request(checked, CONTRACT, CONTRACT.actions["DeleteUser"]), operation="cam:DeleteApiKey"
        )
    return commands.DeleteSubUser(checked.params.Name, ask, _TAGGED)


def _describe_sub_accounts(
    checked: Checked[contract.DescribeSubAccounts], _: Decipher
) -> commands.FindSubUsers:
    return commands.FindSubUsers(tuple(checked.params.FilterSubAccountUin))


def _summary(_checked: Checked[object], _: Decipher) -> commands.CountPeople:
    return commands.CountPeople()


def _create_key(checked: Checked[contract.CreateAccessKey], _: Decipher) -> commands.CreateKey:
    target = checked.params.TargetUin
    return commands.CreateKey(target, checked.params.Description)


def _list_keys(checked: Checked[contract.ListAccessKeys], _: Decipher) -> commands.ListKeys:
    return commands.ListKeys(checked.params.TargetUin)


def _update_key(checked: Checked[contract.UpdateAccessKey], _: Decipher) -> commands.ChangeKey:
    params = checked.params
    active = params.Status == "Active"
    return commands.ChangeKey(params.TargetUin, params.AccessKeyId, active)


def _delete_key(checked: Checked[contract.DeleteAccessKey], _: Decipher) -> commands.DeleteKey:
    return commands.DeleteKey(checked.params.TargetUin, checked.params.AccessKeyId)


def _key_uses(checked: Checked[contract.GetSecurityLastUsed], _: Decipher) -> commands.ShowKeyUses:
    return commands.ShowKeyUses(tuple(checked.params.SecretIdList))


def _show_rules(_checked: Checked[object], _: Decipher) -> commands.ShowPasswordRules:
    return commands.ShowPasswordRules()


def _change_rules(
    checked: Checked[contract.UpdatePasswordRules], _: Decipher
) -> commands.ChangePasswordRules:
    """What is not sent stays as it is; a MinimumLength of 0 is the default of 8."""
    sent = checked.params.Rules
    letters, expiration = (
        sent.MustContain,
        sent.PasswordExpirationInvalidation,
    )
    minimum = sent.MinimumLength
    return commands.ChangePasswordRules(
        minimum_length=8 if minimum == 0 else minimum,
        must_contain=None
        if letters is None
        else frozenset(answers.CLASS_LETTERS[letter] for letter in letters),
        change_every_days=sent.ForcePasswordChange,
        reuse_limit=sent.ReusePasswordLimit,
        retry_limit=sent.RetryPasswordLimit,
        expired_is_locked=None if expiration is None else expiration == 1,
    )


def _safety(checked: Checked[contract.DescribeSafeAuthFlagColl], _: Decipher) -> commands.FindSubUser:
    return commands.FindSubUser(commands.SubUserRef(checked.params.SubUin))


VERBS: Verbs = {
    "AddUser": Verb(contract.AddUser, _add_user, answers.added),
    "GetUser": Verb(contract.GetUser, _get_user, answers.shown),
    "ListUsers": Verb(contract.ListUsers, _list_users, answers.listed),
    "ListAccounts": Verb(contract.ListAccounts, _list_accounts, answers.accounts),
    "UpdateUser": Verb(contract.UpdateUser, _update_user, nothing),
    "DeleteUser": Verb(contract.DeleteUser, _delete_user, nothing),
    "DescribeSubAccounts": Verb(contract.DescribeSubAccounts, _describe_sub_accounts, answers.described),
    "GetUserAppId": StaticVerb(contract.GetUserAppId, answers.app_id),
    "ListCollaborators": StaticVerb(contract.ListCollaborators, lambda _: {"TotalNum": 0, "Data": []}),
    "GetAccountSummary": Verb(contract.GetAccountSummary, _summary, answers.summary),
    "CreateAccessKey": Verb(contract.CreateAccessKey, _create_key, answers.key_created),
    "ListAccessKeys": Verb(contract.ListAccessKeys, _list_keys, answers.keys),
    "UpdateAccessKey": Verb(contract.UpdateAccessKey, _update_key, nothing),
    "DeleteAccessKey": Verb(contract.DeleteAccessKey, _delete_key, nothing),
    "GetSecurityLastUsed": Verb(contract.GetSecurityLastUsed, _key_uses, answers.key_uses),
    "GetPasswordRules": Verb(contract.GetPasswordRules, _show_rules, answers.rules),
    "UpdatePasswordRules": Verb(contract.UpdatePasswordRules, _change_rules, nothing),
    "DescribeSafeAuthFlagColl": Verb(contract.DescribeSafeAuthFlagColl, _safety, answers.safety),
}
