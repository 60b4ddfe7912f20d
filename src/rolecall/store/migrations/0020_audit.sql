-- What was done, by whom, and what became of it. Rows are only ever added, and chained (`audit_chain`): who changes,
-- removes or slips in a row shows it. Who serves may not change them at all where another role migrates.
create table audit (
    id             bigint generated always as identity primary key,
    at             timestamptz not null default now(),
    owner_id       bigint,
    principal      bigint,
    access_key_id  text not null default '',
    dialect        text not null,
    action         text not null,
    target         text not null default '',
    outcome        text not null,
    reason         text not null default '',
    request_id     text not null default '',
    client         text not null default '',
    operation      uuid,
    detail         jsonb not null default '{}'
);
create index on audit (at);
create index on audit (request_id);

-- The chain is written behind the rows, by one process at a time: those who add rows wait for nobody. `digest` is an
-- HMAC of the digest before it and of the row.
create table audit_chain (
    position    bigint primary key,
    audit_id    bigint not null unique,
    digest      bytea not null,
    chained_at  timestamptz not null default now()
);

-- Where the chain begins now: what was before has been pruned.
create table audit_checkpoints (
    position   bigint primary key,
    digest     bytea not null,
    rows       bigint not null,
    pruned_at  timestamptz not null default now()
);

-- One row for every closing of an operation, in its own commit.
create function operation_closed() returns trigger language plpgsql as $$
begin
    insert into audit (owner_id, principal, access_key_id, dialect, action, target, outcome, reason, request_id,
                       client, operation, detail)
    values (new.owner_id, new.principal, new.access_key_id, new.dialect, new.action, new.target, new.state, new.reason,
            new.request_id, new.client, new.id,
            new.detail || jsonb_strip_nulls(jsonb_build_object(
                'change', new.kind, 'instance', new.instance_id, 'note', nullif(new.note, ''))));
    return null;
end $$;

create trigger closed_at_once after insert on operations for each row
    when (new.state <> 'accepted') execute function operation_closed();
create trigger closed after update of state on operations for each row
    when (new.state <> 'accepted' and new.state is distinct from old.state) execute function operation_closed();

-- Removes the rows from the beginning of the chain up to the first that is not older than `before`, which is at least
-- seven days ago, and leaves a checkpoint and a record. Runs with the rights of who owns it: nobody else may remove any.
create function prune_audit(before timestamptz) returns bigint language plpgsql security definer
    set search_path = rolecall, pg_temp as $$
declare
    last audit_chain%rowtype;
    gone bigint;
begin
    if before is null or before > now() - interval '7 days' then
        raise exception 'audit records are kept for at least 7 days' using errcode = 'check_violation';
    end if;
    perform pg_advisory_xact_lock(1919904869, -2);
    select c.* into last from audit_chain c
     where c.position < coalesce((select min(k.position) from audit_chain k join audit a on a.id = k.audit_id
                                   where a.at >= before), 9223372036854775807)
     order by c.position desc limit 1;
    if not found then
        return 0;
    end if;
    delete from audit a using audit_chain c where a.id = c.audit_id and c.position <= last.position;
    get diagnostics gone = row_count;
    delete from audit_chain c where c.position <= last.position;
    insert into audit_checkpoints (position, digest, rows) values (last.position, last.digest, gone);
    insert into audit (dialect, action, target, outcome, client, detail)
    values ('store', 'audit prune', 'audit', 'recorded', session_user,
            jsonb_build_object('before', before, 'rows', gone, 'position', last.position));
    return gone;
end $$;
revoke all on function prune_audit(timestamptz) from public;
