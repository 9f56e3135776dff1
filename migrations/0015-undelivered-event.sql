-- Events that a provider could not deliver are read from its own list: how far it was read, and where an inbox row came from.
-- Locks: ACCESS EXCLUSIVE on inbox for an instant (a column with a constant default is added without a rewrite). Breaking: no.

alter table inbox
  -- 'webhook': delivered and verified by its signature · 'list': read from the provider's list with our key.
  add column source text not null default 'webhook',
  add constraint inbox__source_is_known check (source in ('webhook', 'list')) not valid;
alter table inbox validate constraint inbox__source_is_known;

-- Up to which instant a provider's list of undelivered events was read.
create table undelivered_read (
  provider         text not null,
  provider_account text not null,
  up_to            timestamptz not null,
  constraint undelivered_read__pk primary key (provider, provider_account)
);
grant select, insert, update on undelivered_read to hero_onboarding_app;
