-- People link their accounts on GitHub by its device flow: a code comes to them in chat, they type it on GitHub, and a job
-- looks until it was used. One row a code; it is good once, and for ten minutes.
create table link (
    id uuid primary key,
    -- The account in chat that asked, and is told.
    account_id uuid not null references account,
    state text not null
        check (state in ('asked', 'coded', 'linked', 'taken', 'declined', 'expired', 'disabled', 'failed', 'replaced')),
    -- How the command was called there.
    slash text not null,
    -- The organisation on GitHub, once it is known that it can be reached.
    installation_id uuid references installation,
    -- What the person types, and where.
    user_code text,
    address text,
    -- What GitHub knows us by meanwhile: sealed, and gone with the end.
    device_code bytea,
    interval_s integer check (interval_s > 0),
    -- The account on GitHub that it came to.
    github_id uuid references account,
    expires_at timestamptz not null,
    created_at timestamptz not null,
    ended_at timestamptz,
    check ((state in ('asked', 'coded')) = (ended_at is null)),
    check ((state = 'coded') = (device_code is not null)),
    check ((state in ('linked', 'taken')) = (github_id is not null))
);
create unique index link_open on link (account_id) where ended_at is null;

-- Since when an account on GitHub is known to be this person's.
alter table account add column linked_at timestamptz;
