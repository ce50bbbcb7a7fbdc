-- Repositories are renamed, handed over, archived and deleted on the forge, and their services follow. The forge's own
-- id of a repository outlives all its names.
alter table service
    add column forge_repository text,
    add column repository_state text not null default 'active'
        check (repository_state in ('active', 'archived', 'deleted')),
    -- As of when the forge told it; older news changes nothing.
    add column repository_as_of timestamptz;
create unique index service_forge_repository on service (forge_repository);
