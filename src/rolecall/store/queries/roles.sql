-- Roles of owners.

-- name: role
select o.number as owner_number, o.app_id, r.id, r.owner_id, r.name, r.description, r.trust, r.console_login,
       r.session_seconds, r.created_at, r.updated_at,
       (select coalesce(json_agg(json_build_array(t.key, t.value) order by t.key), '[]')
          from tags t
         where t.owner_id = r.owner_id and t.service = 'cam' and t.prefix = 'role' and t.resource = r.id::text) as tags
  from roles r join owners o on o.id = r.owner_id

-- name: by_id
{role}
 where o.id = %s and r.id = %s

-- name: numbered
{role}
 where o.number = %s and r.id = %s

-- name: named
{role}
 where o.number = %s and r.name = %s

-- name: all
{role}
 where o.id = %s
 order by r.id desc

-- name: add
with given as (
    {tags.given}
), decided as (
    select case when (select count(*) from roles where owner_id = %(owner)s) >= %(quota)s then {reasons.ROLE_QUOTA}
                when exists (select from roles where owner_id = %(owner)s and name = %(name)s)
                then {reasons.ROLE_TAKEN}
                else {tags.refused_on_new} end as refusal
), added as (
    insert into roles (owner_id, name, trust, description, console_login, session_seconds)
    select %(owner)s, %(name)s, %(trust)s, %(description)s, %(console_login)s, %(session_seconds)s
      from decided where refusal is null
    returning id
), tagged as (
    insert into tags (owner_id, service, prefix, resource, key, value)
    select %(owner)s, 'cam', 'role', added.id::text, key, value from added, given
), paired as (
    {tags.add_pairs} where exists (select from added)
    on conflict do nothing
), recorded as (
    {records.insert} select {records.row} from added
)
select refusal, id from decided left join added on true

-- name: change
with changed as (
    update roles
       set trust = coalesce(%(trust)s, trust), description = coalesce(%(description)s, description),
           console_login = coalesce(%(console_login)s, console_login),
           session_seconds = coalesce(%(session_seconds)s, session_seconds), updated_at = now()
     where id = %(role)s
    returning id
), recorded as (
    {records.insert} select {records.row} from changed
)
select case when not exists (select from changed) then {reasons.ROLE_MISSING} end as refusal

-- name: delete
with gone as (
    delete from roles where id = %(role)s returning id
), recorded as (
    {records.insert} select {records.row} from gone
)
select case when not exists (select from gone) then {reasons.ROLE_MISSING} end as refusal
