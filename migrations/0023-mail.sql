-- Mail to users about what happened. See docs/decisions/events-out.md.
-- Locks: none that matter (new table only). Breaking: no.

create table mail (
  sid        text not null,
  event      text not null,
  user_sid   text not null,
  -- As they were when it happened.
  recipient  text not null,
  language   text not null,
  -- Null until it is written, which is when it is sent for the first time.
  subject    text,
  body_text  text,
  body_html  text,
  -- pending: to be sent (again) · sent: the mail server has it · kept: there is no mail server, it is shown to operators · failed: given up
  state      text not null,
  -- Why it waits or has failed: a stable word.
  reason     text,
  tries      integer not null default 0,
  due_at     timestamptz,
  created_at timestamptz not null,
  ended_at   timestamptz,
  constraint mail__pk primary key (sid),
  constraint mail__one_per_event unique (event, user_sid),
  constraint mail__state_is_known check (state in ('pending', 'sent', 'kept', 'failed')),
  constraint mail__is_due check ((state = 'pending') = (due_at is not null)),
  constraint mail__is_written check (state = 'pending' or subject is not null)
);
create index mail__due on mail (due_at, sid) where due_at is not null;
grant select, insert, update, delete on mail to hero_onboarding_app;
