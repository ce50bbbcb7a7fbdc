-- How many requests were ever written for a person. A submission that was judged without a lock is written only if this
-- is still what it saw: so two at once can't both be the last one that the limit of open requests allows.
alter table person add column asked bigint not null default 0;
