-- Promises that were not kept are looked for with every listing of accounts.
create index operations_failed_promises on operations (instance_id)
    where kind = 'account.create' and state in ('refused', 'undone') and detail ? 'promised';
