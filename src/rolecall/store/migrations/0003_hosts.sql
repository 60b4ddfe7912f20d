-- Servers on which an account is a name at a host; notes on instances; client tokens.

alter table accounts add column host text not null default '';
alter table accounts drop constraint accounts_pkey;
alter table accounts add primary key (instance_id, name, host);

alter table instances add column addresses text[] not null default '{}';

create index operations_promised on operations (instance_id) where state = 'accepted';

create table client_tokens (
    owner_id    bigint not null references owners,
    token       text not null,
    digest      text not null,
    created_at  timestamptz not null default now(),
    primary key (owner_id, token)
);
