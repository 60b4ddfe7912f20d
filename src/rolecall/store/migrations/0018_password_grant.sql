-- Which applications may exchange a user's name and password for tokens (RFC 6749 4.3): those for which it was asked.

alter table applications add column password_grant boolean not null default false;
