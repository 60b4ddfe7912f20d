-- Tokens that were ended before their time. A token proves itself, so only those that are no good any more are kept,
-- until they would have expired.

create table revoked_tokens (
    id          bytea primary key,
    expires_at  timestamptz not null,
    revoked_at  timestamptz not null default now()
);
create index on revoked_tokens (expires_at);

create trigger told_changed after insert or update or delete or truncate on revoked_tokens
    for each statement execute function told_changed();
