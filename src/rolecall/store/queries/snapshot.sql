-- name: tables
-- Ordinary tables with the columns that are written; `migrations` is written by the migrations themselves.
select c.relname::text, array_agg(a.attname::text order by a.attnum)
  from pg_class c
  join pg_namespace n on n.oid = c.relnamespace
  join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
 where n.nspname = 'rolecall' and c.relkind = 'r' and c.relname <> 'migrations'
 group by c.relname
 order by c.relname

-- name: references
select a.relname::text, b.relname::text
  from pg_constraint f
  join pg_namespace n on n.oid = f.connamespace
  join pg_class a on a.oid = f.conrelid
  join pg_class b on b.oid = f.confrelid
 where n.nspname = 'rolecall' and f.contype = 'f'

-- name: sequences
select sequencename::text, last_value
  from pg_sequences
 where schemaname = 'rolecall' and last_value is not null

-- name: table_names
select c.relname::text
  from pg_class c
  join pg_namespace n on n.oid = c.relnamespace
 where n.nspname = 'rolecall' and c.relkind = 'r' and c.relname <> 'migrations'
 order by c.relname

-- name: is_used
select exists (
    select from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = 'rolecall'
)

-- name: look_for_promises
update operations set runner = 'call', next_attempt_at = null
 where state = 'accepted' and runner = 'deferred' and not instance_id = any(%s)

-- The store that was backed up may still post; no process of the restored one runs yet.
-- name: pause_webhooks
update webhooks set paused = 'restored', runner = null, revision = revision + 1 where paused = ''

-- name: restored
insert into audit (owner_id, principal, dialect, action, target, outcome, client, detail)
select o.id, o.number, 'cli', 'restore', 'store', 'done', %(client)s, %(detail)s
  from (values (1)) as v (one)
  left join lateral (select id, number from owners order by id limit 1) o on true
