-- PostgreSQL servers that Rolecall runs itself get verifiers by an update of their catalog, as new ones do.
update instances set options = '{"verifier_write": "catalog"}' || options, revision = revision + 1
 where engine = 'postgresql' and place is not null;
