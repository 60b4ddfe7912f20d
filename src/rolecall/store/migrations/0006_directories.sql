-- User stores (directories), the users and groups in them, and what happened there.

alter table owners add column directories boolean not null default true;  -- whether the owner has user stores at all

create table user_stores (
    id           uuid primary key,
    owner_id     bigint not null references owners,
    name         text not null,
    description  text not null default '',
    logo         text not null default '',
    is_default   boolean not null default false,
    created_at   timestamptz not null default now(),
    changed_at   timestamptz not null default now(),
    unique (owner_id, name)
);

create table users (
    id                uuid primary key,
    store_id          uuid not null references user_stores on delete cascade,
    name              text,                   -- null: imported without one
    phone             text,
    email             text,
    password_hash     text,                   -- self-describing; null: has none
    must_reset        boolean not null default false,
    status            text not null default 'normal' check (status in ('normal', 'locked', 'frozen')),
    source            text not null default 'admin',
    nickname          text,
    address           text,
    birthdate         bigint,                 -- milliseconds of the epoch, as given
    custom            jsonb not null default '[]',   -- [{"name", "value", "type"}]
    indexed_1         text,
    indexed_2         text,
    indexed_3         text,
    indexed_4         text,
    indexed_5         text,
    profile           jsonb not null default '{}',   -- what is seldom given: identity card, other providers' ids, ...
    is_primary        boolean not null default true,
    linked_to         uuid references users on delete set null,
    last_sign_in_at   timestamptz,
    signed_in_before  boolean not null default false,
    failed_sign_ins   integer not null default 0,
    locked_until      timestamptz,            -- by too many failures; status says what an administrator locked
    locked_at         timestamptz,
    version           bigint not null default 0,
    created_at        timestamptz not null default now(),
    modified_at       timestamptz not null default now(),
    unique (store_id, name),
    unique (store_id, phone),
    unique (store_id, email)
);
create index on users (store_id, created_at, id);
create index on users (store_id, modified_at);
create index on users (store_id, indexed_1) where indexed_1 is not null;
create index on users (store_id, indexed_2) where indexed_2 is not null;
create index on users (store_id, indexed_3) where indexed_3 is not null;
create index on users (store_id, indexed_4) where indexed_4 is not null;
create index on users (store_id, indexed_5) where indexed_5 is not null;

-- How many users a store has, without counting them: several counters a store, so that writers do not wait for
-- one another's commits. The sum of a store's rows is the number.
create table user_counts (
    store_id  uuid not null references user_stores on delete cascade,
    shard     smallint not null,
    users     bigint not null,
    primary key (store_id, shard)
);

create function users_added() returns trigger language plpgsql as $$
begin
    insert into user_counts as c (store_id, shard, users)
        select store_id, pg_backend_pid() % 16, count(*) from added group by store_id
        on conflict (store_id, shard) do update set users = c.users + excluded.users;
    return null;
end $$;
create function users_removed() returns trigger language plpgsql as $$
begin
    insert into user_counts as c (store_id, shard, users)
        select r.store_id, pg_backend_pid() % 16, -count(*) from removed r
            join user_stores s on s.id = r.store_id group by r.store_id
        on conflict (store_id, shard) do update set users = c.users + excluded.users;
    return null;
end $$;
create trigger users_added after insert on users
    referencing new table as added for each statement execute function users_added();
create trigger users_removed after delete on users
    referencing old table as removed for each statement execute function users_removed();

create table user_groups (
    id           uuid primary key,
    store_id     uuid not null references user_stores on delete cascade,
    name         text not null,
    description  text not null default '',
    created_at   timestamptz not null default now(),
    modified_at  timestamptz not null default now(),
    unique (store_id, name)
);

create table user_group_members (
    user_id   uuid not null references users on delete cascade,
    group_id  uuid not null references user_groups on delete cascade,
    primary key (user_id, group_id)
);
create index on user_group_members (group_id);

create table directory_events (
    id        uuid primary key,
    store_id  uuid not null references user_stores on delete cascade,
    kind      text not null,               -- user.create, user.update, user.delete, user.link, user.sign-up, user.sign-in
    user_id   uuid,
    user_name text not null default '',
    at        timestamptz not null default now(),
    client    text not null default '',
    detail    jsonb not null default '{}'
);
create index on directory_events (store_id, at desc);
