-- Who is linked to a user is asked whenever one is deleted.
create index on users (linked_to) where linked_to is not null;
