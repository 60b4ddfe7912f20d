"""Which accounts of a PostgreSQL server are tenants': the predicate of every statement that lists, changes or drops
accounts, grants to them, or makes them owners.

An account is a tenant's unless it has a power itself, or leads to a role that has one, through memberships of any
length and kind: INHERIT uses the role, SET becomes it, ADMIN grants it to oneself. The predicate reads shared catalogs,
so it is the same in every database.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, LiteralString

from rolecall.domain.engine import AccountFacts, AccountKind
from rolecall.engines.postgresql import statements

HARMLESS = (
    "pg_monitor",
    "pg_read_all_settings",
    "pg_read_all_stats",
    "pg_stat_scan_tables",
    "pg_signal_backend",
    "pg_checkpoint",
    "pg_database_owner",
)
"""The predefined roles that give no more than a super account has. Every other one does, including those of future
servers: the roles for programs, files and all data, pg_maintain, pg_create_subscription, ..."""

FIRST_NORMAL_OID = 16384
"""The first oid that does not belong to the system. Source: src/include/access/transam.h, FirstNormalObjectId."""

# `super_made`: super accounts, and the roles they administer, which cannot have an attribute that a super account
# lacks. `strong`: roles that have a power themselves. Below 16 CREATEROLE is all but superuser. A right on one of the
# system's own relations or functions (pg_authid, pg_read_file) or on a parameter is recorded in pg_shdepend for every
# database. The owner of the server's own templates plants code in every database to come; any other owner may make a
# template of its database, and is not protected by it. Who owns the store, or is Rolecall there, owns Rolecall.
POWERFUL: LiteralString = """
WITH RECURSIVE super_made (oid) AS (
    SELECT m.member FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid JOIN pg_roles r ON r.oid = m.member
    WHERE g.rolname = %(group)s::text AND NOT r.rolsuper AND r.rolname <> current_user
    UNION
    SELECT m.roleid FROM pg_auth_members m JOIN super_made s ON s.oid = m.member WHERE m.admin_option
), strong (oid) AS (
    SELECT r.oid FROM pg_roles r
    WHERE r.rolsuper OR r.rolreplication OR r.rolname = current_user
       OR r.rolbypassrls AND r.oid NOT IN (SELECT oid FROM super_made)
       OR r.rolcreaterole AND current_setting('server_version_num')::int < 160000
       OR r.oid < %(first_normal)s AND r.rolname ~ '^pg_' AND r.rolname <> ALL (%(harmless)s)
       OR r.rolname = any(%(store_users)s::text[])
    UNION
    SELECT s.refobjid FROM pg_database d JOIN pg_shdepend s ON s.dbid = d.oid
    WHERE s.classid IN ('pg_class'::regclass, 'pg_proc'::regclass) AND s.objid < %(first_normal)s
      AND s.refclassid = 'pg_authid'::regclass AND s.deptype IN ('a', 'o')
    UNION
    SELECT s.refobjid FROM pg_shdepend s
    WHERE s.dbid = 0 AND s.classid = to_regclass('pg_catalog.pg_parameter_acl') AND s.refclassid = 'pg_authid'::regclass
    UNION
    SELECT d.datdba FROM pg_database d
    WHERE d.datname IN ('template0', 'template1', %(maintenance)s::text, %(store)s::text)
), powerful (oid) AS (
    SELECT oid FROM strong
    UNION
    SELECT m.member FROM pg_auth_members m JOIN powerful p ON p.oid = m.roleid
)
"""
"""The beginning of a query, with the placeholders of `Server.values`. `powerful` holds every role that is not a
tenant's."""

_LISTED: LiteralString = """
r.rolname !~ '^pg_' AND r.rolname <> current_user AND r.rolname <> %(group)s AND r.rolname <> %(heir)s
AND (r.rolcanlogin OR {marked})
"""

# One row per role that can log in, or that Rolecall has locked, except the administrator.
_ACCOUNTS: LiteralString = (
    POWERFUL
    + """
SELECT r.oid, r.rolname, sup.member IS NOT NULL, r.rolcanlogin, a.rolpassword IS NOT NULL,
       left(d.description, %(marker_length)s), r.oid IN (SELECT oid FROM powerful)
FROM pg_roles r
JOIN {passwords} a ON a.oid = r.oid
LEFT JOIN pg_shdescription d ON d.classoid = 'pg_authid'::regclass AND d.objoid = r.oid
LEFT JOIN (SELECT DISTINCT m.member FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid
           WHERE g.rolname = %(group)s) sup ON sup.member = r.oid
WHERE """
    + _LISTED.replace("{marked}", "left(d.description, %(marker_length)s) LIKE %(marker)s")
)
ONE_ACCOUNT: LiteralString = _ACCOUNTS + " AND r.rolname = %(name)s::text"
ALL_ACCOUNTS: LiteralString = _ACCOUNTS + ' ORDER BY r.rolname COLLATE "C"'
SOME_ACCOUNTS: LiteralString = _ACCOUNTS + " AND r.rolname = ANY (%(names)s::text[])"
_FOUND: LiteralString = " AND position(%(contains)s::text IN r.rolname::text) > 0"
# The order of the index on names, whose collation is "C": a page is read from the place where it begins.
PAGES: Mapping[bool, LiteralString] = {
    False: _ACCOUNTS + _FOUND + " AND r.rolname > %(start)s::text ORDER BY r.rolname LIMIT %(limit)s",
    True: _ACCOUNTS
    + _FOUND
    + " AND (%(start)s::text = '' OR r.rolname < %(start)s::text) ORDER BY r.rolname DESC LIMIT %(limit)s",
}
"""A page of accounts, by whether it is before its start."""

# Without the joins of `_ACCOUNTS`: what follows reads every role.
FROM_LISTED: LiteralString = " FROM pg_roles r WHERE " + _LISTED.replace(
    "{marked}",
    "EXISTS (SELECT FROM pg_shdescription d WHERE d.classoid = 'pg_authid'::regclass AND d.objoid = r.oid"
    " AND left(d.description, %(marker_length)s) LIKE %(marker)s)",
)
COUNTS: LiteralString = (
    "SELECT count(*), count(*) FILTER (WHERE r.rolname > %(start)s::text),"
    " count(*) FILTER (WHERE %(start)s::text = '' OR r.rolname < %(start)s::text)" + FROM_LISTED + _FOUND
)
"""Of all accounts, those after a name, and those before it."""
PLACES: LiteralString = (
    "SELECT coalesce(array_agg(r.rolname::text ORDER BY r.rolname), '{}'),"
    " coalesce(array_agg(r.oid::text ORDER BY r.rolname), '{}')" + FROM_LISTED
)
"""Names and identities in one row, which takes a client less time than a row for each account."""

IS_PROTECTED: LiteralString = (
    POWERFUL
    + """
SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = %(name)s::text
               AND (oid IN (SELECT oid FROM powerful) OR rolname ~ '^pg_' OR rolname IN (%(group)s, %(heir)s)))
"""
)

JOINABLE = tuple(role for role in HARMLESS if role != "pg_database_owner")
"""The predefined roles that accounts may belong to. The server itself chooses the member of pg_database_owner."""

# `plain`: a member of it, or of what it leads to, has no attribute that a normal account lacks, is not as good as a
# super account, and does not own what deleted accounts left.
ROLE: LiteralString = (
    POWERFUL
    + """
SELECT r.oid, r.oid NOT IN (SELECT oid FROM powerful) AND (r.rolname !~ '^pg_' OR r.rolname = ANY(%(joinable)s::text[]))
       AND r.rolname NOT IN (%(group)s::text, %(heir)s::text),
       NOT EXISTS (SELECT FROM pg_roles x
                   WHERE (x.rolcreaterole OR x.rolcreatedb OR x.rolbypassrls
                          OR x.rolname IN (%(group)s::text, %(heir)s::text))
                   AND pg_has_role(r.oid, x.oid, 'MEMBER')) AS plain
FROM pg_roles r WHERE r.rolname = %(name)s::text
"""
)
"""The oid of a role, whether it is a tenant's, and whether it is plain."""

# A tenant owns it, or Rolecall has marked it: databases that it created, and that it took over from dropped accounts.
DATABASE_IS_TENANTS: LiteralString = """(
    d.datname IS DISTINCT FROM %(store)s::text AND d.datname <> %(maintenance)s::text AND NOT d.datistemplate
    AND (d.datdba NOT IN (SELECT oid FROM powerful) OR EXISTS (
        SELECT FROM pg_shdescription m WHERE m.classoid = 'pg_database'::regclass AND m.objoid = d.oid
        AND left(m.description, %(marker_length)s) LIKE %(marker)s)))
"""


def owned_by_tenant(owner: LiteralString) -> LiteralString:
    """Whether a tenant owns an object of this database. pg_database_owner (6171) is the owner of the database."""
    return (
        "CASE WHEN " + owner + " = 6171 THEN (SELECT " + DATABASE_IS_TENANTS
        + " FROM pg_database d WHERE d.datname = current_database()) ELSE "
        + owner + " NOT IN (SELECT oid FROM powerful) END"
    )  # fmt: skip


def account_facts(row: tuple[Any, ...]) -> AccountFacts:
    """From a row of `ONE_ACCOUNT`, `ALL_ACCOUNTS`, `SOME_ACCOUNTS` or `PAGES`."""
    oid, name, is_super, may_log_in, has_password, comment, is_protected = row
    kind = AccountKind.SUPER if is_super else AccountKind.NORMAL
    marks = statements.marks_of(comment)
    operations = tuple(operation for operation, _ in marks)
    return AccountFacts(
        oid, name, kind, may_log_in, has_password,
        marker=operations[0] if operations else None,
        earlier=operations[1:],
        is_protected=is_protected,
        identity=str(oid),
        orders=tuple(order for _, order in marks),
    )  # fmt: skip
