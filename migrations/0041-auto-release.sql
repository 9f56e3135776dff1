-- When VMs whose time is over were last looked at, and what came of it: whoever runs the service sees that it runs, and in which process it did
-- does not matter.
-- Locks: none that matter (a new table only). Breaking: no; servers of an older version do not write it.

create table auto_release_run (
  -- There is one: the last.
  id               boolean not null default true,
  ran_at           timestamptz not null,
  examined         integer not null,
  expired          integer not null,
  released         integer not null,
  already_released integer not null,
  errors           integer not null,
  constraint auto_release_run__pk primary key (id),
  constraint auto_release_run__is_alone check (id)
);
grant select, insert, update on auto_release_run to hero_onboarding_app;
