-- What an operator has moved in a day, for the limit of those who have one, and whose account an operator looks at.
-- Locks: session is locked exclusively for a moment. Breaking: no; a server of an older version counts nothing, and shows operators themselves.

create table operator_day (
  user_sid text not null,
  -- Of UTC.
  day      date not null,
  -- Micro-dollars, whichever way they went.
  moved    bigint not null,
  constraint operator_day__pk primary key (user_sid, day),
  constraint operator_day__moved_is_not_negative check (moved >= 0)
);
grant select, insert, update on operator_day to hero_onboarding_app;

-- The user whose pages the operator of this session sees, as they do; null: their own.
alter table session add column viewed_user_sid text;
