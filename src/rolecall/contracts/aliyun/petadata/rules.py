"""Rules for names, passwords, privileges and the rest of `petadata` 2016-01-01."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from datetime import UTC, datetime

from rolecall.contracts.aliyun.petadata.places import REGIONS
from rolecall.contracts.aliyun.petadata.words import RESERVED
from rolecall.contracts.model import Rule, at_most, between, matches, none_of, one_of, spans
from rolecall.domain.engine import Access, DatabaseGrant
from rolecall.domain.reasons import Reason

PAGE = "PetaData API reference: CreateAccount"
MANUAL = "PetaData API manual"
SDK = "aliyun-python-sdk-petadata 1.2.1"
RDS = "RDS API reference 2014-08-15: CreateDatabase"

ACCESS: Mapping[str, Access] = {
    "ReadWrite": Access.READ_WRITE,
    "ReadOnly": Access.READ_ONLY,
    "DDLOnly": Access.DDL_ONLY,
}
"""The privileges an account can be given, and what they are."""

_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_LONGEST_DATABASE_NAME = 64  # MySQL: identifiers
_LONGEST_ACCOUNT_NAME = 80  # MariaDB: user names; MySQL has 32
_DATABASES_AT_MOST = 500  # ours, in one request
_ADDRESSES_AT_MOST = 1000

INSTANCE_ID = (matches(r"[A-Za-z0-9-]{1,64}", Reason.INSTANCE_MISSING, "ours: the characters of an id"),)
"""Only bounds the text: whether there is such an instance is for the domain to say."""

NEW_ACCOUNT_NAME = (
    matches(r"[a-z][a-z0-9_]{1,9}", Reason.ACCOUNT_NAME_MALFORMED, PAGE),
    none_of(RESERVED, Reason.ACCOUNT_NAME_RESERVED, f"{MANUAL}: Prohibited keywords"),
)
ACCOUNT_NAME = (at_most(_LONGEST_ACCOUNT_NAME, Reason.ACCOUNT_MISSING, "MariaDB: user names"),)
"""For accounts that exist already: one made by SQL, or under an older rule, may be called anything."""

NEW_DATABASE_NAME = (
    matches(r"(?!.*[_-]$)[a-z][a-z0-9_-]{0,63}", Reason.DATABASE_NAME_MALFORMED, RDS),
    none_of(RESERVED, Reason.DATABASE_PROTECTED, f"{MANUAL}: Prohibited keywords"),
)
DATABASE_NAME = (at_most(_LONGEST_DATABASE_NAME, Reason.DATABASE_MISSING, "MySQL: identifiers"),)

_CLASSES = ("A-Z", "a-z", "0-9", "^A-Za-z0-9")


def contains_some(least: int, classes: tuple[str, ...], reason: Reason, source: str) -> Rule:
    """Characters of at least so many classes; a class is the inside of a regular expression's brackets."""
    searches = tuple(re.compile(f"[{characters}]").search for characters in classes)
    return Rule(
        lambda value: sum(search(str(value)) is not None for search in searches) >= least, reason, source
    )


NEW_PASSWORD = (
    spans(8, 32, Reason.PASSWORD_LENGTH, PAGE),
    # The page says "special characters" and not which; spaces and what is beyond ASCII are no password of a client's.
    matches(r"[!-~]*", Reason.PASSWORD_CONTENT, PAGE),
    contains_some(3, _CLASSES, Reason.PASSWORD_CONTENT, PAGE),
)
CHANGED_PASSWORD = (
    spans(8, 32, Reason.PASSWORD_LENGTH, f"{MANUAL}: ResetAccountPassword"),
    matches(r"[A-Za-z0-9!@#$%^&*()_+=-]*", Reason.PASSWORD_CONTENT, f"{MANUAL}: ResetAccountPassword"),
    contains_some(3, _CLASSES, Reason.PASSWORD_CONTENT, f"{MANUAL}: ResetAccountPassword"),
)
OLD_PASSWORD = (at_most(128, Reason.PASSWORD_WRONG, "ours: longer than any password could be"),)

# A description cannot start with http:// or https:// either; a colon is refused wherever it stands.
DESCRIPTION = (
    spans(2, 256, Reason.PARAMETER_LENGTH, PAGE),
    matches(r"[A-Za-z\u4e00-\u9fa5][A-Za-z0-9_\-\u4e00-\u9fa5]*", Reason.PARAMETER_CHARACTERS, PAGE),
)

CLIENT_TOKEN = (matches(r"[ -~]{1,64}", Reason.PARAMETER_CHARACTERS, f"{MANUAL}: CreateInstance"),)
OWNER = (matches(r"[0-9]{1,20}", Reason.TENANT_FOREIGN, f"{MANUAL}: Client error codes"),)
REGION = (one_of(REGIONS, Reason.REGION_UNSUPPORTED, "aliyun-python-sdk-core 2.16.1, endpoints of PetaData"),)
INSTANCE_NAME = (at_most(256, Reason.PARAMETER_LENGTH, f"{MANUAL}: CreateInstance"),)
TEXT = (at_most(256, Reason.PARAMETER_LENGTH, "ours: for what is accepted and not used"),)
NODES = (between(1, 128, Reason.PARAMETER_RANGE, f"{MANUAL}: CreateInstance"),)
PAGE_NUMBER = (between(1, 65535, Reason.PARAMETER_RANGE, f"{MANUAL}: DescribeInstances"),)


def choice(*values: str, source: str = MANUAL) -> tuple[Rule, ...]:
    """One of the vendor's words, in its spelling."""
    return (one_of(values, Reason.PARAMETER_VALUE, source),)


def sizes(*values: int) -> tuple[Rule, ...]:
    """One of the page sizes of a listing."""
    return (Rule(lambda value: value in values, Reason.PARAMETER_RANGE, MANUAL),)


def grants_of(document: object) -> tuple[DatabaseGrant, ...] | None:
    """What a DBInfo document grants: ``{"ReadOnly": ["mydb"], "ReadWrite": ["mydb3"]}``; None if it is malformed.

    Malformed are an unknown privilege, anything but lists of names, and a database under two privileges.
    """
    if not isinstance(document, dict) or not document.keys() <= ACCESS.keys():
        return None
    found: dict[str, DatabaseGrant] = {}
    for privilege, names in document.items():
        if not isinstance(names, list) or not all(_is_database_name(name) for name in names):
            return None
        unique = set(names)
        if unique & found.keys() or len(found) + len(unique) > _DATABASES_AT_MOST:
            return None
        found.update((name, DatabaseGrant(name, ACCESS[privilege])) for name in names)
    return tuple(found.values())


def _is_database_name(name: object) -> bool:
    return (
        isinstance(name, str) and 1 <= len(name) <= _LONGEST_DATABASE_NAME and not _UNPRINTABLE.search(name)
    )


def database_names(text: str) -> tuple[str, ...]:
    """The names in a DBName, separated by commas, each once, in order."""
    return tuple(dict.fromkeys(text.split(",")))


def _are_database_names(value: object) -> bool:
    names = str(value).split(",")
    return len(names) <= _DATABASES_AT_MOST and all(_is_database_name(name) for name in names)


def _is_database_info(value: object) -> bool:
    return grants_of(value) is not None


DATABASE_INFO = (Rule(_is_database_info, Reason.PARAMETER_VALUE, PAGE),)
DATABASE_NAMES = (Rule(_are_database_names, Reason.PARAMETER_CHARACTERS, PAGE),)


def addresses(text: str) -> tuple[str, ...]:
    return tuple(text.split(","))


def _is_address(text: str) -> bool:
    """An IPv4 address, or a block of /1 to /32; ``0.0.0.0/0`` is everybody."""
    address, slash, bits = text.partition("/")
    try:
        ipaddress.IPv4Address(address)
    except ValueError:
        return False
    return not slash or text == "0.0.0.0/0" or bits in _BITS


_BITS = frozenset(str(bits) for bits in range(1, 33))


def _are_addresses(value: object) -> bool:
    listed = addresses(str(value))
    return all(_is_address(address) for address in listed) and len(set(listed)) == len(listed)


def _are_few_addresses(value: object) -> bool:
    return len(addresses(str(value))) <= _ADDRESSES_AT_MOST


ADDRESSES = (
    Rule(_are_few_addresses, Reason.PARAMETER_LENGTH, f"{MANUAL}: ModifySecurityIPs"),
    Rule(_are_addresses, Reason.PARAMETER_VALUE, f"{MANUAL}: ModifySecurityIPs"),
)


# The manual names neither length nor letters, and calls the group without a name `Default` and `default`.
GROUP_NAME = (
    matches(
        r"Default|[a-z][a-z0-9_]{0,30}[a-z0-9]",
        Reason.PARAMETER_VALUE,
        "AnalyticDB for MySQL: ModifyDBClusterAccessWhiteList",
    ),
)


def moment(text: str) -> datetime | None:
    """``2018-08-08T04:21:26Z`` or ``2018-08-08T04:21Z``; None if it is neither."""
    if not _MOMENT.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except ValueError:
        return None


_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?Z", re.ASCII)


def _is_moment(value: object) -> bool:
    return moment(str(value)) is not None


MOMENT = (Rule(_is_moment, Reason.PARAMETER_TYPE, MANUAL),)
