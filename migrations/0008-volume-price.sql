-- Prices that count the volume of a month (tiered, package), and the prices of models.
-- See docs/decisions/volume-prices.md.
-- Locks: price is locked exclusively for a moment and read once; it holds few rows. The other tables are new.
-- Breaking: an older server must not run beside this one once a tiered price or a package is made: it does not know them.

alter table price
  -- [{"up_to": "1000000", "amount": "5000"}, {"up_to": null, "amount": "4000"}]: millionths of the unit, pico-dollars a unit; as text,
  -- for a number of JSON is a double to most readers.
  add column tiers jsonb,
  -- Millionths of the unit.
  add column package_size bigint;
alter table price drop constraint price__kind_is_known;
alter table price drop constraint price__cost_plus_has_no_amount;
alter table price
  add constraint price__kind_is_known check (kind in ('per_unit', 'per_hour', 'cost_plus', 'tiered', 'package')),
  add constraint price__amount_is_of_its_kind check ((kind in ('cost_plus', 'tiered')) = (amount = 0)),
  add constraint price__only_tiered_has_tiers check ((kind = 'tiered') = (tiers is not null)),
  add constraint price__only_package_has_a_size check ((kind = 'package') = (package_size is not null)),
  add constraint price__package_size_is_positive check (package_size > 0);

-- What was counted of one wallet by one counter (the sid of a price) in one period, in millionths of a unit. Written by the posting path,
-- in the transaction of the entries that it is the sum of; `ledger check` proves that. Never removed: a record may come late.
create table posting_volume (
  wallet       bigint not null,
  counter      text not null,
  period_start timestamptz not null,
  quantity     bigint not null,
  constraint posting_volume__pk primary key (wallet, counter, period_start),
  constraint posting_volume__quantity_is_not_negative check (quantity >= 0)
) with (fillfactor = 50);

-- What a provider charges for a model, for those whose answers do not say what a call cost. Never edited, like prices.
create table model_price (
  sid                 text not null,
  provider            text not null,
  model               text not null,
  -- Pico-dollars (10^-12) a token; the same number is micro-dollars a million tokens.
  input_amount        bigint not null,
  cached_input_amount bigint not null,
  output_amount       bigint not null,
  active_from         timestamptz not null,
  created_at          timestamptz not null,
  created_by          text not null,
  constraint model_price__pk primary key (sid),
  constraint model_price__one_per_instant unique (provider, model, active_from),
  constraint model_price__amounts_are_not_negative check (input_amount >= 0 and cached_input_amount >= 0 and output_amount >= 0)
);

grant select, insert, update on posting_volume to hero_onboarding_app;
grant select, insert on model_price to hero_onboarding_app;
create trigger model_price__append_only before update or delete or truncate on model_price
  for each statement execute function refuse_change();
