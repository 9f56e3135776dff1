import { describe, type History } from './history.ts';
import type { LineJudge } from './judge-lines.ts';
import type { UnbilledJudge } from './judge-unbilled.ts';
import type { Break } from './ledger-model.ts';
import type { Mark } from './marks.ts';
import { nameOf, recordsOf } from './sent-usage.ts';

export interface ForgeJudgeOptions {
  readonly history: History;
  readonly lines: LineJudge;
  readonly unbilled: UnbilledJudge;
  readonly rows: <R>(text: string) => Promise<R[]>;
  readonly breaks: Break;
  readonly mark: (mark: Mark) => void;
}

/** A record that is set aside is so for a reason that lies in it, or in the clock of the process that read it. */
const REASONS = new Set(['ahead', 'forbidden', 'state_conflict', 'amount_out_of_range', 'idempotency_key_reused']);

/** What a node was told is queued is charged in the end, once, or set aside with the reason. */
export async function judgeForge({ history, lines, unbilled, rows, breaks, mark }: ForgeJudgeOptions): Promise<void> {
  const nodes = await rows<{ sid: string; name: string }>('select sid, name from node order by id');
  // What one may charge in an hour, it may not have charged yet.
  const unbounded = new Set(nodes.flatMap(({ sid, name }) => (name === 'bounded' ? [] : sid)));
  const aside = await rows<{ sid: string; key: string; code: string }>(
    `select node.sid, idempotency_key as key, case when reason like '%ahead of%' then 'ahead' else code end as code from usage_quarantine
     join node on node.id = usage_quarantine.node where idempotency_key is not null order by 1, 2`,
  );
  const codes = new Map(aside.map(({ sid, key, code }) => [nameOf(sid, key), code]));
  for (const intent of history.intents) {
    if (intent.operation !== 'usage.queue' || !unbounded.has(intent.nodeSid ?? '')) continue;
    const answered = intent.attempts.find(({ status }) => status === 200);
    if (!answered || answered.body === null) continue;
    const { items } = JSON.parse(answered.body) as { items: { outcome: string; message: string | null }[] };
    for (const [index, record] of recordsOf(intent).entries()) {
      const name = nameOf(intent.nodeSid, record.idempotency_key);
      const item = items[index];
      if (item?.outcome !== 'queued') {
        // By a clock that is behind.
        if (item?.message?.includes('ahead of now') !== true)
          breaks('what is in order is queued', `${name}: ${describe(intent)}`);
        continue;
      }
      if (lines.charged.has(name) || unbilled.has(name)) mark('queued usage is charged');
      else if (REASONS.has(codes.get(name) ?? '')) mark('queued usage is set aside');
      else breaks('what was queued is charged', `${name}: ${codes.get(name) ?? 'nothing came of it'}`);
    }
  }
}
