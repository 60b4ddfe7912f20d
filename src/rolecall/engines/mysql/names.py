"""Checks of names and hosts before they are put into a statement of the MySQL family.

Both servers trim some spaces, accept NUL and the empty name, and damage characters outside the Basic Multilingual
Plane, all without an error; so none of these is ever sent. Sources: MySQL Reference Manual, "CREATE USER" and
"Specifying Account Names"; MariaDB documentation, "CREATE USER"; and both servers' behaviour.
"""

from __future__ import annotations

import ipaddress
import re
from functools import lru_cache

from rolecall.domain.reasons import Reason, Refused
from rolecall.engines import names

ANY_HOST = "%"
DATABASE_CHARACTERS = 64
HOST_CHARACTERS = 255

SYSTEM_SCHEMAS = frozenset({"mysql", "sys", "performance_schema", "information_schema"})

_RESERVED = frozenset(
    {"root", "mysql", "public", "mariadb.sys", "mysql.sys", "mysql.session", "mysql.infoschema"}
)
_HIGHEST = "\uffff"  # the last character of the Basic Multilingual Plane
_RAW_FILE_NAME = "#mysql50#"  # MySQL: a database name with this prefix is taken as a directory's, unencoded

_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_IPV4_PATTERN = re.compile(rf"(?:{_OCTET}\.){{1,3}}%|(?:{_OCTET}\.){{2}}%\.%|{_OCTET}\.%\.%(?:\.%)?")
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST_NAME = re.compile(rf"(?:%\.)?(?:{_LABEL}\.)*(?=[a-z0-9-]*[a-z]){_LABEL}")


def fits(name: str, characters: int) -> bool:
    """Whether the servers store this name byte for byte."""
    return bool(name) and _may_be_text(name, characters) and name == name.strip()


def may_be_stored(name: str, host: str, characters: int) -> bool:
    """Whether a server could have such an account, perhaps created by SQL, so that a query for it makes sense."""
    return bool(name) and _may_be_text(name, characters) and _may_be_text(host, HOST_CHARACTERS)


def _may_be_text(text: str, characters: int) -> bool:
    return names.is_text(text) and len(text) <= characters and max(text, default="") <= _HIGHEST


@lru_cache(maxsize=64)  # of servers, and of names that are given to new accounts
def reserved(administrator: str) -> frozenset[str]:
    """Names of the servers' own accounts and Rolecall's, folded and without padding."""
    return _RESERVED | {administrator.strip().casefold()}


def is_reserved(name: str, administrator: str) -> bool:
    """Whether a name is one of these, in any case and padding."""
    return name.strip().casefold() in reserved(administrator)


def require_new_user(name: str, characters: int, administrator: str) -> str:
    """A new account's name, of at most so many characters. ACCOUNT_NAME_MALFORMED, ACCOUNT_NAME_RESERVED."""
    if is_reserved(name, administrator):
        raise Refused(Reason.ACCOUNT_NAME_RESERVED, facts={"value": name})
    if not fits(name, characters):
        raise Refused(Reason.ACCOUNT_NAME_MALFORMED, facts={"value": name})
    return name


def is_database(name: str) -> bool:
    """Whether a database can have this name and can be granted.

    ``mysql.db`` holds the escaped name in 64 characters, so each ``_``, ``%`` and backslash counts twice.
    """
    escaped = len(name) + sum(name.count(wild) for wild in "_%\\")
    return fits(name, DATABASE_CHARACTERS) and escaped <= DATABASE_CHARACTERS and not _is_raw_file_name(name)


def require_database(name: str) -> str:
    if not is_database(name):
        raise Refused(Reason.DATABASE_NAME_MALFORMED, facts={"value": name})
    return name


def is_system(name: str, control: str) -> bool:
    """Whether no tenant may use this schema. Case is ignored, because some servers fold it."""
    return (folded := name.casefold()) in SYSTEM_SCHEMAS or folded == control.casefold()


def host(text: str) -> str:
    """A host as the servers store it; empty stands for every host. HOST_MALFORMED.

    The server compares clients with it as text, or under a netmask: what is refused here could match no client.
    ``10.0.0.0/24`` becomes ``10.0.0.0/255.255.255.0``, which every version understands.
    """
    wanted = text.lower() or ANY_HOST
    if wanted == ANY_HOST or _IPV4_PATTERN.fullmatch(wanted):
        return wanted
    found = _address(wanted) or _network(wanted) or _host_name(wanted)
    if found is None:
        raise Refused(Reason.HOST_MALFORMED, facts={"value": text})
    return found


def _address(text: str) -> str | None:
    """An address in the spelling with which a server compares clients."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    return None if "%" in text else str(address)  # no scope: 'fe80::1%eth0'


def _network(text: str) -> str | None:
    base, slash, mask = text.partition("/")
    if not slash or not mask.isascii() or mask.startswith("0."):  # 0.x.y.z would be read as a host mask
        return None
    try:
        network = ipaddress.IPv4Network(f"{base}/{mask}")
    except ValueError:
        return None
    contiguous = mask in {str(network.prefixlen), str(network.netmask)}
    return f"{network.network_address}/{network.netmask}" if contiguous else None


def _host_name(text: str) -> str | None:
    return text if len(text) <= HOST_CHARACTERS and _HOST_NAME.fullmatch(text) else None


def _is_raw_file_name(name: str) -> bool:
    return name.casefold().startswith(_RAW_FILE_NAME)
