-- Promo codes, and the bonus of a first top-up. What they give is given credit (grant_credit); here is who had it, and by which rule.
-- See docs/decisions/codes.md. Locks: none that matter (new tables only). Breaking: no.

create table code (
  sid                  text not null,
  -- As it is shown: WELCOME-2026.
  word                 text not null,
  -- As it is compared: letters and digits alone, O as 0, I and L as 1.
  letters              text not null,
  -- What its user reads on the statement.
  description          text not null,
  -- Micro-dollars for one use.
  amount               bigint not null,
  -- How long the credit lasts; null: it does not end.
  credit_days          integer,
  valid_from           timestamptz not null,
  -- Null: until it is closed or used up.
  valid_until          timestamptz,
  uses_max             integer not null,
  uses_per_user_max    integer not null,
  -- How often it was redeemed: the number of its rows in code_use.
  uses                 integer not null default 0,
  is_for_new_customers boolean not null,
  lifetime_paid_min    bigint not null,
  created_at           timestamptz not null,
  created_by           text not null,
  closed_at            timestamptz,
  closed_by            text,
  constraint code__pk primary key (sid),
  constraint code__one_per_letters unique (letters),
  constraint code__amount_is_positive check (amount > 0),
  constraint code__credit_lasts check (credit_days > 0),
  constraint code__is_valid_for_a_time check (valid_from < valid_until),
  constraint code__uses_have_limits check (uses_max > 0 and uses_per_user_max > 0 and uses_per_user_max <= uses_max),
  constraint code__is_not_used_too_often check (uses between 0 and uses_max),
  constraint code__lifetime_paid_min_is_not_negative check (lifetime_paid_min >= 0),
  constraint code__is_closed_by_somebody check ((closed_at is null) = (closed_by is null))
);
grant select, insert, update on code to hero_onboarding_app;

-- Each use, once: two that are decided at once cannot have the same number.
create table code_use (
  code        text not null,
  number      integer not null,
  -- Who redeemed it: a person, who may have done so for an organisation's wallet.
  user_sid    text not null,
  wallet      bigint not null,
  amount      bigint not null,
  -- The credit that came of it.
  grant_sid   text not null,
  redeemed_at timestamptz not null,
  constraint code_use__pk primary key (code, number),
  constraint code_use__one_per_grant unique (grant_sid),
  constraint code_use__is_of_a_code foreign key (code) references code (sid),
  constraint code_use__belongs_to_a_wallet foreign key (wallet) references wallet (id)
);
create index code_use__user on code_use (user_sid, code);
create index code_use__wallet on code_use (wallet, code);
create trigger code_use__append_only before update or delete or truncate on code_use
  for each statement execute function refuse_change();
grant select, insert on code_use to hero_onboarding_app;

-- Wrong codes that somebody has typed lately, so that nobody finds one by trying.
create table code_miss (
  user_sid text not null,
  since    timestamptz not null,
  count    integer not null,
  constraint code_miss__pk primary key (user_sid)
);
grant select, insert, update, delete on code_miss to hero_onboarding_app;

-- What a first top-up is given besides. Never edited, like prices: the newest that has begun counts. A rule that gives nothing ends the giving.
create table bonus_rule (
  sid         text not null,
  -- Hundredths of a per cent.
  percent     integer not null,
  fixed       bigint not null,
  top_up_min  bigint not null,
  -- Null: no limit.
  bonus_max   bigint,
  -- How long the credit lasts; null: it does not end.
  credit_days integer,
  active_from timestamptz not null,
  created_at  timestamptz not null,
  created_by  text not null,
  constraint bonus_rule__pk primary key (sid),
  constraint bonus_rule__one_per_instant unique (active_from),
  constraint bonus_rule__gives_what_it_says check (percent between 0 and 100000 and fixed >= 0 and top_up_min >= 0 and bonus_max > 0),
  constraint bonus_rule__credit_lasts check (credit_days > 0)
);
create trigger bonus_rule__append_only before update or delete or truncate on bonus_rule
  for each statement execute function refuse_change();
grant select, insert on bonus_rule to hero_onboarding_app;

-- The bonus that a user had, once for ever: the key is what makes it once, whatever comes in at the same time.
create table bonus (
  user_sid    text not null,
  wallet      bigint not null,
  payment_sid text not null,
  rule_sid    text not null,
  amount      bigint not null,
  -- The credit that came of it; another one when it was taken back and is given again.
  grant_sid   text not null,
  expires_at  timestamptz,
  given_at    timestamptz not null,
  -- False while money of its payment is away, on its way out or disputed: then what was left of it is taken back.
  is_standing boolean not null default true,
  -- What was left and was taken back; zero while it stands.
  taken_back  bigint not null default 0,
  -- How often it was taken back or given again: part of the key of what is given again.
  step        integer not null default 0,
  constraint bonus__pk primary key (user_sid),
  constraint bonus__one_per_payment unique (payment_sid),
  constraint bonus__amount_is_positive check (amount > 0),
  constraint bonus__is_taken_back_in_part_or_whole check (taken_back between 0 and amount),
  constraint bonus__stands_whole check (not is_standing or taken_back = 0),
  constraint bonus__is_of_a_payment foreign key (payment_sid) references payment (sid),
  constraint bonus__is_of_a_rule foreign key (rule_sid) references bonus_rule (sid),
  constraint bonus__belongs_to_a_wallet foreign key (wallet) references wallet (id)
);
create index bonus__wallet on bonus (wallet);
grant select, insert, update on bonus to hero_onboarding_app;
