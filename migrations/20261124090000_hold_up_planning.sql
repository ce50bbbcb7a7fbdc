-- What keeps planning from its end, as a sentence, and since when: cards say it while it is tried again.
alter table request
    add column hindrance text,
    add column hindered_since timestamptz,
    add check ((hindrance is null) = (hindered_since is null));
