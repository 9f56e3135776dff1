-- Money at a provider goes back, too: kinds of movements beside the top-up. Amounts are signed, plus is money that came in.
-- Locks: ACCESS EXCLUSIVE on payment_event while its rows are read once against the wider list; they all hold it. Breaking: no.

alter table payment_event
  drop constraint payment_event__kind_is_known,
  add constraint payment_event__kind_is_known check (
    kind in ('top_up', 'refund', 'refund_returned', 'reversal', 'dispute_opened', 'dispute_won', 'dispute_lost')
  );
create index payment_event__payment on payment_event (payment_sid);

-- An event may speak of a refund of ours that is no part of an order (a payout): a hint, like the others.
alter table inbox add column refund_sid text;
