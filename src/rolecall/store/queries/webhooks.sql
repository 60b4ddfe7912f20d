-- Webhooks: those of operators, and their delivery.

-- Too many, or one of that name: no row. Those who add wait for one another.
-- name: add
insert into webhooks (id, name, origin, sealed_url, sealed_secret, position)
select %(id)s, %(name)s, %(origin)s, %(url)s, %(secret)s, %(position)s
 where (select count(*) from webhooks) < %(most)s
on conflict (name) do nothing

-- name: set_paused
update webhooks
   set paused = %(paused)s, revision = revision + 1, runner = null, failures = 0, last_error = ''
 where name = %(name)s

-- name: set_position
update webhooks
   set position = %(position)s, revision = revision + 1, runner = null, failures = 0, last_error = ''
 where name = %(name)s

-- name: set_secret
update webhooks
   set sealed_previous = case when %(seconds)s > 0 then sealed_secret end,
       previous_until = case when %(seconds)s > 0 then now() + make_interval(secs => %(seconds)s) end,
       sealed_secret = %(sealed)s, revision = revision + 1, runner = null
 where name = %(name)s

-- name: forget_previous
update webhooks set sealed_previous = null, previous_until = null where previous_until <= now()

-- name: standings
select w.name, w.origin, w.paused, w.position, greatest(0, head.position - w.position) as lag_records,
       coalesce((select greatest(0, extract(epoch from now() - a.at))
                   from audit_chain c join audit a on a.id = c.audit_id
                  where c.position > w.position
                  order by c.position limit 1), 0)::float8 as lag_seconds,
       w.failures, w.last_error, w.attempted_at, w.delivered_at, w.created_at, w.previous_until
  from webhooks w,
       (select coalesce((select max(position) from audit_chain), (select max(position) from audit_checkpoints), 0)
               as position) head
 order by w.name

-- A live replica holds an advisory lock on its number for as long as it runs.
-- name: claim
update webhooks w
   set runner = %(replica)s
 where w.id = any(%(webhooks)s) and w.paused = ''
   and (w.runner is null or w.runner = %(replica)s
        or not exists (
            select from pg_locks
             where locktype = 'advisory'
               and database = (select oid from pg_database where datname = current_database())
               and classid = %(locks)s and objid = w.runner::oid and granted))
returning w.id, w.revision, w.name, w.origin, w.sealed_url, w.sealed_secret, w.sealed_previous, w.previous_until,
          w.position, w.failures

-- name: is_mine
id = %(id)s and revision = %(revision)s and runner = %(replica)s and paused = ''

-- name: advance
update webhooks
   set position = %(to)s, failures = 0, last_error = '', attempted_at = now(), delivered_at = now()
 where {is_mine} and position = %(position)s

-- name: fail
update webhooks
   set failures = failures + 1, last_error = %(error)s, attempted_at = now()
 where {is_mine} and position = %(position)s

-- name: suspend
update webhooks
   set paused = %(paused)s, failures = failures + 1, last_error = %(error)s, attempted_at = now(),
       revision = revision + 1, runner = null
 where {is_mine}
