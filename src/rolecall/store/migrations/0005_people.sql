-- An owner's sub-users, the groups they are in, the roles they may take, and the policies attached to all three.

create sequence sub_user_numbers start 700000000001;
create sequence sub_user_ids start 5000001;
create sequence group_ids start 100001;
create sequence policy_ids start 10000001;          -- below are the preset policies, which are not kept here
create sequence role_ids start 4611686018427400001;

create table sub_users (
    number               bigint primary key default nextval('sub_user_numbers'),
    id                   bigint not null unique default nextval('sub_user_ids'),
    owner_id             bigint not null references owners,
    name                 text not null,
    remark               text not null default '',
    console_login        boolean not null default false,
    password_hash        text,             -- argon2id; null: has none
    password_changed_at  timestamptz,
    must_reset_password  boolean not null default false,
    phone                text not null default '',
    country_code         text not null default '',
    email                text not null default '',
    last_login_at        timestamptz,
    last_login_ip        text not null default '',
    failed_logins        integer not null default 0,
    first_failed_at      timestamptz,
    locked_until         timestamptz,
    created_at           timestamptz not null default now(),
    unique (owner_id, name)
);
create index on sub_users (name);
-- How many were made lately, those that are gone again included.
create index operations_sub_users on operations (owner_id, accepted_at) where kind = 'sub-user.create';

create table earlier_passwords (
    sub_user       bigint not null references sub_users on delete cascade,
    password_hash  text not null,
    replaced_at    timestamptz not null default now()
);
create index on earlier_passwords (sub_user, replaced_at desc);

create table password_rules (
    owner_id     bigint primary key references owners,
    rules        jsonb not null,
    updated_at   timestamptz not null default now(),
    updated_by   bigint not null
);

alter table access_keys add column description text not null default '';
create index on access_keys (principal);

-- Apart from access_keys, whose every change makes the replicas read keys anew.
create table access_key_uses (
    key_id   text primary key references access_keys on delete cascade,
    used_at  timestamptz not null
);

create table principal_groups (
    id          bigint primary key default nextval('group_ids'),
    owner_id    bigint not null references owners,
    name        text not null,
    remark      text not null default '',
    created_at  timestamptz not null default now(),
    unique (owner_id, name)
);

create table group_members (
    group_id  bigint not null references principal_groups on delete cascade,
    sub_user  bigint not null references sub_users on delete cascade,
    added_at  timestamptz not null default now(),
    primary key (group_id, sub_user)
);
create index on group_members (sub_user);

create table policies (
    id           bigint primary key default nextval('policy_ids'),
    owner_id     bigint not null references owners,
    name         text not null,
    description  text not null default '',
    alias        text not null default '',
    document     text not null,
    created_at   timestamptz not null default now(),
    updated_at   timestamptz not null default now(),
    unique (owner_id, name)
);

create table roles (
    id               bigint primary key default nextval('role_ids'),
    owner_id         bigint not null references owners,
    name             text not null,
    description      text not null default '',
    trust            text not null,        -- the document that says who may take it
    console_login    boolean not null default false,
    session_seconds  integer not null default 7200,
    tags             jsonb not null default '[]',
    created_at       timestamptz not null default now(),
    updated_at       timestamptz not null default now(),
    unique (owner_id, name)
);

-- `policy_id` may be a preset policy's, so it refers to nothing; a policy's own attachments go with it (see policies).
create table policy_attachments (
    id           bigint generated always as identity primary key,
    owner_id     bigint not null references owners,
    policy_id    bigint not null,
    sub_user     bigint references sub_users on delete cascade,
    group_id     bigint references principal_groups on delete cascade,
    role_id      bigint references roles on delete cascade,
    attached_at  timestamptz not null default now(),
    attached_by  bigint not null,
    check (num_nonnulls(sub_user, group_id, role_id) = 1)
);
create unique index on policy_attachments (sub_user, policy_id) where sub_user is not null;
create unique index on policy_attachments (group_id, policy_id) where group_id is not null;
create unique index on policy_attachments (role_id, policy_id) where role_id is not null;
create index on policy_attachments (policy_id);

create function policy_gone() returns trigger language plpgsql as $$
begin
    delete from policy_attachments where policy_id = old.id;
    return null;
end $$;
create trigger policy_gone after delete on policies for each row execute function policy_gone();

create table tags (
    owner_id  bigint not null references owners,
    service   text not null,
    prefix    text not null,
    resource  text not null,
    key       text not null,
    value     text not null,
    primary key (owner_id, service, prefix, resource, key)
);

-- Replicas remember who is permitted what; whoever changes it tells them, in the same commit. Of a sub-user only
-- what its permissions and tokens hang on is told: signing in is no change.
create trigger told_changed after insert or delete or truncate on sub_users
    for each statement execute function told_changed();
create trigger told_changed_in_part after update of name, password_hash, console_login, must_reset_password on sub_users
    for each statement execute function told_changed();
create trigger told_changed after insert or update or delete or truncate on group_members
    for each statement execute function told_changed();
create trigger told_changed after delete or truncate on principal_groups
    for each statement execute function told_changed();
create trigger told_changed after insert or update or delete or truncate on policies
    for each statement execute function told_changed();
create trigger told_changed after insert or update or delete or truncate on roles
    for each statement execute function told_changed();
create trigger told_changed after insert or update or delete or truncate on policy_attachments
    for each statement execute function told_changed();
