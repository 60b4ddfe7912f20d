-- `progress` of a deletion: `begun`, once its first step may have been taken. `retrying` means nothing any more; processes of an earlier release may still write it.
alter table operations drop constraint operations_progress_check;
alter table operations add constraint operations_progress_check check (progress in ('', 'applied', 'retrying', 'begun'));
update operations set progress = '' where progress = 'retrying';
