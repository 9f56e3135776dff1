-- Payments: attempts to put money in, what the providers said, and what was credited.
-- Locks: none that matter (new tables only). Breaking: no.

create table payment (
  sid                  text not null,
  wallet               bigint not null,
  user_sid             text not null,
  provider             text not null,
  -- The provider's own id of the account that our key belongs to, and whether it is live money.
  provider_account     text not null,
  is_live              boolean not null,
  amount               bigint not null,
  currency             char(3) not null,
  state                text not null,
  -- The provider's order (Stripe: Checkout Session); null until the provider has answered.
  provider_order_ref   text,
  -- The provider's payment (Stripe: PaymentIntent), the identity of the credit; null until it is paid.
  provider_payment_ref text,
  checkout_url         text,
  -- What was really credited; null until then. May differ from amount.
  credited             bigint,
  -- A sentence for the user and the operator on why it stands where it stands; null when all is well.
  problem              text,
  idem                 uuid not null,
  fingerprint          uuid not null,
  created_at           timestamptz not null,
  updated_at           timestamptz not null,
  expires_at           timestamptz not null,
  -- When the poller asks the provider next; null once the state is final.
  next_check_at        timestamptz,
  checks               integer not null default 0,
  constraint payment__pk primary key (sid),
  constraint payment__one_per_idem unique (idem),
  constraint payment__one_per_order unique (provider, provider_account, provider_order_ref),
  constraint payment__amount_is_positive check (amount > 0),
  constraint payment__state_is_known
    check (state in ('created', 'open', 'processing', 'credited', 'failed', 'expired', 'quarantined')),
  constraint payment__credited_says_how_much check ((state = 'credited') = (credited is not null)),
  constraint payment__belongs_to_a_wallet foreign key (wallet) references wallet (id)
);
create index payment__wallet on payment (wallet, sid);
create index payment__due_check on payment (next_check_at) where next_check_at is not null;

-- Immutable: one row per movement of money at a provider.
create table payment_event (
  sid              text not null,
  user_sid         text not null,
  wallet           bigint not null,
  payment_sid      text not null,
  provider         text not null,
  provider_account text not null,
  kind             text not null,
  external_ref     text not null,
  amount           bigint not null,
  -- The ORIGINAL currency and amount at the provider; for v1 always USD, so both agree.
  currency         char(3) not null,
  created_at       timestamptz not null,
  constraint payment_event__pk primary key (sid),
  constraint payment_event__one_per_movement unique (provider, provider_account, external_ref, kind),
  constraint payment_event__kind_is_known check (kind in ('top_up')),
  constraint payment_event__amount_is_not_zero check (amount <> 0),
  constraint payment_event__belongs_to_a_payment foreign key (payment_sid) references payment (sid)
);
create index payment_event__wallet on payment_event (wallet, sid);

-- Verified webhooks. The bytes are kept as they came.
create table inbox (
  sid              text not null,
  provider         text not null,
  provider_account text not null,
  event_id         text not null,
  event_type       text not null,
  -- Which of the configured secrets verified it (during a rotation there are two): 'current' or 'previous'.
  verified_with    text not null,
  body             bytea not null,
  state            text not null,
  -- Why it is quarantined, ignored, pending or dead: a stable word such as 'amount_mismatch'.
  reason           text,
  payment_sid      text,
  attempts         integer not null default 0,
  received_at      timestamptz not null,
  updated_at       timestamptz not null,
  constraint inbox__pk primary key (sid),
  constraint inbox__one_per_event unique (provider, provider_account, event_id),
  constraint inbox__state_is_known
    check (state in ('received', 'pending', 'applied', 'ignored', 'quarantined', 'dead'))
);
create index inbox__state on inbox (state, sid);

-- First answers of money-moving calls, byte for byte. Never pruned.
create table idempotency (
  idem        uuid not null,
  operation   text not null,
  fingerprint uuid not null,
  status      smallint not null,
  body        text not null,
  recorded_at timestamptz not null,
  constraint idempotency__pk primary key (idem),
  constraint idempotency__body_is_bounded check (octet_length(body) <= 65536)
);

-- Who did what, and what it changed. Append-only.
create table audit (
  sid        text not null,
  at         timestamptz not null,
  -- 'admin:<secret id>', 'user:<sid>', 'system:<job>'
  actor      text not null,
  action     text not null,
  subject    text not null,
  outcome    text not null,
  reason     text,
  before     jsonb,
  after      jsonb,
  request_id text not null,
  constraint audit__pk primary key (sid)
);
create index audit__subject on audit (subject, sid);

create table session (
  token_hash bytea not null,
  user_sid   text,
  role       text not null,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  revoked_at timestamptz,
  constraint session__pk primary key (token_hash),
  constraint session__role_is_known check (role in ('user', 'operator')),
  constraint session__user_has_a_sid check (role <> 'user' or user_sid is not null)
);
