-- Every sealed value. The key columns of each place, as text, in the order that `SealedValue.key` has them; each update
-- replaces only what was read, so that a value renewed meanwhile stays.

-- name: read_access_keys
select array[id] as key, sealed_secret as sealed from access_keys

-- name: replace_access_key
update access_keys set sealed_secret = %(new)s where id = (%(key)s::text[])[1] and sealed_secret = %(old)s

-- name: read_administrators
select array[id::text, owner_id::text, administrator, host, port::text] as key, sealed_password as sealed
  from instances

-- name: replace_administrator
update instances set sealed_password = %(new)s, revision = revision + 1
 where id = (%(key)s::text[])[1]::bigint and sealed_password = %(old)s

-- name: read_accounts
select array[instance_id::text, name, host] as key, sealed_password as sealed
  from accounts
 where sealed_password is not null

-- name: replace_account
update accounts set sealed_password = %(new)s
 where instance_id = (%(key)s::text[])[1]::bigint and name = (%(key)s::text[])[2] and host = (%(key)s::text[])[3]
   and sealed_password = %(old)s

-- name: read_facts
select array[name] as key, value as sealed from facts

-- name: replace_fact
update facts set value = %(new)s where name = (%(key)s::text[])[1] and value = %(old)s

-- name: read_signing_keys
select array[id] as key, sealed_key as sealed from signing_keys

-- name: replace_signing_key
update signing_keys set sealed_key = %(new)s where id = (%(key)s::text[])[1] and sealed_key = %(old)s

-- name: read_webhooks
select array[w.id::text, s.what] as key, s.sealed
  from webhooks w,
       lateral (values ('url', sealed_url), ('secret', sealed_secret), ('previous', sealed_previous)) s (what, sealed)
 where s.sealed is not null

-- name: replace_webhook
update webhooks
   set sealed_url = case when sealed_url = %(old)s then %(new)s else sealed_url end,
       sealed_secret = case when sealed_secret = %(old)s then %(new)s else sealed_secret end,
       sealed_previous = case when sealed_previous = %(old)s then %(new)s else sealed_previous end
 where id = (%(key)s::text[])[1]::uuid and %(old)s in (sealed_url, sealed_secret, sealed_previous)

-- name: read_upload_pieces
select array[replace(u.store_id::text, '-', ''), replace(u.id::text, '-', ''), p.number::text] as key, p.sealed
  from import_upload_pieces p join import_uploads u on u.id = p.upload_id

-- name: replace_upload_piece
update import_upload_pieces set sealed = %(new)s
 where upload_id = (%(key)s::text[])[2]::uuid and number = (%(key)s::text[])[3]::integer and sealed = %(old)s

-- name: read_operations
select array[id::text, instance_id::text, target,
             case when runner = 'call' then 'password' else 'verifier' end] as key, sealed
  from operations
 where sealed is not null

-- name: replace_operation
update operations set sealed = %(new)s where id = (%(key)s::text[])[1]::uuid and sealed = %(old)s
