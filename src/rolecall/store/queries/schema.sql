-- name: make_migrations
create table if not exists migrations (
    number      int primary key,
    name        text not null,
    digest      text not null,
    applied_at  timestamptz not null default now()
)

-- The column is missing in stores of releases before it, whose migrations all end the service of earlier releases.
-- name: applied
select number, name, digest, (to_jsonb(m) ->> 'serves_beside')::int as serves_beside
  from rolecall.migrations m
 order by number

-- name: is_readable
select coalesce(has_schema_privilege(n.oid, 'USAGE') and has_table_privilege(c.oid, 'SELECT'), false)
  from pg_class c
  join pg_namespace n on n.oid = c.relnamespace
 where n.nspname = 'rolecall' and c.relname = 'migrations'

-- name: replicas
select count(distinct l.objid)
  from pg_locks l
 where l.locktype = 'advisory' and l.classid = %s and l.objsubid = 2 and l.granted
   and l.database = (select oid from pg_database where datname = current_database())
