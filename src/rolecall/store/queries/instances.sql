-- Registered instances and their public ids.

-- name: instance
select i.id, i.owner_id, i.engine, i.name, i.host, i.port, i.administrator, i.sealed_password, i.database, i.options,
       i.region, i.zone, i.isolated, i.listed_callers, i.revision, i.created_at, i.addresses, i.address_groups,
       i.place, i.phase,
       (select jsonb_object_agg(f.dialect, f.public_id) from instance_faces f where f.instance_id = i.id) as faces
  from instances i

-- name: by_face
{instance}
 where i.id = (select instance_id from instance_faces where dialect = %s and public_id = %s)

-- name: by_id
{instance}
 where i.id = %s

-- name: all
{instance}
 where %(owner)s::bigint is null or i.owner_id = %(owner)s
 order by i.id

-- name: add
insert into instances
       (id, owner_id, engine, name, host, port, administrator, sealed_password, database, options, region, zone,
        addresses, place, phase)
overriding system value
values (%(id)s, %(owner)s, %(engine)s, %(name)s, %(host)s, %(port)s, %(administrator)s, %(sealed)s, %(database)s,
        %(options)s, %(region)s, %(zone)s, %(addresses)s, %(place)s, %(phase)s)
