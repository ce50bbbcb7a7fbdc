-- The one state key of this database, known by a MAC that only it makes: another process with a key of its own would
-- write checkpoints that nobody can tell from forged ones.
create table state_key (
    only_row boolean primary key default true check (only_row),
    mark bytea not null,
    created_at timestamptz not null
);
