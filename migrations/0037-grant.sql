-- Grants: credit that was given, each with a live account of its own in its wallet. See docs/decisions/grants.md.
-- Locks: account and hold are locked exclusively for a moment (columns with a constant default: no row is rewritten).
-- Breaking: no. An older server does not use given credit, and ends holds as if all of them were paid: stop it before the first grant.

-- Which places of the wallet have an open grant: bit 0 is role 3, bit 12 is role 15. Of the wallet's own account only. So a posting knows
-- from the row that it locks anyway whether there is given credit to look for.
alter table account add column given_slots smallint not null default 0;

create table grant_credit (
  id           bigint generated always as identity,
  sid          text not null,
  wallet       bigint not null,
  -- Its live account: wallet * 16 + 3 to 15. The place is used again after the grant is closed; the account's entries go on.
  account      bigint not null,
  -- The account's first entry that is this grant's.
  from_seq     bigint not null,
  kind         text not null,
  amount       bigint not null,
  -- A lower one is used earlier, among those that end at the same time.
  priority     smallint not null,
  -- From then on it is not used any more; null: it has no end.
  expires_at   timestamptz,
  reason       text not null,
  -- Of the posting that gave it.
  idem         uuid not null,
  state        text not null,
  -- What was left of it and was taken back, when it expired or was revoked.
  taken_back   bigint not null default 0,
  created_at   timestamptz not null,
  created_by   text not null,
  -- When its user was told that it ends soon.
  warned_at    timestamptz,
  ended_at     timestamptz,
  -- When its place was free again: nothing is in its account, and no open hold gives anything back to it.
  closed_at    timestamptz,
  constraint grant_credit__pk primary key (id),
  constraint grant_credit__one_per_sid unique (sid),
  constraint grant_credit__one_per_posting unique (idem),
  constraint grant_credit__kind_is_known check (kind in ('promo', 'goodwill', 'bonus')),
  constraint grant_credit__state_is_known check (state in ('open', 'spent', 'expired', 'revoked')),
  constraint grant_credit__amount_is_positive check (amount > 0),
  constraint grant_credit__takes_back_what_it_gave check (taken_back between 0 and amount),
  constraint grant_credit__has_a_place check (account / 16 = wallet and account % 16 between 3 and 15),
  constraint grant_credit__only_ended_is_closed check ((state = 'open') = (ended_at is null) and (closed_at is null or ended_at is not null)),
  constraint grant_credit__belongs_to_a_wallet foreign key (wallet) references wallet (id)
);
create unique index grant_credit__one_per_place on grant_credit (account) where closed_at is null;
create index grant_credit__open on grant_credit (wallet) where closed_at is null;
create index grant_credit__wallet on grant_credit (wallet, id);
create unique index grant_credit__place on grant_credit (account, from_seq);
grant select, insert, update on grant_credit to hero_onboarding_app;

-- What a hold has set aside of grants, in the order in which they are used: accounts, and how much of each.
alter table hold add column given_accounts bigint[] not null default '{}';
alter table hold add column given_amounts bigint[] not null default '{}';
create index hold__open_given on hold (wallet) where state = 'open' and given_accounts <> '{}';
