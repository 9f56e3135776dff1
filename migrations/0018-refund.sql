-- Refunds: money that goes back to where it was paid from, made by us or by others. See docs/decisions/refunds.md.
-- Locks: none that matter (a new table only). Breaking: no. A server that does not know refunds posts none: end its processes before one is made.

create table refund (
  sid              text not null,
  -- The payment of ours, and the one at the provider, that it gives back from.
  payment_sid      text not null,
  payment_ref      text not null,
  wallet           bigint not null,
  provider         text not null,
  provider_account text not null,
  -- Who made it: an operator or the user through us, or somebody at the provider (its dashboard, the rail).
  origin           text not null,
  state            text not null,
  -- What was asked for; of others' refunds what the provider said at first.
  amount           bigint not null,
  -- What has left the wallet for good; null until then. Set aside in the wallet's reserved account before that, if we made it.
  posted           bigint,
  currency         char(3) not null,
  reason           text not null,
  -- The provider's reference; null until it has answered. Its key for ours is the sid.
  refund_ref       text,
  -- Where to, for a payout; where it is claimed; what the provider kept for it; what it says of it.
  destination      text,
  claim_url        text,
  fee              bigint,
  detail           text,
  created_by       text not null,
  created_at       timestamptz not null,
  -- Who approved or rejected it, where a second operator had to; null: nobody had to, or has yet.
  decided_by       text,
  decided_at       timestamptz,
  updated_at       timestamptz not null,
  ended_at         timestamptz,
  -- When we ask the provider next; null: no more.
  next_check_at    timestamptz,
  checks           integer not null default 0,
  constraint refund__pk primary key (sid),
  constraint refund__one_per_reference unique (provider, provider_account, refund_ref),
  constraint refund__origin_is_known check (origin in ('operator', 'user', 'provider', 'rail')),
  constraint refund__state_is_known check (
    state in ('awaiting_approval', 'requested', 'unknown', 'pending', 'succeeded', 'failed', 'returned', 'rejected', 'quarantined')
  ),
  constraint refund__amount_is_positive check (amount > 0 and (posted is null or posted > 0)),
  -- What has left names its reference; what is said to have left has left.
  constraint refund__left_by_a_reference check (posted is null or refund_ref is not null),
  constraint refund__posted_as_its_state check (
    case state when 'succeeded' then posted is not null when 'returned' then posted is not null
      when 'pending' then origin in ('operator', 'user') or posted is not null else posted is null end
  ),
  constraint refund__others_are_known_by_reference check (origin in ('operator', 'user') or refund_ref is not null),
  constraint refund__belongs_to_a_payment foreign key (payment_sid) references payment (sid)
);
create index refund__payment on refund (payment_sid, sid);
create index refund__wallet on refund (wallet, sid);
create index refund__due on refund (next_check_at) where next_check_at is not null;
create index refund__set_aside on refund (wallet)
  where origin in ('operator', 'user') and posted is null and state in ('awaiting_approval', 'requested', 'unknown', 'pending');
grant select, insert, update on refund to hero_onboarding_app;
