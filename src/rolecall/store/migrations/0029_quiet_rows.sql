-- Replicas cache no absence of a sub-user or of an access key, so a new row of either changes nothing that they have
-- cached: it is not notified. Commits that notify wait for one another.
-- By row, so that a statement that changes none is not notified either: one statement may do all that a change needs.

drop trigger told_changed on sub_users;
drop trigger told_changed_in_part on sub_users;
create trigger told_changed after delete on sub_users for each row execute function told_changed();
create trigger told_changed_in_part after update of name, password_hash, console_login, must_reset_password on sub_users
    for each row
    when ((old.name, old.password_hash, old.console_login, old.must_reset_password)
          is distinct from (new.name, new.password_hash, new.console_login, new.must_reset_password))
    execute function told_changed();

drop trigger told_changed on access_keys;
create trigger told_changed after update or delete on access_keys for each row execute function told_changed();

drop trigger told_changed on group_members;
create trigger told_changed after insert or update or delete on group_members
    for each row execute function told_changed();

drop trigger told_changed on policy_attachments;
create trigger told_changed after insert or update or delete on policy_attachments
    for each row execute function told_changed();

drop trigger told_changed on principal_groups;
create trigger told_changed after delete on principal_groups for each row execute function told_changed();

-- Nothing empties these tables at once; where an operator does, replicas are notified.
create trigger told_emptied after truncate on sub_users for each statement execute function told_changed();
create trigger told_emptied after truncate on access_keys for each statement execute function told_changed();
create trigger told_emptied after truncate on group_members for each statement execute function told_changed();
create trigger told_emptied after truncate on policy_attachments for each statement execute function told_changed();
create trigger told_emptied after truncate on principal_groups for each statement execute function told_changed();
