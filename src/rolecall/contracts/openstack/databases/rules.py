"""Rules for names, passwords and hosts of Database v1.0.

Sources: the tables of "Create User" (Rackspace Cloud Databases Developer Guide v1.0), and for what they leave open
the API schema and the models of Trove 2013.2. All of them are kept before a request is accepted.
"""

from __future__ import annotations

import re

from rolecall.contracts.model import Rule, at_most, matches, none_of
from rolecall.domain.reasons import Reason

PAGE = "Rackspace Cloud Databases Developer Guide v1.0, Create User"
TROVE = "Trove 2013.2, trove/common/apischema.py and trove/guestagent/db/models.py"

_INSIDE_ONLY = "@?# "
_FORBIDDEN = re.escape("'\"`;,\\/")
# Letters, digits, "_" anywhere; "@", "?", "#" and spaces inside; quotes, semicolons, commas and slashes nowhere.
# The tables are silent on the rest of ASCII ("-", ".", "!" ...), and Trove's own tests use it: allowed.
_EDGE = f"(?![{_INSIDE_ONLY}{_FORBIDDEN}])[!-~]"
_TEXT = f"{_EDGE}(?:(?:(?![{_FORBIDDEN}])[ -~])*{_EDGE})?"
_SOMETHING_READABLE = r".*[0-9A-Za-z].*"

RESERVED_USERS = frozenset({"os_admin", "root"})
RESERVED_DATABASES = frozenset({"information_schema", "lost+found", "mysql", "performance_schema", "sys"})

_RESERVED = none_of(RESERVED_USERS, Reason.ACCOUNT_NAME_RESERVED, TROVE)

EXISTING_USER = (at_most(255, Reason.ACCOUNT_NAME_MALFORMED, TROVE), _RESERVED)
"""For a name in a URL: it may have been given by other means than this API."""

USER_NAME = (
    matches(_TEXT, Reason.ACCOUNT_NAME_MALFORMED, PAGE),
    matches(_SOMETHING_READABLE, Reason.ACCOUNT_NAME_MALFORMED, TROVE),
    _RESERVED,
)
NEW_USER_NAME = (at_most(16, Reason.PARAMETER_LENGTH, PAGE), *USER_NAME)

PASSWORD = (
    matches(_TEXT, Reason.PASSWORD_CONTENT, PAGE),
    matches(_SOMETHING_READABLE, Reason.PASSWORD_CONTENT, TROVE),
)
"""Of any length: "unlimited (no restrictions)"."""

EXISTING_DATABASE = (
    at_most(64, Reason.DATABASE_NAME_MALFORMED, PAGE),
    none_of(RESERVED_DATABASES, Reason.DATABASE_PROTECTED, TROVE),
)
DATABASE_NAME = (
    matches(_TEXT, Reason.DATABASE_NAME_MALFORMED, PAGE),
    matches(_SOMETHING_READABLE, Reason.DATABASE_NAME_MALFORMED, TROVE),
    *EXISTING_DATABASE,
)

ANY_HOST = "%"
HOST = (matches(r"[!-~]{1,255}", Reason.HOST_MALFORMED, "Trove 26.0.0, trove/common/apischema.py"),)
"""For a new account. The engine knows which of these a client could have, and how the server spells it."""

EXISTING_HOST = (matches(r"[^\0]{1,255}", Reason.HOST_MALFORMED, TROVE),)
"""Whatever SQL has made."""

# What MySQL and MariaDB call a character set or a collation; whether the server has it, the server says.
_SERVER_WORD = r"[a-z0-9_]{1,64}"
CHARACTER_SET = (matches(_SERVER_WORD, Reason.ENCODING_UNSUPPORTED, TROVE),)
COLLATION = (matches(_SERVER_WORD, Reason.LOCALE_UNSUPPORTED, TROVE),)

INSTANCE_NAME: tuple[Rule, ...] = (
    at_most(255, Reason.PARAMETER_LENGTH, TROVE),
    matches(_SOMETHING_READABLE, Reason.PARAMETER_VALUE, TROVE),
)
