-- Mobile money is confirmed on a phone: what the provider says of a payment under way is shown to whoever waits for it.
-- Locks: ACCESS EXCLUSIVE on payment for an instant (a nullable column without a default). Breaking: no.

alter table payment add column progress text;
