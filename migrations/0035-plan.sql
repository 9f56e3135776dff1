-- Plans: what a wallet buys for a period, who has bought one, and each period that was paid. See docs/decisions/plans.md.
-- Locks: none that matter (new tables only). Breaking: no.

-- Never edited, like prices: a change is a new version from a later instant. The newest one that is active counts for whoever buys, and for
-- whoever renews: each period keeps the version that it was bought at.
create table plan (
  sid          text not null,
  -- What is bought, whatever its version: `vm-5`.
  code         text not null,
  version      integer not null,
  name         text not null,
  -- Micro-dollars for one period.
  price        bigint not null,
  period_unit  text not null,
  period_count integer not null,
  -- How many VMs may be allocated at once, and which machines they are taken from.
  vm_count     integer not null,
  vm_size      text not null,
  -- What else a reader is told that it includes, a line each.
  includes     text[] not null default '{}',
  -- A version that is not for sale ends the selling; who has the plan keeps it, and renews at the last version that was for sale.
  is_for_sale  boolean not null default true,
  active_from  timestamptz not null,
  created_at   timestamptz not null,
  created_by   text not null,
  constraint plan__pk primary key (sid),
  constraint plan__one_per_version unique (code, version),
  constraint plan__one_per_instant unique (code, active_from),
  constraint plan__price_is_not_negative check (price >= 0),
  constraint plan__period_is_known check (period_unit in ('day', 'month') and period_count > 0),
  constraint plan__has_vms check (vm_count > 0)
);
create trigger plan__append_only before update or delete or truncate on plan
  for each statement execute function refuse_change();
grant select, insert on plan to hero_onboarding_app;

insert into plan (sid, code, version, name, price, period_unit, period_count, vm_count, vm_size, includes, active_from, created_at, created_by) values
  ('00000000000000000000000005', 'vm-5', 1, '5 VMs', 10000000, 'day', 30, 5, 'small', array['2 GB of memory each'], '2020-01-01Z', '2020-01-01Z', 'system:migration'),
  ('00000000000000000000000010', 'vm-10', 1, '10 VMs', 20000000, 'day', 30, 10, 'small', array['2 GB of memory each'], '2020-01-01Z', '2020-01-01Z', 'system:migration');

-- That a wallet has a plan, from its buying to its end. What it may use follows from its periods, never from this row.
create table subscription (
  id              bigint generated always as identity,
  sid             text not null,
  wallet          bigint not null,
  plan_code       text not null,
  -- active; past_due: a period was due and could not be paid; ended.
  state           text not null,
  -- Every period begins at a whole number of periods from here, so that the 31st comes back after February.
  anchor_at       timestamptz not null,
  -- The number of the period that begins at the anchor: 0, or a later one from which on the plan's periods have another length.
  anchor_number   integer not null default 0,
  -- When the period that was paid last ends: the instant at which it renews or ends.
  period_ends_at  timestamptz not null,
  -- The number of the period that was paid last. It begins (period_number - anchor_number) periods after the anchor.
  period_number   integer not null,
  is_renewing     boolean not null,
  -- What it becomes at the next period: a downgrade waits for the end. Null: what it is.
  next_plan_code  text,
  created_at      timestamptz not null,
  created_by      text not null,
  -- Since when a period has been due and unpaid; null: none is.
  past_due_since  timestamptz,
  -- What the period that is due costs: it is tried again once the wallet has so much. Null: none is due.
  due_amount      bigint,
  -- When that is worked out anew: once the period that is due is over as a whole, the one that follows may cost something else. Null: none is due.
  due_look_at     timestamptz,
  -- When its user is told that it is about to renew; null: told already, or never.
  reminds_at      timestamptz,
  -- Whether it became smaller and may have more VMs than it includes: a tick looks, and gives back what is over.
  has_excess      boolean not null default false,
  ended_at        timestamptz,
  end_reason      text,
  constraint subscription__pk primary key (id),
  constraint subscription__one_per_sid unique (sid),
  constraint subscription__state_is_known check (state in ('active', 'past_due', 'ended')),
  constraint subscription__ends_once check ((state = 'ended') = (ended_at is not null)),
  constraint subscription__is_past_due_since check ((state = 'past_due') <= (past_due_since is not null and due_amount is not null and due_look_at is not null)),
  constraint subscription__end_is_known check (end_reason in ('cancelled', 'unpaid', 'operator', 'erased')),
  constraint subscription__belongs_to_a_wallet foreign key (wallet) references wallet (id)
);
create unique index subscription__one_open_per_wallet on subscription (wallet) where state <> 'ended';
create index subscription__due on subscription (period_ends_at, id) where state = 'active';
create index subscription__past_due on subscription (id) where state = 'past_due';
create index subscription__due_look on subscription (due_look_at, id) where state = 'past_due';
create index subscription__reminds on subscription (reminds_at, id) where reminds_at is not null and state = 'active';
create index subscription__excess on subscription (id) where has_excess;
create index subscription__wallet on subscription (wallet, id);
grant select, insert, update on subscription to hero_onboarding_app;

-- Each period that was paid, once: the key is what makes a renewal happen once, whoever runs it and however often. A change of plan within a
-- period closes its row and opens the next part of the same period.
create table plan_period (
  subscription bigint not null,
  number       integer not null,
  -- 0 for the whole period as it was bought or renewed; 1, 2, … after changes of plan within it.
  part         integer not null,
  wallet       bigint not null,
  plan_sid     text not null,
  starts_at    timestamptz not null,
  ends_at      timestamptz not null,
  -- What was taken for it, in all: the price, or what a change cost.
  paid         bigint not null,
  -- The posting by which it was paid; null: it cost nothing.
  idem         uuid,
  created_at   timestamptz not null,
  constraint plan_period__pk primary key (subscription, number, part),
  -- Equal where the plan was changed at the very instant at which the part began.
  constraint plan_period__is_a_period check (starts_at <= ends_at),
  constraint plan_period__belongs_to_a_subscription foreign key (subscription) references subscription (id),
  constraint plan_period__is_of_a_plan foreign key (plan_sid) references plan (sid)
);
create index plan_period__wallet on plan_period (wallet, ends_at);
grant select, insert, update on plan_period to hero_onboarding_app;
