-- What a payment page and the jobs need beside the first tables: the instants of a payment's steps, what a webhook pointed at and
-- when it is tried again, and how far each provider's orders have been reconciled.
-- Locks: ACCESS EXCLUSIVE on payment and inbox for an instant (nullable columns are added without a rewrite). Breaking: no.

alter table payment
  -- When we learnt that the customer is done (the money came or is under way); null until then.
  add column paid_at     timestamptz,
  -- When the wallet was credited; null until then.
  add column credited_at timestamptz;

alter table inbox
  -- What the verified event pointed at. Hints: each is compared with our row and the provider's truth before money moves.
  add column is_live         boolean not null default false,
  add column order_ref       text,
  add column payment_ref     text,
  add column hinted_sid      text,
  -- When it is tried next; null once nothing is left to do. The job queue is the quick way, this is the sure one.
  add column next_attempt_at timestamptz;
create index inbox__due on inbox (next_attempt_at) where next_attempt_at is not null;

-- inbox.provider_account is 'self' when the event names no account: the account that our key belongs to.
comment on column inbox.provider_account is 'the account the event names, or self';

-- Up to which instant a provider's orders have all been looked at.
create table reconciled (
  provider         text not null,
  provider_account text not null,
  up_to            timestamptz not null,
  constraint reconciled__pk primary key (provider, provider_account)
);
grant select, insert, update on reconciled to hero_onboarding_app;
