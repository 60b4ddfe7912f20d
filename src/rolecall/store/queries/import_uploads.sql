-- Files of users that wait to be imported.

-- A store has one that is not confirmed.
-- name: replace
delete from import_uploads where store_id = %s and import_id is null

-- name: add
insert into import_uploads (id, store_id, digest, format, name, size, again) values (%s, %s, %s, %s, %s, %s, %s)

-- name: add_piece
insert into import_upload_pieces (upload_id, number, sealed) values (%s, %s, %s)

-- name: pieces
select sealed from import_upload_pieces where upload_id = %s order by number

-- name: columns
id, store_id, digest, format, name, size, again, import_id, origin

-- name: one
select {columns} from import_uploads where store_id = %s and id = %s and import_id is null

-- name: lock
select true from import_uploads where id = %s and import_id is null for update

-- name: forget_import
delete from user_imports where store_id = %s and digest = %s

-- name: begin
insert into user_imports (id, store_id, digest, size) values (%s, %s, %s, %s)
on conflict (store_id, digest) do update set size = excluded.size returning id

-- name: confirm
update import_uploads set import_id = %s, origin = %s where id = %s

-- name: queued
select {columns} from import_uploads where import_id is not null order by created_at, id

-- name: attempt
update import_uploads set attempts = attempts + 1 where id = %s returning attempts

-- name: purge
delete from import_uploads where import_id is null and created_at < now() - %s
