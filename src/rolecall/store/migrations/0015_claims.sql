-- A client token stands for the operation of the call that it was sent with, and for what became of that.
-- A token of an earlier release stands for an operation that is not known any more, as one that was carried out.
alter table client_tokens add column operation uuid not null default gen_random_uuid();
alter table client_tokens alter column operation drop default;

update client_tokens t set operation = o.id
  from operations o
 where o.owner_id = t.owner_id and o.kind = 'instance.create' and o.detail ->> 'token' = t.token;

-- The order in which operations that a quota counts were accepted on their instance.
create sequence operation_turns;
alter table operations add column turn bigint;

-- How often it was tried and left open.
alter table operations add column attempts integer not null default 0;
