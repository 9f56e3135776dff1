-- Erasure: a user who has their account deleted. What is personal goes, what the books need stays. See docs/decisions/erasure.md.
-- Locks: app_user is locked exclusively for a moment (a column without a default). Breaking: no. An older server still opens top-ups for somebody
-- who is deleted: end its processes before the first account is.

alter table app_user add column erased_at timestamptz;

-- What an erasure has yet to do outside the database, and a last look for what was under way when it happened.
create table erasure (
  user_sid      text not null,
  -- When it is looked after next; null: nothing is left.
  next_sweep_at timestamptz,
  sweeps        integer not null default 0,
  constraint erasure__pk primary key (user_sid),
  constraint erasure__is_of_a_user foreign key (user_sid) references app_user (sid)
);
create index erasure__due on erasure (next_sweep_at) where next_sweep_at is not null;
grant select, insert, update on erasure to hero_onboarding_app;
-- Names that a user gave are blanked in the events that tell of them.
grant update (body) on event to hero_onboarding_app;
grant delete on provider_customer to hero_onboarding_app;
