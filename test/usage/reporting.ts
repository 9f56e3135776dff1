import { expect } from 'vitest';
import { buildHttp } from '../../src/http/app.ts';
import type { App } from '../../src/http/context.ts';
import { checkLedger } from '../../src/store/ledger-check.ts';
import { openPostingLanes, type PostingQueue } from '../../src/store/posting-lanes.ts';
import { ADMIN_SECRET, answerOf, type Answer, type TestSite } from '../transport/site.ts';

export const HOUR_MS = 3_600_000;
export type Node = Awaited<ReturnType<TestSite['node']>>;

export interface Reporting {
  /** An hour of Hero OS, now, unless said otherwise; each with a key of its own. */
  usage(userSid: string, more?: Record<string, unknown>): Record<string, unknown>;
  report(node: Node, records: readonly unknown[]): Promise<Answer>;
}

/** How tests report usage to a site. */
export function reporting(site: TestSite): Reporting {
  let keys = 0;
  return {
    usage: (userSid, more = {}) => ({
      idempotency_key: `key-${(keys += 1)}`,
      user_sid: userSid,
      applies_to: 'hero_os_hourly',
      resource_kind: 'small',
      quantity: '1',
      occurred_at: site.ports.clock.now().toISOString(),
      ...more,
    }),
    report: (node, records) => site.call('POST', '/v1/usage', { body: { records }, headers: node.headers }),
  };
}

export const itemsOf = ({ json }: Answer): Record<string, unknown>[] => json['items'] as Record<string, unknown>[];

/** The code of each record that has one, and what became of the others. */
export const outcomesOf = (answer: Answer): unknown[] => itemsOf(answer).map(({ outcome, code }) => code ?? outcome);

/** Another process on the site's database: its own connections, lanes and counters. Close its lanes before the site. */
export interface OtherProcess {
  readonly app: App;
  readonly lanes: PostingQueue;
}

export function openProcess(site: TestSite, queueMax = 10_000, url = site.database.url): OtherProcess {
  const db = site.database.open({ url });
  const lanes = openPostingLanes(db, site.ports, { lanes: 2, batchRecordsMax: 1_000, queueMax });
  const options = { adminSecrets: [{ id: 'adm_1', secret: ADMIN_SECRET }], ping: () => Promise.resolve() };
  return { app: buildHttp({ ...site.house, db, lanes }, options), lanes };
}

export const post = async (app: App, path: string, body: unknown, headers: Record<string, string>): Promise<Answer> =>
  answerOf(
    await app.request(path, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json', ...headers },
    }),
  );

/** Recomputes the ledger, then closes: whatever the tests did, every promise of it holds. */
export async function closeSound(site: TestSite): Promise<void> {
  const { results } = await checkLedger(site.database.owner);
  expect(results.filter(({ rows }) => rows.length > 0)).toEqual([]);
  await site.close();
}
