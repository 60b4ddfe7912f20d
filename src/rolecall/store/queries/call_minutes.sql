-- Calls by minute and dialect.

-- name: add
insert into call_minutes as m (minute, dialect, calls, errors)
select %s, * from unnest(%s::text[], %s::bigint[], %s::bigint[])
on conflict (minute, dialect) do update set calls = m.calls + excluded.calls, errors = m.errors + excluded.errors

-- name: since
select minute, dialect, calls, errors from call_minutes where minute >= %s order by minute, dialect
