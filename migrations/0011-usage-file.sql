-- Usage through a Forge repository (D-14). On a node: what waits to be pushed. On the service: how far each node's folder was read,
-- and what in it could not be taken.
-- Locks: none that matter (new tables only). Breaking: no.

-- What nodes of this installation could not report themselves. Never deleted: a key stands for its record for ever.
create table usage_queue (
  node            bigint not null,
  idempotency_key text not null,
  -- The UTC hour in which it happened: the file it goes to.
  hour            timestamptz not null,
  -- Of the record as it was checked: the same key with another one is refused.
  fingerprint     uuid not null,
  record          json not null,
  queued_at       timestamptz not null,
  -- Null: not known to be in the repository. Saves reading old hours again; a push is right without it.
  pushed_at       timestamptz,
  -- The repository had the key with another content; that one counts, and people have to look.
  is_in_conflict  boolean not null default false,
  constraint usage_queue__pk primary key (node, idempotency_key)
);
create index usage_queue__of_an_hour on usage_queue (node, hour);
create index usage_queue__waiting on usage_queue (hour, node) where pushed_at is null;

-- The newest commit of a node's folder of which every record has its final answer.
create table usage_folder (
  node       bigint not null,
  commit_sha text not null,
  read_at    timestamptz not null,
  constraint usage_folder__pk primary key (node)
);

-- The content of a file of which every record has its final answer: it is not read again until it changes.
create table usage_file (
  node     bigint not null,
  name     text not null,
  blob_sha text not null,
  records  integer not null,
  read_at  timestamptz not null,
  constraint usage_file__pk primary key (node, name)
);

-- What a node wrote and nobody could charge: a whole file (position 0) or its n-th record.
create table usage_quarantine (
  sid             text not null,
  node            bigint not null,
  file            text not null,
  position        integer not null,
  blob_sha        text not null,
  idempotency_key text,
  code            text not null,
  reason          text not null,
  first_seen_at   timestamptz not null,
  -- When a later reading of the file found it in order, or gone; null: it stands.
  resolved_at     timestamptz,
  constraint usage_quarantine__pk primary key (sid),
  constraint usage_quarantine__position_is_not_negative check (position >= 0),
  constraint usage_quarantine__one_per_place unique (node, file, blob_sha, position, code)
);
create index usage_quarantine__open on usage_quarantine (sid) where resolved_at is null;
create index usage_quarantine__open_of_a_file on usage_quarantine (node, file) where resolved_at is null;

grant select, insert, update on usage_queue, usage_folder, usage_file, usage_quarantine to hero_onboarding_app;
grant delete on usage_folder, usage_file to hero_onboarding_app;
