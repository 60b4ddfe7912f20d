-- What Rolecall itself has to remember. The engines stay the truth about accounts: these tables
-- hold what an engine cannot (who, when, remarks) and the record of every change.

create table owners (
    id          bigint generated always as identity primary key,
    number      bigint not null unique,
    app_id      bigint not null unique,
    created_at  timestamptz not null default now()
);

-- An access key's secret must be recoverable, since signatures are HMACs: it is sealed under the master key.
create table access_keys (
    id             text primary key,
    owner_id       bigint not null references owners,
    principal      bigint not null,
    sealed_secret  bytea not null,
    active         boolean not null default true,
    created_at     timestamptz not null default now()
);
create index on access_keys (owner_id);

create table instances (
    id               bigint generated always as identity primary key,
    owner_id         bigint not null references owners,
    engine           text not null,
    name             text not null,
    host             text not null,
    port             integer not null,
    administrator    text not null,
    sealed_password  bytea not null,
    database         text not null,
    options          jsonb not null default '{}',
    region           text not null,
    zone             text not null,
    isolated         boolean not null default false,
    listed_callers   bigint[],            -- null: every caller of the owner
    revision         bigint not null default 1,
    created_at       timestamptz not null default now()
);

-- One face per dialect: the public id by which that dialect's callers know the instance.
create table instance_faces (
    dialect      text not null,
    public_id    text not null,
    instance_id  bigint not null references instances on delete cascade,
    primary key (dialect, public_id),
    unique (instance_id, dialect)
);

create table accounts (
    instance_id          bigint not null references instances on delete cascade,
    name                 text not null,
    engine_oid           bigint not null,
    remark               text not null default '',
    created_at           timestamptz,     -- null: made behind our back
    updated_at           timestamptz not null,
    password_updated_at  timestamptz,
    sealed_password      bytea,           -- only while Rolecall manages the account's password
    primary key (instance_id, name)
);

-- One row per change asked for: committed as `accepted` before an engine is touched, closed after.
-- It is the audit trail too, so it outlives what it speaks of and refers to nothing by foreign key.
create table operations (
    id             uuid primary key,
    owner_id       bigint not null,
    instance_id    bigint,
    kind           text not null,
    target         text not null,
    state          text not null check (state in ('accepted', 'recorded', 'refused', 'undone')),
    reason         text not null default '',
    note           text not null default '',
    principal      bigint not null,
    access_key_id  text not null,
    dialect        text not null,
    action         text not null,
    request_id     text not null,
    client         text not null,
    replica        integer not null,
    detail         jsonb not null default '{}',
    sealed         bytea,                 -- what finishing the change would need and nobody may read
    accepted_at    timestamptz not null default now(),
    closed_at      timestamptz
);
create index on operations (owner_id, accepted_at desc);
create index on operations (instance_id, target, accepted_at desc);
create index operations_unresolved on operations (replica) where state = 'accepted';

-- Single facts of the house: the key that seals (its check value), the key that deciphers passwords.
create table facts (
    name   text primary key,
    value  bytea not null
);
