-- Sessions of browsers, failed sign-ins and revoked tokens.

-- name: add
insert into browser_sessions
       (digest, user_id, sub_user, owner_id, key_id, mark, must_change, authenticated_at, seen_at)
values (%(digest)s, %(user_id)s, %(sub_user)s, %(owner_id)s, %(key_id)s, %(fingerprint)s, %(must_change)s,
        %(authenticated_at)s, %(seen_at)s)

-- name: one
select digest, user_id, sub_user, owner_id, key_id, mark as fingerprint, must_change, authenticated_at, seen_at
  from browser_sessions
 where digest = %s

-- name: add_failure
insert into sign_in_failures as f (subject, failures, since) values (%(subject)s, 1, %(at)s)
on conflict (subject) do update set
       failures = case when f.since < %(before)s then 1 else f.failures + 1 end,
       since = case when f.since < %(before)s then excluded.since else f.since end
returning failures as number, since

-- name: add_link
with expired as (delete from sign_in_links where expires_at < now())
insert into sign_in_links (digest, owner_id, expires_at) values (%s, %s, %s)

-- name: take_link
with taken as (delete from sign_in_links where digest = %s returning owner_id, expires_at)
select o.id, o.number, o.app_id
  from taken t join owners o on o.id = t.owner_id
 where t.expires_at > %s

-- name: revoke
with gone as (
    delete from revoked_tokens where expires_at < now() - interval '1 hour'
)
insert into revoked_tokens (id, expires_at) values (%s, to_timestamp(%s))
on conflict do nothing
