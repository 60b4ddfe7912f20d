"""Outcomes in the answer shapes of `ciam` 2022-03-31.

Every key of a structure is always there, in the order of the vendor's specification, with the JSON type of the vendor's
Go SDK; what there is none of is null where the specification allows it. Times are milliseconds of the epoch.

Reading shows phone numbers, mail addresses and identity cards masked, unless ``Original`` is asked for. Making and
changing a user, which have no such parameter, answer in clear: the vendor's newer example of CreateUser does (tccli
3.1.189, examples.json), and the caller has just sent it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

from rolecall.contracts.tencent.ciam import parameters
from rolecall.domain.directories.masking import masked_card, masked_mail, masked_phone
from rolecall.domain.directories.model import User, UserGroup, UserStatus, UserStore
from rolecall.domain.directories.views import (
    USER_CREATED,
    USER_DELETED,
    USER_SIGNED_IN,
    USER_SIGNED_UP,
    USERS_LINKED,
    DirectoryEvent,
    UserView,
)
from rolecall.domain.messages import Page
from rolecall.values import Checked, Language, Secret
from rolecall.verbs import Answer
from rolecall.verbs.ciam.queries import EVENT_CODES

_STATUSES: Mapping[UserStatus, str] = {
    UserStatus.NORMAL: "NORMAL",
    UserStatus.LOCKED: "LOCK",
    UserStatus.FROZEN: "FREEZE",
}
_SOURCES: Mapping[str, str] = {"admin": "ADMIN", "import": "IMPORT", "sign-up": "SELF"}

# The vendor publishes no values.
_BY_ADMINISTRATOR, _BY_FAILURES = "ADMIN_LOCK", "POLICY_LOCK"

_EARLY = (
    ("ResidentIdentityCard", "residentIdentityCard"),
    ("QqOpenId", "qqOpenId"),
    ("QqUnionId", "qqUnionId"),
    ("WechatOpenId", "wechatOpenId"),
    ("WechatUnionId", "wechatUnionId"),
    ("AlipayUserId", "alipayUserId"),
    ("WeComUserId", "weComUserId"),
    ("Description", "description"),
    ("Name", "name"),
    ("Locale", "locale"),
    ("Gender", "gender"),
    ("IdentityVerificationMethod", "identityVerificationMethod"),
)
_DESCRIPTIONS: Mapping[str, tuple[str, str]] = {
    USER_CREATED: ("User created", "创建用户"),
    USER_DELETED: ("User deleted", "删除用户"),
    USERS_LINKED: ("Accounts linked", "账号融合"),
    USER_SIGNED_UP: ("User signed up", "用户注册"),
    USER_SIGNED_IN: ("User signed in", "用户登录"),
}
_CHANGED = ("User updated", "更新用户")

Mask = Callable[[str], str]


def tenant(checked: Checked[object]) -> str:
    """The tenant's number, which the vendor shows as text."""
    return str(checked.caller.owner_number)


def milliseconds(moment: datetime | None) -> int | None:
    return None if moment is None else round(moment.timestamp() * 1000)


def user_made(checked: Checked[object], view: UserView) -> Answer:
    return {"User": _user(checked, view, original=True)}


def user_shown(checked: Checked[parameters.DescribeUserById], view: UserView | None) -> Answer:
    original = checked.params.Original
    return {"User": None if view is None else _user(checked, view, original=original)}


def users_page(
    checked: Checked[parameters.DescribeUser | parameters.ListUser], page: Page[UserView]
) -> Answer:
    return {"Total": page.total, "Pageable": _pageable(checked), "Content": _users(checked, page.items)}


def users(checked: Checked[parameters.ListUserByProperty], page: Page[UserView]) -> Answer:
    return {"Users": _users(checked, page.items)}


def password(_checked: Checked[object], fresh: Secret) -> Answer:
    """Shown once, on purpose."""
    return {"Password": fresh.reveal()}


def store_made(_checked: Checked[object], store: UserStore) -> Answer:
    return {"UserStoreId": store.id.hex}


def stores(checked: Checked[object], found: Sequence[UserStore]) -> Answer:
    return {"UserStoreSet": [_store(checked, store) for store in found]}


def group_made(_checked: Checked[object], group: UserGroup) -> Answer:
    return {"UserGroupId": group.id.hex}


def groups_page(checked: Checked[parameters.WithPage], page: Page[UserGroup]) -> Answer:
    content = [_group(checked, group) for group in page.items]
    return {"Content": content, "Total": page.total, "Pageable": _pageable(checked)}


def groups_page_2021(checked: Checked[parameters.ListUserGroups2021], page: Page[UserGroup]) -> Answer:
    """Of version 2021-04-20, where the page stands beside the other parameters."""
    content = [_group(checked, group) for group in page.items]
    pageable = {"PageSize": checked.params.Size, "PageNumber": checked.params.Page}
    return {"Content": content, "Total": page.total, "Pageable": pageable}


def groups_deleted(_checked: Checked[object], _outcome: object) -> Answer:
    """No application is tied to a group here, so none stands in the way."""
    return {"UserGroupDeletedInfo": {"ErrorMessage": "", "AppAssociatedUserGroupIds": []}}


def events_page(checked: Checked[parameters.WithPage], page: Page[DirectoryEvent]) -> Answer:
    content = [_event(checked, event) for event in page.items]
    return {"Total": page.total, "Pageable": _pageable(checked), "Content": content}


def _pageable(checked: Checked[parameters.WithPage]) -> Answer:
    page = checked.params.Pageable
    return {"PageSize": page.PageSize, "PageNumber": page.PageNumber}


def _users(
    checked: Checked[parameters.DescribeUser | parameters.ListUser | parameters.ListUserByProperty],
    views: Sequence[UserView],
) -> list[Answer]:
    original = checked.params.Original
    return [_user(checked, view, original=original) for view in views]


def _user(checked: Checked[object], view: UserView, *, original: bool) -> Answer:
    user = view.user
    lock = _lock(user)

    def shown(text: object, mask: Mask) -> object:
        return text if original or not isinstance(text, str) or not text else mask(text)

    profile = {**user.profile}
    if "residentIdentityCard" in profile:
        profile["residentIdentityCard"] = shown(profile["residentIdentityCard"], masked_card)
    return {
        "UserId": user.id.hex,
        "UserName": user.name,
        "PhoneNumber": shown(user.phone, masked_phone),
        "Email": shown(user.email, masked_mail),
        "LastSignOn": milliseconds(user.last_sign_in_at),
        "CreatedDate": milliseconds(user.created_at),
        "Status": "LOCK" if lock == _BY_FAILURES else _STATUSES[user.status],
        "UserDataSourceEnum": _SOURCES.get(user.source, "ADMIN"),
        "Nickname": user.nickname,
        "Address": user.address,
        "Birthdate": user.birthdate,
        "UserGroups": [group.hex for group in user.groups],
        "UserGroupNames": list(view.group_names),
        "LastModifiedDate": milliseconds(user.modified_at),
        "CustomAttributes": [
            {"Name": attribute.name, "Value": attribute.value, "Type": attribute.type}
            for attribute in user.custom
        ],
        **{key: profile.get(kept) for key, kept in _EARLY},
        "IdentityVerified": profile.get("identityVerified") is True,
        "Job": profile.get("job"),
        "Nationality": profile.get("nationality"),
        "Primary": user.is_primary,
        "Zone": profile.get("zone"),
        "AlreadyFirstLogin": user.signed_in_before,
        "TenantId": tenant(checked),
        "UserStoreId": user.store_id.hex,
        "Version": user.version,
        "LockType": lock,
        "LockTime": milliseconds(user.locked_at) if lock else None,
        **{f"IndexedAttribute{place}": text for place, text in enumerate(user.indexed, 1)},
        "UserOrgs": [],
        "WeComUserOrgs": [],
    }


def _lock(user: User) -> str | None:
    """Why the user cannot sign in; a lock by failures counts until it has passed."""
    if user.status is not UserStatus.NORMAL:
        return _BY_ADMINISTRATOR
    if user.locked_until is not None and user.locked_until > datetime.now(UTC):
        return _BY_FAILURES
    return None


def _store(checked: Checked[object], store: UserStore) -> Answer:
    """No console switches between stores: the default one is the one that was switched to last, when it was made."""
    return {
        "TenantId": tenant(checked),
        "UserStoreLogo": store.logo or None,
        "UserStoreDesc": store.description or None,
        "UserStoreName": store.name,
        "UserNum": store.users,
        "UserStoreId": store.id.hex,
        "AppNum": store.applications,
        "LastStatus": store.is_default,
        "DefaultStatus": store.is_default,
        "CreateDate": milliseconds(store.created_at),
        "LastStatusTime": milliseconds(store.created_at) if store.is_default else None,
        "UserStoreProtocolHost": None,
    }


def _group(checked: Checked[object], group: UserGroup) -> Answer:
    return {
        "UserGroupId": group.id.hex,
        "DisplayName": group.name,
        "Description": group.description or None,
        "UserStoreId": group.store_id.hex,
        "TenantId": tenant(checked),
        "CreatedDate": milliseconds(group.created_at),
        "LastModifyDate": milliseconds(group.modified_at),
    }


def _event(checked: Checked[object], event: DirectoryEvent) -> Answer:
    chinese = checked.call.envelope.language is Language.CHINESE
    return {
        "LogId": event.id.hex,
        "TenantId": tenant(checked),
        "UserStoreId": event.store_id.hex,
        "EventCode": EVENT_CODES.get(event.kind, "USER_UPDATE"),
        "EventDate": milliseconds(event.at),
        "Description": _DESCRIPTIONS.get(event.kind, _CHANGED)[1 if chinese else 0],
        "Participant": "TENANT" if event.principal else "USER",
        "ApplicationClientId": "",
        "ApplicationName": "",
        "AuthSourceId": "",
        "AuthSourceName": "",
        "AuthSourceType": "",
        "AuthSourceCategory": "",
        "Ip": event.client,
        "UserAgent": "",
        "UserId": event.user_id.hex if event.user_id else "",
        "Detail": event.user_name or None,
        "ActionResult": "SUCCESS",
    }
