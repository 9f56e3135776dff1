-- The edition of the rules by which usage is priced: prices, ladders, prices of models. Every report needs them, and they change a few times
-- a year. The number moves in the transaction of each change, so whoever reads the number knows whether what it read before still holds.
-- Locks: a moment of price, ladder and model_price (new triggers). Breaking: no; an older server reads the rules each time, as before.

create table rule_book (
  is_only boolean not null default true,
  edition bigint  not null,
  constraint rule_book__pk primary key (is_only),
  constraint rule_book__has_one_row check (is_only)
);
insert into rule_book (edition) values (1);
grant select, update on rule_book to hero_onboarding_app;

create function move_rule_book() returns trigger language plpgsql as $$
begin
  update rule_book set edition = edition + 1;
  return null;
end $$;

create trigger price__moves_rule_book after insert or update or delete or truncate on price
  for each statement execute function move_rule_book();
create trigger ladder__moves_rule_book after insert or update or delete or truncate on ladder
  for each statement execute function move_rule_book();
create trigger model_price__moves_rule_book after insert or update or delete or truncate on model_price
  for each statement execute function move_rule_book();
