-- Every change writes two rows of `operations`, and each costs an entry in every index, and the reading of every
-- condition: of an index, of a constraint.
--
-- serves beside: 0033

-- No query asks for an owner's operations, nor for the tokens in their details, which `client_tokens` has.
drop index operations_owner_id_accepted_at_idx;
drop index operations_instance_tokens;

-- Of those that are open there are few, so one index of them serves the questions for an instance and for replicas.
drop index operations_unresolved;
drop index operations_promised;
create index operations_open on operations (instance_id, replica) where state = 'accepted';

-- A constraint is parsed at every statement, unlike the body of a function that it calls.
create function is_operation(state text, runner text, progress text) returns boolean
    language plpgsql immutable parallel safe as $$
begin
    return state in ('accepted', 'recorded', 'refused', 'undone', 'superseded')
       and runner in ('call', 'deferred', 'provisioning')
       and progress in ('', 'applied', 'retrying', 'begun');
end $$;
alter table operations
    drop constraint operations_state_check,
    drop constraint operations_runner_check,
    drop constraint operations_progress_check,
    add constraint operations_words_check check (is_operation(state, runner, progress));
