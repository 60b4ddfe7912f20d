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

-- One row for each that is asked for, in that order, with nulls where no sub-user has both its number and its id.
-- name: found
select {columns}
  from unnest(%(numbers)s::bigint[], %(ids)s::bigint[]) with ordinality as a (number, id, position)
  left join sub_users u on u.owner_id = %(owner)s and (u.number = a.number or u.id = a.id)
       and coalesce(u.number = a.number, true) and coalesce(u.id = a.id, true)
 order by a.position

-- name: with_rules
select {columns}, r.rules
  from sub_users u left join password_rules r on r.owner_id = u.owner_id
 where u.owner_id = %s and u.name = %s

-- name: with_keys
select {columns}, exists (select from access_keys where principal = u.number) as has_keys
  from sub_users u
 where u.owner_id = %s and u.name = %s

-- Counting takes time for each sub-user of the owner. No owner has more than all owners ever had, who are numbered from
-- 700000000001 on.
-- name: may_be_full
coalesce(pg_sequence_last_value('sub_user_numbers') - 700000000000, 0) >= %(quota)s

-- Why a new sub-user is refused. Those that were made lately are counted by their records: some may be gone again.
-- name: refused
case when exists (select from sub_users where owner_id = %(owner)s and name = %(name)s) then {reasons.SUB_USER_TAKEN}
     when {may_be_full}
          and (select count(*) from (select from sub_users where owner_id = %(owner)s limit %(quota)s) u) >= %(quota)s
     then {reasons.SUB_USER_QUOTA}
     when %(rate)s::bigint is null then null
     when (select count(*) from operations
            where owner_id = %(owner)s and kind = 'sub-user.create'
              and accepted_at > now() - interval '1 minute') >= %(rate)s then {reasons.SUB_USER_RATE} end

-- name: rules_for_new
select {refused} as refusal, (select rules from password_rules where owner_id = %(owner)s) as rules

-- name: add
with decided as (
    select {refused} as refusal
), added as (
    insert into sub_users as u
           (owner_id, name, remark, console_login, password_hash, password_changed_at, must_reset_password, phone,
            country_code, email)
    select %(owner)s, %(name)s, %(remark)s, %(console_login)s, %(hash)s,
           case when %(hash)s::text is null then null else now() end, %(must_reset)s, %(phone)s, %(country_code)s,
           %(email)s
      from decided where refusal is null
    returning {columns}
), keyed as (
    insert into access_keys (id, owner_id, principal, sealed_secret)
    select %(key)s, %(owner)s, number, %(sealed)s from added where %(key)s::text is not null
), recorded as (
    {records.insert} select {records.row} from added
)
select decided.refusal, added.* from decided left join added on true

-- name: change
with changed as (
    update sub_users
       set remark = coalesce(%(remark)s, remark), phone = coalesce(%(phone)s, phone),
           country_code = coalesce(%(country_code)s, country_code), email = coalesce(%(email)s, email),
           console_login = coalesce(%(login)s, console_login),
           must_reset_password = coalesce(%(reset)s, must_reset_password),
           password_hash = coalesce(%(hash)s, password_hash),
           password_changed_at = case when %(hash)s::text is null then password_changed_at else now() end,
           failed_logins = case when %(hash)s::text is null then failed_logins else 0 end,
           first_failed_at = case when %(hash)s::text is null then first_failed_at end,
           locked_until = case when %(hash)s::text is null then locked_until end
     where number = %(number)s and owner_id = %(owner)s
    returning number
), kept as (
    insert into earlier_passwords (sub_user, password_hash)
    select number, password_hash from sub_users
     where number = %(number)s and password_hash is not null and %(hash)s::text is not null
), forgotten as (
    delete from earlier_passwords
     where sub_user = %(number)s and %(hash)s::text is not null and ctid not in (
           select ctid from earlier_passwords where sub_user = %(number)s
            order by replaced_at desc limit %(kept)s - 1)
), recorded as (
    {records.insert} select {records.row} from changed
)
select case when not exists (select from changed) then {reasons.SUB_USER_MISSING} end as refusal

-- name: delete
with decided as (
    select case when not exists (select from sub_users where number = %(number)s and owner_id = %(owner)s)
                then {reasons.SUB_USER_MISSING}
                when not %(keys_too)s and exists (select from access_keys where principal = %(number)s)
                then {reasons.SUB_USER_HAS_KEYS} end as refusal
), keys as (
    delete from access_keys using decided where refusal is null and principal = %(number)s
), untagged as (
    delete from tags using decided
     where refusal is null and owner_id = %(owner)s and service = %(service)s and prefix = %(prefix)s
       and resource = %(number)s::bigint::text
), gone as (
    delete from sub_users using decided where refusal is null and number = %(number)s returning number
), recorded as (
    {records.insert} select {records.row} from gone
)
select refusal from decided

-- name: earlier
select password_hash from earlier_passwords where sub_user = %s order by replaced_at desc limit %s

-- name: census
select (select count(*) from sub_users where owner_id = %(owner)s) as sub_users,
       (select count(*) from principal_groups where owner_id = %(owner)s) as groups,
       (select count(*) from group_members m join principal_groups g on g.id = m.group_id
         where g.owner_id = %(owner)s) as members,
       (select count(*) from policies where owner_id = %(owner)s) as policies,
       (select count(*) from roles where owner_id = %(owner)s) as roles

-- name: set_rules
with kept as (
    insert into password_rules (owner_id, rules, updated_by)
    values (%(owner)s, %(rules)s, %(record_principal)s)
    on conflict (owner_id) do update
       set rules = excluded.rules, updated_at = now(), updated_by = excluded.updated_by
)
{records.insert} values ({records.row})

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

-- name: there
exists (select from principal_groups where owner_id = %(owner)s and id = %(group)s)

-- name: add_group
with decided as (
    select case when exists (select from principal_groups where owner_id = %(owner)s and name = %(name)s)
                then {reasons.GROUP_TAKEN}
                when (select count(*) from principal_groups where owner_id = %(owner)s) >= %(most)s
                then {reasons.GROUP_QUOTA} end as refusal
), added as (
    insert into principal_groups (owner_id, name, remark)
    select %(owner)s, %(name)s, %(remark)s from decided where refusal is null
    returning id
), recorded as (
    {records.insert} select {records.row} from added
)
select refusal, id from decided left join added on true

-- name: change_group
with decided as (
    select case when not {there} then {reasons.GROUP_MISSING}
                when exists (select from principal_groups
                              where owner_id = %(owner)s and name = %(name)s and id <> %(group)s)
                then {reasons.GROUP_TAKEN} end as refusal
), changed as (
    update principal_groups set name = coalesce(%(name)s, name), remark = coalesce(%(remark)s, remark) from decided
     where refusal is null and id = %(group)s
), recorded as (
    {records.insert} select {records.row} from decided where refusal is null
)
select refusal from decided

-- name: delete_group
with gone as (
    delete from principal_groups where owner_id = %(owner)s and id = %(group)s returning id
), recorded as (
    {records.insert} select {records.row} from gone
)
select case when not exists (select from gone) then {reasons.GROUP_MISSING} end as refusal

-- Members to be, in the order asked; who is a member stays one. Those before count for the quotas of those behind.
-- name: join
with asked as (
    select a.*, g.id is not null as has_group, u.number is not null as has_user, m.group_id is not null as is_member
      from unnest(%(groups)s::bigint[], %(numbers)s::bigint[]) with ordinality as a (group_id, sub_user, position)
      left join principal_groups g on g.owner_id = %(owner)s and g.id = a.group_id
      left join sub_users u on u.owner_id = %(owner)s and u.number = a.sub_user
      left join group_members m on m.group_id = a.group_id and m.sub_user = a.sub_user
), counted as (
    select a.*,
           (select count(*) from group_members m where m.group_id = a.group_id)
               + count(*) filter (where not is_member) over (partition by group_id order by position) as members,
           (select count(*) from group_members m where m.sub_user = a.sub_user)
               + count(*) filter (where not is_member) over (partition by sub_user order by position) as memberships
      from asked a
), decided as (
    select position, group_id, sub_user,
           case when not has_group then {reasons.GROUP_MISSING}
                when is_member then null
                when not has_user then {reasons.SUB_USER_MISSING}
                when members > %(most_members)s then {reasons.GROUP_FULL}
                when memberships > %(most_memberships)s then {reasons.MEMBERSHIP_QUOTA} end as refusal
      from counted
), refused as (
    select * from decided where refusal is not null order by position limit 1
), joined as (
    insert into group_members (group_id, sub_user)
    select group_id, sub_user from asked where not is_member and not exists (select from refused)
), recorded as (
    {records.insert} {records.rows} where not exists (select from refused)
)
select refusal, case refusal when {reasons.GROUP_MISSING} then group_id when {reasons.SUB_USER_MISSING} then sub_user
                end as about
  from refused

-- name: leave
with asked as (
    select * from unnest(%(groups)s::bigint[], %(numbers)s::bigint[]) as a (group_id, sub_user)
), missing as (
    select group_id from asked a
     where not exists (select from principal_groups g where g.owner_id = %(owner)s and g.id = a.group_id)
     limit 1
), gone as (
    delete from group_members m using asked a
     where m.group_id = a.group_id and m.sub_user = a.sub_user and not exists (select from missing)
), recorded as (
    {records.insert} {records.rows} where not exists (select from missing)
)
select {reasons.GROUP_MISSING} as refusal, group_id as about from missing
