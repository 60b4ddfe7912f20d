-- The record of a change that needs no engine: an operation that is closed as soon as it is accepted.

-- name: insert
insert into operations (id, owner_id, kind, target, state, principal, access_key_id, dialect, action, request_id,
                        client, replica, detail, closed_at)

-- name: row
%(record_id)s, %(record_owner)s, %(record_kind)s, %(record_target)s, 'recorded', %(record_principal)s, %(record_key)s,
       %(record_dialect)s, %(record_action)s, %(record_request)s, %(record_client)s, 0, %(record_detail)s, now()

-- name: rows
select r.id, %(record_owner)s, %(record_kind)s, r.target, 'recorded', %(record_principal)s, %(record_key)s,
       %(record_dialect)s, %(record_action)s, %(record_request)s, %(record_client)s, 0, r.detail, now()
  from unnest(%(record_ids)s::uuid[], %(record_targets)s::text[], %(record_details)s::jsonb[]) as r (id, target, detail)

-- name: write
{insert}
values ({row})
