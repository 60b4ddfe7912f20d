-- Faults that testers asked for: the next calls of an action are refused with a reason.
--
-- serves beside: 0033

create table faults (
    id         bigint generated always as identity primary key,
    dialect    text not null,
    service    text not null,
    action     text not null,
    code       text not null,
    reason     text not null,
    field      text not null,
    after      boolean not null,
    remaining  integer not null check (remaining >= 0),
    created_at timestamptz not null default now()
);
