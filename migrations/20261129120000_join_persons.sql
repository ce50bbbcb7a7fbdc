-- One human with accounts on several chats. Requests, votes and evidence go on naming the persons that they named: what is
-- kept here says which of these are one human, now and before.

-- Two persons that are one human: by a code that went from one account to the other and was confirmed, or by the
-- operator's file. The two of a row stand in one order, so that no two rows say the same.
create table tie (
    id uuid primary key,
    one uuid not null references person,
    other uuid not null references person,
    source text not null check (source in ('code', 'file')),
    since timestamptz not null,
    until timestamptz,
    check (one < other)
);
create unique index tie_open on tie (one, other, source) where until is null;
create index tie_one on tie (one);
create index tie_other on tie (other);

-- Who stands for a human that is several persons: the oldest of them, named by all the others. Follows from the open ties
-- and is written with them.
alter table person add column merged_into uuid references person check (merged_into <> id);
create index person_merged on person (merged_into) where merged_into is not null;

-- Whose an account is without any tie; null: its person's. `person_id` is who stands for that one.
alter table account add column own_person_id uuid references person;
create index account_own on account (coalesce(own_person_id, person_id));

-- The person who stands for a human now.
create function human(who uuid) returns uuid language sql stable strict
    return (select coalesce(p.merged_into, p.id) from person p where p.id = who);

-- All persons of a human. Asked as `= any (array (select persons_of(…)))`: so they are an index's condition.
create function persons_of(who uuid) returns setof uuid language sql stable rows 2
    begin atomic
        select p.id from person p where p.id = human(who) or p.merged_into = human(who);
    end;

-- By whom a person counts as far as a request of that time is concerned: the same one for all persons of a human. What
-- people confirmed themselves is known for good. What the operator wrote counts while it stands, and for whatever was asked
-- for before it was taken back.
create function human_at(who uuid, asked timestamptz) returns uuid language sql stable
    begin atomic
        with recursive kin (id) as (
            select who
            union
            select case when t.one = k.id then t.other else t.one end
            from kin k join tie t on t.one = k.id or t.other = k.id
            where t.source = 'code' or t.until is null or t.until > asked)
        select id from kin order by id limit 1;
    end;

-- Nobody decides on their own request as another person either. A vote and a tie wait for each other here; whoever judged by
-- what was so before is told to judge again, as after a failed serialisation.
create function vote_is_anothers() returns trigger language plpgsql set search_path from current as $$
begin
    perform 1 from person where id in (new.person_id, new.requester_id) order by id for share;
    if exists (select 1 from person where id = new.person_id and merged_into is not null)
       or (select human_at(new.person_id, r.created_at) = human_at(new.requester_id, r.created_at)
           from plan p join request r on r.id = p.request_id where p.id = new.plan_id) then
        raise exception 'a vote by the one who asked, or by a person that another one stands for'
            using errcode = 'serialization_failure';
    end if;
    return new;
end
$$;
-- One and the same person is the check of the table's own.
create trigger vote_another before insert on vote for each row
    when (new.person_id <> new.requester_id) execute function vote_is_anothers();

-- The codes that begin it: typed with the other account, then confirmed with the first. One open code an account.
create table chat_link (
    id uuid primary key,
    -- The account that asked for the code, and confirms.
    account_id uuid not null references account,
    hash bytea not null unique check (length(hash) = 32),
    state text not null check (state in ('open', 'claimed', 'linked', 'refused', 'expired', 'replaced')),
    -- How the command was called there.
    slash text not null,
    -- The account that typed it.
    other_id uuid references account,
    expires_at timestamptz not null,
    created_at timestamptz not null,
    ended_at timestamptz,
    check ((state in ('open', 'claimed')) = (ended_at is null)),
    check (state not in ('claimed', 'linked', 'refused') or other_id is not null)
);
create unique index chat_link_open on chat_link (account_id) where ended_at is null;
create index chat_link_due on chat_link (expires_at) where ended_at is null;

-- Wrong codes that an account typed, since when.
create table link_guess (
    account_id uuid primary key references account,
    tries integer not null check (tries > 0),
    since timestamptz not null
);

-- Copies of a card that go on after its request was decided: those of people who follow it from another chat.
alter table thread add column follows boolean not null default false;
