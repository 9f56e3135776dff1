-- Challenge: a code that was sent to an overlay node, to see whether who claims to be it can read what it gets. See
-- docs/decisions/D-12-proof-of-control.md.
-- Locks: rows of identity that hold an overlay address, while they are rewritten. Breaking: no; an older server keeps signing people in
-- by other ways, and an address that it writes down is found again once somebody corrects it.

create table challenge (
  sid         text not null,
  -- The /64 of the claimed address, which is one node's.
  node        text not null,
  address     text not null,
  -- The node's public key as the network knew it when the code was sent; null: it had not told yet.
  node_key    text,
  -- SHA-256 of the sid and the code. The code itself is nowhere.
  code_hash   bytea not null,
  -- What only the one who asked is shown, and a reply must hold.
  number      text not null,
  -- SHA-256 of what the one who asked has to show again: of the browser's cookie, or of a secret that a program was given.
  holder_hash bytea not null,
  purpose     text not null,
  -- Whose identity it shall become, or who shows once more who they are, and in which session they asked; null for a sign-in.
  user_sid    text,
  session_sid text,
  created_at  timestamptz not null,
  expires_at  timestamptz not null,
  -- Wrong codes so far.
  tries       smallint not null default 0,
  replied_at  timestamptz,
  -- It was used, or there were too many wrong codes, or it could not be sent.
  ended_at    timestamptz,
  constraint challenge__pk primary key (sid),
  constraint challenge__purpose_is_known check (purpose in ('sign_in', 'link', 'prove')),
  constraint challenge__somebody_asks_for_themselves check ((purpose = 'sign_in') = (user_sid is null)),
  constraint challenge__asked_in_a_session check ((user_sid is null) = (session_sid is null))
);
-- How often a node was written to of late, and which challenges a reply of it may be for.
create index challenge__node on challenge (node, created_at);
create index challenge__node_key on challenge (node_key) where ended_at is null;
create index challenge__expires on challenge (expires_at);
grant select, insert, update, delete on challenge to hero_onboarding_app;

-- The key by which a node was first proven. A /64 is too short a hash of a key to rule out for ever that somebody finds another key for it.
create table overlay_node (
  node       text not null,
  public_key text not null,
  proven_at  timestamptz not null,
  constraint overlay_node__pk primary key (node)
);
grant select, insert, delete on overlay_node to hero_onboarding_app;

-- Until now an address was whatever an operator wrote. From here on the subject of an identity is the node, and its label the address in
-- its one spelling. What is no address, or is a node that another identity already has, stays as it is and lets nobody in.
create function pg_temp.overlay_address(given text) returns inet language plpgsql as $$
begin
  return case when family(given::inet) = 6 and masklen(given::inet) = 128 and given::inet << inet '400::/7' then given::inet end;
exception when invalid_text_representation then
  return null;
end $$;
update identity as one set subject = network(set_masklen(pg_temp.overlay_address(subject), 64))::text,
                           label = host(pg_temp.overlay_address(subject))
  where kind = 'mycelium' and pg_temp.overlay_address(subject) is not null
    and not exists (
      select 1 from identity as other
      where other.kind = 'mycelium' and other.sid < one.sid
        and network(set_masklen(pg_temp.overlay_address(other.subject), 64)) = network(set_masklen(pg_temp.overlay_address(one.subject), 64))
    );
