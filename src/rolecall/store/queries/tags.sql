-- Tags on resources, the pairs that they are made of, and projects.

-- name: chosen
from tags t
 where t.owner_id = %(owner)s
   and (%(service)s::text is null or t.service = %(service)s)
   and (%(prefix)s::text is null or t.prefix = %(prefix)s)
   and (%(resources)s::text[] is null or t.resource = any(%(resources)s))
   and (%(keys)s::text[] is null or t.key = any(%(keys)s))
   and (%(places)s::text[] is null or t.service || ':' || t.prefix || '/' || t.resource = any(%(places)s))

-- name: count_tags
select count(*) {chosen}

-- name: tags
select t.service, t.prefix, t.resource, t.key, t.value
  {chosen}
 order by t.service, t.prefix, t.resource, t.key offset %(offset)s limit %(limit)s

-- A filter without values matches the key alone; how many filters a resource matches decides.
-- name: tagged_resources
with filters as (
    select f.number, f.key, f.value
      from unnest(%(numbers)s::int[], %(names)s::text[], %(wanted)s::text[]) as f (number, key, value)
), found as (
    select distinct t.service, t.prefix, t.resource {chosen}
), met as (
    select s.*, (select count(distinct f.number)
                   from filters f join tags t on t.key = f.key and (f.value is null or t.value = f.value)
                  where t.owner_id = %(owner)s and t.service = s.service and t.prefix = s.prefix
                    and t.resource = s.resource) as filters
      from found s
), kept as (
    select * from met where filters >= %(least)s
)

-- name: count_tagged
{tagged_resources}
select count(*) from kept

-- name: tagged
{tagged_resources}
select p.service, p.prefix, p.resource, t.key, t.value
  from (select * from kept order by service, prefix, resource offset %(offset)s limit %(limit)s) p
  join tags t on t.owner_id = %(owner)s and t.service = p.service and t.prefix = p.prefix and t.resource = p.resource
 order by p.service, p.prefix, p.resource, t.key

-- name: on_resource
owner_id = %(owner)s and service = %(service)s and prefix = %(prefix)s and resource = %(resource)s

-- name: keys_on
select key from tags where {on_resource}

-- name: count_on
select count(*) from tags where {on_resource}

-- name: put
insert into tags (owner_id, service, prefix, resource, key, value)
values (%(owner)s, %(service)s, %(prefix)s, %(resource)s, %(key)s, %(value)s)
on conflict (owner_id, service, prefix, resource, key) do update set value = excluded.value

-- name: take
delete from tags where {on_resource} and key = any(%(keys)s)

-- name: add_pair
insert into tag_pairs (owner_id, key, value, creator) values (%s, %s, %s, %s)
on conflict do nothing

-- name: most_values
select coalesce(max(n), 0)
  from (select count(*) as n from tag_pairs where owner_id = %s and key = any(%s) group by key) c

-- name: chosen_pairs
from tag_pairs p
 where p.owner_id = %(owner)s and (%(keys)s::text[] is null or p.key = any(%(keys)s))
   and (%(key)s::text is null or (p.key = %(key)s and p.value = %(value)s))
   and (%(creator)s::bigint is null or p.creator = %(creator)s)

-- name: count_pairs
select count(*) {chosen_pairs}

-- name: pairs
select p.key, p.value,
       exists (select from tags t where t.owner_id = p.owner_id and t.key = p.key and t.value = p.value) as attached
  {chosen_pairs}
 order by p.key, p.value offset %(offset)s limit %(limit)s

-- name: count_keys
select count(distinct p.key) {chosen_pairs}

-- name: keys
select distinct p.key
  {chosen_pairs}
 order by p.key offset %(offset)s limit %(limit)s

-- name: add_project
insert into projects (owner_id, name, info, creator) values (%s, %s, %s, %s)
on conflict do nothing
returning id

-- name: change_project
update projects set name = coalesce(%s, name), info = coalesce(%s, info), disabled = coalesce(%s, disabled)
 where owner_id = %s and id = %s

-- name: chosen_projects
from projects
 where owner_id = %(owner)s and (%(hidden)s or not disabled)
   and (%(id)s::bigint is null or id = %(id)s) and (%(name)s::text is null or name = %(name)s)

-- name: count_projects
select count(*) {chosen_projects}

-- name: projects
select id, name, info, creator, created_at, disabled
  {chosen_projects}
 order by id offset %(offset)s limit %(limit)s
