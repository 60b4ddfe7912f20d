-- Imports of users from files: how far each has come, so that one that was cut goes on where it stopped, and the lines
-- that were refused. A file is known by its digest.

create table user_imports (
    id           uuid primary key,
    store_id     uuid not null references user_stores on delete cascade,
    digest       bytea not null,             -- SHA-256 of the file
    position     bigint not null default 0,  -- bytes of it that are done
    line         bigint not null default 0,
    imported     bigint not null default 0,
    refused      bigint not null default 0,
    started_at   timestamptz not null default now(),
    finished_at  timestamptz,
    unique (store_id, digest)
);

create table user_import_refusals (
    import_id  uuid not null references user_imports on delete cascade,
    line       bigint not null,
    reason     text not null,                -- holds nothing of the line
    primary key (import_id, line)
);
