-- Rows about accounts, and the recording of operations that change them.

-- name: account
select name, host, engine_oid as oid, remark, created_at, updated_at, password_updated_at, sealed_password, identity,
       remark_order, password_order, applied_order, deleted as is_deleted
  from accounts

-- name: one
{account}
 where instance_id = %s and not deleted and name = %s and host = %s

-- name: all
{account}
 where instance_id = %s and not deleted

-- name: display_name
((case when host = '' then name else name || '@' || host end) collate "C")

-- name: of_slice
{account}
 where instance_id = %(instance)s and not deleted and position(%(contains)s::text in {display_name}) > 0

-- name: slice_after
{of_slice} and {display_name} > %(start)s
 order by {display_name} limit %(limit)s

-- name: slice_before
{of_slice} and (%(start)s::text = '' or {display_name} < %(start)s)
 order by {display_name} desc limit %(limit)s

-- name: at
{account}
 where instance_id = %(instance)s and not deleted
   and (name, host) in (select * from unnest(%(names)s::text[], %(hosts)s::text[]))

-- name: states_at
select name, host, identity, created_at, applied_order, state::text as state
  from accounts
 where instance_id = %(instance)s and not deleted
   and (name, host) in (select * from unnest(%(names)s::text[], %(hosts)s::text[]))

-- name: recorded_places
select name, host
  from accounts
 where instance_id = %(instance)s and not deleted
   and (%(name)s::text is null or (name, host) > (%(name)s::text, %(host)s::text))
 order by name, host limit %(limit)s

-- An account that was adopted was there before: only its creation and deletion by Rolecall count, and of deletions
-- those that found an account.
-- name: role_changes
select 'member:' || target as database, '' as account, true as awaited,
       max(case kind when 'account.delete' then closed_at else accepted_at end) as changed_at,
       coalesce(identity, '') as identity
  from operations
 where instance_id = %s and target = any(%s) and state = 'recorded'
   and (kind = 'account.create' or (kind = 'account.delete' and identity <> ''))
 group by target, identity

-- name: database_changes
select database, account, awaited, changed_at from database_changes where instance_id = %s

-- As `database_changes`, from the operations themselves. Of a database that was there, the first deletion tells what was
-- granted before it was gone.
-- name: spans
select target as database, '' as account, kind = 'database.delete' as awaited, min(accepted_at) as changed_at,
       max(closed_at) as until
  from operations
 where instance_id = %(instance)s and target = any(%(databases)s) and state = 'recorded'
   and kind in ('database.create', 'database.delete')
 group by target, kind, case when kind = 'database.delete' and identity not in ('', '-') then identity else id::text end
union all
select target, account, true, accepted_at, closed_at
  from operations, unnest(array[detail ->> 'from', detail ->> 'owner']) account
 where instance_id = %(instance)s and target = any(%(databases)s) and state = 'recorded' and kind = 'database.owner'

-- The latest, by the time of their creation or of their last change.
-- name: by_creation
select name, host, identity from accounts
 where instance_id = %s and not deleted and created_at is not null
 order by created_at desc, {display_name} desc limit %s

-- name: by_change
select name, host, identity from accounts
 where instance_id = %s and not deleted
 order by updated_at desc, {display_name} desc limit %s

-- name: holder
select identity, deleted as is_deleted, applied_order as "order" from accounts where instance_id = %s and name = %s and host = %s

-- The operation, unless its closing is final.
-- name: taken_up
id = %(operation)s and (state = 'accepted' or {operations.interrupted_ones}) for update

-- name: open
with op as (select id, accepted_at from operations where {taken_up})

-- name: record
update operations set state = 'recorded', reason = '', note = '', closed_at = now(), sealed = null

-- name: closed
closed as (
    {record}, detail = operations.detail || %(detail)s
      from op where operations.id = op.id and exists (select from written)
)
select not exists (select from op) or exists (select from written)

-- name: record_alone
{open}
{record}
  from op where operations.id = op.id

-- A server that was restored from a backup may assign an identity again: to an account whose creation was accepted
-- after the previous one was made, or its deletion was recorded. `created_at` of a creation is when it was accepted.
-- name: newer
(%(created)s and coalesce(excluded.created_at > case when a.deleted then a.updated_at else a.created_at end, false))

-- A row without an identity is older than identities: it counts as the same account's, but for a creation.
-- name: same
(a.identity = excluded.identity and not {newer} or (a.identity = '' and not %(created)s))

-- name: keeps_remark
{same} and (%(remark)s::text is null or %(order)s < a.remark_order)

-- name: keeps_password
{same} and (not %(speaks)s or %(order)s < a.password_order)

-- An earlier release, which records no states, may have recorded later changes.
-- name: has_state
{same} and a.state -> 'of' = jsonb_build_array(a.identity, a.applied_order)

-- name: record_effect
{open}, written as (
insert into accounts as a
       (instance_id, name, host, engine_oid, identity, remark, created_at, updated_at, password_updated_at,
        sealed_password, remark_order, password_order, applied_order, state)
select %(instance)s, %(name)s, %(host)s, %(oid)s, %(identity)s, coalesce(%(remark)s, ''),
       case when %(created)s or %(adopted)s then op.accepted_at end, now(),
       case when %(password)s then now() end,
       case when %(manages)s::boolean then %(sealed)s::bytea end,
       case when %(remark)s::text is not null then %(order)s else 0 end,
       case when %(speaks)s then %(order)s else 0 end, %(order)s, %(state)s
  from op
on conflict (instance_id, name, host) do update set
       engine_oid = excluded.engine_oid,
       identity = excluded.identity,
       deleted = false,
       remark = case when {keeps_remark} then a.remark else excluded.remark end,
       remark_order = case when {keeps_remark} then a.remark_order else excluded.remark_order end,
       created_at = case when {same} and not %(created)s then coalesce(a.created_at, excluded.created_at)
                         else excluded.created_at end,
       updated_at = now(),
       password_updated_at = case when {keeps_password} then a.password_updated_at
                                  else excluded.password_updated_at end,
       sealed_password = case when {keeps_password} then a.sealed_password
                              when {same} and %(manages)s::boolean is null then a.sealed_password
                              else excluded.sealed_password end,
       password_order = case when {keeps_password} then a.password_order else excluded.password_order end,
       applied_order = case when {same} then greatest(a.applied_order, excluded.applied_order)
                            else excluded.applied_order end,
       state = case when {has_state} then later_state(a.state, excluded.state) else excluded.state end
 where (a.identity in (excluded.identity, '')
        and (not a.deleted or (a.applied_order > 0 and a.applied_order < %(order)s)))
       or (a.identity = excluded.identity and {newer}) or (a.identity = %(instead)s and a.applied_order = %(instead_order)s)
returning 1
), {closed}

-- name: record_deletion
{open}, written as (
insert into accounts as a (instance_id, name, host, engine_oid, identity, updated_at, deleted, applied_order)
select %(instance)s, %(name)s, %(host)s, 0, %(identity)s, now(), true, %(order)s from op
on conflict (instance_id, name, host) do update set
       engine_oid = 0, identity = excluded.identity, deleted = true, remark = '', created_at = null, updated_at = now(),
       password_updated_at = null, sealed_password = null, remark_order = 0, password_order = 0,
       applied_order = excluded.applied_order, state = null
 where a.identity in (excluded.identity, '') or (a.identity = %(instead)s and a.applied_order = %(instead_order)s)
returning 1
), {closed}

-- name: record_database
{open}, taken as (
    insert into database_changes as d (instance_id, database, account, awaited, changed_at)
    select %(instance)s, %(database)s, account, %(awaited)s, op.accepted_at
      from op, unnest(%(accounts)s::text[]) account
    on conflict (instance_id, database, account, awaited) do update
       set changed_at = greatest(d.changed_at, excluded.changed_at)
)
{record}
  from op where operations.id = op.id

-- Moves.

-- name: take_up
select now() from operations where {taken_up}

-- name: places_of_move
select name, host, engine_oid as oid, remark, created_at, updated_at, password_updated_at, sealed_password, identity,
       remark_order, password_order, applied_order, deleted as is_deleted, state
  from accounts
 where instance_id = %s and (name, host) in ((%s, %s), (%s, %s))
 order by name, host for update

-- name: put
insert into accounts as a
       (instance_id, name, host, engine_oid, remark, created_at, updated_at, password_updated_at, sealed_password,
        identity, remark_order, password_order, applied_order, deleted, state)
values (%(instance)s, %(name)s, %(host)s, %(oid)s, %(remark)s, %(created_at)s, %(updated_at)s,
        %(password_updated_at)s, %(sealed_password)s, %(identity)s, %(remark_order)s, %(password_order)s,
        %(applied_order)s, %(is_deleted)s, %(state)s)
on conflict (instance_id, name, host) do update set
       engine_oid = excluded.engine_oid, remark = excluded.remark, created_at = excluded.created_at,
       updated_at = excluded.updated_at, password_updated_at = excluded.password_updated_at,
       sealed_password = excluded.sealed_password, identity = excluded.identity,
       remark_order = excluded.remark_order, password_order = excluded.password_order,
       applied_order = excluded.applied_order, deleted = excluded.deleted, state = excluded.state
 where a.identity = %(before)s
returning true

-- name: record_move
{record}
 where id = %s

-- Rotation of managed passwords.

-- name: due
select o.id as owner_id, o.number, o.app_id, a.instance_id, a.name, a.host
  from accounts a join instances i on i.id = a.instance_id join owners o on o.id = i.owner_id
 where a.sealed_password is not null
   and coalesce(a.password_updated_at, a.created_at, a.updated_at) <= now() - make_interval(secs => %s)
 order by coalesce(a.password_updated_at, a.created_at, a.updated_at)

-- name: last_rotation
select greatest(trunc(extract(epoch from closed_at - accepted_at) * 1000), 0)::bigint as milliseconds,
       state = 'recorded' as succeeded, reason
  from operations
 where instance_id = %s and target = %s and closed_at is not null
   and (kind = 'account.manage' or (kind = 'account.create' and detail -> 'managed' = 'true'))
 order by accepted_at desc limit 1
