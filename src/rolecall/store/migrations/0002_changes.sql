-- Replicas remember keys and instances between calls; whoever changes one tells them, in the same commit.

create function told_changed() returns trigger language plpgsql as $$
begin
    perform pg_notify('rolecall_changes', tg_table_name);
    return null;
end $$;

create trigger told_changed after insert or update or delete or truncate on owners
    for each statement execute function told_changed();
create trigger told_changed after insert or update or delete or truncate on access_keys
    for each statement execute function told_changed();
create trigger told_changed after insert or update or delete or truncate on instances
    for each statement execute function told_changed();
create trigger told_changed after insert or update or delete or truncate on instance_faces
    for each statement execute function told_changed();
