-- An account that is promised and not made yet cannot be promised again, whichever replica is asked.
create unique index operations_promised_once on operations (instance_id, target)
    where state = 'accepted' and detail ? 'promised';
