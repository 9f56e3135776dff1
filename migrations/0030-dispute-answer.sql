-- What operators answer to disputes through us: the intent is here before the provider is asked. See docs/decisions/disputes.md.
-- Locks: dispute is locked against writing for a moment, for the foreign key. Breaking: no.

create table dispute_answer (
  -- The provider's key, for ever.
  sid         text not null,
  dispute_sid text not null,
  kind        text not null,
  -- requested: on its way, and asked for again until the provider has it · sent: the provider has it · refused: it will not take it.
  state       text not null,
  -- The operator's own words: why the loss is accepted, or what the bank shall know.
  reason      text not null,
  -- What is handed in, as it was gathered: the same question every time. Null: the loss is accepted.
  evidence    jsonb,
  -- Why it was refused, or has no answer so far; null: nothing to say.
  detail      text,
  created_by  text not null,
  created_at  timestamptz not null,
  updated_at  timestamptz not null,
  constraint dispute_answer__pk primary key (sid),
  constraint dispute_answer__kind_is_known check (kind in ('accept', 'evidence')),
  constraint dispute_answer__state_is_known check (state in ('requested', 'sent', 'refused')),
  constraint dispute_answer__evidence_is_handed_in check ((kind = 'evidence') = (evidence is not null)),
  constraint dispute_answer__belongs_to_a_dispute foreign key (dispute_sid) references dispute (sid)
);
create index dispute_answer__of_a_dispute on dispute_answer (dispute_sid, sid);
create unique index dispute_answer__one_under_way on dispute_answer (dispute_sid) where state = 'requested';
create index dispute_answer__requested on dispute_answer (sid) where state = 'requested';
grant select, insert, update on dispute_answer to hero_onboarding_app;
