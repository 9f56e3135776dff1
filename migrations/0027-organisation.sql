-- Organisations: a wallet that several people share, each in a role, some with a cap on what they spend of it in a month.
-- See docs/decisions/organisations.md.
-- Locks: app_user is locked exclusively for a moment; no row is rewritten. Breaking: no.

-- An organisation is a user that nobody can sign in as: so its wallet, payments, receipts and usage are like everybody's.
alter table app_user add column kind text not null default 'person';
alter table app_user add constraint app_user__kind_is_known check (kind in ('person', 'organisation'));
create index app_user__organisation on app_user (sid) where kind = 'organisation';

create table membership (
  -- What was spent under a cap is counted under minus this number in posting_budget: nodes have the numbers above zero.
  id               bigint generated always as identity,
  organisation_sid text not null,
  user_sid         text not null,
  role             text not null,
  -- Micro-dollars that a member may spend in a UTC month; null: no limit.
  monthly_cap      bigint,
  joined_at        timestamptz not null,
  -- Kept after the end: whoever comes back goes on with the month's spending where it was.
  left_at          timestamptz,
  constraint membership__pk primary key (organisation_sid, user_sid),
  constraint membership__one_per_id unique (id),
  constraint membership__role_is_known check (role in ('viewer', 'member', 'owner')),
  constraint membership__cap_is_of_members check (monthly_cap is null or (role = 'member' and monthly_cap >= 0)),
  constraint membership__is_in_an_organisation foreign key (organisation_sid) references app_user (sid),
  constraint membership__belongs_to_a_user foreign key (user_sid) references app_user (sid)
);
create index membership__user on membership (user_sid, organisation_sid) where left_at is null;
grant select, insert, update on membership to hero_onboarding_app;

create table invitation (
  sid              text not null,
  organisation_sid text not null,
  -- SHA-256 of the token; the token itself is nowhere.
  token_hash       bytea not null,
  role             text not null,
  monthly_cap      bigint,
  -- Where it was mailed to, for whoever reads the list; nothing follows from it. Null: it was not mailed.
  email            text,
  invited_by       text not null,
  created_at       timestamptz not null,
  expires_at       timestamptz not null,
  -- accepted, declined, revoked; null: nobody has answered it yet.
  outcome          text,
  ended_by         text,
  ended_at         timestamptz,
  constraint invitation__pk primary key (sid),
  constraint invitation__one_per_token unique (token_hash),
  constraint invitation__role_is_known check (role in ('viewer', 'member')),
  constraint invitation__cap_is_of_members check (monthly_cap is null or (role = 'member' and monthly_cap >= 0)),
  constraint invitation__outcome_is_known check (outcome in ('accepted', 'declined', 'revoked')),
  constraint invitation__ends_once check ((outcome is null) = (ended_at is null)),
  constraint invitation__is_to_an_organisation foreign key (organisation_sid) references app_user (sid)
);
create index invitation__organisation on invitation (organisation_sid, sid);
grant select, insert, update, delete on invitation to hero_onboarding_app;
