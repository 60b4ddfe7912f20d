-- Faults that testers asked for.

-- name: add
insert into faults (dialect, service, action, code, reason, field, after, remaining)
values (%s, %s, %s, %s, %s, %s, %s, %s)
returning id

-- name: all
select id, dialect, service, action, code, reason, field, after, remaining from faults order by id

-- name: take
update faults set remaining = remaining - 1
where id = (
    select id from faults where dialect = %s and service = %s and action = %s and remaining > 0
    order by id limit 1 for update
)
returning id, dialect, service, action, code, reason, field, after, remaining
