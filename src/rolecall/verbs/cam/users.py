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
from rolecall.verbs import StaticVerb, Verbs, call_verb, nothing, verb, verbs_of
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


def _add_user(params: contract.AddUser) -> commands.AddSubUser:
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


def _list_accounts(params: contract.ListAccounts) -> commands.PageSubUsers:
    """One more than fits, so that the answer can say whether that is all."""
    after = int(params.Marker or 0)
    return commands.PageSubUsers(after, params.MaxItems + 1)


def _update_user(params: contract.UpdateUser) -> commands.ChangeSubUser:
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


def _delete_user(checked: Checked[contract.DeleteUser]) -> commands.DeleteSubUser:
    """With Force keys are deleted too, which takes the permission ``cam:DeleteApiKey`` (SDK: DeleteUserRequest)."""
    ask: PolicyRequest | None = None
    if checked.params.Force:
        ask = replace(
            policy_request(checked, CONTRACT, CONTRACT.actions["DeleteUser"]), operation="cam:DeleteApiKey"
        )
    return commands.DeleteSubUser(checked.params.Name, ask, _TAGGED)


def _describe_sub_accounts(params: contract.DescribeSubAccounts) -> commands.FindSubUsers:
    return commands.FindSubUsers(tuple(params.FilterSubAccountUin))


def _create_key(params: contract.CreateAccessKey) -> commands.CreateKey:
    target = params.TargetUin
    return commands.CreateKey(target, params.Description)


def _update_key(params: contract.UpdateAccessKey) -> commands.ChangeKey:
    active = params.Status == "Active"
    return commands.ChangeKey(params.TargetUin, params.AccessKeyId, active)


def _delete_key(params: contract.DeleteAccessKey) -> commands.DeleteKey:
    return commands.DeleteKey(params.TargetUin, params.AccessKeyId)


def _key_uses(params: contract.GetSecurityLastUsed) -> commands.ShowKeyUses:
    return commands.ShowKeyUses(tuple(params.SecretIdList))


def _change_rules(params: contract.UpdatePasswordRules) -> commands.ChangePasswordRules:
    """What is not sent stays as it is; a MinimumLength of 0 is the default of 8."""
    sent = params.Rules
    letters, expiration = (sent.MustContain, sent.PasswordExpirationInvalidation)
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


def _safety(params: contract.DescribeSafeAuthFlagColl) -> commands.FindSubUser:
    return commands.FindSubUser(commands.SubUserRef(params.SubUin))


VERBS: Verbs = verbs_of(
    verb(contract.AddUser, _add_user, answers.added),
    verb(contract.GetUser, lambda params: commands.ShowSubUser(params.Name), answers.shown),
    verb(contract.ListUsers, lambda _params: commands.ListSubUsers(), answers.listed),
    verb(contract.ListAccounts, _list_accounts, answers.accounts),
    verb(contract.UpdateUser, _update_user, nothing),
    call_verb(contract.DeleteUser, _delete_user, nothing),
    verb(contract.DescribeSubAccounts, _describe_sub_accounts, answers.described),
    StaticVerb(contract.GetUserAppId, answers.app_id),
    StaticVerb(contract.ListCollaborators, lambda _: {"TotalNum": 0, "Data": []}),
    verb(contract.GetAccountSummary, lambda _params: commands.CountPeople(), answers.summary),
    verb(contract.CreateAccessKey, _create_key, answers.key_created),
    verb(contract.ListAccessKeys, lambda params: commands.ListKeys(params.TargetUin), answers.keys),
    verb(contract.UpdateAccessKey, _update_key, nothing),
    verb(contract.DeleteAccessKey, _delete_key, nothing),
    verb(contract.GetSecurityLastUsed, _key_uses, answers.key_uses),
    verb(contract.GetPasswordRules, lambda _params: commands.ShowPasswordRules(), answers.rules),
    verb(contract.UpdatePasswordRules, _change_rules, nothing),
    verb(contract.DescribeSafeAuthFlagColl, _safety, answers.safety),
)
