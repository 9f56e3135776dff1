-- Usage: who reports it, what it costs, and what a posting needs for prices finer than a micro-dollar.
-- See src/domain/usage/README.md.
-- Locks: account, entry and declined_posting are locked exclusively for a moment; no table is rewritten or scanned under that lock,
-- but account (one check of one row each) and the index on declined_posting, which holds rows of usage only: none so far.
-- Breaking: no.

-- What the postings of an account have cost and not yet moved, in parts of a micro-dollar (9e18 of them, see
-- FRACTIONS_PER_MICRO). Beside the balance: the row is written by each posting anyway.
alter table account add column carry bigint not null default 0;
alter table account add constraint account__carry_is_a_fraction check (carry >= 0 and carry < 9000000000000000000);

-- A record that costs less than a micro-dollar may move nothing by itself, and must be remembered all the same.
alter table entry drop constraint entry__amount_is_not_zero;
alter table entry add constraint entry__amount_is_not_zero check (amount <> 0 or kind = 8) not valid;

-- Which kind of posting was declined: usage that was declined was delivered all the same, and is owed.
alter table declined_posting add column kind smallint;
create index declined_posting__unbilled on declined_posting (recorded_at, idem) where kind = 8;

-- What postings have taken out of a budget in one window of time: how much harm a stolen reporter's key can do in an hour.
create table posting_budget (
  owner        bigint not null,
  window_start timestamptz not null,
  spent        bigint not null,
  constraint posting_budget__pk primary key (owner, window_start),
  constraint posting_budget__spent_is_not_negative check (spent >= 0)
) with (fillfactor = 50);

create table node (
  id              bigint generated always as identity,
  sid             text not null,
  name            text not null,
  -- The public half of its key, nk_<key_id>_<secret>, and SHA-256 of the secret: 256 random bits need no slow hash.
  key_id          text not null,
  secret_hash     bytea not null,
  -- The key before the last rotation, as long as it is still good.
  old_key_id      text,
  old_secret_hash bytea,
  old_until       timestamptz,
  -- Users it may report for; null: all.
  user_sids       text[],
  record_max      bigint not null,
  hour_max        bigint not null,
  created_at      timestamptz not null,
  revoked_at      timestamptz,
  constraint node__pk primary key (id),
  constraint node__one_per_sid unique (sid),
  constraint node__one_per_key unique (key_id),
  constraint node__one_per_old_key unique (old_key_id),
  constraint node__limits_are_positive check (record_max > 0 and hour_max > 0)
);
create unique index node__one_per_name on node (name) where revoked_at is null;

-- Never edited: a new price is a new row from a later instant. The latest one that is active when a record happened counts; one for
-- its very resource before one for its category.
create table price (
  sid           text not null,
  category      text not null,
  resource_kind text,
  kind          text not null,
  unit          text not null,
  -- Pico-dollars (10^-12) a unit; zero where the reporter brings the cost.
  amount        bigint not null,
  -- Ten-thousandths on top.
  margin        integer not null,
  active_from   timestamptz not null,
  created_at    timestamptz not null,
  created_by    text not null,
  constraint price__pk primary key (sid),
  constraint price__kind_is_known check (kind in ('per_unit', 'per_hour', 'cost_plus')),
  constraint price__amount_is_not_negative check (amount >= 0),
  constraint price__margin_is_not_negative check (margin >= 0 and margin <= 1000000),
  constraint price__cost_plus_has_no_amount check ((kind = 'cost_plus') = (amount = 0))
);
create unique index price__one_per_instant on price (category, coalesce(resource_kind, ''), active_from);

-- Never edited, like prices.
create table ladder (
  category      text not null,
  version       integer not null,
  -- [{"after_days": 7, "multiplier": 5000}, …]: ten-thousandths of the list price, from the day on.
  rungs         jsonb not null,
  grace_days    integer not null,
  floor_at_cost boolean not null,
  active_from   timestamptz not null,
  created_at    timestamptz not null,
  created_by    text not null,
  constraint ladder__pk primary key (category, version),
  constraint ladder__grace_is_positive check (grace_days > 0)
);

-- The present run of continuous use of a wallet in a category. A summary of its entries: `usage ladder` recomputes it from them.
create table usage_streak (
  wallet     bigint not null,
  category   text not null,
  started_at timestamptz not null,
  last_at    timestamptz not null,
  constraint usage_streak__pk primary key (wallet, category),
  constraint usage_streak__is_in_order check (started_at <= last_at)
);

insert into price (sid, category, resource_kind, kind, unit, amount, margin, active_from, created_at, created_by) values
  ('00000000000000000000000001', 'hero_os_hourly', null, 'per_hour', 'hour', 100000000000, 1000, '2020-01-01Z', '2020-01-01Z', 'system:migration'),
  ('00000000000000000000000002', 'llm', null, 'cost_plus', 'call', 0, 1000, '2020-01-01Z', '2020-01-01Z', 'system:migration');
insert into ladder (category, version, rungs, grace_days, floor_at_cost, active_from, created_at, created_by)
select category, 1, '[{"after_days": 7, "multiplier": 5000}, {"after_days": 30, "multiplier": 2500}]', 7, true,
       '2020-01-01Z', '2020-01-01Z', 'system:migration'
from unnest(array['hero_os_hourly', 'llm']) as t (category);

grant select, insert on price, ladder to hero_onboarding_app;
grant select, insert, update on posting_budget, node, usage_streak to hero_onboarding_app;
grant delete on posting_budget to hero_onboarding_app;
create trigger price__append_only before update or delete or truncate on price
  for each statement execute function refuse_change();
create trigger ladder__append_only before update or delete or truncate on ladder
  for each statement execute function refuse_change();
