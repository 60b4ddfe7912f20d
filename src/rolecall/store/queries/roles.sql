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
insert into roles (owner_id, name, trust, description, console_login, session_seconds)
values (%s, %s, %s, %s, %s, %s)
returning id

-- name: change
update roles
   set trust = coalesce(%s, trust), description = coalesce(%s, description),
       console_login = coalesce(%s, console_login), session_seconds = coalesce(%s, session_seconds), updated_at = now()
 where id = %s
