-- The providers' own account statements, line by line, and postings that touch no wallet (fees, payouts, suspense).
-- Locks: none that matter (new tables only). Breaking: no.

-- What the provider says of its account, as it was read; the last columns say what our books have for it.
create table provider_movement (
  sid              text not null,
  provider         text not null,
  provider_account text not null,
  -- The provider's id of the line.
  movement_ref     text not null,
  kind             text not null,
  -- As it changes what the provider owes us, before the fee.
  amount           bigint not null,
  fee              bigint not null,
  currency         text not null,
  moved_at         timestamptz not null,
  payment_ref      text,
  refund_ref       text,
  dispute_ref      text,
  detail           text,
  -- What our books have for it; what is left of the amount is unexplained.
  booked           bigint not null default 0,
  state            text not null,
  -- The operator's, or why it does not match.
  reason           text,
  -- The payment that was made of it for a user.
  payment_sid      text,
  -- The refund to the payer that an operator has asked for.
  our_refund_ref   text,
  seen_at          timestamptz not null,
  updated_at       timestamptz not null,
  constraint provider_movement__pk primary key (sid),
  constraint provider_movement__one_per_line unique (provider, provider_account, movement_ref),
  constraint provider_movement__kind_is_known check (
    kind in ('payment', 'refund', 'refund_returned', 'dispute', 'dispute_returned', 'fee', 'payout', 'other')
  ),
  constraint provider_movement__state_is_known check (
    state in ('new', 'matched', 'unmatched', 'assigned', 'suspended', 'refunding', 'refunded')
  ),
  constraint provider_movement__matched_is_explained check (state <> 'matched' or (booked = amount))
);
create index provider_movement__state on provider_movement (state, sid);
create index provider_movement__payment on provider_movement (payment_ref) where payment_ref is not null;
create index provider_movement__refund on provider_movement (refund_ref) where refund_ref is not null;
create index provider_movement__dispute on provider_movement (dispute_ref) where dispute_ref is not null;

create index provider_movement__our_refund on provider_movement (our_refund_ref) where our_refund_ref is not null;

-- How far each provider's statement was read, and from where on.
create table statement_read (
  provider         text not null,
  provider_account text not null,
  from_at          timestamptz not null,
  up_to            timestamptz not null,
  constraint statement_read__pk primary key (provider, provider_account)
);

-- Identity of a posting that has no leg on a live account and so no entry: its legs are in batch_leg, under its batch.
create table house_posting (
  idem        uuid not null,
  fingerprint uuid not null,
  kind        smallint not null,
  batch       bigint not null,
  occurred_at timestamptz not null,
  recorded_at timestamptz not null,
  about       text,
  constraint house_posting__pk primary key (idem),
  constraint house_posting__about_is_bounded check (octet_length(about) <= 8192)
);
create index house_posting__batch on house_posting (batch);

grant select, insert, update on provider_movement, statement_read to hero_onboarding_app;
grant select, insert on house_posting to hero_onboarding_app;
create trigger house_posting__append_only before update or delete or truncate on house_posting
  for each statement execute function refuse_change();
