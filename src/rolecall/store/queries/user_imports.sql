-- Imports of users from files.

-- name: begin
insert into user_imports (id, store_id, digest) values (%s, %s, %s)
on conflict do nothing

-- name: kept
select id, finished_at, position, line, imported, refused
  from user_imports
 where store_id = %s and digest = %s

-- name: advance
update user_imports set position = %s, line = %s, imported = %s, refused = %s
 where id = %s and position = %s and finished_at is null

-- name: refuse
insert into user_import_refusals (import_id, line, reason) values (%s, %s, %s)

-- name: refusals
select line, reason from user_import_refusals where import_id = %s and line > %s order by line limit %s

-- name: past
i.id, i.digest, i.position, i.size, i.line, i.imported, i.refused, i.started_at, i.finished_at,
       exists (select from import_uploads u where u.import_id = i.id) as is_queued

-- name: all
select {past} from user_imports i where i.store_id = %s order by i.started_at desc, i.id limit %s

-- name: one
select {past} from user_imports i where i.store_id = %s and i.id = %s

-- name: of_file
select {past} from user_imports i where i.store_id = %s and i.digest = %s

-- name: refusals_of_store
select r.line, r.reason from user_import_refusals r join user_imports i on i.id = r.import_id and i.store_id = %s
 where r.import_id = %s order by r.line limit %s

-- Temporary tables of a session.

-- name: create_new_users
create temp table new_users (line bigint, in_groups uuid[], like users) on commit delete rows

-- name: create_tried_users
create temp table tried_users (id uuid, name text unique, phone text unique, email text unique)

-- name: create_tried_refusals
create temp table tried_refusals (line bigint, reason text)

-- name: drop
drop table if exists pg_temp.new_users, pg_temp.tried_users, pg_temp.tried_refusals

-- name: columns
id, store_id, name, phone, email, password_hash, must_reset, status, source, nickname, address, birthdate, custom,
           indexed_1, indexed_2, indexed_3, indexed_4, indexed_5, profile, is_primary, signed_in_before,
           failed_sign_ins, locked_at, version, created_at, modified_at

-- name: copy
copy pg_temp.new_users (line, in_groups, {columns}) from stdin

-- name: not_added
select line from pg_temp.new_users where id not in (select id from added) order by line

-- name: add
with added as (
    insert into users ({columns})
    select {columns}
      from pg_temp.new_users order by line
    on conflict do nothing
    returning id
)
{not_added}

-- name: try
with added as (
    insert into pg_temp.tried_users (id, name, phone, email)
    select id, name, phone, email from pg_temp.new_users n
     where not exists (select from users u where u.store_id = n.store_id and u.name = n.name)
       and not exists (select from users u where u.store_id = n.store_id and u.phone = n.phone)
       and not exists (select from users u where u.store_id = n.store_id and u.email = n.email)
     order by line
    on conflict do nothing
    returning id
)
{not_added}

-- name: why_not_added
select n.line,
       exists (select from users u where u.store_id = n.store_id and u.name = n.name) as name,
       exists (select from users u where u.store_id = n.store_id and u.phone = n.phone) as phone
  from pg_temp.new_users n where n.line = any(%s)

-- name: why_not_tried
select n.line,
       exists (select from users u where u.store_id = n.store_id and u.name = n.name)
           or exists (select from pg_temp.tried_users t where t.name = n.name) as name,
       exists (select from users u where u.store_id = n.store_id and u.phone = n.phone)
           or exists (select from pg_temp.tried_users t where t.phone = n.phone) as phone
  from pg_temp.new_users n where n.line = any(%s)

-- A group that was deleted since the import began is not a reason to refuse its members.
-- name: join_groups
insert into user_group_members (user_id, group_id)
select u.id, g.id from pg_temp.new_users n
  join users u on u.id = n.id
  join user_groups g on g.id = any(n.in_groups) and g.store_id = n.store_id
 where n.in_groups <> '{}'

-- name: refuse_tried
insert into pg_temp.tried_refusals (line, reason) values (%s, %s)

-- name: tried_refusals
select line, reason from pg_temp.tried_refusals where line > %s order by line limit %s
