-- The state of each account as it was last recorded, by which changes that SQL makes are found.
--
-- serves beside: 0033

alter table accounts add column state jsonb;

-- Of two states the later value of each key. A value is an array with the order of its change.
create function later_state(earlier jsonb, state jsonb) returns jsonb
    language sql immutable parallel safe as $$
    select earlier || coalesce(jsonb_object_agg(key, value), '{}')
      from jsonb_each(state)
     where coalesce((earlier -> key ->> 1)::bigint <= (value ->> 1)::bigint, true)
$$;

-- What Rolecall took from accounts when it changed a database: grants on it that were recorded before. `account` is a
-- display name, empty for every account; `awaited`: also grants that were meant for a database to come.
create table database_changes (
    instance_id bigint not null references instances (id) on delete cascade,
    database    text not null,
    account     text not null,
    awaited     boolean not null,
    changed_at  timestamptz not null,
    primary key (instance_id, database, account, awaited)
);
