-- Corrections: postings that name the line of the statement they correct, what became of unbilled usage, and corrections of many lines.
-- See docs/decisions/corrections.md.
-- Locks: entry is locked against writing while its partial index is made: one pass, seconds for millions of rows. The others for a moment.
-- Breaking: no. An older server leaves the new column empty; the day of such a record is then the day it was recorded.

-- Which line an entry corrects ("corrects": a number), or takes back ("voids"). The two words cannot be found so but as names of fields: JSON
-- text escapes quotes. Looking for them costs an ordinary charge a fraction of a microsecond; reading its JSON would cost several.
create index entry__usage_correction on entry (account, (coalesce((about::json ->> 'corrects')::int8, (about::json ->> 'voids')::int8)), seq)
  where kind = 8 and (strpos(about, '"corrects":') > 0 or strpos(about, '"voids":') > 0);

-- When it was used: what is billed later belongs to that day, not to the day it is billed.
alter table declined_posting add column occurred_at timestamptz;
create index declined_posting__unbilled_of_wallet on declined_posting (wallet, recorded_at, idem) where kind = 8;
create index declined_posting__unbilled_correction on declined_posting (wallet, ((about::json ->> 'corrects')::int8))
  where kind = 8 and strpos(about, '"corrects":') > 0;

-- What became of an unbilled record: at most one thing, and that for ever. No row: it is still open.
create table unbilled_outcome (
  idem    uuid not null,
  outcome text not null,
  -- The posting that billed it or took its place; null for what was written off.
  by_idem uuid,
  at      timestamptz not null,
  actor   text not null,
  reason  text,
  constraint unbilled_outcome__pk primary key (idem),
  constraint unbilled_outcome__is_known check (outcome in ('billed', 'written_off', 'superseded')),
  constraint unbilled_outcome__has_its_posting check ((outcome = 'written_off') = (by_idem is null))
);
create trigger unbilled_outcome__append_only before update or delete or truncate on unbilled_outcome
  for each statement execute function refuse_change();
grant select, insert on unbilled_outcome to hero_onboarding_app;

-- A correction of many lines, and how far it is. Its postings name it; cursor and postings are written in one transaction.
create table correction (
  sid            text not null,
  kind           text not null,
  state          text not null,
  reason         text not null,
  filter         jsonb not null,
  created_at     timestamptz not null,
  created_by     text not null,
  ended_at       timestamptz,
  -- The last line that was looked at.
  cursor_account bigint not null default 0,
  cursor_seq     bigint not null default 0,
  lines_total    bigint not null,
  lines_done     bigint not null default 0,
  lines_changed  bigint not null default 0,
  lines_skipped  bigint not null default 0,
  -- Micro-dollars that wallets were given (plus) or charged (minus).
  moved          bigint not null default 0,
  constraint correction__pk primary key (sid),
  constraint correction__kind_is_known check (kind in ('void', 'reprice', 'rerate')),
  constraint correction__state_is_known check (state in ('running', 'done', 'cancelled')),
  constraint correction__ends check ((state = 'running') = (ended_at is null))
);
create index correction__running on correction (sid) where state = 'running';
grant select, insert, update on correction to hero_onboarding_app;

-- How far the entries of each wallet have been looked at for lines that stand on a wrong rung of the ladder.
create table usage_rating (
  wallet bigint not null,
  seq    bigint not null,
  constraint usage_rating__pk primary key (wallet)
);
grant select, insert, update on usage_rating to hero_onboarding_app;

-- A price that begins in the past, for a correction. It may begin with the very instant of the one that was wrong: the later one counts.
alter table price add column is_backdated boolean not null default false;
drop index price__one_per_instant;
create unique index price__one_per_instant on price (category, coalesce(resource_kind, ''), active_from) where not is_backdated;
