-- Keys of users for their scripts, last use of nodes' keys, and who set a hold aside. See docs/decisions/keys.md.
-- Locks: node and hold are locked exclusively for a moment; their new columns are added without a rewrite. Breaking: no.

create table key (
  sid             text not null,
  -- Whose wallet it reaches: a row of app_user.
  owner_sid       text not null,
  name            text not null,
  scopes          text[] not null,
  -- The public half, uk_<key_id>_<secret>, and SHA-256 of the secret: 256 random bits need no slow hash.
  key_id          text not null,
  secret_hash     bytea not null,
  -- To the minute; null: not yet.
  used_at         timestamptz,
  -- The key before the last rotation, as long as it is still good, and when that one was last used.
  old_key_id      text,
  old_secret_hash bytea,
  old_until       timestamptz,
  old_used_at     timestamptz,
  created_at      timestamptz not null,
  -- Null: until it is revoked.
  expires_at      timestamptz,
  revoked_at      timestamptz,
  constraint key__pk primary key (sid),
  constraint key__one_per_key unique (key_id),
  constraint key__one_per_old_key unique (old_key_id),
  constraint key__is_for_something check (cardinality(scopes) > 0 and scopes <@ array['read', 'top_up', 'spend']),
  constraint key__expires_after_it_began check (expires_at > created_at),
  constraint key__belongs_to_a_user foreign key (owner_sid) references app_user (sid)
);
create index key__owner on key (owner_sid, sid);
grant select, insert, update, delete on key to hero_onboarding_app;

-- To the minute; null: not since this was written down.
alter table node
  add column key_used_at     timestamptz,
  add column old_key_used_at timestamptz;

-- The user who set it aside, by themselves or by a key: only what users have set aside can users end. Null: the house did, or a node.
alter table hold add column by_user_sid text;
