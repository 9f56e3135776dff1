-- How each wallet stands with money, from active to released, and when users do not want to be written to. See docs/decisions/standing.md.
-- Takes the place of wallet_level, which nothing reads or writes any more; it goes with a later migration.
-- Locks: wallet_level is read. Breaking: no; an older server goes on with wallet_level and tells a little twice.

-- One row for each wallet that money has ever been in, or that something was due of. No row: nothing has happened yet, which is as good as empty.
create table wallet_standing (
  wallet          bigint not null,
  -- active · low · empty: nothing is left, or something is due (then there is a deadline) · suspended: its VMs are stopped · released: they are gone
  state           text not null,
  since           timestamptz not null,
  -- How full it was when it was last told of: ok, low, empty.
  level           text not null,
  -- What is the matter: balance (it owes), plan (a period is due), dispute, operator (both: frozen). Null: nothing is due.
  reason          text,
  -- The lead time, in hours, of the warning that was told last; null: it lasts longer than any.
  warned_hours    integer,
  -- When its owner was told of the deadline.
  noticed_at      timestamptz,
  -- Of an empty one when it is suspended, of a suspended one when its VMs are released; null: no clock runs.
  deadline_at     timestamptz,
  -- The window in which a suspended wallet's VMs run once more, to fetch what is on them; null: it was not asked for in this suspension.
  rescue_until    timestamptz,
  -- Since when VMs are being started again, until the owner has been told what became of it.
  restoring_since timestamptz,
  -- Of a released one: what it held then. More than that is new money.
  held_then       bigint,
  -- When its runway is looked at next; null: it has none, and is looked at again once its account moves on from here.
  look_at         timestamptz,
  seen_seq        bigint,
  -- How many rows of standing_move it has.
  moves           integer not null default 0,
  constraint wallet_standing__pk primary key (wallet),
  constraint wallet_standing__belongs_to_a_wallet foreign key (wallet) references wallet (id),
  constraint wallet_standing__state_is_known check (state in ('active', 'low', 'empty', 'suspended', 'released')),
  constraint wallet_standing__level_is_known check (level in ('ok', 'low', 'empty')),
  constraint wallet_standing__reason_is_known check (reason in ('balance', 'plan', 'dispute', 'operator')),
  constraint wallet_standing__deadline_was_told check (deadline_at is null or noticed_at is not null),
  constraint wallet_standing__is_suspended_for_a_reason check (state <> 'suspended' or reason is not null),
  constraint wallet_standing__is_looked_at check (look_at is not null or seen_seq is not null)
);
create index wallet_standing__waits on wallet_standing (wallet)
  where deadline_at is not null or state in ('suspended', 'released') or restoring_since is not null;
create index wallet_standing__look on wallet_standing (look_at, wallet) where look_at is not null;
create index wallet_standing__state on wallet_standing (state, wallet);
grant select, insert, update on wallet_standing to hero_onboarding_app;

insert into wallet_standing (wallet, state, since, level, seen_seq)
  select wallet, case level when 'ok' then 'active' else level end, since, level, 0 from wallet_level;

-- Each change of standing, once. Never edited.
create table standing_move (
  wallet     bigint not null,
  number     integer not null,
  from_state text not null,
  to_state   text not null,
  reason     text,
  at         timestamptz not null,
  constraint standing_move__pk primary key (wallet, number)
);
create trigger standing_move__append_only before update or delete or truncate on standing_move
  for each statement execute function refuse_change();
grant select, insert on standing_move to hero_onboarding_app;

-- When a user does not want to be written to. No row: any time is right.
create table notice_setting (
  user_sid    text not null,
  -- Minutes of the day, by the clock of the zone. From may be after until: over midnight.
  quiet_from  integer not null,
  quiet_until integer not null,
  -- A name of the IANA time zone database.
  zone        text not null,
  set_at      timestamptz not null,
  constraint notice_setting__pk primary key (user_sid),
  constraint notice_setting__belongs_to_a_user foreign key (user_sid) references app_user (sid),
  constraint notice_setting__is_of_a_day check (quiet_from between 0 and 1439 and quiet_until between 0 and 1439 and quiet_from <> quiet_until)
);
grant select, insert, update, delete on notice_setting to hero_onboarding_app;

-- The VMs that stand still, which are few: they are looked for every few seconds.
create index allocation__suspended on allocation (wallet, id) where state = 'suspended';
