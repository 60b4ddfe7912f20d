-- Policies, and what they are attached to.

-- name: columns
p.id, p.name, p.description, p.document, p.created_at, p.updated_at, p.alias,
       (select coalesce(json_agg(json_build_array(t.key, t.value) order by t.key), '[]')
          from tags t
         where t.owner_id = p.owner_id and t.service = 'cam' and t.prefix = 'policy'
           and t.resource = p.id::text) as tags

-- name: policy
select {columns} from policies p

-- name: by_id
{policy}
 where p.owner_id = %s and p.id = %s

-- name: with_ids
{policy}
 where p.owner_id = %s and p.id = any(%s)

-- name: by_name
{policy}
 where p.owner_id = %s and p.name = %s

-- name: all
{policy}
 where p.owner_id = %s
 order by p.id desc

-- name: add
with given as (
    {tags.given}
), decided as (
    select case when (select count(*) from policies where owner_id = %(owner)s) >= %(quota)s
                then {reasons.POLICY_QUOTA}
                when exists (select from policies where owner_id = %(owner)s and name = %(name)s)
                then {reasons.POLICY_TAKEN}
                else {tags.refused_on_new} end as refusal
), added as (
    insert into policies (owner_id, name, description, document)
    select %(owner)s, %(name)s, coalesce(%(description)s, ''), %(document)s from decided where refusal is null
    returning id
), tagged as (
    insert into tags (owner_id, service, prefix, resource, key, value)
    select %(owner)s, 'cam', 'policy', added.id::text, key, value from added, given
), paired as (
    {tags.add_pairs} where exists (select from added)
    on conflict do nothing
), recorded as (
    {records.insert} select {records.row} from added
)
select refusal, id from decided left join added on true

-- name: change
with decided as (
    select case when not exists (select from policies where owner_id = %(owner)s and id = %(policy)s)
                then {reasons.POLICY_MISSING}
                when exists (select from policies
                              where owner_id = %(owner)s and name = %(name)s and id <> %(policy)s)
                then {reasons.POLICY_TAKEN}
                when exists (select from policies
                              where id = %(policy)s and (document, description)
                                    <> (%(expected_document)s::text, %(expected_description)s::text))
                then {reasons.ENGINE_BUSY} end as refusal
), changed as (
    update policies
       set name = coalesce(%(name)s, name), description = coalesce(%(description)s, description),
           document = coalesce(%(document)s, document), alias = coalesce(%(alias)s, alias), updated_at = now()
      from decided where refusal is null and id = %(policy)s
), recorded as (
    {records.insert} select {records.row} from decided where refusal is null
)
select refusal from decided

-- All or none.
-- name: delete
with missing as (
    select id from unnest(%(policies)s::bigint[]) as asked (id)
     where not exists (select from policies p where p.owner_id = %(owner)s and p.id = asked.id)
     order by id limit 1
), gone as (
    delete from policies
     where owner_id = %(owner)s and id = any(%(policies)s::bigint[]) and not exists (select from missing)
), recorded as (
    {records.insert} {records.rows} where not exists (select from missing)
)
select {reasons.POLICY_MISSING} as refusal, id as about from missing

-- What is attached to one bearer: two of its three ids are null.
-- name: held
policy_attachments
 where (sub_user = %(sub_user)s::bigint or group_id = %(group)s::bigint or role_id = %(role)s::bigint)

-- A policy that is attached already stays so, without a record.
-- name: attach
with decided as (
    select case when exists (select from {held} and policy_id = %(policy)s) then 'attached'
                when %(sub_user)s::bigint is not null and not exists (
                     select from sub_users where owner_id = %(owner)s and number = %(sub_user)s)
                then {reasons.SUB_USER_MISSING}
                when %(group)s::bigint is not null and not exists (
                     select from principal_groups where owner_id = %(owner)s and id = %(group)s)
                then {reasons.GROUP_MISSING}
                when %(role)s::bigint is not null and not exists (
                     select from roles where owner_id = %(owner)s and id = %(role)s)
                then {reasons.ROLE_MISSING}
                when (select count(*) from {held}) >= %(quota)s then {reasons.ATTACHMENT_QUOTA} end as refusal
), attached as (
    insert into policy_attachments (owner_id, policy_id, sub_user, group_id, role_id, attached_by)
    select %(owner)s, %(policy)s, %(sub_user)s, %(group)s, %(role)s, %(record_principal)s
      from decided where refusal is null
), recorded as (
    {records.insert} select {records.row} from decided where refusal is null
)
select nullif(refusal, 'attached') as refusal from decided

-- name: detach
with gone as (
    delete from {held} and owner_id = %(owner)s and policy_id = %(policy)s returning id
)
{records.insert} select {records.row} from gone

-- name: counts
select policy_id, count(*), count(sub_user) from policy_attachments where owner_id = %s group by 1

-- name: grants_of_sub_user
select a.policy_id, p.name, p.document, '' as via
  from policy_attachments a left join policies p on p.id = a.policy_id and p.owner_id = a.owner_id
 where a.owner_id = %(owner)s and a.sub_user = %(principal)s
 union all
select a.policy_id, p.name, p.document, g.name
  from group_members m
  join principal_groups g on g.id = m.group_id and g.owner_id = %(owner)s
  join policy_attachments a on a.group_id = g.id
  left join policies p on p.id = a.policy_id and p.owner_id = a.owner_id
 where m.sub_user = %(principal)s

-- name: grants_of_role
select a.policy_id, p.name, p.document, '' as via
  from policy_attachments a left join policies p on p.id = a.policy_id and p.owner_id = a.owner_id
 where a.owner_id = %(owner)s and a.role_id = %(principal)s

-- Other names of roles, sub-users and policies: by number, and by name.

-- name: of_owner
join owners o on o.id = t.owner_id where o.number = %s

-- name: name_of_role
select 'roleName/' || t.name from roles t {of_owner} and t.id = %s

-- name: name_of_sub_user
select 'name/' || t.name from sub_users t {of_owner} and t.number = %s

-- name: name_of_policy
select 'policyName/' || t.name from policies t {of_owner} and t.id = %s

-- name: number_of_role
select 'role/' || t.id from roles t {of_owner} and t.name = %s

-- name: number_of_sub_user
select 'uin/' || t.number from sub_users t {of_owner} and t.name = %s

-- name: number_of_policy
select 'policyid/' || t.id from policies t {of_owner} and t.name = %s

-- name: attachment
select a.policy_id, a.attached_at, a.attached_by, {columns}
  from policy_attachments a left join policies p on p.id = a.policy_id and p.owner_id = a.owner_id

-- name: newest_first
order by a.attached_at desc, a.id desc

-- name: attached_to_sub_user
{attachment}
 where a.owner_id = %s and a.sub_user = %s
 {newest_first}

-- name: attached_to_group
{attachment}
 where a.owner_id = %s and a.group_id = %s
 {newest_first}

-- name: attached_to_role
{attachment}
 where a.owner_id = %s and a.role_id = %s
 {newest_first}

-- name: attached_by_group
select a.policy_id, a.attached_at, a.attached_by, {columns}, g.id as group_id, g.name as group_name
  from group_members m
  join principal_groups g on g.id = m.group_id
  join policy_attachments a on a.group_id = g.id
  left join policies p on p.id = a.policy_id and p.owner_id = a.owner_id
 where a.owner_id = %s and m.sub_user = %s
 {newest_first}

-- name: bearers
select case when a.sub_user is not null then 'sub-user' when a.group_id is not null then 'group' else 'role' end
           as kind,
       coalesce(u.id, g.id, r.id) as id, coalesce(u.name, g.name, r.name) as name, coalesce(u.number, 0) as number,
       a.attached_at
  from policy_attachments a
  left join sub_users u on u.number = a.sub_user
  left join principal_groups g on g.id = a.group_id
  left join roles r on r.id = a.role_id
 where a.owner_id = %s and a.policy_id = %s
 {newest_first}
