-- Access keys and their uses.

-- name: key
select k.id, k.owner_id, o.number, o.app_id, k.principal, k.sealed_secret, k.active, k.created_at, k.description
  from access_keys k join owners o on o.id = k.owner_id

-- name: one
{key}
 where k.id = %s

-- name: all
{key}
 order by k.created_at, k.id

-- name: of_principal
{key}
 where k.owner_id = %s and k.principal = %s
 order by k.created_at, k.id

-- name: add
insert into access_keys (id, owner_id, principal, sealed_secret, description)
values (%s, %s, %s, %s, %s)
returning created_at

-- name: principal
select from owners where id = %(owner)s and number = %(principal)s union all
select from sub_users where owner_id = %(owner)s and number = %(principal)s

-- name: is_principal
select exists ({principal})

-- name: add_for_principal
with decided as (
    select case when not exists ({principal}) then {reasons.SUB_USER_MISSING}
                when (select count(*) from access_keys where principal = %(principal)s) >= %(most)s
                then {reasons.KEY_QUOTA} end as refusal
), added as (
    insert into access_keys (id, owner_id, principal, sealed_secret, description)
    select %(key)s, %(owner)s, %(principal)s, %(sealed)s, %(description)s from decided where refusal is null
    returning created_at
), recorded as (
    {records.insert} select {records.row} from added
)
select refusal, created_at from decided left join added on true

-- `active` null deletes the key.
-- name: change
with held as (
    select principal from access_keys where owner_id = %(owner)s and id = %(key)s
), decided as (
    select case when not exists ({principal}) then {reasons.SUB_USER_MISSING}
                when not exists (select from held) then {reasons.KEY_MISSING}
                when (select principal from held) <> %(principal)s then {reasons.KEY_FOREIGN} end as refusal
), changed as (
    update access_keys set active = %(active)s from decided
     where refusal is null and %(active)s::boolean is not null and id = %(key)s
), deleted as (
    delete from access_keys using decided
     where refusal is null and %(active)s::boolean is null and id = %(key)s
), recorded as (
    {records.insert} select {records.row} from decided where refusal is null
)
select refusal from decided

-- name: note_uses
insert into access_key_uses (key_id, used_at)
select k.id, to_timestamp(n.at)
  from unnest(%s::text[], %s::float8[]) n (id, at) join access_keys k on k.id = n.id
 order by k.id
on conflict (key_id) do update set used_at = greatest(access_key_uses.used_at, excluded.used_at)

-- name: uses
select k.id, u.used_at
  from access_keys k left join access_key_uses u on u.key_id = k.id
 where k.owner_id = %s and k.id = any(%s)
