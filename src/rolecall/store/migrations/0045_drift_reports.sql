-- The last check for drift of each instance, for all replicas to report.
--
-- serves beside: 0033

create table drift_reports (
    instance_id bigint primary key references instances on delete cascade,
    tried_at    timestamptz not null,
    checked_at  timestamptz,
    drifted     integer not null,
    kinds       jsonb not null,
    reason      text not null
);
