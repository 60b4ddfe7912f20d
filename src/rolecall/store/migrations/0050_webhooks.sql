-- Webhooks: where audit records are posted, and how far that is.
--
-- serves beside: 0033

create table webhooks (
    id               uuid primary key,
    name             text not null unique,
    origin           text not null,
    sealed_url       bytea not null,
    sealed_secret    bytea not null,
    sealed_previous  bytea,
    previous_until   timestamptz,
    paused           text not null default '' check (paused in ('', 'operator', 'gone', 'restored')),
    revision         bigint not null default 1,
    created_at       timestamptz not null default now(),

    -- How far it is, and the replica that posts. No change of these is notified.
    position         bigint not null check (position >= 0),
    runner           int,
    failures         int not null default 0,
    last_error       text not null default '',
    attempted_at     timestamptz,
    delivered_at     timestamptz
);

create trigger told_changed after insert or delete or update of revision on webhooks
    for each statement execute function told_changed();
