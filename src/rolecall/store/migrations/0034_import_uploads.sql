-- Files of users that were sent to the console. A file is kept in sealed pieces, since it may hold passwords, until it
-- was imported, or was not confirmed in time.
-- serves beside: 0033

create table import_uploads (
    id          uuid primary key,
    store_id    uuid not null references user_stores on delete cascade,
    digest      bytea not null,             -- SHA-256 of the file
    format      text not null,
    name        text not null,
    size        bigint not null,            -- bytes
    again       boolean not null,           -- start over if the file was imported before
    created_at  timestamptz not null default now(),
    import_id   uuid references user_imports on delete cascade,  -- null until it is confirmed
    origin      jsonb,                      -- who confirmed it
    attempts    integer not null default 0
);

create index on import_uploads (store_id);
create index on import_uploads (import_id);

create table import_upload_pieces (
    upload_id  uuid not null references import_uploads on delete cascade,
    number     integer not null,
    sealed     bytea not null,
    primary key (upload_id, number)
);

alter table user_imports add column size bigint;  -- bytes of the file; null if the command line imports it
