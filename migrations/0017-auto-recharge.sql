-- Auto-recharge: a wallet that falls below a threshold is filled from a saved card.
-- Locks: SHARE on payment while two partial indexes are built over rows that do not exist yet. Breaking: no.

create table auto_recharge (
  wallet           bigint not null,
  provider         text not null,
  provider_account text not null,
  threshold        bigint not null,
  target           bigint not null,
  -- What charges of one calendar month (UTC) may come to.
  monthly_cap      bigint not null,
  -- on · action_required: the bank wants the owner to confirm a charge · off
  state            text not null,
  -- Why it is off, or waits: a stable word; null: nothing is the matter.
  reason           text,
  -- Charges refused one after the other.
  declines         integer not null default 0,
  -- No charge before; null: at once.
  not_before       timestamptz,
  -- The charge made last; null before the first.
  last_payment_sid text,
  -- Which text the owner agreed to, and when.
  consent          text not null,
  consented_at     timestamptz not null,
  updated_at       timestamptz not null,
  constraint auto_recharge__pk primary key (wallet),
  constraint auto_recharge__belongs_to_a_wallet foreign key (wallet) references wallet (id),
  constraint auto_recharge__state_is_known check (state in ('on', 'action_required', 'off')),
  constraint auto_recharge__amounts_make_sense check (threshold >= 0 and target > threshold and monthly_cap > 0)
);
-- What the tick walks: those that are off cost it nothing.
create index auto_recharge__on on auto_recharge (provider, provider_account, wallet) where state = 'on';
grant select, insert, update on auto_recharge to hero_onboarding_app;

-- The fence: a wallet has one charge under way at most, whoever makes it.
create unique index payment__one_open_charge on payment (wallet)
  where card_ref is not null and state in ('created', 'open', 'processing');
-- What was charged in a month.
create index payment__charge on payment (wallet, created_at) where card_ref is not null;
