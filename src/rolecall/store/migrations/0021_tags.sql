-- One place for tags: those of roles move to the tags of all resources, and go with the role, as a policy's do.
create table tag_pairs (
    owner_id    bigint not null references owners,
    key         text not null,
    value       text not null,
    creator     bigint not null default 0,  -- the principal's number; 0 for pairs that were kept before this table
    created_at  timestamptz not null default now(),
    primary key (owner_id, key, value)
);

insert into tags (owner_id, service, prefix, resource, key, value)
    select r.owner_id, 'cam', 'role', r.id::text, t.tag ->> 0, t.tag ->> 1
      from roles r, jsonb_array_elements(r.tags) as t (tag)
    on conflict do nothing;
alter table roles drop column tags;

insert into tag_pairs (owner_id, key, value) select distinct owner_id, key, value from tags;
create index tags_of_pair on tags (owner_id, key, value);

create function tagged_gone() returns trigger language plpgsql as $$
begin
    delete from tags
     where owner_id = old.owner_id and service = 'cam' and prefix = tg_argv[0] and resource = old.id::text;
    return old;
end $$;
create trigger tags_gone after delete on roles for each row execute function tagged_gone('role');
create trigger tags_gone after delete on policies for each row execute function tagged_gone('policy');

create table projects (
    id          bigint generated always as identity (start with 1000001) primary key,
    owner_id    bigint not null references owners,
    name        text not null,
    info        text not null,
    creator     bigint not null,
    disabled    boolean not null default false,
    created_at  timestamptz not null default now(),
    unique (owner_id, name)
);
