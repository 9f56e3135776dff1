-- Disputes: what customers' banks take back, and for how long it is set aside. See docs/decisions/disputes.md.
-- Locks: payment and session are locked exclusively for a moment; their new columns are added without a rewrite, session's index is
-- made in a pass over it. Breaking: no.

create table dispute (
  sid              text not null,
  payment_sid      text not null,
  wallet           bigint not null,
  provider         text not null,
  provider_account text not null,
  -- The provider's dispute, and its payment that is disputed.
  dispute_ref      text not null,
  payment_ref      text not null,
  state            text not null,
  -- What is disputed, as the provider says.
  amount           bigint not null,
  -- What it has taken out of the wallet: set aside, and gone for good. Moved by postings only.
  frozen           bigint not null default 0,
  lost             bigint not null default 0,
  -- What the payment did not hold any more when the provider took it: refunded before, or disputed twice. Not the customer's to pay.
  excess           bigint not null default 0,
  -- What the provider charges for it, as it says. Posted from its statement, like every fee.
  fee              bigint not null default 0,
  -- Why, in the provider's word; null: not said.
  reason           text,
  -- Until when the provider takes evidence; null: no more, or not said.
  evidence_due_by  timestamptz,
  -- Counts the changes: names their postings.
  step             integer not null,
  -- Whether the wallet is frozen because of it. An operator who freezes or thaws the wallet takes the decision over.
  freezes_wallet   boolean not null default false,
  opened_at        timestamptz not null,
  updated_at       timestamptz not null,
  closed_at        timestamptz,
  constraint dispute__pk primary key (sid),
  constraint dispute__one_per_ref unique (provider, provider_account, dispute_ref),
  constraint dispute__state_is_known check (state in ('inquiry', 'open', 'won', 'lost')),
  constraint dispute__amount_is_not_negative check (amount >= 0),
  constraint dispute__frozen_while_open check (frozen = 0 or (frozen > 0 and state = 'open')),
  constraint dispute__lost_when_lost check (lost = 0 or (lost > 0 and state = 'lost')),
  constraint dispute__ends check ((state in ('won', 'lost')) = (closed_at is not null)),
  constraint dispute__belongs_to_a_payment foreign key (payment_sid) references payment (sid),
  constraint dispute__belongs_to_a_wallet foreign key (wallet) references wallet (id)
);
create index dispute__payment on dispute (payment_sid);
create index dispute__wallet on dispute (wallet, sid);
create index dispute__under_way on dispute (sid) where state in ('inquiry', 'open');
grant select, insert, update on dispute to hero_onboarding_app;

-- How often the refunds and disputes of a payment have changed. A truth that was read before the last change is asked for again: of two
-- answers that disagree, nothing in them says which is the older.
alter table payment add column moves integer not null default 0;

-- Where a session was opened from, as evidence; null for those from before.
alter table session add column address text;
create index session__user on session (user_sid, created_at) where user_sid is not null;
