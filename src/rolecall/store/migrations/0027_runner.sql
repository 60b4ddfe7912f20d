-- Which part of Rolecall brings an operation to its end, and not before when it is tried again. Both were keys of `detail`.
alter table operations add column runner text not null default 'call'
    check (runner in ('call', 'deferred', 'provisioning'));
alter table operations add column next_attempt_at timestamptz;  -- null: now
update operations set runner = 'deferred', detail = detail - 'promised' where detail ? 'promised';
update operations set runner = 'provisioning', detail = detail - 'provisioning' where detail ? 'provisioning';

drop index operations_promised_once;
create unique index operations_promised_once on operations (instance_id, target)
    where state = 'accepted' and runner = 'deferred';
drop index operations_failed_promises;
create index operations_failed_promises on operations (instance_id)
    where kind = 'account.create' and state in ('refused', 'undone') and runner = 'deferred';
