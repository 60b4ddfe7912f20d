"""Rules for names, flags, numbers and passwords of `cam` 2019-01-16."""

from __future__ import annotations

import re

from rolecall.contracts.model import Rule, at_most, between, matches, one_of, spans
from rolecall.domain.iam.sub_users import NAME
from rolecall.domain.reasons import Reason

PAGE = "Tencent Cloud API, AddUser (cam), page of 2023-03-15"
SDK = "tencentcloud-sdk-python-cam 3.1.181, models.py"

NEW_NAME = (
    matches(
        NAME,
        Reason.SUB_USER_NAME_MALFORMED,
        "CAM's sibling for identity center users (product 1031, 61834); AddUser's page is silent",
    ),
)

NUMBER = (between(1, 2**63 - 1, Reason.PARAMETER_VALUE, SDK),)
"""The number of a principal. Where the parameter is optional, 0 stands for none."""

FLAG = (between(0, 1, Reason.PARAMETER_VALUE, PAGE),)

REMARK = (at_most(256, Reason.PARAMETER_LENGTH, "ours: the vendor names no bound"),)
PHONE = (matches(r"[0-9]{0,20}", Reason.PARAMETER_VALUE, "ours: digits, without the country code"),)
COUNTRY_CODE = (matches(r"\+?[0-9]{0,4}", Reason.PARAMETER_VALUE, "ours: ITU-T E.164 has at most 3 digits"),)

_EMAIL = re.compile(r"[^\s@]{1,64}@[^\s@]{1,253}")


def unescaped_email(text: str) -> str:
    """The page's example escapes the at sign: ``123%40qq.com``."""
    return text if "@" in text else text.replace("%40", "@", 1)


def _is_email(value: object) -> bool:
    return value == "" or _EMAIL.fullmatch(unescaped_email(str(value))) is not None


EMAIL = (Rule(_is_email, Reason.PARAMETER_VALUE, "ours, and the example of " + PAGE),)

PASSWORD = (at_most(128, Reason.PASSWORD_BREAKS_RULES, "ours: refused before it is hashed"),)
"""The domain checks the password rules of the owner."""

DESCRIPTION = (
    at_most(1024, Reason.PARAMETER_LENGTH, SDK),
    matches(r"[A-Za-z0-9_+=,.@:/-]*", Reason.PARAMETER_VALUE, SDK),
)
KEY_ID = (matches(r"[A-Za-z0-9_-]{1,128}", Reason.PARAMETER_VALUE, "ours: the characters of an id"),)
STATUS = (one_of(("Active", "Inactive"), Reason.PARAMETER_VALUE, SDK),)

GROUP_NAME = (
    spans(1, 10**6, Reason.PARAMETER_VALUE, "a group is called by its name"),
    at_most(64, Reason.PARAMETER_LENGTH, "ours: the vendor names no bound"),
)
PAGE_NUMBER = (between(1, 10**9, Reason.PARAMETER_RANGE, SDK),)
PAGE_SIZE = (between(1, 200, Reason.PARAMETER_RANGE, "SDK: as the lists of policies, at most 200"),)
ITEMS = (between(1, 100, Reason.PARAMETER_RANGE, SDK),)
MARKER = (matches(r"[0-9]{0,18}", Reason.PARAMETER_VALUE, "ours: what ListAccounts answered as Marker"),)

USER_TYPES = (
    "Owner", "SubUser", "CICUser", "WechatCorpUser", "AgentIdentity", "Collaborator", "MessageReceiver",
)  # fmt: skip
USER_TYPE = (one_of(USER_TYPES, Reason.PARAMETER_VALUE, SDK),)


def _is_minimum(value: object) -> bool:
    return value == 0 or (isinstance(value, int) and 8 <= value <= 32)


_BAD_RULES = Reason.PASSWORD_RULES_MALFORMED
CONSOLE = "CAM console, password rules"
MINIMUM_LENGTH = (Rule(_is_minimum, _BAD_RULES, CONSOLE + "; 0, which an example sends, is the default"),)
MUST_CONTAIN = (matches(r"[Aa1!]{0,4}", _BAD_RULES, SDK),)
DAYS = (between(0, 365, _BAD_RULES, CONSOLE),)
REUSE_LIMIT = (between(0, 24, _BAD_RULES, CONSOLE),)
RETRY_LIMIT = (between(0, 10, _BAD_RULES, CONSOLE),)
EXPIRATION = (between(1, 2, _BAD_RULES, SDK),)
