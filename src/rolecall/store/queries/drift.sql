-- The last check for drift of each instance.

-- name: reports
select i.id as instance_id, i.name as instance, d.checked_at, coalesce(d.drifted, 0) as drifted,
       coalesce(d.kinds, '{}') as kinds, coalesce(d.reason, '') as reason,
       coalesce(d.tried_at <= now() - make_interval(secs => %s), true) as is_due
  from instances i left join drift_reports d on d.instance_id = i.id
 order by i.id

-- name: keep
insert into drift_reports as d (instance_id, tried_at, checked_at, drifted, kinds, reason)
select id, now(), case when %(checked)s then now() end, %(drifted)s, %(kinds)s, %(reason)s
  from instances where id = %(instance)s
on conflict (instance_id) do update set
       tried_at = now(), reason = excluded.reason,
       checked_at = coalesce(excluded.checked_at, d.checked_at),
       drifted = case when %(checked)s then excluded.drifted else d.drifted end,
       kinds = case when %(checked)s then excluded.kinds else d.kinds end
