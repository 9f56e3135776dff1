-- Who is told of events over HTTP, and what came of telling them. See docs/decisions/events-out.md.
-- Locks: none that matter (new tables only). Breaking: no.

create table endpoint (
  sid             text not null,
  -- Whose events it is told of; null: an operator's, told of all.
  user_sid        text,
  url             text not null,
  description     text not null,
  -- The types it is told of; empty: all.
  types           text[] not null,
  state           text not null,
  -- Why it is told nothing: a stable word. Null while it is active.
  reason          text,
  -- Sealed. The one before is good beside it until its end, so that a receiver can change over.
  secret          text not null,
  previous_secret text,
  previous_until  timestamptz,
  -- Since when every attempt has failed; null when the last one succeeded.
  failing_since   timestamptz,
  -- It asked to be left alone until then; null: it did not.
  not_before      timestamptz,
  created_at      timestamptz not null,
  updated_at      timestamptz not null,
  constraint endpoint__pk primary key (sid),
  constraint endpoint__state_is_known check (state in ('active', 'disabled', 'removed')),
  constraint endpoint__says_why check ((state = 'active') = (reason is null)),
  constraint endpoint__previous_has_an_end check ((previous_secret is null) = (previous_until is null))
);
create index endpoint__user on endpoint (user_sid, sid);
grant select, insert, update on endpoint to hero_onboarding_app;

-- One event for one endpoint. Made with the event, so neither is there without the other.
create table delivery (
  sid         text not null,
  endpoint    text not null,
  event       text not null,
  state       text not null,
  -- All attempts, and those since it was begun or last replayed: the second decides about the next one.
  attempts    integer not null default 0,
  tries       integer not null default 0,
  -- When it is tried next, or taken for forgotten by whoever tries it now; null when nothing is left to do.
  due_at      timestamptz,
  last_status smallint,
  last_error  text,
  created_at  timestamptz not null,
  ended_at    timestamptz,
  constraint delivery__pk primary key (sid),
  constraint delivery__one_per_event unique (endpoint, event),
  constraint delivery__state_is_known check (state in ('pending', 'delivered', 'failed')),
  constraint delivery__is_due check ((state = 'pending') = (due_at is not null)),
  constraint delivery__has_an_endpoint foreign key (endpoint) references endpoint (sid),
  constraint delivery__has_an_event foreign key (event) references event (sid)
);
create index delivery__due on delivery (endpoint, due_at, sid) where due_at is not null;
create index delivery__due_at on delivery (due_at) where due_at is not null;
create index delivery__endpoint on delivery (endpoint, sid);
create index delivery__event on delivery (event);
grant select, insert, update, delete on delivery to hero_onboarding_app;

create table delivery_attempt (
  delivery    text not null,
  number      integer not null,
  at          timestamptz not null,
  duration_ms integer not null,
  -- What was answered; null when nothing was, and error says why.
  status      smallint,
  error       text,
  -- The first bytes of the answer, as text.
  answer      text,
  constraint delivery_attempt__pk primary key (delivery, number),
  constraint delivery_attempt__answer_is_bounded check (octet_length(answer) <= 4096),
  constraint delivery_attempt__has_a_delivery foreign key (delivery) references delivery (sid) on delete cascade
);
grant select, insert, delete on delivery_attempt to hero_onboarding_app;
