"""Rules for names, passwords and remarks of `postgres` 2017-03-12.

A password may arrive in the encrypted form, ``{RSA-OAEP}`` followed by base64. The rules for its plain text can be
asked only after it was deciphered, so the fields of the contract carry `PASSWORD_OR_ENCIPHERED` and the verb asks
`PASSWORD` of what it deciphered: the same two rules, written once.
"""

from __future__ import annotations

from rolecall.contracts.model import (
    Rule,
    at_most,
    between,
    contains_each,
    matches,
    none_of,
    not_starting,
    one_of,
    spans,
    unless,
)
from rolecall.contracts.tencent.postgres.reserved_words import RESERVED_KEYWORDS, ROLE_WORDS
from rolecall.domain.reasons import Reason
from rolecall.values import Secret

PAGE = "Tencent Cloud API, CreateAccount (postgres), page of 2026-04-13"
SDK = "tencentcloud-sdk-python-postgres 3.1.194, models.py"
ERROR_TEXT = "tencentcloud-sdk-python-postgres 3.1.194, errorcodes.py"

ENCIPHERED = "{RSA-OAEP}"
"""The prefix of a password in the encrypted form. Ours: the vendor publishes no form."""
_ENCIPHERED_CHARACTERS = 2048  # base64 of an RSA-8192 block is 1368 characters

_NAME = r"[A-Za-z_][A-Za-z0-9_]{0,62}"
_OWN_PREFIXES = ("pg_", "tencentdb_")
_MALFORMED = Reason.ACCOUNT_NAME_MALFORMED

ACCOUNT_NAME = (matches(_NAME, _MALFORMED, PAGE),)
"""For accounts that exist already: one made by SQL may be called `postgres` or by a keyword."""

NEW_ACCOUNT_NAME = (
    *ACCOUNT_NAME,
    none_of(frozenset({"postgres"}) | RESERVED_KEYWORDS, _MALFORMED, PAGE),
    not_starting(_OWN_PREFIXES, _MALFORMED, PAGE),
    none_of(ROLE_WORDS, Reason.ACCOUNT_NAME_RESERVED, "PostgreSQL: CREATE ROLE, pg_hba.conf"),
)

DATABASE_NAME = (matches(_NAME, Reason.DATABASE_NAME_MALFORMED, ERROR_TEXT),)
NEW_DATABASE_NAME = (
    *DATABASE_NAME,
    none_of(frozenset({"postgres"}) | RESERVED_KEYWORDS, Reason.DATABASE_NAME_MALFORMED, SDK),
)

ENCODINGS = ("UTF8", "LATIN1", "LATIN2", "WIN1250", "WIN1251", "WIN1252", "KOI8R", "EUC_JP", "EUC_KR")
ENCODING = (one_of(ENCODINGS, Reason.ENCODING_UNSUPPORTED, SDK),)
LOCALE = (
    matches(r"[A-Za-z0-9_.@-]{0,63}", Reason.LOCALE_UNSUPPORTED, "ours: what libc and ICU call a locale"),
)

INSTANCE_ID = (matches(r"[A-Za-z0-9-]{1,64}", Reason.PARAMETER_VALUE, "ours: the characters of an id"),)
"""Only bounds the text: whether there is such an instance is for the domain to say."""

PASSWORD = (
    spans(8, 32, Reason.PASSWORD_LENGTH, PAGE),
    # Which symbols: CreateAccount's page is cut after "_"; the SDK goes on, the error's text adds ; and '.
    matches(r"(?!/)[A-Za-z0-9()`~!@#$%^&*\-+=_|{}\[\]:<>,.?/;']*", Reason.PASSWORD_CONTENT, ERROR_TEXT),
    contains_each(("a-z", "A-Z", "0-9", "^A-Za-z0-9"), Reason.PASSWORD_CONTENT, PAGE),
)


def _is_enciphered(value: object) -> bool:
    return str(value).startswith(ENCIPHERED)


_BOUNDED = at_most(_ENCIPHERED_CHARACTERS, Reason.PASSWORD_UNDECIPHERABLE, "ours")
PASSWORD_OR_ENCIPHERED = (
    *(unless(_is_enciphered, rule) for rule in PASSWORD),
    unless(lambda value: not _is_enciphered(value), _BOUNDED),
)

CHINESE = "\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af"
REMARK = (
    at_most(60, Reason.PARAMETER_LENGTH, PAGE),
    # The page's prose has no space, its first example ("Ordinary account") has one.
    matches(f"[A-Za-z0-9_ {CHINESE}-]*", Reason.PARAMETER_CHARACTERS, PAGE),
)

OFFSET = (between(0, 2**63 - 1, Reason.PARAMETER_RANGE, SDK),)


def limit(low: int) -> tuple[Rule, ...]:
    """A page of `low`..100 items."""
    return (between(low, 100, Reason.PARAMETER_RANGE, SDK),)


def choice(*values: str) -> tuple[Rule, ...]:
    """One of the vendor's words, in its spelling."""
    return (one_of(values, Reason.PARAMETER_VALUE, SDK),)


def enciphered(password: Secret) -> Secret | None:
    """The base64 text of a password in the encrypted form, without the prefix; None for a plain one."""
    text = password.reveal()
    return Secret(text.removeprefix(ENCIPHERED)) if text.startswith(ENCIPHERED) else None
