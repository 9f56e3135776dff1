-- Sign-in attempts that were used. An attempt itself is with the browser that began it, sealed; here is only that its answer has come, so
-- that it cannot come twice. Rows are deleted when the attempt would be over anyway.
-- Locks: none on what is there. Breaking: no.
create table sign_in_attempt (
  -- SHA-256 of the attempt's state.
  state_hash bytea not null,
  expires_at timestamptz not null,
  constraint sign_in_attempt__pk primary key (state_hash)
);
create index sign_in_attempt__expires on sign_in_attempt (expires_at);
grant select, insert, delete on sign_in_attempt to hero_onboarding_app;
