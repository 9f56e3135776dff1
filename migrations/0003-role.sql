-- The application's role and the guards that hold even against a bug in the code, or the owner's slip.
-- Locks: none that matter. Breaking: no.
-- The role itself is made by the migration runner before the first migration, because roles belong to the whole cluster.

grant usage on schema public to hero_onboarding_app;
grant select, insert on entry, batch_leg, declined_posting, audit, payment_event, idempotency, system_account to hero_onboarding_app;
grant select, insert, update on account, app_user, wallet, hold, payment, inbox, session to hero_onboarding_app;
grant delete on session to hero_onboarding_app;

create function refuse_change() returns trigger language plpgsql as $$
begin
  raise exception '% is append-only: % refused', tg_table_name, tg_op using errcode = 'restrict_violation';
end $$;

create trigger entry__append_only before update or delete or truncate on entry
  for each statement execute function refuse_change();
create trigger batch_leg__append_only before update or delete or truncate on batch_leg
  for each statement execute function refuse_change();
create trigger declined_posting__append_only before update or delete or truncate on declined_posting
  for each statement execute function refuse_change();
create trigger audit__append_only before update or delete or truncate on audit
  for each statement execute function refuse_change();
create trigger payment_event__append_only before update or delete or truncate on payment_event
  for each statement execute function refuse_change();
create trigger idempotency__append_only before update or delete or truncate on idempotency
  for each statement execute function refuse_change();
