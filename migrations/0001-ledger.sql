-- Ledger: append-only, double entry. See docs/chart-of-accounts.md and src/domain/ledger/README.md.
-- Locks: none that matter (new tables only). Breaking: no.

-- A user's live accounts. One row each, so that a wallet's balance is one row lock away.
-- id = wallet.id * 16 + role (0 wallet, 1 reserved, 2 frozen): the accounts of a wallet are neighbours, sort after
-- their wallet account and share its lane and shard.
create table account (
  id           bigint not null,
  currency     char(3) not null,
  balance      bigint not null default 0,
  seq          bigint not null default 0,
  -- How low the policy lets the balance fall (0: prepaid).
  credit_floor bigint not null default 0,
  -- How low the database lets it fall: only a posting marked as an overdraw (operator, refund, dispute) lowers it.
  floor        bigint not null default 0,
  is_frozen    boolean not null default false,
  constraint account__pk primary key (id),
  constraint account__id_is_live check (id >= 16),
  constraint account__balance_is_above_floor check (balance >= floor),
  constraint account__floor_is_below_credit_floor check (floor <= credit_floor),
  constraint account__seq_is_not_negative check (seq >= 0)
) with (fillfactor = 50);

-- System accounts keep no running row: a revenue row touched by every debit would serialise them all.
-- Their balance is the sum of batch_leg. Ids are negative, so that a contra says at sight what it is.
create table system_account (
  id         bigint not null,
  code       text not null,
  currency   char(3) not null,
  constraint system_account__pk primary key (id),
  constraint system_account__id_is_negative check (id < 0),
  constraint system_account__one_per_code unique (code, currency),
  constraint system_account__code_is_a_path check (code ~ '^[a-z0-9_]+(:[a-z0-9_.-]+)*$')
);

-- One row for each live account that a posting touches. The last hex digit of idem is the number of the leg (0 for the
-- first), so one unique index both refuses a second posting and finds all legs of the first.
create table entry (
  account       bigint not null,
  seq           bigint not null,
  contra        bigint not null,
  amount        bigint not null,
  balance_after bigint not null,
  batch         bigint not null,
  idem          uuid not null,
  fingerprint   uuid not null,
  occurred_at   timestamptz not null,
  recorded_at   timestamptz not null,
  kind          smallint not null,
  -- What the posting is about (payment, usage record, adjustment): compact JSON text; null when there is nothing to say.
  -- Measured for 79 bytes of it, for each entry (bench/about.ts; PostgreSQL CPU, disk, WAL; medians of 5 rounds):
  --   nothing     13.9 µs  231 B  353 B
  --   text        14.8 µs  306 B  424 B
  --   jsonb       14.1 µs  309 B  433 B   the same within the spread, but a repetition must answer with the same bytes
  --   side table  20.0 µs  407 B  598 B   same key, same statement
  about         text,
  constraint entry__pk primary key (account, seq),
  constraint entry__one_per_leg unique (idem),
  constraint entry__amount_is_not_zero check (amount <> 0),
  constraint entry__seq_is_positive check (seq > 0)
);
-- No index on recorded_at, not even BRIN: it costs 0.5 to 1 of 15 µs an entry, and no statement asks by it. Adding it later
-- needs one pass over the table.

-- What each batch of postings did to each system account, in total. Sum of a batch's entries + legs = 0.
create table batch_leg (
  batch       bigint not null,
  account     bigint not null,
  amount      bigint not null,
  recorded_at timestamptz not null,
  constraint batch_leg__pk primary key (batch, account),
  constraint batch_leg__account_is_a_system_account check (account < 0)
);
create index batch_leg__account on batch_leg (account) include (amount);

-- A refused key stays refused: a retry after a top-up gets the first answer, not a second chance.
create table declined_posting (
  idem        uuid not null,
  fingerprint uuid not null,
  wallet      bigint not null,
  code        text not null,
  about       text,
  recorded_at timestamptz not null,
  constraint declined_posting__pk primary key (idem)
);

create table app_user (
  sid              text not null,
  display_name     text not null,
  forge_id         text,
  mycelium_address text,
  created_at       timestamptz not null,
  constraint app_user__pk primary key (sid),
  constraint app_user__one_per_forge_id unique (forge_id),
  constraint app_user__one_per_mycelium_address unique (mycelium_address)
);

create table wallet (
  id         bigint generated always as identity,
  sid        text not null,
  user_sid   text not null,
  currency   char(3) not null,
  created_at timestamptz not null,
  constraint wallet__pk primary key (id),
  constraint wallet__one_per_sid unique (sid),
  constraint wallet__one_per_user unique (user_sid),
  constraint wallet__belongs_to_a_user foreign key (user_sid) references app_user (sid)
);

create table hold (
  sid          text not null,
  wallet       bigint not null,
  amount       bigint not null,
  captured     bigint not null default 0,
  state        text not null,
  description  text not null,
  created_at   timestamptz not null,
  expires_at   timestamptz not null,
  closed_at    timestamptz,
  constraint hold__pk primary key (sid),
  constraint hold__amount_is_positive check (amount > 0),
  constraint hold__captured_is_not_negative check (captured >= 0),
  constraint hold__state_is_known check (state in ('open', 'captured', 'released', 'expired', 'captured_late')),
  constraint hold__belongs_to_a_wallet foreign key (wallet) references wallet (id)
);
create index hold__open_by_expiry on hold (expires_at) where state = 'open';
create index hold__wallet on hold (wallet, sid);
