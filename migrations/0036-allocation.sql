-- VMs: the machines of the pool, the SSH keys of users, and who has which VM. See docs/decisions/allocations.md.
-- Locks: none that matter (new tables only). Breaking: no.

-- A place of the operator's pool. Its state says whether it can be given away: free, allocated, cleaning (given back and not yet confirmed
-- clean), removed. A draining one is given to nobody any more; who has it keeps it.
create table machine (
  id           bigint generated always as identity,
  sid          text not null,
  host         text not null,
  -- Where its user reaches it: a name or an address, and a port for SSH.
  address      text not null,
  size         text not null,
  labels       jsonb not null default '{}',
  state        text not null,
  is_draining  boolean not null default false,
  -- Said by the operator: it wipes itself when it is given back, and is free at once. Nobody else's place is used again without a word.
  cleans_itself boolean not null default false,
  -- What its agent is to do: its VM does not run while this is true, and its disk is kept.
  is_stopped   boolean not null default false,
  created_at   timestamptz not null,
  created_by   text not null,
  changed_at   timestamptz not null,
  constraint machine__pk primary key (id),
  constraint machine__one_per_sid unique (sid),
  constraint machine__state_is_known check (state in ('free', 'allocated', 'cleaning', 'removed')),
  constraint machine__labels_are_an_object check (jsonb_typeof(labels) = 'object')
);
create unique index machine__one_per_address on machine (address) where state <> 'removed';
create index machine__free on machine (size, id) where state = 'free' and not is_draining;
create index machine__state on machine (state, sid);
grant select, insert, update on machine to hero_onboarding_app;

create table ssh_key (
  sid         text not null,
  user_sid    text not null,
  name        text not null,
  -- As OpenSSH writes it, without the comment: type and base64.
  public_key  text not null,
  fingerprint text not null,
  created_at  timestamptz not null,
  constraint ssh_key__pk primary key (sid),
  constraint ssh_key__one_per_user unique (user_sid, fingerprint),
  constraint ssh_key__belongs_to_a_user foreign key (user_sid) references app_user (sid)
);
grant select, insert, update, delete on ssh_key to hero_onboarding_app;

-- One VM given to one user. An intent first: the row is committed before anybody is asked for a VM, and its sid is the key for ever.
create table allocation (
  id            bigint generated always as identity,
  sid           text not null,
  wallet        bigint not null,
  user_sid      text not null,
  -- The subscription whose quota it takes.
  subscription  bigint not null,
  -- Who gives the VM: pool, http.
  provisioner   text not null,
  -- requested: asked for, no answer yet · active · suspended: stopped, its disk kept · releasing: asked to go, not confirmed · released · failed
  state         text not null,
  -- What it is to be while nobody takes it back: running or stopped. Where the state is another, the provisioner is asked until it is this.
  wanted        text not null default 'running',
  name          text not null,
  size          text not null,
  -- Of the pool only: which machine it is on.
  machine       bigint,
  -- What the provisioner calls it, and how its user reaches it; null until it says so.
  external_ref  text,
  host          text,
  address       text,
  -- As they were when it was allocated.
  forge_id      text,
  ssh_keys      text[] not null default '{}',
  -- Which VM is stopped first when the wallet runs dry: the lowest number; equal ones, the newest first.
  stop_order    integer not null default 0,
  -- The end of the period that its subscription has paid; moved on when it renews.
  expires_at    timestamptz not null,
  created_at    timestamptz not null,
  created_by    text not null,
  active_at     timestamptz,
  suspended_at  timestamptz,
  -- Why it was given back: user, expired, unpaid, operator, failed, erased.
  release_reason text,
  releasing_at  timestamptz,
  released_at   timestamptz,
  -- When the provisioner is asked again, and how often it was.
  check_at      timestamptz,
  checks        integer not null default 0,
  problem       text,
  -- The call that asked for it, and what it asked: a repetition finds its intent. Null: no call did.
  idem          uuid,
  fingerprint   uuid,
  constraint allocation__pk primary key (id),
  constraint allocation__one_per_sid unique (sid),
  constraint allocation__one_per_call unique (idem),
  constraint allocation__wanted_is_known check (wanted in ('running', 'stopped')),
  constraint allocation__release_is_known check (release_reason in ('user', 'expired', 'unpaid', 'operator', 'failed', 'erased')),
  constraint allocation__state_is_known check (state in ('requested', 'active', 'suspended', 'releasing', 'released', 'failed')),
  constraint allocation__belongs_to_a_wallet foreign key (wallet) references wallet (id),
  constraint allocation__belongs_to_a_subscription foreign key (subscription) references subscription (id),
  constraint allocation__is_on_a_machine foreign key (machine) references machine (id)
);
-- A machine has one user at a time, whatever the code does.
create unique index allocation__one_per_machine on allocation (machine) where state in ('requested', 'active', 'suspended', 'releasing');
create index allocation__open on allocation (wallet, id) where state in ('requested', 'active', 'suspended', 'releasing');
create index allocation__expires on allocation (expires_at, id) where state in ('requested', 'active', 'suspended', 'releasing');
create index allocation__check on allocation (check_at, id) where check_at is not null;
create index allocation__wallet on allocation (wallet, id);
create index allocation__subscription on allocation (subscription) where state in ('requested', 'active', 'suspended', 'releasing');
grant select, insert, update on allocation to hero_onboarding_app;
