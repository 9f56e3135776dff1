-- Saved cards: the provider's record of a user, what a payment has to do with a saved card, and why one was refused. No data of a card.
-- Locks: ACCESS EXCLUSIVE on payment for an instant (columns without a rewrite; the check is validated while others write). Breaking: no.

create table provider_customer (
  user_sid         text not null,
  provider         text not null,
  provider_account text not null,
  customer_ref     text not null,
  -- The saved card that is charged when its owner is away; null: none was chosen.
  default_card_ref text,
  created_at       timestamptz not null,
  constraint provider_customer__pk primary key (user_sid, provider, provider_account),
  constraint provider_customer__is_one_user unique (provider, provider_account, customer_ref),
  constraint provider_customer__is_a_user foreign key (user_sid) references app_user (sid)
);
grant select, insert, update on provider_customer to hero_onboarding_app;

alter table payment
  -- The provider's record of the payer; null where the provider was not told one.
  add column customer_ref text,
  -- Whether the payer wanted the card that pays to be saved.
  add column saves_card   boolean not null default false,
  -- The saved card that is charged without its owner; null: the payer pays on a page.
  add column card_ref     text,
  -- Why the bank of a saved card said no: a stable word; null: it did not.
  add column decline      text,
  add constraint payment__a_saved_card_has_a_customer
    check ((card_ref is null and not saves_card) or customer_ref is not null) not valid;
alter table payment validate constraint payment__a_saved_card_has_a_customer;
