-- User stores, their groups and their events.

-- name: store
select s.id, s.owner_id, s.name, s.description, s.logo, s.is_default, s.created_at, s.changed_at, s.colour,
       (select coalesce(sum(c.users), 0)::bigint from user_counts c where c.store_id = s.id) as users,
       (select count(*) from applications a where a.store_id = s.id) as applications
  from user_stores s

-- name: active_store
{store}
  join owners o on o.id = s.owner_id and o.directories
 where s.id = %s

-- name: stores
{store}
 where s.owner_id = %s
 order by s.created_at, s.id

-- One record of what `changed`, and how many rows that were.
-- name: recorded
recorded as (
    {records.insert} select {records.row} from changed limit 1
)
select count(*) from changed

-- name: add_store
insert into user_stores (id, owner_id, name, description, logo, is_default)
values (%(id)s, %(owner_id)s, %(name)s, %(description)s, %(logo)s, %(is_default)s)
returning created_at, changed_at

-- name: add_recorded_store
with changed as ({add_store}), recorded as (
    {records.insert} select {records.row} from changed
)
select * from changed

-- name: change_store
with changed as (
    update user_stores
       set name = coalesce(%(name)s, name), logo = coalesce(%(logo)s, logo),
           description = coalesce(%(description)s, description), changed_at = now()
     where id = %(store)s and {users.mine}
    returning id
), {recorded}

-- name: delete_store
with changed as (
    delete from user_stores where id = %(store)s and {users.mine} returning id
), {recorded}

-- name: group
select g.id, g.store_id, g.name, g.description, g.created_at, g.modified_at from user_groups g

-- name: wanted_group
g.store_id = %(store)s and %(negated)s <> (
       (%(ids)s::uuid[] is null or g.id = any(%(ids)s))
       and (cardinality(%(texts)s::text[]) = 0 or exists (
           select from unnest(%(texts)s::text[]) asked(part)
            where replace(g.id::text, '-', '') = part or position(lower(part) in lower(g.name)) > 0)))

-- name: count_groups
select (select count(*) from user_groups g where {wanted_group}) where {users.mine}

-- name: groups
{group}
 where {wanted_group} and {users.mine}
 order by g.created_at, g.id limit %(limit)s offset %(offset)s

-- name: groups_of
{group}
  join user_group_members m on m.group_id = g.id
 where m.user_id = %s
 order by g.created_at, g.id

-- name: add_group
with changed as (
    insert into user_groups (id, store_id, name, description)
    select %(id)s, %(store)s, %(name)s, %(description)s
     where {users.mine}
       and (%(quota)s::bigint = 0 or %(quota)s::bigint > (select count(*) from user_groups where store_id = %(store)s))
    returning id
), {recorded}

-- name: change_group
with changed as (
    update user_groups
       set name = %(name)s, description = coalesce(%(description)s, description), modified_at = now()
     where id = %(group)s and store_id = %(store)s and {users.mine}
    returning id
), {recorded}

-- name: delete_groups
with changed as (
    delete from user_groups where store_id = %(store)s and id = any(%(groups)s) and {users.mine} returning id
), {recorded}

-- name: wanted_event
e.store_id = %(store)s and e.at >= %(since)s
   and (cardinality(%(kinds)s::text[]) = 0 or e.kind = any(%(kinds)s))

-- name: count_events
select (select count(*) from directory_events e where {wanted_event}) where {users.mine}

-- name: events
select e.id, e.store_id, e.kind, e.user_id, e.user_name, e.at, e.client,
       coalesce((e.detail->>'principal')::bigint, 0) as principal
  from directory_events e
 where {wanted_event} and {users.mine}
 order by e.at desc, e.id limit %(limit)s offset %(offset)s
