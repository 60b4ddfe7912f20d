-- A change is bound to the account that it was accepted for, not to its name.

-- The row of a deleted account stays, without what was in it: a late record of a change of that account is told by it
-- from the first record of a new one. `identity` is the engine's word; empty where a row is older than this migration.
-- The orders are those of the changes that wrote a remark, a password, and anything at all.
alter table accounts add column identity text not null default '';
update accounts set identity = engine_oid::text where engine_oid <> 0;
alter table accounts add column deleted boolean not null default false;
alter table accounts add column remark_order bigint not null default 0;
alter table accounts add column password_order bigint not null default 0;
alter table accounts add column applied_order bigint not null default 0;

-- The account that an operation is meant for, with the order of its last change then. `progress`: `applied`, seen on an account before that was dropped; `retrying`, after an
-- outcome that nobody knows.
alter table operations add column identity text;
alter table operations add column seen_order bigint;
alter table operations add column progress text not null default '' check (progress in ('', 'applied', 'retrying'));

alter table operations drop constraint operations_state_check;
alter table operations add constraint operations_state_check
    check (state in ('accepted', 'recorded', 'refused', 'undone', 'superseded'));
