-- How far the sessions at Discord's gateway were heard. Whoever has the word for a shard keeps it here, and whoever has it
-- next goes on there: Discord tells what happened between the two.
create table gateway_session (
    -- The name of its lease: `gateway:NUMBER/OF`.
    shard text primary key,
    session text not null,
    -- The last of its events that needs no telling again.
    sequence bigint not null check (sequence >= 0),
    -- Null: where new sessions begin.
    resume_url text,
    -- What it asked to be told, as bits. One that asks for something else is another session.
    intents bigint not null check (intents >= 0),
    kept_at timestamptz not null
);
