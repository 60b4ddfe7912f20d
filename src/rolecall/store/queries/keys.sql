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

-- name: is_principal
select exists (
    select from owners where id = %(owner)s and number = %(principal)s union all
    select from sub_users where owner_id = %(owner)s and number = %(principal)s)

-- name: note_uses
insert into access_key_uses (key_id, used_at)
select k.id, to_timestamp(n.at)
  from unnest(%s::text[], %s::float8[]) n (id, at) join access_keys k on k.id = n.id
on conflict (key_id) do update set used_at = greatest(access_key_uses.used_at, excluded.used_at)

-- name: uses
select k.id, u.used_at
  from access_keys k left join access_key_uses u on u.key_id = k.id
 where k.owner_id = %s and k.id = any(%s)
