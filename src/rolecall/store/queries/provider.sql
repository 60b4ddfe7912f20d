-- The OpenID providers: applications, signing keys, authorization codes, grants and tokens.

-- name: application
select id, store_id, name, redirect_uris, logout_uris, secret_digest, created_at, password_grant from applications

-- name: application_by_id
{application}
 where id = %s

-- name: applications
{application}
 where %(store)s::uuid is null or store_id = %(store)s
 order by created_at, id

-- name: add_application
insert into applications (id, store_id, name, redirect_uris, logout_uris, secret_digest, created_at, password_grant)
values (%(id)s, %(store_id)s, %(name)s, %(redirect_uris)s, %(logout_uris)s, %(secret_digest)s, %(created_at)s,
        %(password_grant)s)

-- name: signing_keys
select id, store_id, sealed_key as sealed, created_at, retired_at
  from signing_keys
 where store_id = %s
 order by created_at desc

-- name: add_signing_key
insert into signing_keys (id, store_id, sealed_key, created_at)
values (%(id)s, %(store_id)s, %(sealed)s, %(created_at)s)

-- The new key waits for the count: a store has only one that is not retired.
-- name: replace_signing_key
with retired as (
    update signing_keys set retired_at = %(created_at)s where store_id = %(store_id)s and retired_at is null
    returning id
)
insert into signing_keys (id, store_id, sealed_key, created_at)
select %(id)s, %(store_id)s, %(sealed)s, %(created_at)s from (select count(*) from retired) as done

-- name: add_code
insert into authorization_codes
       (digest, application, user_id, grant_id, redirect_uri, scope, nonce, challenge, mark, authenticated_at,
        expires_at)
values (%(digest)s, %(application)s, %(user_id)s, %(grant_id)s, %(redirect_uri)s, %(scope)s, %(nonce)s, %(challenge)s,
        %(fingerprint)s, %(authenticated_at)s, %(expires_at)s)

-- Of a user's unused codes only so many newest ones are kept.
-- name: add_code_instead
with gone as (
    delete from authorization_codes
     where digest in (select digest from authorization_codes where user_id = %(user_id)s and used_at is null
                       order by expires_at desc, digest offset %(kept)s)
)
{add_code}

-- name: code
select digest, application, user_id, grant_id, redirect_uri, scope, nonce, challenge, mark as fingerprint, authenticated_at,
       expires_at, used_at is not null as used
  from authorization_codes
 where digest = %s

-- name: add_grant
insert into token_grants (id, application, user_id, scope, mark, authenticated_at, created_at, expires_at)
values (%(id)s, %(application)s, %(user_id)s, %(scope)s, %(fingerprint)s, %(authenticated_at)s, %(created_at)s,
        %(expires_at)s)

-- name: add_tokens
insert into tokens (digest, grant_id, kind, scope, issued_at, expires_at)
select digest, %(grant)s, kind, scope, issued_at, expires_at
  from unnest(%(digests)s::bytea[], %(kinds)s::text[], %(scopes)s::text[], %(issued)s::timestamptz[],
              %(expiring)s::timestamptz[]) as new (digest, kind, scope, issued_at, expires_at)

-- name: add_grant_with_tokens
with granted as ({add_grant})
{add_tokens}

-- name: redeem
with used as (
    update authorization_codes set used_at = %(at)s where digest = %(code)s and used_at is null returning digest
), granted as (
    insert into token_grants (id, application, user_id, scope, mark, authenticated_at, created_at, expires_at)
    select %(id)s, %(application)s, %(user_id)s, %(scope)s, %(fingerprint)s, %(authenticated_at)s, %(created_at)s,
           %(expires_at)s
      from used
)
{add_tokens} where exists (select from used)

-- name: rotate
with used as (
    update tokens set used_at = %(at)s where digest = %(used)s and used_at is null returning digest
), prolonged as (
    update token_grants set expires_at = %(expires_at)s where id = %(grant)s and exists (select from used)
)
{add_tokens} where exists (select from used)

-- name: held
select t.digest as token_digest, t.kind as token_kind, t.scope as token_scope, t.issued_at as token_issued_at,
       t.expires_at as token_expires_at, t.used_at is not null as token_used,
       g.id, g.application, g.user_id, g.scope, g.mark as fingerprint, g.authenticated_at, g.created_at, g.expires_at
  from tokens t join token_grants g on g.id = t.grant_id
 where t.digest = %s
