import { statement, type Tx } from './db.ts';

/** ignore: they are shown to whoever looks. report: an operator is told of those that stay open. */
export const GAP_POLICIES = ['ignore', 'report'] as const;

/** What a gap in the numbers of a category's records means. */
export interface GapPolicyRow {
  readonly category: string;
  readonly policy: (typeof GAP_POLICIES)[number];
  /** How old a gap must be to be spoken of. */
  readonly graceSeconds: number;
  readonly setAt: Date;
}

interface GapPolicyRecord extends Record<string, unknown> {
  category: string;
  policy: GapPolicyRow['policy'];
  grace_seconds: number;
  set_at: Date;
}

const fromRow = (row: GapPolicyRecord): GapPolicyRow => ({
  category: row.category,
  policy: row.policy,
  graceSeconds: row.grace_seconds,
  setAt: row.set_at,
});

const setStatement = statement(
  'gap_policy.set',
  `insert into gap_policy (category, policy, grace_seconds, set_at, set_by) values ($1, $2, $3, $4, $5)
   on conflict (category) do update
   set policy = excluded.policy, grace_seconds = excluded.grace_seconds, set_at = excluded.set_at, set_by = excluded.set_by`,
);

export async function setGapPolicy(tx: Tx, policy: GapPolicyRow, setBy: string): Promise<void> {
  await tx.query(setStatement, [policy.category, policy.policy, policy.graceSeconds, policy.setAt, setBy]);
}

const listStatement = statement(
  'gap_policy.list',
  `select category, policy, grace_seconds, set_at from gap_policy order by category`,
);

/** By category; those that were never set ignore gaps and are not here. */
export async function listGapPolicies(tx: Tx): Promise<GapPolicyRow[]> {
  return (await tx.query<GapPolicyRecord>(listStatement)).map(fromRow);
}

/** Numbers that are missing for longer than the grace of a category that reports. */
export interface OverdueRow {
  readonly nodeSid: string;
  readonly nodeName: string;
  readonly category: string;
  readonly missing: bigint;
  /** Since when the oldest gap is known. */
  readonly since: Date;
}

interface OverdueRecord extends Record<string, unknown> {
  node_sid: string;
  node_name: string;
  category: string;
  missing: bigint;
  since: Date;
}

const tellStatement = statement(
  'gap_policy.tell',
  // Told once: again only when another gap has outlived its grace since, or a day has passed. The row is written by the one that tells.
  `update usage_sequence as kept set told_at = $1
   from gap_policy as policy, node
   where policy.category = kept.category and policy.policy = 'report' and node.id = kept.node and node.revoked_at is null
     and exists (
       select from unnest(kept.jumped_at) as jumped_at
       where jumped_at + make_interval(secs => policy.grace_seconds) <= $1
         and (kept.told_at is null or jumped_at + make_interval(secs => policy.grace_seconds) > kept.told_at or kept.told_at <= $1 - interval '1 day')
     )
   returning node.sid as node_sid, node.name as node_name, kept.category, kept.jumped_at[1] as since,
             (select sum(upper(gap) - lower(gap)) from unnest(int8multirange(int8range(1, upper(kept.seen))) - kept.seen) as gap)::int8 as missing`,
);

/** The streams of which an operator has to be told now; each is answered to one caller. */
export async function tellOverdue(tx: Tx, now: Date): Promise<OverdueRow[]> {
  const rows = await tx.query<OverdueRecord>(tellStatement, [now]);
  return rows.map(({ node_sid: nodeSid, node_name: nodeName, ...row }) => ({ nodeSid, nodeName, ...row }));
}

const countStatement = statement(
  'gap_policy.count_overdue',
  `select kept.category, sum(upper(gap) - lower(gap))::int8 as missing
   from usage_sequence as kept
   join gap_policy as policy on policy.category = kept.category and policy.policy = 'report'
   join node on node.id = kept.node and node.revoked_at is null,
   unnest(int8multirange(int8range(1, upper(kept.seen))) - kept.seen) as gap
   where kept.jumped_to <> '{}' and kept.jumped_at[1] + make_interval(secs => policy.grace_seconds) <= $1 group by kept.category`,
);

/** For metrics: how many numbers are missing in streams with an overdue gap, by category; those that miss none are not here. */
export async function countOverdue(
  tx: Tx,
  now: Date,
): Promise<{ readonly category: string; readonly missing: bigint }[]> {
  return await tx.query<{ category: string; missing: bigint }>(countStatement, [now]);
}
