-- Outages: time in which a node, a machine, a host or one VM was down, for which nobody pays. See docs/decisions/outages.md.
-- Locks: none that matter (new tables only). Breaking: no.

create table outage (
  sid          text not null,
  -- node: its usage is not billed. machine (a place of the pool), host, allocation: their VMs' share of the plan is given back.
  subject      text not null,
  -- The sid of the node, machine or allocation, or the name of the host.
  subject_ref  text not null,
  -- open: it goes on · settling: it is over, and what is to be given back is being given back · done · cancelled
  state        text not null,
  from_at      timestamptz not null,
  -- Null: it goes on.
  until_at     timestamptz,
  reason       text not null,
  -- Who says so: operator, or provisioner (of a VM that should run and does not).
  source       text not null,
  created_at   timestamptz not null,
  created_by   text not null,
  -- Of a node: the correction that takes back what was charged; null: there was nothing to end yet, or it is no node.
  correction   text,
  -- The last allocation that was looked at, how many VMs were given something back for, and how much in all.
  cursor       bigint not null default 0,
  vms          integer not null default 0,
  returned     bigint not null default 0,
  cancelled_at timestamptz,
  constraint outage__pk primary key (sid),
  constraint outage__subject_is_known check (subject in ('node', 'machine', 'host', 'allocation')),
  constraint outage__state_is_known check (state in ('open', 'settling', 'done', 'cancelled')),
  constraint outage__source_is_known check (source in ('operator', 'provisioner')),
  constraint outage__is_a_time check (until_at is null or from_at < until_at),
  constraint outage__is_over_once_settled check (state in ('open', 'cancelled') or until_at is not null),
  constraint outage__is_corrected_by foreign key (correction) references correction (sid)
);
create unique index outage__one_open_per_subject on outage (subject, subject_ref) where state = 'open';
create index outage__of_a_node on outage (subject_ref) where subject = 'node' and state <> 'cancelled';
create index outage__settling on outage (sid) where state = 'settling';
grant select, insert, update on outage to hero_onboarding_app;

-- What was given back for one VM, once for each outage. Its times are not given back for again, whatever other outage names them.
create table outage_credit (
  outage     text not null,
  allocation bigint not null,
  wallet     bigint not null,
  idem       uuid not null,
  amount     bigint not null,
  -- The times, each from … until.
  from_at    timestamptz[] not null,
  until_at   timestamptz[] not null,
  created_at timestamptz not null,
  constraint outage_credit__pk primary key (outage, allocation),
  constraint outage_credit__is_of_an_outage foreign key (outage) references outage (sid),
  constraint outage_credit__is_of_a_vm foreign key (allocation) references allocation (id),
  constraint outage_credit__is_something check (amount > 0)
);
create index outage_credit__allocation on outage_credit (allocation);
create trigger outage_credit__append_only before update or delete or truncate on outage_credit
  for each statement execute function refuse_change();
grant select, insert on outage_credit to hero_onboarding_app;
