-- The tables of the frame (forward only). The queue's own schema `graphile_worker` is installed before this one.
-- Rules that must hold whatever the code does stand here as constraints: who may vote, one run an approval,
-- one effect a delivery, audit rows that nobody edits.

-- Time ---------------------------------------------------------------------------------------------------------------

-- The one offset that tests move time with. `idp_now()` is read once a transaction and handed down.
create table clock (
    only_row boolean primary key default true check (only_row),
    shift interval not null default interval '0'
);
insert into clock default values;

create function idp_now() returns timestamptz language sql stable
    return date_trunc('milliseconds', clock_timestamp()) + (select shift from clock);

-- What this schema is, for releases that run side by side.
create table release (
    only_row boolean primary key default true check (only_row),
    -- The oldest release number that can still read and write this schema.
    oldest_readable integer not null
);
insert into release (oldest_readable) values (1);

-- Who ----------------------------------------------------------------------------------------------------------------

create table installation (
    id uuid primary key,
    platform text not null check (platform in ('slack', 'discord', 'github', 'operator')),
    external_id text not null,
    -- The app as the platform names it: deliveries for another one are refused.
    app_id text,
    bot_account text,
    name text not null,
    -- Set while the platform refuses our token; sending pauses.
    revoked_at timestamptz,
    synced_at timestamptz,
    created_at timestamptz not null,
    unique (platform, external_id)
);

create table person (
    id uuid primary key,
    created_at timestamptz not null
);

create table account (
    id uuid primary key,
    installation_id uuid not null references installation,
    external_id text not null,
    person_id uuid not null references person,
    name text not null,
    kind text not null default 'unknown' check (kind in ('unknown', 'full', 'guest', 'outsider', 'bot')),
    active boolean not null default true,
    looked_up_at timestamptz,
    created_at timestamptz not null,
    unique (installation_id, external_id)
);
create index account_person on account (person_id);

-- `group` is a word of SQL, hence the name. User groups of the platforms only: lists and teams of the configuration are
-- read from it at the moment they count.
create table idp_group (
    id uuid primary key,
    installation_id uuid not null references installation,
    external_id text not null,
    handle text not null,
    name text not null,
    active boolean not null default true,
    -- When its whole list of members was last read.
    synced_at timestamptz not null,
    unique (installation_id, external_id),
    unique (installation_id, handle) deferrable initially deferred
);
create index idp_group_handle on idp_group (handle) where active;

create table membership (
    group_id uuid not null references idp_group on delete cascade,
    account_id uuid not null references account,
    source text not null check (source in ('platform', 'interaction')),
    synced_at timestamptz not null,
    primary key (group_id, account_id)
);
create index membership_account on membership (account_id);

create table channel (
    id uuid primary key,
    installation_id uuid not null references installation,
    external_id text not null,
    name text,
    kind text not null check (kind in ('public', 'private', 'direct_with_bot', 'direct_between_people', 'shared', 'unknown')),
    -- Whether the bot can post there, as last seen.
    usable boolean,
    seen_at timestamptz not null,
    unique (installation_id, external_id)
);

create table channel_member (
    channel_id uuid not null references channel on delete cascade,
    account_external_id text not null,
    synced_at timestamptz not null,
    primary key (channel_id, account_external_id)
);

-- What comes in ------------------------------------------------------------------------------------------------------

-- One row a delivery: a repeated one gets the same reply and has no second effect. Kept seven days.
create table inbox (
    installation_id uuid not null references installation,
    key text not null check (length(key) between 1 and 300),
    kind text not null,
    account_id uuid references account,
    reply jsonb,
    received_at timestamptz not null,
    primary key (installation_id, key)
);
create index inbox_received on inbox (received_at);

-- Bytes, each once: definitions, template packages, trees, plans.
create table blob (
    sha256 bytea primary key check (length(sha256) = 32),
    bytes bytea not null,
    -- The named key that the bytes are encrypted with; null: they are not.
    key_id text,
    created_at timestamptz not null
);

create table draft (
    id uuid primary key,
    person_id uuid not null references person,
    account_id uuid not null references account,
    -- A draft follows the catalog; only a request keeps its definition.
    command text not null,
    -- The channel that it was asked in: decides where the request will stand.
    asked_in text not null,
    asked_in_kind text not null,
    slash text not null,
    -- The request that it asks again.
    again_from uuid,
    "values" jsonb not null default '{}',
    page integer not null default 0 check (page >= 0),
    revision integer not null default 0,
    consumed_at timestamptz,
    created_at timestamptz not null,
    touched_at timestamptz not null
);
create index draft_person on draft (person_id, command) where consumed_at is null;
create index draft_touched on draft (touched_at);

-- Requests -----------------------------------------------------------------------------------------------------------

create sequence request_number as bigint start 101;

create table request (
    id uuid primary key,
    number bigint not null unique default nextval('request_number'),
    command text not null,
    command_digest bytea not null references blob,
    template_digest bytea references blob,
    subject text not null,
    requester_id uuid not null references person,
    requester_account_id uuid not null references account,
    -- The draft it was made from: one request a draft.
    draft_id uuid unique,
    inputs jsonb not null,
    state text not null check (state in ('planning', 'awaiting_approval', 'approved', 'refused', 'denied', 'expired', 'cancelled', 'plan_failed')),
    since timestamptz not null,
    -- The plan that is shown and can be voted on.
    plan_id uuid,
    ended_by uuid references person,
    end_reason text,
    reference text,
    slash text not null,
    origin text not null check (origin in ('chat', 'operator', 'forge', 'timer')),
    -- The request that this one was asked again from.
    again_from uuid references request,
    plan_attempts integer not null default 0,
    created_at timestamptz not null,
    unique (id, requester_id)
);
create index request_open on request (requester_id) where state in ('planning', 'awaiting_approval', 'approved');
create index request_state on request (state, since);

create table plan (
    id uuid primary key,
    request_id uuid not null,
    requester_id uuid not null,
    digest bytea not null check (length(digest) = 32),
    -- The canonical bytes that the digest is over.
    bytes bytea not null,
    rule jsonb not null,
    -- The facts the rule was decided on: groups and their members, as of then.
    seen jsonb not null,
    expires_at timestamptz,
    reminded_at timestamptz,
    replaced_at timestamptz,
    created_at timestamptz not null,
    foreign key (request_id, requester_id) references request (id, requester_id),
    unique (id, requester_id),
    unique (id, request_id)
);
create index plan_request on plan (request_id, created_at);
alter table request add foreign key (plan_id, id) references plan (id, request_id) deferrable initially deferred;

-- Nobody decides on their own request: the requester stands in the row, held equal to the plan's by the foreign key.
create table vote (
    id uuid primary key,
    plan_id uuid not null,
    requester_id uuid not null,
    person_id uuid not null references person,
    account_id uuid not null references account,
    verdict text not null check (verdict in ('approve', 'deny')),
    groups text[] not null check (cardinality(groups) > 0),
    reason text,
    created_at timestamptz not null,
    foreign key (plan_id, requester_id) references plan (id, requester_id),
    unique (plan_id, person_id),
    check (person_id <> requester_id)
);

-- The row that says a plan's rule is met. Without one nothing runs.
create table approval (
    id uuid primary key,
    plan_id uuid not null unique,
    request_id uuid not null,
    rule text not null,
    -- Until when it is good for a start or a retry.
    good_until timestamptz not null,
    created_at timestamptz not null,
    foreign key (plan_id, request_id) references plan (id, request_id),
    unique (id, request_id)
);

-- Runs ---------------------------------------------------------------------------------------------------------------

create table run (
    id uuid primary key,
    approval_id uuid not null unique,
    request_id uuid not null,
    state text not null check (state in ('queued', 'running', 'succeeded', 'failed', 'blocked', 'superseded', 'cancelling', 'undoing', 'undone', 'undo_failed')),
    since timestamptz not null,
    generation integer not null default 0 check (generation >= 0),
    direction text not null default 'do' check (direction in ('do', 'undo')),
    started_at timestamptz,
    ended_at timestamptz,
    cancelled_by uuid references person,
    acted_by uuid references person,
    reference text,
    output jsonb,
    -- When a failed run is undone by itself.
    undo_at timestamptz,
    created_at timestamptz not null,
    foreign key (approval_id, request_id) references approval (id, request_id)
);
create index run_request on run (request_id, created_at);
create index run_state on run (state, since);
create index run_undo_due on run (undo_at) where undo_at is not null;

create table step (
    run_id uuid not null references run,
    seq integer not null check (seq >= 0),
    id text not null,
    title text not null,
    action text not null,
    state text not null check (state in ('pending', 'running', 'waiting', 'done', 'skipped', 'failed', 'unknown', 'undone', 'undo_failed')),
    -- The generation in which it came to its present outcome.
    generation integer not null default 0,
    planned jsonb not null,
    -- The input as run: planned, with what was not known then. Undo gets the same.
    input jsonb,
    output jsonb,
    -- What it left in the books, so that its undo takes the same out again.
    records jsonb not null default '[]',
    cause text,
    "check" text,
    tries integer not null default 0,
    started_at timestamptz,
    finished_at timestamptz,
    wait_until timestamptz,
    primary key (run_id, seq),
    unique (run_id, id)
);

-- Stands before work begins, so that a step that kills its process is given up after so many.
create table step_attempt (
    run_id uuid not null,
    seq integer not null,
    direction text not null check (direction in ('do', 'undo')),
    generation integer not null,
    attempt integer not null check (attempt >= 1),
    worker text not null,
    started_at timestamptz not null,
    finished_at timestamptz,
    -- done, wait, again, stop, unknown, lost (the process died or was taken over), handed_back
    outcome text,
    cause text,
    primary key (run_id, seq, direction, generation, attempt),
    foreign key (run_id, seq) references step (run_id, seq)
);

-- Names --------------------------------------------------------------------------------------------------------------

create table service (
    id uuid primary key,
    name text not null unique,
    owner text not null,
    entity text not null,
    repository text,
    catalog_url text,
    request_id uuid not null references request,
    -- The names that it holds: those of its request.
    claims jsonb not null default '[]',
    created_at timestamptz not null
);
create index service_claims on service using gin (claims jsonb_path_ops);

-- A name held for a request from plan to end; what a service holds stays held by its row.
create table claim (
    kind text not null,
    name text not null,
    -- Names are taken before the request is written, so that a taken one leaves nothing behind.
    request_id uuid not null references request deferrable initially deferred,
    created_at timestamptz not null,
    primary key (kind, name)
);
create index claim_request on claim (request_id);

-- Messages -----------------------------------------------------------------------------------------------------------

-- A place where messages of a request stand: a channel's thread or somebody's DM.
create table thread (
    id uuid primary key,
    request_id uuid references request,
    installation_id uuid not null references installation,
    -- The channel, or the account whose DM it is (exactly one); a DM's channel id is filled in once opened.
    channel text,
    account text,
    -- main: where it was asked (or placed); direct: an approver's or requester's copy
    role text not null check (role in ('main', 'direct')),
    -- The root message's id on the platform, once posted.
    root_ts text,
    closed_at timestamptz,
    created_at timestamptz not null,
    check (channel is not null or account is not null)
);
create index thread_request on thread (request_id);
create unique index thread_main on thread (request_id) where role = 'main' and closed_at is null;
create unique index thread_direct on thread (request_id, installation_id, account) where role = 'direct' and closed_at is null;

-- A card that should stand somewhere. What it shows is rendered at the moment of sending.
create table message (
    id uuid primary key,
    thread_id uuid not null references thread,
    -- The place in its thread: 0 is the root.
    place integer not null check (place >= 0),
    kind text not null check (kind in ('root', 'milestone', 'notice', 'continuation')),
    -- Which milestone or notice, and what it is about.
    subject jsonb not null,
    wanted bigint not null default 1,
    shown bigint not null default 0,
    external_id text,
    -- Marks the post on the platform, so that one whose answer was lost can be found again.
    nonce uuid not null,
    sending_since timestamptz,
    not_before timestamptz,
    -- Set when the platform will never take it; a person reads why in the log.
    given_up text,
    failures integer not null default 0,
    digest bytea,
    created_at timestamptz not null,
    shown_at timestamptz,
    unique (thread_id, place)
);
create index message_due on message (thread_id, place) where wanted > shown and given_up is null;

create table lease (
    -- `sender:INSTALLATION` and the like.
    name text primary key,
    holder text not null,
    until timestamptz not null
);

create table rate_limit (
    installation_id uuid not null references installation,
    -- `chat.postMessage`, `forge:local`, …
    bucket text not null,
    not_before timestamptz not null,
    primary key (installation_id, bucket)
);

create table login (
    hash bytea primary key check (length(hash) = 32),
    kind text not null check (kind in ('link', 'token')),
    person_id uuid not null references person,
    expires_at timestamptz not null,
    used_at timestamptz,
    created_at timestamptz not null
);

-- Evidence -----------------------------------------------------------------------------------------------------------

create table audit (
    chain text not null,
    seq bigint not null check (seq >= 1),
    prev bytea not null check (length(prev) = 32),
    hash bytea not null check (length(hash) = 32),
    -- Canonical bytes; `kind` and `at` stand in them too and are here for queries only.
    body bytea not null,
    kind text not null,
    at timestamptz not null,
    primary key (chain, seq)
);
create index audit_at on audit (at);

-- Heads of the chains that grew since the checkpoint before, MACed, so that a cut tail is found; the newest one by
-- whoever kept it elsewhere.
create table checkpoint (
    id bigint generated always as identity primary key,
    body bytea not null,
    mac bytea not null,
    at timestamptz not null
);

-- The heads: one row a chain, locked by its writers in order.
create table audit_chain (
    chain text primary key,
    seq bigint not null default 0,
    -- How far the checkpoints reach.
    kept_seq bigint not null default 0,
    hash bytea not null check (length(hash) = 32)
);

create function audit_refuses() returns trigger language plpgsql as $$
begin
    raise exception 'audit rows are never changed or removed' using errcode = 'insufficient_privilege';
end
$$;
create trigger audit_no_change before update or delete on audit for each row execute function audit_refuses();
create trigger audit_no_truncate before truncate on audit for each statement execute function audit_refuses();
create trigger checkpoint_no_change before update or delete on checkpoint for each row execute function audit_refuses();
create trigger checkpoint_no_truncate before truncate on checkpoint for each statement execute function audit_refuses();

-- Catalog reloads and the rest of what runs on a clock.
create table timer (
    name text primary key,
    last_at timestamptz not null
);
