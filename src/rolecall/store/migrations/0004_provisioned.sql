-- Servers that Rolecall started itself. `place` names the server's directory below the data directory of the process
-- that runs it; null: a server registered by its owner, which Rolecall never starts, stops or deletes. `phase` is written
-- before anything is done to the server, so that whoever starts next knows what is left to do.

alter table instances add column place text unique;
alter table instances add column phase text check (phase in
    ('creating', 'running', 'restarting', 'isolating', 'isolated', 'reviving', 'deleting', 'failed'));
alter table instances add check ((place is null) = (phase is null));

-- Which instance an earlier call with the same client token has made.
create index operations_instance_tokens on operations (owner_id, (detail ->> 'token')) where kind = 'instance.create';
