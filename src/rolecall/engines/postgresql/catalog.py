"""Queries for objects in PostgreSQL's catalogs, and the privileges that each type of object has.

Source: PostgreSQL documentation, "Privileges" (ACL letters and words) and the system catalogs. System schemas and
objects of extensions are excluded everywhere: a grant on pg_authid, pg_read_file or cron.job would hand over the
server. So would a grant on an administrator's SECURITY DEFINER function, so each query says whether a tenant owns the
object (`tenancy`).
"""

from __future__ import annotations

from typing import LiteralString

from rolecall.domain.engine import ObjectType
from rolecall.engines.postgresql import tenancy

_RELATION = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER", "MAINTAIN")

PRIVILEGES: dict[ObjectType, tuple[str, ...]] = {
    ObjectType.DATABASE: ("CREATE", "CONNECT", "TEMPORARY"),
    ObjectType.SCHEMA: ("USAGE", "CREATE"),
    ObjectType.TABLE: _RELATION,
    ObjectType.VIEW: _RELATION,
    ObjectType.MATVIEW: _RELATION,
    ObjectType.COLUMN: ("SELECT", "INSERT", "UPDATE", "REFERENCES"),
    ObjectType.SEQUENCE: ("USAGE", "SELECT", "UPDATE"),
    ObjectType.FUNCTION: ("EXECUTE",),
    ObjectType.PROCEDURE: ("EXECUTE",),
    ObjectType.TYPE: ("USAGE",),
}
"""The privileges of each type, in the order of answers. MAINTAIN exists from version 17 on."""

RELATION_KINDS: dict[ObjectType, list[str]] = {
    ObjectType.TABLE: ["r", "p", "f"],
    ObjectType.VIEW: ["v"],
    ObjectType.MATVIEW: ["m"],
    ObjectType.SEQUENCE: ["S"],
    ObjectType.COLUMN: ["r", "p", "f", "v", "m"],
}

ROUTINE_KINDS: dict[ObjectType, list[str]] = {
    ObjectType.FUNCTION: ["f", "a", "w"],
    ObjectType.PROCEDURE: ["p"],
}


def _not_an_extensions(catalog: LiteralString, oid: LiteralString) -> LiteralString:
    return (
        " AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = '" + catalog + "'::regclass"
        " AND e.objid = " + oid + " AND e.deptype = 'e')"
    )  # fmt: skip


_TENANTS_SCHEMA: LiteralString = (
    "n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'" + _not_an_extensions("pg_namespace", "n.oid")
)
_IN_SCHEMA: LiteralString = "n.nspname = %(schema)s::text AND " + _TENANTS_SCHEMA

_FROM_SCHEMA: LiteralString = " FROM pg_namespace n WHERE " + _IN_SCHEMA
_FROM_RELATION: LiteralString = (
    " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE " + _IN_SCHEMA
    + " AND c.relkind::text = ANY(%(kinds)s)" + _not_an_extensions("pg_class", "c.oid")
)  # fmt: skip
_FROM_COLUMN: LiteralString = (
    " FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE "
    + _IN_SCHEMA
    + " AND c.relkind::text = ANY(%(kinds)s) AND c.relname = %(table)s::text AND a.attnum > 0 AND NOT a.attisdropped"
    + _not_an_extensions("pg_class", "c.oid")
)
_FROM_ROUTINE: LiteralString = (
    " FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE " + _IN_SCHEMA
    + " AND p.prokind::text = ANY(%(kinds)s)" + _not_an_extensions("pg_proc", "p.oid")
)  # fmt: skip
_FROM_TYPE: LiteralString = (
    " FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace LEFT JOIN pg_class c ON c.oid = t.typrelid WHERE "
    + _IN_SCHEMA
    + " AND t.typtype <> 'p' AND (t.typrelid = 0 OR c.relkind = 'c')"
    " AND NOT EXISTS (SELECT FROM pg_type element WHERE element.typarray = t.oid)"
    + _not_an_extensions("pg_type", "t.oid")
)
_FROM_DATABASE: LiteralString = " FROM pg_database d WHERE NOT d.datistemplate"

_SIGNATURE: LiteralString = "p.proname || '(' || oidvectortypes(p.proargtypes) || ')'"

_LISTS: dict[ObjectType, LiteralString] = {
    ObjectType.DATABASE: "SELECT d.datname::text" + _FROM_DATABASE,
    ObjectType.SCHEMA: "SELECT n.nspname::text FROM pg_namespace n WHERE " + _TENANTS_SCHEMA,
    ObjectType.COLUMN: "SELECT a.attname::text" + _FROM_COLUMN,
    ObjectType.FUNCTION: "SELECT " + _SIGNATURE + _FROM_ROUTINE,
    ObjectType.PROCEDURE: "SELECT " + _SIGNATURE + _FROM_ROUTINE,
    ObjectType.TYPE: "SELECT t.typname::text" + _FROM_TYPE,
}
_LIST_RELATIONS: LiteralString = "SELECT c.relname::text" + _FROM_RELATION


def listing(type: ObjectType) -> LiteralString:  # noqa: A002 - the domain's word
    """The names of all objects of a type, at most 100000; placeholders schema, table, kinds."""
    names = _LISTS.get(type, _LIST_RELATIONS)
    return "SELECT name FROM (" + names + ') listed (name) ORDER BY name COLLATE "C" LIMIT 100000'


def kinds(type: ObjectType) -> list[str]:  # noqa: A002 - the domain's word
    return RELATION_KINDS.get(type) or ROUTINE_KINDS.get(type) or []


SCHEMA_EXISTS: LiteralString = "SELECT 1" + _FROM_SCHEMA
TABLE_EXISTS: LiteralString = "SELECT 1" + _FROM_RELATION + " AND c.relname = %(table)s::text"

_RELATION_ACL: LiteralString = "coalesce(c.relacl, acldefault('r', c.relowner))"
_SEQUENCE_ACL: LiteralString = "coalesce(c.relacl, acldefault('s', c.relowner))"
_NAMED: LiteralString = " AND c.relname = %(name)s::text"


def _held(acl: LiteralString) -> LiteralString:
    """Every privilege that the account itself holds by an ACL, with an owner's implied ones and without PUBLIC's."""
    return (
        "ARRAY(SELECT DISTINCT x.privilege_type FROM aclexplode(" + acl + ") x WHERE x.grantee = %(account)s)"
    )


# Before 15 the schema `public` (2200) is the initial superuser's (10) in every database; from 15 on it is
# pg_database_owner's (6171).
_SCHEMA_OWNER: LiteralString = "CASE WHEN n.oid = 2200 AND n.nspowner = 10 THEN 6171 ELSE n.nspowner END"


def _selected(
    acl: LiteralString, is_tenants: LiteralString, oid: LiteralString, signature: LiteralString = "NULL"
) -> LiteralString:
    columns = (signature, _held(acl), is_tenants, oid)
    return tenancy.POWERFUL + "SELECT " + ", ".join(columns)


_FINDS: dict[ObjectType, LiteralString] = {
    ObjectType.DATABASE: _selected(
        "coalesce(d.datacl, acldefault('d', d.datdba))", tenancy.DATABASE_IS_TENANTS, "d.oid"
    )
    + _FROM_DATABASE
    + " AND d.datname = %(name)s::text",
    ObjectType.SCHEMA: _selected(
        "coalesce(n.nspacl, acldefault('n', n.nspowner))", tenancy.owned_by_tenant(_SCHEMA_OWNER), "n.oid"
    )
    + _FROM_SCHEMA,
    ObjectType.SEQUENCE: _selected(_SEQUENCE_ACL, tenancy.owned_by_tenant("c.relowner"), "c.oid")
    + _FROM_RELATION
    + _NAMED,
    ObjectType.COLUMN: _selected("a.attacl", tenancy.owned_by_tenant("c.relowner"), "c.oid")
    + _FROM_COLUMN
    + " AND a.attname = %(name)s::text",
    ObjectType.TYPE: _selected(
        "coalesce(t.typacl, acldefault('T', t.typowner))", tenancy.owned_by_tenant("t.typowner"), "t.oid"
    )
    + _FROM_TYPE
    + " AND t.typname = %(name)s::text",
}
_FIND_RELATION: LiteralString = (
    _selected(_RELATION_ACL, tenancy.owned_by_tenant("c.relowner"), "c.oid") + _FROM_RELATION + _NAMED
)
# With search_path = pg_catalog, regprocedure prints schema, name and types in full, quoted where needed.
_FIND_ROUTINE: LiteralString = (
    _selected(
        "coalesce(p.proacl, acldefault('f', p.proowner))",
        tenancy.owned_by_tenant("p.proowner"),
        "p.oid",
        "p.oid::regprocedure::text",
    )
    + _FROM_ROUTINE
    + " AND p.proname = %(name)s::text AND (%(arguments)s::text IS NULL"
    + " OR oidvectortypes(p.proargtypes) = %(arguments)s::text"
    + " OR pg_get_function_identity_arguments(p.oid) = %(arguments)s::text"
    + " OR p.oid = to_regprocedure(format('%%I.%%I(%%s)', %(schema)s::text, %(name)s::text, %(arguments)s::text)))"
)


def finding(type: ObjectType) -> LiteralString:  # noqa: A002 - the domain's word
    """(signature or NULL, privileges held by the account, whether a tenant owns it, oid) for each object of that path;
    no row if it does not exist. The placeholders of `Server.values`, and name, schema, table, kinds, arguments,
    account."""
    if type in ROUTINE_KINDS:
        return _FIND_ROUTINE
    return _FINDS.get(type, _FIND_RELATION)


# A grant rewrites the object's row, so the transaction's own number on the row confirms which object it was on.
_TOUCHED: dict[ObjectType, LiteralString] = {
    ObjectType.COLUMN: "SELECT a.xmin = pg_current_xact_id()::xid FROM pg_attribute a"
    " WHERE a.attrelid = %(oid)s AND a.attname = %(name)s::text",
    ObjectType.TYPE: "SELECT t.xmin = pg_current_xact_id()::xid FROM pg_type t WHERE t.oid = %(oid)s",
}
_TOUCHED_ROUTINE: LiteralString = (
    "SELECT p.xmin = pg_current_xact_id()::xid FROM pg_proc p WHERE p.oid = %(oid)s"
)
_TOUCHED_RELATION: LiteralString = (
    "SELECT c.xmin = pg_current_xact_id()::xid FROM pg_class c WHERE c.oid = %(oid)s"
)


def touched(type: ObjectType) -> LiteralString | None:  # noqa: A002 - the domain's word
    """A query: whether this transaction wrote the row of that oid. None for types that a tenant cannot replace."""
    if type in {ObjectType.DATABASE, ObjectType.SCHEMA}:
        return None
    return _TOUCHED_ROUTINE if type in ROUTINE_KINDS else _TOUCHED.get(type, _TOUCHED_RELATION)
