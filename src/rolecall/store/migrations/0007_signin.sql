-- Signing in: each user store's OpenID provider, and the sessions of browsers. Codes, tokens, session ids and
-- applications' secrets are random and long: of each only its SHA-256 digest is kept.

create table applications (
    id             text primary key,           -- its client id
    store_id       uuid not null references user_stores on delete cascade,
    name           text not null,
    redirect_uris  text[] not null,
    logout_uris    text[] not null default '{}',
    secret_digest  bytea,                      -- null: a public client, which can keep no secret
    created_at     timestamptz not null default now(),
    unique (store_id, name)
);

create table signing_keys (
    id          text primary key,              -- the `kid` of what it signed
    store_id    uuid not null references user_stores on delete cascade,
    sealed_key  bytea not null,
    created_at  timestamptz not null default now(),
    retired_at  timestamptz                    -- it signs no more, and is published for a while yet
);
create unique index on signing_keys (store_id) where retired_at is null;
create index on signing_keys (store_id);

-- `mark` stands for the password that was shown: tokens, codes and sessions end when it is replaced.
create table authorization_codes (
    digest            bytea primary key,
    application       text not null references applications on delete cascade,
    user_id           uuid not null references users on delete cascade,
    grant_id          uuid not null,           -- what is made of it; a code shown twice ends that
    redirect_uri      text not null,
    scope             text not null,
    nonce             text not null,
    challenge         text not null,           -- S256; empty: none was sent
    mark              bytea not null,
    authenticated_at  timestamptz not null,
    expires_at        timestamptz not null,
    used_at           timestamptz
);
create index on authorization_codes (application);
create index on authorization_codes (user_id);
create index on authorization_codes (expires_at);

-- What an application was granted, with all tokens that descend from it.
create table token_grants (
    id                uuid primary key,
    application       text not null references applications on delete cascade,
    user_id           uuid references users on delete cascade,  -- null: for the application itself
    scope             text not null,
    mark              bytea not null,
    authenticated_at  timestamptz not null,
    created_at        timestamptz not null,
    expires_at        timestamptz not null
);
create index on token_grants (application);
create index on token_grants (user_id);
create index on token_grants (expires_at);

create table tokens (
    digest      bytea primary key,
    grant_id    uuid not null references token_grants on delete cascade,
    kind        text not null check (kind in ('access', 'refresh')),
    scope       text not null,
    issued_at   timestamptz not null,
    expires_at  timestamptz not null,
    used_at     timestamptz                    -- a refresh token is good for one use
);
create index on tokens (grant_id);
create index on tokens (expires_at);

create table browser_sessions (
    digest            bytea primary key,
    user_id           uuid references users on delete cascade,
    sub_user          bigint references sub_users on delete cascade,
    mark              bytea not null,
    must_change       boolean not null,        -- good for changing the password and nothing else
    authenticated_at  timestamptz not null,
    seen_at           timestamptz not null,
    check (num_nonnulls(user_id, sub_user) = 1)
);
create index on browser_sessions (user_id) where user_id is not null;
create index on browser_sessions (sub_user) where sub_user is not null;
create index on browser_sessions (seen_at);

-- Failed sign-ins by client address, and by names that nobody has.
create table sign_in_failures (
    subject   text primary key,
    failures  integer not null,
    since     timestamptz not null
);
create index on sign_in_failures (since);

create trigger told_changed after insert or update or delete or truncate on applications
    for each statement execute function told_changed();
create trigger told_changed after insert or update or delete or truncate on signing_keys
    for each statement execute function told_changed();
