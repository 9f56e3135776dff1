-- The numbers that nodes give their records: which have come, so that it is known which have not.
-- Locks: none that matter (new tables only). Breaking: no.

-- One stream of numbers for each node and category, 1, 2, 3 …
create table usage_sequence (
  node      bigint not null,
  category  text not null,
  -- The numbers that have come, merged: of a stream without gaps one range.
  seen      int8multirange not null,
  -- The last number whenever numbers were left out, rising, and when that was: since when each gap is known. Only those whose gaps
  -- are still open.
  jumped_to int8[] not null,
  jumped_at timestamptz[] not null,
  -- How many new records came with a number that had come before: the node has begun to count anew.
  reused    bigint not null,
  -- How many numbers are not waited for any more: an operator gave them up, or there were too many gaps.
  given_up  bigint not null,
  -- When the tick last told of a gap; null: never.
  told_at   timestamptz,
  constraint usage_sequence__pk primary key (node, category),
  constraint usage_sequence__each_jump_has_its_instant check (cardinality(jumped_to) = cardinality(jumped_at)),
  constraint usage_sequence__counts_are_not_negative check (reused >= 0 and given_up >= 0)
);
create index usage_sequence__gapped on usage_sequence (node, category) where jumped_to <> '{}';

-- What a gap means, by category. A category without a row ignores them.
create table gap_policy (
  category      text not null,
  policy        text not null,
  -- A gap younger than that is not spoken of: records overtake each other.
  grace_seconds integer not null,
  set_at        timestamptz not null,
  set_by        text not null,
  constraint gap_policy__pk primary key (category),
  constraint gap_policy__policy_is_known check (policy in ('ignore', 'report')),
  constraint gap_policy__grace_is_not_negative check (grace_seconds >= 0)
);

grant select, insert, update on usage_sequence, gap_policy to hero_onboarding_app;
