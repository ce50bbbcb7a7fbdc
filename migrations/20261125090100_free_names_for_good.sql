-- A service goes with its repository: the name of one that is gone is free.
delete from service where repository_state = 'deleted';

-- A statement that takes a name may have waited for a run that made a service of it and let go: what it saw of services
-- is older than that. It is looked again once the name is taken, and the transaction falls, to be tried anew.
create function idp_claim_is_free() returns trigger language plpgsql as $$
begin
    if exists (select 1 from service
               where claims @> jsonb_build_array(jsonb_build_object('kind', new.kind, 'name', new.name))) then
        raise exception 'the % % became a service while it was asked for', new.kind, new.name
            using errcode = 'serialization_failure';
    end if;
    return null;
end
$$;
create trigger claim_is_free after insert on claim for each row execute function idp_claim_is_free();
