"""Where the objects of each type stand in PostgreSQL's catalogs, and which privileges they know.

Source: PostgreSQL documentation, "Privileges" (ACL letters and words) and the system catalogs. System schemas and the
functions of extensions are left out everywhere: granting on pg_authid or pg_read_file would give the server away.
"""

from __future__ import annotations

from typing import LiteralString

from rolecall.domain.engine import ObjectType

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
"""The words each type knows, in the order they are answered in. MAINTAIN is known to servers from 17 on."""

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

_IN_SCHEMA: LiteralString = (
    "n.nspname = %(schema)s::text AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'"
)

_FROM_SCHEMA: LiteralString = " FROM pg_namespace n WHERE " + _IN_SCHEMA
_FROM_RELATION: LiteralString = (
    " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE " + _IN_SCHEMA
    + " AND c.relkind::text = ANY(%(kinds)s)"
)  # fmt: skip
_FROM_COLUMN: LiteralString = (
    " FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE "
    + _IN_SCHEMA
    + " AND c.relkind::text = ANY(%(kinds)s) AND c.relname = %(table)s::text AND a.attnum > 0 AND NOT a.attisdropped"
)
_FROM_ROUTINE: LiteralString = (
    " FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE " + _IN_SCHEMA
    + " AND p.prokind::text = ANY(%(kinds)s) AND NOT EXISTS (SELECT FROM pg_depend e"
    " WHERE e.classid = 'pg_proc'::regclass AND e.objid = p.oid AND e.deptype = 'e')"
)  # fmt: skip
_FROM_TYPE: LiteralString = (
    " FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace LEFT JOIN pg_class c ON c.oid = t.typrelid WHERE "
    + _IN_SCHEMA
    + " AND t.typtype <> 'p' AND (t.typrelid = 0 OR c.relkind = 'c')"
    " AND NOT EXISTS (SELECT FROM pg_type element WHERE element.typarray = t.oid)"
)
_FROM_DATABASE: LiteralString = " FROM pg_database d WHERE NOT d.datistemplate"

_SIGNATURE: LiteralString = "p.proname || '(' || oidvectortypes(p.proargtypes) || ')'"

_LISTS: dict[ObjectType, LiteralString] = {
    ObjectType.DATABASE: "SELECT d.datname::text" + _FROM_DATABASE,
    ObjectType.SCHEMA: "SELECT n.nspname::text FROM pg_namespace n"
    " WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'",
    ObjectType.COLUMN: "SELECT a.attname::text" + _FROM_COLUMN,
    ObjectType.FUNCTION: "SELECT " + _SIGNATURE + _FROM_ROUTINE,
    ObjectType.PROCEDURE: "SELECT " + _SIGNATURE + _FROM_ROUTINE,
    ObjectType.TYPE: "SELECT t.typname::text" + _FROM_TYPE,
}
_LIST_RELATIONS: LiteralString = "SELECT c.relname::text" + _FROM_RELATION


def listing(type: ObjectType) -> LiteralString:  # noqa: A002 - the domain's word
    """The names of all objects of a type; placeholders schema, table, kinds."""
    return _LISTS.get(type, _LIST_RELATIONS)


def kinds(type: ObjectType) -> list[str]:  # noqa: A002 - the domain's word
    return RELATION_KINDS.get(type) or ROUTINE_KINDS.get(type) or []


SCHEMA_EXISTS: LiteralString = "SELECT 1" + _FROM_SCHEMA
TABLE_EXISTS: LiteralString = "SELECT 1" + _FROM_RELATION + " AND c.relname = %(table)s::text"

_RELATION_ACL: LiteralString = "coalesce(c.relacl, acldefault('r', c.relowner))"
_SEQUENCE_ACL: LiteralString = "coalesce(c.relacl, acldefault('s', c.relowner))"
_NAMED: LiteralString = " AND c.relname = %(name)s::text"


def _held(acl: LiteralString) -> LiteralString:
    """Every privilege the account itself holds by an ACL: its owner's implied ones too, PUBLIC's not."""
    return (
        "ARRAY(SELECT DISTINCT x.privilege_type FROM aclexplode(" + acl + ") x WHERE x.grantee = %(account)s)"
    )


_FINDS: dict[ObjectType, LiteralString] = {
    ObjectType.DATABASE: "SELECT NULL, "
    + _held("coalesce(d.datacl, acldefault('d', d.datdba))")
    + _FROM_DATABASE
    + " AND d.datname = %(name)s::text",
    ObjectType.SCHEMA: "SELECT NULL, "
    + _held("coalesce(n.nspacl, acldefault('n', n.nspowner))")
    + _FROM_SCHEMA,
    ObjectType.SEQUENCE: "SELECT NULL, " + _held(_SEQUENCE_ACL) + _FROM_RELATION + _NAMED,
    ObjectType.COLUMN: "SELECT NULL, " + _held("a.attacl") + _FROM_COLUMN + " AND a.attname = %(name)s::text",
    ObjectType.TYPE: "SELECT NULL, "
    + _held("coalesce(t.typacl, acldefault('T', t.typowner))")
    + _FROM_TYPE
    + " AND t.typname = %(name)s::text",
}
_FIND_RELATION: LiteralString = "SELECT NULL, " + _held(_RELATION_ACL) + _FROM_RELATION + _NAMED
# With search_path = pg_catalog, regprocedure prints schema, name and types in full, quoted where needed.
_FIND_ROUTINE: LiteralString = (
    "SELECT p.oid::regprocedure::text, "
    + _held("coalesce(p.proacl, acldefault('f', p.proowner))")
    + _FROM_ROUTINE
    + " AND p.proname = %(name)s::text AND (%(arguments)s::text IS NULL"
    + " OR oidvectortypes(p.proargtypes) = %(arguments)s::text"
    + " OR pg_get_function_identity_arguments(p.oid) = %(arguments)s::text"
    + " OR p.oid = to_regprocedure(format('%%I.%%I(%%s)', %(schema)s::text, %(name)s::text, %(arguments)s::text)))"
)


def finding(type: ObjectType) -> LiteralString:  # noqa: A002 - the domain's word
    """(signature or NULL, privileges held by the account) for each object of that path; none if it isn't there."""
    if type in ROUTINE_KINDS:
        return _FIND_ROUTINE
    return _FINDS.get(type, _FIND_RELATION)
