-- Where the provider tells what becomes of money that an operator has assigned: the line of its statement names the order, and the
-- payment that was made of the line keeps it.
-- And the refund that a webhook names by the provider's own reference.
-- Locks: provider_movement, payment and inbox are locked exclusively for a moment; the new columns are added without a rewrite. The rows of
-- assigned lines are updated: a handful. Breaking: no.

-- By which reference the provider tells of the payment or refund of this line; null: it names none.
alter table provider_movement add column order_ref text;

alter table payment
  -- The provider's order that holds the money of a payment which an operator has made of a line; null: the order is our own.
  add column assigned_order_ref text;
create index payment__assigned_order on payment (provider, assigned_order_ref) where assigned_order_ref is not null;

-- Lines from before: a payment at Stripe is told by itself, and a line of ClickPesa has the reference in its detail. One of BTCPay Server
-- does not say its invoice.
update provider_movement set order_ref = case provider when 'stripe' then payment_ref when 'clickpesa' then detail end
  where kind = 'payment' and provider in ('stripe', 'clickpesa');
update payment set assigned_order_ref = provider_movement.order_ref
  from provider_movement where provider_movement.payment_sid = payment.sid and provider_movement.state = 'assigned';

-- The provider's refund as the event names it, where it names neither an order nor a refund of ours: a hint like the others.
alter table inbox add column refund_ref text;
