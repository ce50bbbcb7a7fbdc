-- Installations that are still served. One whose people are no longer read while another's of the same platform are, is
-- a workspace that was left: its groups decide nothing, and nobody waits for them.
create view served_installation as
select i.* from installation i
where not exists (
    select from installation other
    where other.platform = i.platform and other.id <> i.id and other.revoked_at is null
      and (i.revoked_at < other.synced_at
           or coalesce(i.synced_at, i.created_at) < other.synced_at - interval '15 minutes'));

-- The groups that can decide something.
create view served_group as
select g.* from idp_group g join served_installation i on i.id = g.installation_id
where g.active;
