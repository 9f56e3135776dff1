-- How users are written to, and the documents they are given for money that moved: receipts and credit notes, numbered without a gap.
-- See docs/decisions/receipts.md.
-- Locks: ACCESS EXCLUSIVE on app_user for an instant (columns with a constant default are added without a rewrite). Payments that were credited
-- before get their documents now: one pass over payment_event. Breaking: an older server makes no documents; the next one makes them up.

alter table app_user
  -- Where mail goes; null: nowhere. Given by the user, and not proven to be theirs.
  add column email    text,
  add column language text not null default 'en',
  add constraint app_user__language_is_known check (language in ('en', 'sw'));

-- The last number of each series and year. The row is locked while a number is given out, so one that is rolled back was never given.
create table receipt_series (
  series text not null,
  year   integer not null,
  last   integer not null,
  constraint receipt_series__pk primary key (series, year),
  constraint receipt_series__is_known check (series in ('receipt', 'credit_note'))
);
grant select, insert, update on receipt_series to hero_onboarding_app;

-- One for each movement of money at a provider that a user is given a document for, under the movement's sid. Written with the movement, numbered
-- soon after in a transaction of its own: nobody who is paid waits for a number.
create table receipt (
  sid       text not null,
  series    text not null,
  -- Null until it is issued, all four together.
  year      integer,
  number    integer,
  issued_at timestamptz,
  -- Everything the document says, as it was on that day.
  facts     jsonb,
  constraint receipt__pk primary key (sid),
  constraint receipt__one_per_number unique (series, year, number),
  constraint receipt__is_known check (series in ('receipt', 'credit_note')),
  constraint receipt__is_issued_whole check (
    (number is null) = (year is null) and (number is null) = (issued_at is null) and (number is null) = (facts is null)
  ),
  constraint receipt__is_for_a_movement foreign key (sid) references payment_event (sid)
);
create index receipt__due on receipt (sid) where number is null;
grant select, insert, update on receipt to hero_onboarding_app;

-- What was issued is never changed.
create trigger receipt__final before update on receipt for each row when (old.number is not null) execute function refuse_change();
create trigger receipt__kept before delete or truncate on receipt for each statement execute function refuse_change();

-- The file, from its first download on: the same bytes for ever, whatever writes files later.
create table receipt_file (
  receipt text not null,
  pdf     bytea not null,
  made_at timestamptz not null,
  constraint receipt_file__pk primary key (receipt),
  constraint receipt_file__is_of_a_receipt foreign key (receipt) references receipt (sid)
);
create trigger receipt_file__append_only before update or delete or truncate on receipt_file
  for each statement execute function refuse_change();
grant select, insert on receipt_file to hero_onboarding_app;

insert into receipt (sid, series)
select sid, case when amount > 0 then 'receipt' else 'credit_note' end from payment_event
where kind in ('top_up', 'refund', 'refund_returned', 'reversal', 'dispute_lost');
