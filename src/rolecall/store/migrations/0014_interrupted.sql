-- What recovery has closed without finding anything of it is looked for again for a while, and keeps what it sealed so
-- long: a process that was held up may apply it yet.
create index operations_interrupted on operations (closed_at) where state in ('undone', 'superseded');
create index operations_sealed on operations (id) where sealed is not null;
