"""What MariaDB and MySQL do differently: one `Flavor` each.

Sources: MariaDB documentation, "mysql.global_priv Table", "CREATE USER"; MySQL Reference Manual, "Grant Tables",
"CREATE USER Statement"; and the behaviour of both servers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from rolecall.engines.mysql import hashes, quoting, templates

# What quoting relies on: backslashes escape, double quotes quote text. And a GRANT must never create an account.
_SQL_MODE = "STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION"


@dataclass(frozen=True, slots=True)
class Flavor:
    """Texts in braces are placeholders of `catalog`."""

    name: str
    make_hash: Callable[[str], str]
    is_hash: Callable[[str], bool]
    unusable_hash: str
    """The hash that no password has: an account without a password must not be an account with the empty one."""
    is_quick: bool
    """Whether `make_hash` takes microseconds."""
    identified_by: Callable[[str], str]
    """The clause of CREATE and ALTER USER that sets the hash of a password."""

    grants_complete: bool
    """Whether GRANT can end a creation: take away the requirement that marks an account, in the same statement."""

    user_characters: int
    """The longest name of an account."""
    columns: Mapping[str, str]
    """Privileges on a database with their columns in ``mysql.db``, as long as the server itself was not asked."""
    super_privileges: frozenset[str]
    """What a super account holds on every tenant's database."""

    settings: Callable[[float], Mapping[str, str]]
    """What each session sets, beside what both flavors know, with a time limit for statements in seconds."""
    takes_patterns_always: bool
    """Whether GRANT takes ``_`` and ``%`` for wildcards, whatever the server is set to."""
    strictness: str
    """A query whose row changes whenever the answer to `server.refuses_verifiers` may."""

    users: str
    """The table of accounts; `verifier` and `subject` are expressions on its rows."""
    verifier: str
    subject: str
    is_account: str
    """A condition on a row of `users`, named ``g``: it is an account's, not a role's."""
    accounts: str
    """A query for all accounts. Its columns: user, host, has a verifier, digest of it, locked, being created,
    powerful, then the mark."""
    attributes: str
    """A query of accounts (``g``), without a condition: user, host, the limit of connections, attributes beyond those
    of an account that Rolecall makes, and whether the password has expired."""
    expires: str
    """The Unix time at which the password of a row of `users` (``g``) expires; 0 if it is marked as expired, and NULL
    if it never does, or the account is locked."""
    memberships: str
    """A query of roles that were granted to accounts: user, host, role, and Y if the account may grant it. More
    conditions on User and Host may follow."""
    powerful: str
    """A query of those users and hosts that have, or lead to, more than a tenant may have. They may be roles."""
    powerful_of_many: str
    """The same, faster for many accounts, and slower for one."""
    holder: tuple[str, str]
    """What queries call the account or role of which `tenancy.holds` is asked: user and host."""


# CONCAT leaves the host out of the key that the server makes of `powerful`: one of both would be too long, and so none.
_MARIADB_ACCOUNTS = """
SELECT g.User, g.Host, COALESCE(JSON_VALUE(g.Priv, '$.authentication_string'), '') <> '',
       SHA2(COALESCE(JSON_VALUE(g.Priv, '$.authentication_string'), ''), 256),
       COALESCE(JSON_VALUE(g.Priv, '$.account_locked'), '0') IN ('1', 'true'),
       COALESCE(JSON_VALUE(g.Priv, '$.x509_subject'), '') = {making},
       powerful.user IS NOT NULL,
       c.done, c.earlier, c.begun, c.wanted, c.identity, c.orders
FROM mysql.global_priv g LEFT JOIN {control}.accounts c ON c.user = g.User AND c.host = g.Host
LEFT JOIN ({powerful}) powerful ON powerful.user = g.User AND CONCAT(powerful.host) = g.Host
WHERE {listed} AND NOT COALESCE(JSON_VALUE(g.Priv, '$.is_role'), '0') IN ('1', 'true')
"""

# `reach`: an account, and each role that it leads to. {of} is a condition on users and hosts.
# Roles are no accounts; MariaDB keeps them, and PUBLIC, beside accounts with an empty host.
_MARIADB_REACH = """
WITH RECURSIVE reach (user, host, via, place) AS (
    {begin}
    UNION
    SELECT r.user, r.host, m.Role, '' FROM reach r JOIN mysql.roles_mapping m ON m.User = r.via AND m.Host = r.place
)
"""
_IS_STRONG = """
(EXISTS (SELECT 1 FROM mysql.global_priv p WHERE p.User = r.via AND p.Host = r.place
         AND COALESCE(JSON_VALUE(p.Priv, '$.access'), '0') <> '0')
 OR {holds})
"""
_MARIADB_POWERFUL = f"""
{_MARIADB_REACH.replace("{begin}", "SELECT User, Host, User, Host FROM mysql.global_priv WHERE {of}")}
SELECT DISTINCT r.user, r.host FROM reach r WHERE {_IS_STRONG}
"""
# Each table is read once, and only roles are asked for: to ask for each account would take nine times as long.
_MARIADB_POWERFUL_OF_MANY = f"""
{_MARIADB_REACH.replace("{begin}", "SELECT User, Host, Role, '' FROM mysql.roles_mapping WHERE {of}")}
SELECT User AS user, Host AS host FROM mysql.global_priv
WHERE COALESCE(JSON_VALUE(Priv, '$.access'), '0') <> '0' AND ({{of}})
UNION {{holders}}
UNION
SELECT member.user, member.host FROM reach member JOIN (
    SELECT r.via FROM (SELECT DISTINCT via, place FROM reach) r WHERE {_IS_STRONG}
) strong ON strong.via = member.via
"""

# MySQL's static privileges are columns of mysql.user, the dynamic ones rows of their own. Any role protects:
# tenants have no roles there, so what roles hold is not read.
_GLOBAL = (
    "Select", "Insert", "Update", "Delete", "Create", "Drop", "Reload", "Shutdown", "Process", "File", "Grant",
    "References", "Index", "Alter", "Show_db", "Super", "Create_tmp_table", "Lock_tables", "Execute", "Repl_slave",
    "Repl_client", "Create_view", "Show_view", "Create_routine", "Alter_routine", "Create_user", "Event", "Trigger",
    "Create_tablespace", "Create_role", "Drop_role",
)  # fmt: skip
_MYSQL_ACCOUNTS = f"""
SELECT g.User, g.Host, COALESCE(g.authentication_string, '') <> '',
       SHA2(COALESCE(g.authentication_string, ''), 256),
       g.account_locked = 'Y',
       COALESCE(CONVERT(g.x509_subject USING utf8mb4), '') = {{making}},
       (CONCAT({", ".join(f"g.{name}_priv" for name in _GLOBAL)}) LIKE '%Y%'
        OR EXISTS (SELECT 1 FROM mysql.global_grants d WHERE d.USER = g.User AND d.HOST = g.Host)
        OR EXISTS (SELECT 1 FROM mysql.role_edges e WHERE e.TO_USER = g.User AND e.TO_HOST = g.Host)
        OR {{holds}}),
       c.done, c.earlier, c.begun, c.wanted, c.identity, c.orders
FROM mysql.user g LEFT JOIN {{control}}.accounts c ON c.user = g.User AND c.host = g.Host
WHERE {{listed}}
"""

# A lifetime of 0 days is none. Sources: MariaDB, `check_password_lifetime` in sql/sql_acl.cc; MySQL Reference Manual,
# "Password Management".
_MARIADB_LIFETIME = (
    "COALESCE(NULLIF(JSON_VALUE(g.Priv, '$.password_lifetime') + 0, -1), @@GLOBAL.default_password_lifetime)"
)
_MARIADB_EXPIRES = f"""CASE WHEN COALESCE(JSON_VALUE(g.Priv, '$.account_locked'), '0') IN ('1', 'true') THEN NULL
       WHEN JSON_VALUE(g.Priv, '$.password_last_changed') + 0 = 0 THEN 0
       WHEN {_MARIADB_LIFETIME} > 0 THEN JSON_VALUE(g.Priv, '$.password_last_changed') + 86400 * {_MARIADB_LIFETIME}
       END"""
_MYSQL_LIFETIME = "COALESCE(g.password_lifetime, @@GLOBAL.default_password_lifetime)"
_MYSQL_EXPIRES = f"""CASE WHEN g.account_locked = 'Y' THEN NULL WHEN g.password_expired = 'Y' THEN 0
       WHEN {_MYSQL_LIFETIME} > 0 THEN UNIX_TIMESTAMP(g.password_last_changed) + 86400 * {_MYSQL_LIFETIME} END"""

MARIADB = Flavor(
    name="mariadb",
    make_hash=hashes.native,
    is_hash=hashes.is_native,
    unusable_hash=hashes.UNUSABLE_NATIVE,
    is_quick=True,
    identified_by=lambda text: f"IDENTIFIED VIA mysql_native_password USING {quoting.text(text)}",
    grants_complete=True,
    user_characters=128,
    columns=templates.MARIADB_COLUMNS,
    super_privileges=templates.READ_WRITE | {"DELETE HISTORY"},
    settings=lambda limit: {
        "sql_mode": f"'{_SQL_MODE},NO_AUTO_CREATE_USER'",
        "max_statement_time": f"{limit:g}",
    },
    takes_patterns_always=True,
    strictness="SELECT @@GLOBAL.strict_password_validation, (SELECT GROUP_CONCAT(name) FROM mysql.plugin)",
    users="mysql.global_priv",
    verifier="JSON_VALUE(Priv, '$.authentication_string')",
    subject="JSON_VALUE(Priv, '$.x509_subject')",
    is_account="g.Host <> '' AND g.User <> ''",
    accounts=_MARIADB_ACCOUNTS,
    attributes="""SELECT g.User, g.Host, COALESCE(JSON_VALUE(g.Priv, '$.max_user_connections'), 0), CONCAT_WS(', ',
       CASE COALESCE(JSON_VALUE(g.Priv, '$.ssl_type'), '0') WHEN '0' THEN NULL WHEN '1' THEN 'REQUIRE SSL'
            WHEN '2' THEN 'REQUIRE X509' ELSE 'REQUIRE SUBJECT' END,
       CONCAT('VIA ', NULLIF(JSON_VALUE(g.Priv, '$.plugin'), 'mysql_native_password')),
       IF(JSON_EXISTS(g.Priv, '$.auth_or'), 'OR ANOTHER PLUGIN', NULL)),
       COALESCE(JSON_VALUE(g.Priv, '$.password_last_changed'), '1') = '0'
FROM mysql.global_priv g""",
    expires=_MARIADB_EXPIRES,
    memberships="SELECT User, Host, Role, Admin_option FROM mysql.roles_mapping WHERE Host <> ''",
    powerful=_MARIADB_POWERFUL,
    powerful_of_many=_MARIADB_POWERFUL_OF_MANY,
    holder=("r.via", "r.place"),
)

MYSQL = Flavor(
    name="mysql",
    make_hash=hashes.caching_sha2,
    is_hash=hashes.is_caching_sha2,
    unusable_hash=hashes.UNUSABLE_SHA2,
    is_quick=False,
    # As a hexadecimal literal: the manual's own advice, since a digest made by others may hold any byte.
    identified_by=lambda text: f"IDENTIFIED WITH caching_sha2_password AS 0x{text.encode().hex()}",
    grants_complete=False,
    user_characters=32,
    columns=templates.COLUMNS,
    super_privileges=templates.READ_WRITE,
    # The limit is for SELECT alone, in milliseconds; the client's own serves for the rest.
    settings=lambda limit: {"sql_mode": f"'{_SQL_MODE}'", "max_execution_time": f"{limit * 1000:.0f}"},
    takes_patterns_always=False,
    strictness="SELECT 0, NULL",
    users="mysql.user",
    verifier="authentication_string",
    subject="CONVERT(x509_subject USING utf8mb4)",
    is_account="g.User <> '' AND NOT EXISTS"
    " (SELECT 1 FROM mysql.role_edges e WHERE e.FROM_USER = g.User AND e.FROM_HOST = g.Host)",
    accounts=_MYSQL_ACCOUNTS,
    attributes="""SELECT g.User, g.Host, g.max_user_connections, CONCAT_WS(', ',
       CONCAT('REQUIRE ', NULLIF(g.ssl_type, '')),
       CONCAT('VIA ', NULLIF(g.plugin, 'caching_sha2_password'))), g.password_expired = 'Y'
FROM mysql.user g""",
    expires=_MYSQL_EXPIRES,
    memberships="""SELECT User, Host, role, administers FROM (
        SELECT TO_USER AS User, TO_HOST AS Host, CONCAT(FROM_USER, '@', FROM_HOST) AS role,
               WITH_ADMIN_OPTION AS administers
        FROM mysql.role_edges) m WHERE TRUE""",
    powerful="SELECT 1",  # any role protects
    powerful_of_many="",  # `accounts` needs none
    holder=("g.User", "g.Host"),
)

FLAVORS: Mapping[str, Flavor] = {flavor.name: flavor for flavor in (MARIADB, MYSQL)}


def flavor_named(name: str) -> Flavor:
    """ValueError."""
    if name not in FLAVORS:
        raise ValueError(f"flavor must be one of {', '.join(FLAVORS)}")
    return FLAVORS[name]
