-- Users of user stores.

-- The store belongs to the owner, who has directories.
-- name: mine
exists (select from user_stores s join owners o on o.id = s.owner_id
         where s.id = %(store)s and o.id = %(owner)s and o.directories)

-- name: columns
u.id, u.store_id, u.name, u.phone, u.email, u.password_hash, u.must_reset, u.status, u.source, u.nickname, u.address,
       u.birthdate, u.custom, array[u.indexed_1, u.indexed_2, u.indexed_3, u.indexed_4, u.indexed_5] as indexed,
       u.profile, u.is_primary, u.last_sign_in_at, u.signed_in_before, u.failed_sign_ins, u.locked_until, u.locked_at,
       u.version, u.created_at, u.modified_at, g.ids as group_ids, g.names as group_names

-- name: with_groups
left join lateral (
    select array_agg(ug.id order by ug.created_at, ug.id) as ids,
           array_agg(ug.name order by ug.created_at, ug.id) as names
      from user_group_members m join user_groups ug on ug.id = m.group_id
     where m.user_id = u.id) g on true

-- name: user
select {columns} from users u {with_groups}

-- name: by_id
{user}
 where u.store_id = %(store)s and u.id = %(user)s

-- name: shown
{by_id} and {mine}

-- Of several users that a login names (one by its name, another by its phone number) the name's comes first.
-- name: by_login
with named as (
    select id, 1 as rank from users where store_id = %(store)s and name = %(login)s
    union all select id, 2 from users where store_id = %(store)s and phone = %(login)s
    union all select id, 3 from users where store_id = %(store)s and email = %(login)s
    order by rank limit 1
)
{user} join named on named.id = u.id

-- name: standing
select o.directories as active, s.owner_id as holder
  from owners o left join user_stores s on s.id = %(store)s
 where o.id = %(owner)s

-- name: look
select o.directories as active, s.owner_id as holder,
       (select array_agg(g.id) from user_groups g where g.store_id = s.id and g.id = any(%(groups)s)) as group_ids,
       (select array_agg(g.name) from user_groups g where g.store_id = s.id and g.id = any(%(groups)s)) as group_names,
       exists (select from users u where u.store_id = s.id and u.name = %(name)s and u.id <> %(id)s) as name_taken,
       exists (select from users u where u.store_id = s.id and u.phone = %(phone)s and u.id <> %(id)s) as phone_taken,
       exists (select from users u where u.store_id = s.id and u.email = %(email)s and u.id <> %(id)s) as email_taken,
       (select coalesce(sum(c.users), 0)::bigint from user_counts c where c.store_id = s.id) as users
  from owners o left join user_stores s on s.id = %(store)s
 where o.id = %(owner)s

-- One statement, so one round trip and one commit: if a condition fails, no part of it is done, and it returns no row.
-- Several of them share a commit (`Batches`); none can fail the others.
-- name: add
with wanted as (
    select id, name from user_groups where store_id = %(store)s and id = any(%(groups)s)
), made as (
    insert into users (id, store_id, name, phone, email, password_hash, source, nickname, address, birthdate, custom,
                       indexed_1, indexed_2, indexed_3, indexed_4, indexed_5, profile)
    select %(id)s, %(store)s, %(name)s, %(phone)s, %(email)s, %(hash)s, %(source)s, %(nickname)s, %(address)s,
           %(birthdate)s, %(custom)s, %(indexed_1)s, %(indexed_2)s, %(indexed_3)s, %(indexed_4)s, %(indexed_5)s,
           %(profile)s
     where {mine}
       and (select count(*) from wanted) = cardinality(%(groups)s::uuid[])
       and (%(quota)s::bigint = 0 or %(quota)s::bigint > (
               select coalesce(sum(c.users), 0) from user_counts c where c.store_id = %(store)s))
    on conflict do nothing
    returning id, name, version, created_at, modified_at
), joined as (
    insert into user_group_members (user_id, group_id) select made.id, wanted.id from made, wanted
), noted as (
    insert into directory_events (id, store_id, kind, user_id, user_name, client, detail)
    select gen_random_uuid(), %(store)s, '{user_created}', id, coalesce(name, ''), %(record_client)s,
           jsonb_build_object('principal', %(record_principal)s::bigint, 'digest', %(digest)s::text)
      from made
), recorded as (
    {records.insert} select {records.row} from made
)
select version, created_at, modified_at,
       (select array_agg(name order by array_position(%(groups)s::uuid[], id)) from wanted) as group_names
  from made

-- name: made_lately
select exists (
    select from directory_events e join users u on u.id = e.user_id
     where e.store_id = %(store)s and e.at > now() - make_interval(secs => %(seconds)s)
       and e.detail->>'digest' = %(digest)s and e.kind = '{user_created}')

-- name: found
from users u where u.store_id = %(store)s

-- name: total
select coalesce(sum(c.users), 0)::bigint from user_counts c where c.store_id = %(store)s

-- Parts of a store, by the index on the time of creation.
-- name: in_group
and exists (select from user_group_members m where m.user_id = u.id and m.group_id = %(group)s)

-- name: older
(%(id)s::uuid is null or (u.created_at, u.id) < (%(at)s::timestamptz, %(id)s::uuid))
 order by u.created_at desc, u.id desc

-- name: newer
(%(id)s::uuid is null or (u.created_at, u.id) > (%(at)s::timestamptz, %(id)s::uuid))
 order by u.created_at, u.id

-- By an index for each; an id may be none.
-- name: exact
select {columns}
  from users u {with_groups}
 where u.id in (
       select id from users where store_id = %(store)s and name = %(text)s
       union all select id from users where store_id = %(store)s and phone = %(text)s
       union all select id from users where store_id = %(store)s and email = %(text)s
       union all select id from users where store_id = %(store)s and id = %(text_id)s)
   and {mine}
 order by u.created_at desc, u.id desc

-- name: has_text
(position(lower(%(text)s) in lower(coalesce(u.name, ''))) > 0 or position(%(text)s in coalesce(u.phone, '')) > 0
 or position(lower(%(text)s) in lower(coalesce(u.email, ''))) > 0)

-- Those of `exact` have a place of their own.
-- name: is_not_exact
and (u.name is null or u.name <> %(text)s) and (u.phone is null or u.phone <> %(text)s)
   and (u.email is null or u.email <> %(text)s)

-- name: total_of_group
select count(*) from user_group_members m join users u on u.id = m.user_id
 where m.group_id = %(group)s and u.store_id = %(store)s

-- The event and the record of a user that was `changed`.
-- name: noted
noted as (
    insert into directory_events (id, store_id, kind, user_id, user_name, client, detail)
    select gen_random_uuid(), store_id, '{user_changed}', id, coalesce(name, ''), %(record_client)s,
           jsonb_build_object('principal', %(record_principal)s::bigint)
      from changed
), recorded as (
    {records.insert} select {records.row} from changed
)

-- The groups that the user is in then are those given; they are changed only if `regroup`.
-- name: change
with missing as (
    select asked.id from unnest(%(groups)s::uuid[]) with ordinality as asked (id, position)
     where %(regroup)s and not exists (select from user_groups g where g.store_id = %(store)s and g.id = asked.id)
     order by position limit 1
), changed as (
    update users
       set name = %(name)s, phone = %(phone)s, email = %(email)s, nickname = %(nickname)s, address = %(address)s,
           birthdate = %(birthdate)s, custom = %(custom)s, indexed_1 = %(indexed_1)s, indexed_2 = %(indexed_2)s,
           indexed_3 = %(indexed_3)s, indexed_4 = %(indexed_4)s, indexed_5 = %(indexed_5)s, version = version + 1,
           modified_at = now()
     where id = %(id)s and store_id = %(store)s and version = %(version)s and {mine}
       and not exists (select from missing)
    returning *
), left_groups as (
    delete from user_group_members m using changed
     where %(regroup)s and m.user_id = changed.id and m.group_id <> all(%(groups)s::uuid[])
), joined_groups as (
    insert into user_group_members (user_id, group_id)
    select changed.id, asked.id from changed, unnest(%(groups)s::uuid[]) as asked (id) where %(regroup)s
    on conflict do nothing
), {noted}
select {columns}, (select id from missing) as missing
  from (select) as one
  left join changed u on true
  left join lateral (
      select array_agg(ug.id order by ug.created_at, ug.id) as ids,
             array_agg(ug.name order by ug.created_at, ug.id) as names
        from user_groups ug where ug.store_id = u.store_id and ug.id = any(%(groups)s::uuid[])) g on true

-- name: set_status
with changed as (
    update users
       set version = version + 1, modified_at = now(), failed_sign_ins = 0, locked_until = null,
           locked_at = case when %(status)s = 'normal' then null when status = %(status)s then locked_at else now() end,
           status = %(status)s
     where id = %(user)s and store_id = %(store)s and {mine}
    returning store_id, id, name
), {noted}
select exists (select from changed)

-- name: replace_password
with changed as (
    update users
       set password_hash = %(hash)s, must_reset = false, failed_sign_ins = 0, locked_until = null,
           version = version + 1, modified_at = now()
     where id = %(user)s and store_id = %(store)s and status <> 'frozen' and {mine}
    returning store_id, id, name
), {noted}
select exists (select from changed)

-- name: delete
with gone as (
    delete from users where store_id = %(store)s and id = any(%(users)s) and {mine} returning id, name
), freed as (
    update users set is_primary = true, version = version + 1, modified_at = now()
     where linked_to in (select id from gone) and id <> all(%(users)s)
), noted as (
    insert into directory_events (id, store_id, kind, user_id, user_name, client, detail)
    select gen_random_uuid(), %(store)s, '{user_deleted}', id, coalesce(name, ''), %(record_client)s,
           jsonb_build_object('principal', %(record_principal)s::bigint)
      from gone
), recorded as (
    {records.insert} select {records.row} from gone limit 1
)
select count(*) from gone

-- Links. The primary user takes over the attribute that they share, if it has none: first the secondary loses it.
-- name: link
with pair as (
    select id, phone, email from users
     where store_id = %(store)s and id in (%(primary)s, %(secondary)s) and is_primary and {mine}
     order by id for update
), linked as (
    select s.id, case when p.phone is null and %(on)s = 'phone' then s.phone end as phone,
           case when p.email is null and %(on)s = 'email' then s.email end as email
      from pair p, pair s
     where p.id = %(primary)s and s.id = %(secondary)s and p.id <> s.id
       and not exists (select from users where linked_to = %(secondary)s)
), changed as (
    update users u
       set is_primary = false, linked_to = %(primary)s, version = version + 1, modified_at = now(),
           phone = case when linked.phone is null then u.phone end,
           email = case when linked.email is null then u.email end
      from linked where u.id = linked.id
    returning u.id, linked.phone, linked.email
), given as (
    update users u set phone = coalesce(changed.phone, u.phone), email = coalesce(changed.email, u.email)
      from changed where u.id = %(primary)s and num_nonnulls(changed.phone, changed.email) > 0
), noted as (
    insert into directory_events (id, store_id, kind, user_id, client, detail)
    select gen_random_uuid(), %(store)s, '{users_linked}', id, %(record_client)s,
           jsonb_build_object('principal', %(record_principal)s::bigint)
      from changed
), recorded as (
    {records.insert} select {records.row} from changed
)
select exists (select from changed)

-- Signing in. Guesses that were sent at once are decided here, one after another: a user that is locked meanwhile is
-- not signed in.
-- name: signed_in
with seen as (
    update users
       set last_sign_in_at = %(at)s, signed_in_before = true, failed_sign_ins = 0, locked_until = null,
           locked_at = null,
           password_hash = case when password_hash = %(proven)s then coalesce(%(renewed)s, password_hash)
                                else password_hash end
     where id = %(user)s and status = 'normal' and (locked_until is null or locked_until <= %(at)s)
    returning store_id, id, name
)
insert into directory_events (id, store_id, kind, user_id, user_name, at, client)
select gen_random_uuid(), store_id, '{user_signed_in}', id, coalesce(name, ''), %(at)s, %(client)s from seen
returning true

-- A lock that has passed is cleared, and the count starts again; one that holds is not extended.
-- name: sign_in_failed
with counted as (
    select id, case when locked_until <= %(at)s then 1 else failed_sign_ins + 1 end as failures
      from users where id = %(user)s and (locked_until is null or locked_until <= %(at)s) for update
)
update users u
   set failed_sign_ins = c.failures,
       locked_until = case when c.failures >= %(most)s then %(at)s + make_interval(secs => %(seconds)s)
                           when u.locked_until <= %(at)s then null else u.locked_until end,
       locked_at = case when u.status <> 'normal' then u.locked_at
                        when c.failures = %(most)s then %(at)s
                        when c.failures < %(most)s then null else u.locked_at end
  from counted c where u.id = c.id

-- name: set_own_password
with changed as (
    update users set password_hash = %(hash)s, must_reset = false, version = version + 1, modified_at = now()
     where id = %(user)s and password_hash = %(proven)s and status = 'normal'
    returning store_id, id, name
), {noted}
select true from changed
