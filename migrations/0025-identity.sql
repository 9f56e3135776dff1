-- Identity: how people show who they are, what operators may do, and sessions that can be listed, ended one by one and asked to prove
-- themselves again. See docs/decisions/D-18-two-identities.md.
-- Locks: app_user and session are locked exclusively for a moment. Breaking: yes; a server of an older version cannot sign anybody in, and
-- everybody who is signed in has to do it again.

-- Who somebody is, as somebody else vouches for it: (issuer, subject) and nothing else. Names and addresses of mail change hands.
create table identity (
  sid          text not null,
  user_sid     text not null,
  kind         text not null,
  -- Of an OpenID provider its issuer without a slash at the end; 'forge' until somebody whose forge_id an operator wrote down first comes;
  -- 'mycelium' and 'sandbox' for those.
  issuer       text not null,
  -- The provider's number of the user, or the overlay address in its shortest form.
  subject      text not null,
  -- What its owner knows it by. Nothing follows from it.
  label        text not null,
  -- The operator role that the provider's claims gave at the last sign-in; null: none.
  claimed_role text,
  linked_at    timestamptz not null,
  last_used_at timestamptz,
  constraint identity__pk primary key (sid),
  constraint identity__one_owner unique (issuer, subject),
  constraint identity__kind_is_known check (kind in ('forge', 'oidc', 'mycelium', 'sandbox')),
  constraint identity__claimed_role_is_known check (claimed_role in ('support', 'finance', 'auditor', 'admin')),
  -- Looked at when the transaction commits: a new user comes after the identities that may turn out to be taken.
  constraint identity__belongs_to_a_user foreign key (user_sid) references app_user (sid) deferrable initially deferred
);
create index identity__user on identity (user_sid, sid);
grant select, insert, update, delete on identity to hero_onboarding_app;

-- Its sid is the user's with the last character told apart: nobody has seen one yet, and they need only be unique.
insert into identity (sid, user_sid, kind, issuer, subject, label, linked_at)
  select left(sid, 25) || 'F', sid, case when forge_id like 'sandbox:%' then 'sandbox' else 'forge' end,
         case when forge_id like 'sandbox:%' then 'sandbox' else 'forge' end,
         case when forge_id like 'sandbox:%' then substr(forge_id, 9) else forge_id end,
         case when forge_id like 'sandbox:%' then substr(forge_id, 9) else forge_id end, created_at
  from app_user where forge_id is not null;
insert into identity (sid, user_sid, kind, issuer, subject, label, linked_at)
  select left(sid, 25) || 'M', sid, 'mycelium', 'mycelium', mycelium_address, mycelium_address, created_at
  from app_user where mycelium_address is not null;
alter table app_user drop constraint app_user__one_per_forge_id, drop constraint app_user__one_per_mycelium_address;
alter table app_user drop column forge_id, drop column mycelium_address;

-- Somebody who may not come in any more; their sessions and keys are worth nothing from that moment on.
alter table app_user add column disabled_at timestamptz;

-- What an admin made of a user. Who is not here may still be an operator by the configuration or by a claim.
create table operator_role (
  user_sid   text not null,
  role       text not null,
  granted_by text not null,
  granted_at timestamptz not null,
  constraint operator_role__pk primary key (user_sid),
  constraint operator_role__role_is_known check (role in ('support', 'finance', 'auditor', 'admin')),
  constraint operator_role__belongs_to_a_user foreign key (user_sid) references app_user (sid)
);
grant select, insert, update, delete on operator_role to hero_onboarding_app;

alter table session drop constraint session__role_is_known, drop constraint session__user_has_a_sid;
drop table session;
create table session (
  sid        text not null,
  -- SHA-256 of the token; the token itself is nowhere.
  token_hash bytea not null,
  -- Null for whoever signed in with the admin secret, or as the sandbox's operator.
  user_sid   text,
  -- With which identity; null together with user_sid.
  identity_sid text,
  -- The admin secret's id, or 'sandbox'; null for a user.
  secret_id  text,
  created_at timestamptz not null,
  -- When they last showed who they are: at the sign-in, or later, because something asked for it.
  proven_at  timestamptz not null,
  -- To the minute.
  seen_at    timestamptz not null,
  expires_at timestamptz not null,
  revoked_at timestamptz,
  -- Where it was opened from and with what, as its owner and a dispute's evidence show it.
  address    text,
  agent      text,
  constraint session__pk primary key (token_hash),
  constraint session__one_per_sid unique (sid),
  constraint session__has_one_holder check ((user_sid is null) <> (secret_id is null)),
  constraint session__belongs_to_a_user foreign key (user_sid) references app_user (sid)
);
create index session__user on session (user_sid, created_at) where user_sid is not null;
grant select, insert, update, delete on session to hero_onboarding_app;
