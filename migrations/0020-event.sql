-- What happened and is told to others: the outbox. See docs/decisions/events-out.md.
-- Locks: none that matter (new tables only). Breaking: no.

-- One row for each thing that happened, written in the transaction in which it happened. Never changed.
create table event (
  sid         text not null,
  type        text not null,
  -- Whose it is. Null: the house's own, which no user is told of.
  wallet      bigint,
  user_sid    text,
  -- 1, 2, 3 … of the wallet: lets a receiver put its events in order. Null without a wallet.
  sequence    bigint,
  -- The very text that is signed and sent, so that every delivery says the same.
  body        text not null,
  occurred_at timestamptz not null,
  constraint event__pk primary key (sid),
  constraint event__one_per_sequence unique (wallet, sequence),
  constraint event__is_numbered check ((wallet is null) = (sequence is null)),
  constraint event__body_is_bounded check (octet_length(body) <= 20000)
);
create index event__user on event (user_sid, sid);
grant select, insert, delete on event to hero_onboarding_app;

-- How full each wallet was when it was last told of: a wallet that sinks is told of once for each level, not for each debit.
-- No row: nothing has been in it yet.
create table wallet_level (
  wallet bigint not null,
  level  text not null,
  since  timestamptz not null,
  constraint wallet_level__pk primary key (wallet),
  constraint wallet_level__is_known check (level in ('ok', 'low', 'empty'))
);
grant select, insert, update on wallet_level to hero_onboarding_app;
