-- name: operation
select id, owner_id, instance_id, kind, target, state, reason, note, principal, access_key_id, dialect, action,
       request_id, detail, sealed, accepted_at, closed_at, identity, seen_order, runner,
       attempts, coalesce(next_attempt_at <= now(), true) as is_due
  from operations

-- name: accept
insert into operations (id, owner_id, instance_id, kind, target, state, principal, access_key_id, dialect, action,
                        request_id, client, replica, detail, sealed, identity, seen_order, runner)
values (%(id)s, %(owner)s, %(instance)s, %(kind)s, %(target)s, 'accepted', %(principal)s, %(key)s, %(dialect)s,
        %(action)s, %(request)s, %(client)s, %(replica)s, %(detail)s, %(sealed)s, %(identity)s, %(order)s, %(runner)s)

-- Held until the commit, so that a transaction that reads all lower turns misses none.
-- name: lock_instance
select from instances where id = %s for no key update

-- name: take_turn
update operations set turn = nextval('operation_turns') where id = %s

-- name: ahead
select other.target, other.detail
  from operations other join operations mine using (instance_id)
 where mine.id = %s and other.id <> mine.id and other.kind = 'account.create' and other.state = 'accepted'
   and (other.turn is null or other.turn < mine.turn)

-- `Operation.is_interrupted`
-- name: interrupted_ones
(state in ('undone', 'superseded') and reason = '{interrupted}')

-- name: looked_for
({interrupted_ones} and closed_at > now() - interval '{looked_for_seconds} seconds')

-- name: close
update operations
   set state = %(state)s, reason = %(reason)s, note = %(note)s, closed_at = now(),
       sealed = case when %(keeps)s then sealed end
 where id = %(operation)s and state = 'accepted'
returning true

-- name: forget_sealed
update operations set sealed = null where {interrupted_ones} and sealed is not null and not {looked_for}

-- name: is_followed
select exists (
    select from operations mine join operations other using (instance_id, kind, target)
     where mine.id = %s and other.id <> mine.id and other.state = 'recorded' and other.closed_at >= mine.accepted_at)

-- name: is_moving
select exists (
    select from operations
     where state = 'accepted' and kind = 'account.move' and instance_id = %s and identity = %s)

-- name: witness
update operations set progress = 'applied' where id = any(%s)

-- name: begin
with seen as (update operations set progress = 'applied' where id = any(%(seen)s))
update operations set progress = case progress when '' then 'begun' else progress end
 where id = %(operation)s and (progress <> '' or (state = 'accepted' and replica = %(replica)s))
returning true

-- name: take_over
update operations set replica = %s where id = %s and state = 'accepted' returning progress <> ''

-- name: standing
select case when progress = 'applied' or state = 'recorded' then 'applied'
            when state = 'accepted' and replica = %s then 'own'
            else 'taken over' end
  from operations where id = %s

-- name: count_attempt
update operations set attempts = attempts + 1, next_attempt_at = now() + make_interval(secs => %s)
 where id = %s and state = 'accepted'

-- name: are_open
select exists (select from operations where id = any(%s) and state = 'accepted')

-- name: are_unrecorded
select exists (
    select from operations
     where id = any(%(operations)s) and (%(kind)s::text is null or kind = %(kind)s)
       and (state = 'accepted' or {looked_for}))

-- name: open_changes
select id, kind, target, state = 'accepted' as is_open
  from operations
 where instance_id = %s and (state = 'accepted' or {looked_for})

-- name: promised
{operation}
 where instance_id = %s and state = 'accepted' and runner = 'deferred'
 order by accepted_at

-- name: provisioning
{operation}
 where instance_id = %s and state = 'accepted' and runner = 'provisioning'
 order by accepted_at

-- A later operation on the account, a deletion for example, is what counts.
-- name: failed_ones
kind = 'account.create' and state in ('refused', 'undone') and runner = 'deferred' and instance_id is not null
   and not exists (
       select from operations later
        where later.instance_id = operations.instance_id and later.target = operations.target
          and later.accepted_at > operations.accepted_at)

-- name: failed
{operation}
 where instance_id = %s and {failed_ones}

-- name: still_open
select count(*) as number, coalesce(extract(epoch from max(now() - accepted_at)), 0)::float8 as oldest,
       coalesce(max(attempts), 0) as attempts, (select count(*) from operations where {failed_ones}) as failed
  from operations
 where state = 'accepted'

-- name: unresolved
{operation}
 where state = 'accepted' and replica = any(%s)
 order by accepted_at

-- name: interrupted
{operation}
 where {looked_for}
 order by accepted_at

-- A live replica holds an advisory lock on its number for as long as it runs.
-- name: dead_replicas
select replica
  from (select distinct replica from operations where state = 'accepted') r
 where replica <> %s
   and not exists (
       select from pg_locks
        where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())
          and classid = %s and objid = r.replica::oid and granted)

-- name: newest
{operation}
 where (%(state)s::text is null or state = %(state)s) and (%(instance)s::bigint is null or instance_id = %(instance)s)
 order by accepted_at desc limit %(limit)s

-- name: one
{operation}
 where id = %(id)s

-- Client tokens. Of an operation that was removed, only that it was accepted is known.

-- name: claim_token
insert into client_tokens (owner_id, token, digest, operation)
values (%(owner)s, %(token)s, %(digest)s, %(operation)s)
on conflict do nothing

-- name: lock_token
select from client_tokens where owner_id = %(owner)s and token = %(token)s for update

-- name: claimed
select t.operation, o.instance_id, coalesce(o.state, 'recorded') as state, t.digest
  from client_tokens t left join operations o on o.id = t.operation
 where t.owner_id = %(owner)s and t.token = %(token)s

-- name: renew_token
update client_tokens set digest = %(digest)s, operation = %(operation)s
 where owner_id = %(owner)s and token = %(token)s
