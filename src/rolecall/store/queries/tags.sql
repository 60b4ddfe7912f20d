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

-- Tags to be put on resources; each key once.
-- name: given
select * from unnest(%(tag_keys)s::text[], %(tag_values)s::text[]) with ordinality as t (key, value, position)

-- Why what is given cannot be added to the owner's pairs.
-- name: too_many
case when cardinality(%(tag_keys)s::text[]) = 0 then null
     when (select count(*) from (select key from tag_pairs where owner_id = %(owner)s
                                  union select key from given) k) > %(most_keys)s then {reasons.TAG_KEY_QUOTA}
     when exists (select from (select key, value from tag_pairs
                                where owner_id = %(owner)s and key in (select key from given)
                                union select key, value from given) p
                   group by key having count(*) > %(most_values)s) then {reasons.TAG_VALUE_QUOTA} end

-- On a new resource.
-- name: refused_on_new
case when cardinality(%(tag_keys)s::text[]) > %(most_tags)s then {reasons.TAG_QUOTA} else {too_many} end

-- name: add_pairs
insert into tag_pairs (owner_id, key, value, creator)
    select %(owner)s, key, value, %(record_principal)s from given

-- name: change
with given as (
    {given}
), places as (
    select *
      from unnest(%(services)s::text[], %(prefixes)s::text[], %(resources)s::text[])
           with ordinality as p (service, prefix, resource, position)
), held as (
    select p.position, t.key
      from places p join tags t on t.owner_id = %(owner)s and t.service = p.service and t.prefix = p.prefix
                               and t.resource = p.resource
), looked_at as (
    select p.position,
           (select min(h.key collate "C") from held h join given g on g.key = h.key where h.position = p.position)
               as attached,
           (select min(w.key collate "C")
              from (select key, %(mode)s = 'change' as wanted from given
                     union all select key, %(strict)s from unnest(%(take)s::text[]) as t (key)) w
             where wanted and w.key not in (select key from held h where h.position = p.position)) as unattached,
           (select count(*) from (select key from held h where h.position = p.position and key <> all(%(take)s::text[])
                                   union select key from given) k) as tags
      from places p
), decided as (
    select position,
           case when %(mode)s = 'add' and attached is not null then {reasons.TAG_ATTACHED}
                when unattached is not null then {reasons.TAG_UNATTACHED}
                when tags > %(most_tags)s and cardinality(%(tag_keys)s::text[]) > 0 then {reasons.TAG_QUOTA}
                else {too_many} end as refusal,
           case when %(mode)s = 'add' and attached is not null then attached else unattached end as about
      from looked_at
), refused as (
    select * from decided where refusal is not null order by position limit 1
), taken as (
    delete from tags t using places p
     where not exists (select from refused) and t.owner_id = %(owner)s and t.service = p.service
       and t.prefix = p.prefix and t.resource = p.resource and t.key = any(%(take)s::text[])
       and t.key <> all(%(tag_keys)s::text[])
), put as (
    insert into tags (owner_id, service, prefix, resource, key, value)
    select distinct %(owner)s::bigint, p.service, p.prefix, p.resource, g.key, g.value
      from places p, given g where not exists (select from refused)
    on conflict (owner_id, service, prefix, resource, key) do update set value = excluded.value
), paired as (
    {add_pairs} where not exists (select from refused)
    on conflict do nothing
), recorded as (
    {records.insert} {records.rows} where not exists (select from refused)
)
select refusal, about from refused

-- name: create_pairs
with given as (
    {given}
), taken as (
    select g.key || ':' || g.value as pair
      from given g
     where exists (select from tag_pairs p where p.owner_id = %(owner)s and p.key = g.key and p.value = g.value)
        or exists (select from given e where e.key = g.key and e.value = g.value and e.position < g.position)
     order by position limit 1
), decided as (
    select case when exists (select from taken) then {reasons.TAG_TAKEN} else {too_many} end as refusal
), added as (
    {add_pairs}, decided where refusal is null
), recorded as (
    {records.insert} select {records.row} from decided where refusal is null
)
select refusal, (select pair from taken) as about from decided

-- name: delete_pairs
with given as (
    {given}
), decided as (
    select position, key || ':' || value as about,
           case when exists (select from tags t where t.owner_id = %(owner)s and t.key = g.key and t.value = g.value)
                then {reasons.TAG_IN_USE}
                when not exists (select from tag_pairs p
                                  where p.owner_id = %(owner)s and p.key = g.key and p.value = g.value)
                  or exists (select from given e
                              where e.key = g.key and e.value = g.value and e.position < g.position)
                then {reasons.TAG_MISSING} end as refusal
      from given g
), refused as (
    select * from decided where refusal is not null order by position limit 1
), gone as (
    delete from tag_pairs p using given g
     where not exists (select from refused) and p.owner_id = %(owner)s and p.key = g.key and p.value = g.value
), recorded as (
    {records.insert} select {records.row} where not exists (select from refused)
)
select refusal, about from refused

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
with decided as (
    select case when (select count(*) from projects where owner_id = %(owner)s) >= %(most)s
                then {reasons.PROJECT_QUOTA}
                when exists (select from projects where owner_id = %(owner)s and name = %(name)s)
                then {reasons.PROJECT_TAKEN} end as refusal
), added as (
    insert into projects (owner_id, name, info, creator)
    select %(owner)s, %(name)s, %(info)s, %(record_principal)s from decided where refusal is null
    returning id
), recorded as (
    {records.insert} select {records.row} from added
)
select refusal, id from decided left join added on true

-- name: change_project
with decided as (
    select case when not exists (select from projects where owner_id = %(owner)s and id = %(id)s)
                then {reasons.PROJECT_MISSING}
                when exists (select from projects
                              where owner_id = %(owner)s and name = %(name)s and id <> %(id)s)
                then {reasons.PROJECT_TAKEN} end as refusal
), changed as (
    update projects
       set name = coalesce(%(name)s, name), info = coalesce(%(info)s, info), disabled = coalesce(%(disabled)s, disabled)
      from decided where refusal is null and id = %(id)s
), recorded as (
    {records.insert} select {records.row} from decided where refusal is null
)
select refusal from decided

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
