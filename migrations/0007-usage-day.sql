-- Usage by day, for reading: what each wallet was charged, by category, node and resource.
-- Not written by the postings: each of them would pay for it. A follower folds the entries of a wallet into it, from where it stopped,
-- when somebody reads and every now and then. `ledger check` proves it equal to the entries.
-- Locks: none that matter (new tables only). Breaking: no.

create table usage_day (
  wallet        bigint not null,
  day           date not null,
  category      text not null,
  node          text not null,
  resource_kind text not null,
  unit          text not null,
  records       bigint not null,
  quantity      numeric not null,
  charge        bigint not null,
  constraint usage_day__pk primary key (wallet, day, category, node, resource_kind, unit)
);

-- How far each wallet's entries are folded: up to and with this seq.
create table usage_fold (
  wallet bigint not null,
  seq    bigint not null,
  constraint usage_fold__pk primary key (wallet)
);

grant select, insert, update on usage_day, usage_fold to hero_onboarding_app;
