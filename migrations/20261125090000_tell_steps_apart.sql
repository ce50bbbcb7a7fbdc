-- Tries whose effect was unknown have a limit of their own; and what undoing a step came to is told as it was.
alter table step
    add column unknowns integer not null default 0,
    add column taken_back text check (taken_back in ('removed', 'archived', 'nothing'));
