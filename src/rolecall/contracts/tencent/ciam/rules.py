"""Rules for the parameters of `ciam` 2022-03-31.

The vendor publishes a code for each of these and next to no rule: what a name, a number or an address looks like is
the domain's, what is too long is written here. See docs/choices.md.
"""

from __future__ import annotations

import re

from rolecall.contracts.model import Rule, at_most, between, matches, one_of
from rolecall.domain.directories.attributes import is_mail, is_phone, is_text, is_user_name
from rolecall.domain.reasons import Reason
from rolecall.domain.secrets.passwords import LONGEST

PAGE = "Tencent Cloud API, CreateUser (ciam), page of 2024-11-25"
SDK = "tencentcloud-sdk-python-ciam 3.1.97, models.py"
OURS = "ours: the vendor names no bound"

PROFILE_KEYS = (
    "name", "gender", "locale", "zone", "job", "nationality", "description", "residentIdentityCard",
    "identityVerificationMethod", "qqOpenId", "qqUnionId", "wechatOpenId", "wechatUnionId", "alipayUserId",
    "weComUserId",
)  # fmt: skip
"""What a user's profile holds, by the keys under which it is kept and imported."""

_ID = r"[0-9a-f]{32}"
_STATUSES = ("NORMAL", "LOCK", "FREEZE")


def identifier(reason: Reason) -> tuple[Rule, ...]:
    """32 lower-case hexadecimal digits; what is none names nothing that is there."""
    return (matches(_ID, reason, PAGE),)


def _are_ids(value: object) -> bool:
    return isinstance(value, list) and all(re.fullmatch(_ID, str(item)) for item in value)


def _is_user_name(value: object) -> bool:
    return is_user_name(str(value))


def _is_phone(value: object) -> bool:
    return is_phone(str(value))


def _is_mail(value: object) -> bool:
    return is_mail(str(value))


def _is_text(value: object) -> bool:
    return is_text(str(value))


def _is_short(value: object) -> bool:
    return len(str(value).encode("utf-8", "surrogatepass")) <= LONGEST


def _is_given(value: object) -> bool:
    return str(value) != ""


def _names_once(value: object) -> bool:
    names = [getattr(attribute, "Name", None) for attribute in value] if isinstance(value, list) else []
    return len(names) == len(set(names))


def _given(reason: Reason) -> Rule:
    """Not empty."""
    return Rule(_is_given, reason, PAGE)


_MALFORMED = Reason.ATTRIBUTE_MALFORMED

USER_NAME = (Rule(_is_user_name, _MALFORMED, OURS),)
PHONE = (Rule(_is_phone, _MALFORMED, PAGE),)
MAIL = (Rule(_is_mail, _MALFORMED, PAGE),)
NEW_USER_NAME = (_given(Reason.USER_NAME_EMPTY), *USER_NAME)
NEW_PHONE = (_given(Reason.USER_PHONE_EMPTY), *PHONE)
NEW_MAIL = (_given(Reason.USER_EMAIL_EMPTY), *MAIL)
PASSWORD = (_given(Reason.USER_PASSWORD_EMPTY), Rule(_is_short, Reason.PASSWORD_LENGTH, OURS))

TEXT = (Rule(_is_text, _MALFORMED, OURS),)
"""A nickname, an address."""

NAME = (
    _given(Reason.PARAMETER_CHARACTERS),
    at_most(128, Reason.PARAMETER_LENGTH, OURS),
    Rule(_is_text, Reason.PARAMETER_CHARACTERS, OURS),
)
"""The name of a store or a group."""

DESCRIPTION = (at_most(512, Reason.PARAMETER_LENGTH, OURS), Rule(_is_text, Reason.PARAMETER_CHARACTERS, OURS))
LOGO = (at_most(2048, Reason.PARAMETER_LENGTH, OURS),)

INDEXED = (at_most(512, Reason.ATTRIBUTE_TOO_LONG, PAGE), *TEXT)
ATTRIBUTE_NAME = (_given(_MALFORMED), at_most(128, _MALFORMED, OURS), *TEXT)
ATTRIBUTE_VALUE = (at_most(4096, _MALFORMED, OURS),)
ATTRIBUTE_TYPE = (matches(r"[A-Z][A-Z0-9_]{0,31}", Reason.PARAMETER_VALUE, PAGE),)
ATTRIBUTES = (Rule(_names_once, Reason.PARAMETER_CHARACTERS, OURS),)

_DAY = 8_640_000_000_000_000
BIRTHDATE = (between(-_DAY, _DAY, Reason.PARAMETER_RANGE, "ECMAScript: the range of a Date"),)

GROUP_IDS = (Rule(_are_ids, Reason.USER_GROUP_MISSING, PAGE),)

STATUS = (_given(Reason.USER_STATUS_EMPTY), one_of(_STATUSES, Reason.USER_STATUS_UNKNOWN, SDK))
LINKED_ON = (one_of(("PHONENUMBER", "EMAIL"), Reason.USER_STATUS_UNKNOWN, SDK),)
PROPERTY = (one_of(("phoneNumber", "email"), Reason.PARAMETER_VALUE, SDK),)

PAGE_SIZE = (between(1, 1000, Reason.PARAMETER_RANGE, OURS),)
PAGE_NUMBER = (between(1, 2**53, Reason.PARAMETER_RANGE, SDK),)
MOMENT = (between(0, _DAY, Reason.PARAMETER_RANGE, SDK),)
CONDITION = (at_most(512, Reason.PARAMETER_LENGTH, OURS),)
