-- The console: owners sign in to it too, by an access key or by a link that is good once.

alter table browser_sessions
    add column owner_id bigint references owners on delete cascade,
    add column key_id text references access_keys on delete cascade,
    drop constraint browser_sessions_check,
    add constraint browser_sessions_check check (num_nonnulls(user_id, sub_user, owner_id) = 1);
create index on browser_sessions (owner_id) where owner_id is not null;
create index on browser_sessions (key_id) where key_id is not null;

create table sign_in_links (
    digest      bytea primary key,
    owner_id    bigint not null references owners on delete cascade,
    expires_at  timestamptz not null
);

-- Calls by minute, of all replicas together; kept for a day.
create table call_minutes (
    minute   timestamptz not null,
    dialect  text not null,
    calls    bigint not null,
    errors   bigint not null,
    primary key (minute, dialect)
);
