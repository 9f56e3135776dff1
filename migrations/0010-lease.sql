-- Leases: holds that a node asks for, so that it may go on working while it cannot reach us.
-- Locks: hold is locked exclusively for a moment; its new columns are added without a rewrite, its checks read each row once.
-- Breaking: no. A server that does not know leases returns an expired one in full: end its processes before leases are granted.

alter table hold
  add column kind  text not null default 'hold',
  -- The node that holds the lease; null for a plain hold.
  add column node  bigint,
  -- What went back to the wallet for usage that was reported under the lease.
  add column drawn bigint not null default 0,
  -- How often: names each drawing.
  add column draws bigint not null default 0,
  add constraint hold__kind_is_known check (kind in ('hold', 'lease')),
  add constraint hold__a_lease_has_a_node check ((kind = 'lease') = (node is not null)),
  add constraint hold__drawn_is_within_the_amount check (drawn >= 0 and drawn <= amount and (kind = 'lease' or drawn = 0));
create index hold__open_lease on hold (node, expires_at) where state = 'open' and kind = 'lease';
create index hold__lease on hold (node, sid) where kind = 'lease';
