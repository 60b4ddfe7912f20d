-- The audit trail and its chain.

-- name: note
insert into audit (owner_id, principal, access_key_id, dialect, action, target, outcome, reason, request_id, client,
                   detail)
values (%(owner)s, %(principal)s, %(key)s, %(dialect)s, %(action)s, %(target)s, %(outcome)s, %(reason)s, %(request)s,
        %(client)s, %(detail)s)

-- name: columns
a.id, a.at, a.owner_id, a.principal, a.access_key_id, a.dialect, a.action, a.target, a.outcome, a.reason,
       a.request_id, a.client, a.operation, a.detail::text as detail

-- name: wanted
(%(since)s::timestamptz is null or a.at >= %(since)s) and (%(until)s::timestamptz is null or a.at < %(until)s)
   and (%(principal)s::bigint is null or a.principal = %(principal)s)
   and (%(action)s = '' or a.action = %(action)s) and (%(target)s = '' or strpos(a.target, %(target)s) > 0)
   and (%(outcome)s = '' or a.outcome = %(outcome)s)
   and (%(request)s = '' or a.request_id = %(request)s) and (%(before)s::bigint is null or a.id < %(before)s)

-- name: recent
select {columns} from audit a
 where {wanted}
 order by a.id desc limit %(limit)s

-- name: recent_links
select c.position, c.audit_id, c.digest, {columns}
  from audit_chain c join audit a on a.id = c.audit_id
 where {wanted} and c.position <= %(last)s
 order by c.position desc limit %(limit)s

-- One statement, so that a pruning is before or after it. A page without a wanted record is one row without a place.
-- name: after
with page as (select position, audit_id, digest from audit_chain
               where position > %(last)s
               order by position limit %(limit)s),
     ends as (select min(position) as first, max(position) as last from page)
select ends.first, ends.last, c.*
  from ends left join (select p.position, p.audit_id, p.digest, {columns}
                         from page p join audit a on a.id = p.audit_id
                        where {wanted}) c on true
 order by c.position

-- name: end
select coalesce((select max(position) from audit_chain), (select max(position) from audit_checkpoints), 0)

-- No transaction that adds a record takes an hour: what is older than the last chaining by more was inserted.
-- name: last_link
select position, digest, chained_at - interval '1 hour' as horizon, chained_at - interval '1 minute' as recent
  from audit_chain
 order by position desc limit 1

-- name: checkpoint
select position, digest from audit_checkpoints order by position desc limit 1

-- name: digest_at
select digest from audit_chain where position = %(position)s
 union all select digest from audit_checkpoints where position = %(position)s
 limit 1

-- name: is_unchained
not exists (select from audit_chain c where c.audit_id = a.id)

-- Without `or`, so that any plan of it can use the index.
-- name: pending
select {columns} from audit a
 where a.at > coalesce(%(horizon)s::timestamptz, '-infinity') and a.id > %(seen)s and {is_unchained}
 order by a.id limit %(limit)s

-- name: add_links
insert into audit_chain (position, audit_id, digest)
select * from unnest(%s::bigint[], %s::bigint[], %s::bytea[])

-- name: set_head
insert into facts (name, value) values (%s, %s)
on conflict (name) do update set value = excluded.value

-- name: links
select c.position, c.audit_id, c.digest, {columns}
  from audit_chain c left join audit a on a.id = c.audit_id
 where c.position > %s
 order by c.position limit %s

-- name: unchained
with last as (select max(chained_at) as at from audit_chain)
select count(*), (array_agg(a.id order by a.id) filter (where a.at <= last.at - interval '1 hour'))[1:10]
  from audit a, last
 where {is_unchained}

-- name: is_guarded
select not (has_table_privilege('audit', 'UPDATE, DELETE, TRUNCATE')
            or pg_has_role((select relowner from pg_class where oid = 'audit'::regclass), 'MEMBER'))
