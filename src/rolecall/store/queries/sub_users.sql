-- Sub-users, their passwords and their groups.

-- name: columns
u.number, u.id, u.owner_id, u.name, u.remark, u.console_login, u.password_hash, u.password_changed_at,
       u.must_reset_password, u.phone, u.country_code, u.email, u.last_login_at, u.last_login_ip, u.created_at

-- name: sub_user
select {columns} from sub_users u

-- name: named
{sub_user}
 where u.owner_id = %s and u.name = %s

-- name: numbered
{sub_user}
 where u.owner_id = %s and u.number = any(%s)
 order by u.number

-- name: all
{sub_user}
 where u.owner_id = %s
 order by u.number desc

-- name: after
{sub_user}
 where u.owner_id = %s and u.number > %s
 order by u.number limit %s

-- name: found
{sub_user}
 where u.owner_id = %(owner)s and u.number = coalesce(%(number)s, u.number) and u.id = coalesce(%(id)s, u.id)
 limit 1

-- name: add
insert into sub_users as u
       (owner_id, name, remark, console_login, password_hash, password_changed_at, must_reset_password, phone,
        country_code, email)
values (%(owner)s, %(name)s, %(remark)s, %(console_login)s, %(hash)s,
        case when %(hash)s::text is null then null else now() end, %(must_reset)s, %(phone)s, %(country_code)s,
        %(email)s)
on conflict (owner_id, name) do nothing
returning {columns}

-- name: change
update sub_users
   set remark = coalesce(%(remark)s, remark), phone = coalesce(%(phone)s, phone),
       country_code = coalesce(%(country_code)s, country_code), email = coalesce(%(email)s, email)
 where number = %(number)s

-- What tokens and permissions depend on is written only where it changes, so that replicas are notified only then.
-- name: change_login
update sub_users set console_login = %(login)s where number = %(number)s and console_login <> %(login)s

-- name: change_reset
update sub_users set must_reset_password = %(reset)s where number = %(number)s and must_reset_password <> %(reset)s

-- name: change_password
update sub_users
   set password_hash = %s, password_changed_at = now(), failed_logins = 0, first_failed_at = null, locked_until = null
 where number = %s

-- name: keep_earlier
insert into earlier_passwords (sub_user, password_hash)
select number, password_hash from sub_users where number = %s and password_hash is not null

-- name: delete_earliest
delete from earlier_passwords
 where sub_user = %(number)s and ctid not in (
       select ctid from earlier_passwords where sub_user = %(number)s order by replaced_at desc limit %(kept)s)

-- name: earlier
select password_hash from earlier_passwords where sub_user = %s order by replaced_at desc limit %s

-- name: created_lately
select count(*) from operations
 where owner_id = %s and kind = 'sub-user.create' and accepted_at > now() - interval '1 minute'

-- name: census
select (select count(*) from sub_users where owner_id = %(owner)s) as sub_users,
       (select count(*) from principal_groups where owner_id = %(owner)s) as groups,
       (select count(*) from group_members m join principal_groups g on g.id = m.group_id
         where g.owner_id = %(owner)s) as members,
       (select count(*) from policies where owner_id = %(owner)s) as policies,
       (select count(*) from roles where owner_id = %(owner)s) as roles

-- name: set_rules
insert into password_rules (owner_id, rules, updated_by) values (%s, %s, %s)
on conflict (owner_id) do update
   set rules = excluded.rules, updated_at = now(), updated_by = excluded.updated_by

-- Signing in.

-- name: candidates
select {columns}, o.number as owner_number, o.app_id, coalesce(u.locked_until > now(), false) as locked, r.rules
  from sub_users u join owners o on o.id = u.owner_id left join password_rules r on r.owner_id = u.owner_id
 where u.name = %(name)s and (%(owner)s::bigint is null or o.number = %(owner)s)
 limit 2

-- name: subject
select {columns}, o.number as owner_number, o.app_id
  from sub_users u join owners o on o.id = u.owner_id
 where u.number = %s

-- After an hour without a failure the count starts again; failures while it is locked do not extend a lock.
-- name: failed
update sub_users u
   set failed_logins = n.failures, first_failed_at = n.since,
       locked_until = case when %(limit)s > 0 and n.failures >= %(limit)s then now() + interval '1 hour' end
  from (select number,
               case when first_failed_at > now() - interval '1 hour' then failed_logins + 1 else 1 end as failures,
               case when first_failed_at > now() - interval '1 hour' then first_failed_at else now() end as since
          from sub_users where number = %(number)s for update) n
 where u.number = n.number and (u.locked_until is null or u.locked_until <= now())

-- name: succeeded
update sub_users
   set failed_logins = 0, first_failed_at = null, locked_until = null,
       last_login_at = case when %(client)s::text is null then last_login_at else now() end,
       last_login_ip = coalesce(%(client)s, last_login_ip)
 where number = %(number)s and (locked_until is null or locked_until <= now())

-- Most callers for tokens have no failure to clear: they only read.
-- name: unlocked
select failed_logins = 0 from sub_users where number = %s and (locked_until is null or locked_until <= now())

-- Groups.

-- name: group
select g.id, g.name, g.remark, g.created_at from principal_groups g

-- name: group_by_id
{group}
 where g.owner_id = %s and g.id = %s

-- name: group_holds_name
g.owner_id = %(owner)s and position(lower(%(contains)s) in lower(g.name)) > 0

-- name: count_groups
select count(*) from principal_groups g where {group_holds_name}

-- name: groups
{group}
 where {group_holds_name}
 order by g.id desc offset %(offset)s limit %(limit)s

-- name: count_groups_of
select count(*) from group_members where sub_user = %(number)s

-- name: groups_of
{group}
  join group_members m on m.group_id = g.id
 where m.sub_user = %(number)s
 order by g.id desc offset %(offset)s limit %(limit)s

-- name: count_members
select count(*) from group_members where group_id = %(group)s

-- name: members
select {columns}
  from group_members m join sub_users u on u.number = m.sub_user
 where m.group_id = %(group)s
 order by m.added_at, u.number offset %(offset)s limit %(limit)s

-- name: change_group
update principal_groups set name = coalesce(%s, name), remark = coalesce(%s, remark) where id = %s

-- name: membership
select exists (select from group_members where group_id = %(group)s and sub_user = %(number)s) as is_member,
       (select count(*) from group_members where group_id = %(group)s) as members,
       (select count(*) from group_members where sub_user = %(number)s) as memberships,
       exists (select from sub_users where number = %(number)s) as is_there
