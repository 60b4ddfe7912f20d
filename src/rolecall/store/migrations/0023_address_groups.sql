-- Lists of addresses beside the default one (`addresses`), in order: [{"name": ..., "addresses": [...], "label": ...}].

alter table instances add column address_groups jsonb not null default '[]';
