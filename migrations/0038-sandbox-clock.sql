-- How far the clock of a sandbox is ahead of the machine's, so that a restart and other processes on the database go on with it, and the last
-- time that an operator moved it. See docs/decisions/time.md.
-- Locks: none that matter (a new table only). Breaking: no; a server of an older version lives at the machine's time.

create table sandbox_clock (
  -- There is one.
  id             boolean not null default true,
  ahead_ms       bigint not null default 0,
  -- The instant that the clock is on its way to; null: it goes by itself.
  goal           timestamptz,
  -- By the machine's time: when who moves it last gave a sign of life. Another process takes over who is silent.
  beat_at        timestamptz,
  -- Of the last move: from which instant, at how many instants in between it stood still, and what ran there.
  moved_from     timestamptz,
  stops          integer not null default 0,
  runs           integer not null default 0,
  failures       integer not null default 0,
  constraint sandbox_clock__pk primary key (id),
  constraint sandbox_clock__is_alone check (id),
  constraint sandbox_clock__goes_forwards check (ahead_ms >= 0)
);
insert into sandbox_clock default values;
grant select, update on sandbox_clock to hero_onboarding_app;

create function refuse_going_back() returns trigger language plpgsql as $$
begin
  raise exception 'the clock goes forwards only' using errcode = 'restrict_violation';
end $$;
create trigger sandbox_clock__never_back before update on sandbox_clock
  for each row when (new.ahead_ms < old.ahead_ms) execute function refuse_going_back();
