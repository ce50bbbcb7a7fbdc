-- Whether the whole list of a group's members was read. Where a platform doesn't show it (Discord without the Server
-- Members intent), only those are known to be in it who acted, and nobody can say that it is empty.
alter table idp_group add column whole boolean not null default true;

create or replace view served_group as
select g.* from idp_group g join served_installation i on i.id = g.installation_id
where g.active;
