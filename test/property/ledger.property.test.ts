import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Outcome, PostingRecord } from '../../src/domain/ledger/posting.ts';
import { liveAccount } from '../../src/domain/ledger/posting.ts';
import { micros } from '../../src/domain/money.ts';
import { statement } from '../../src/store/db.ts';
import { checkLedger } from '../../src/store/ledger-check.ts';
import { ensureSystemAccount } from '../../src/store/ledger.ts';
import type { WalletRow } from '../../src/store/wallet.ts';
import { testDatabase, type TestDatabase } from '../support/database.ts';
import { openWallets, post, posting } from '../support/ledger.ts';
import { testPorts } from '../support/ports.ts';
import { propertySeed } from '../support/property-seed.ts';

const WALLETS = 4;
const ports = testPorts({ seed: 1 });
const balancesStatement = statement('test.balances', `select id, balance from account order by id`);
const fingerprintStatement = statement(
  'test.ledger_fingerprint',
  `select (select md5(string_agg(entry::text, ',' order by account, seq)) from entry) as entries,
          (select md5(string_agg(account::text, ',' order by id)) from account) as accounts`,
);

/** What a caller may ask for: amounts around the edges, keys that repeat, one transfer between wallets in four. */
const command = fc.record({
  from: fc.nat(WALLETS - 1),
  to: fc.option(fc.nat(WALLETS - 1)),
  amount: fc.oneof(fc.bigInt(-500n, 500n), fc.bigInt(-(2n ** 40n), 2n ** 40n)).filter((amount) => amount !== 0n),
  key: fc.nat(60),
  mayOverdraw: fc.boolean(),
});
type Command = { from: number; to: number | null; amount: bigint; key: number; mayOverdraw: boolean };

/** The plainest possible ledger: a map of balances and a map of first answers. It shares no code with ours. */
class Model {
  readonly balances = new Map<number, bigint>();
  readonly #answers = new Map<number, { body: string; answer: string }>();

  apply({ from, to, amount, key, mayOverdraw }: Command): string {
    const body = JSON.stringify([from, to, `${amount}`]);
    const first = this.#answers.get(key);
    if (first) return first.body === body ? first.answer : 'key_reused';
    const answer = this.#move(from, to === from ? null : to, amount, mayOverdraw);
    this.#answers.set(key, { body, answer });
    return answer;
  }

  #move(from: number, to: number | null, amount: bigint, mayOverdraw: boolean): string {
    const changes: [number, bigint][] =
      to === null
        ? [[from, amount]]
        : [
            [from, amount],
            [to, -amount],
          ];
    const isRefused = changes.some(([wallet, change]) => change < 0n && this.#of(wallet) + change < 0n);
    if (isRefused && !mayOverdraw) return 'insufficient_balance';
    for (const [wallet, change] of changes) this.balances.set(wallet, this.#of(wallet) + change);
    return 'applied';
  }

  #of(wallet: number): bigint {
    return this.balances.get(wallet) ?? 0n;
  }
}

describe('ledger', () => {
  const seed = propertySeed('ledger');
  let database: TestDatabase;
  let contra: bigint;

  beforeAll(async () => {
    database = await testDatabase();
    contra = await ensureSystemAccount(database.db, 'equity:adjustment', 'USD');
  });
  afterAll(() => database.close());

  const toRecord = (wallets: readonly WalletRow[], run: string, asked: Command): PostingRecord => {
    const wallet = wallets[asked.from];
    const other = asked.to === null || asked.to === asked.from ? undefined : wallets[asked.to];
    if (!wallet) throw new Error('no such wallet');
    const { amount, mayOverdraw } = asked;
    const record = posting({ wallet, amount, key: `${run}:${asked.key}`, contra, mayOverdraw });
    if (!other) return { ...record, fingerprint: fingerprint(asked) };
    const legs = [
      { account: liveAccount(wallet.id, 'wallet'), amount: micros(amount) },
      { account: liveAccount(other.id, 'wallet'), amount: micros(-amount) },
    ];
    return { ...record, legs, fingerprint: fingerprint(asked) };
  };

  it('any postings in any batches give what the plainest ledger gives, and a replay changes nothing', async () => {
    let run = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(command, { minLength: 1, maxLength: 40 }), { maxLength: 6 }),
        async (batches) => {
          run += 1;
          const wallets = await openWallets(database.db, ports, WALLETS);
          const model = new Model();
          const answers: string[] = [];
          for (const batch of batches) {
            const records = batch.map((asked) => toRecord(wallets, `${run}`, asked));
            const outcomes = await database.db.transaction('test.post', (tx) => post(tx, ports, records));
            answers.push(...outcomes.map(answerOf));
            expect(outcomes.map(answerOf)).toEqual(batch.map((asked) => model.apply(asked)));
          }
          const before = await database.db.query(fingerprintStatement);
          const all = batches.flat();
          if (all.length > 0) {
            const records = all.map((asked) => toRecord(wallets, `${run}`, asked));
            const again = await database.db.transaction('test.replay', (tx) => post(tx, ports, records));
            expect(again.map(answerOf)).toEqual(answers);
            expect(again.every(({ kind }) => kind === 'duplicate' || kind === 'key_reused')).toBe(true);
          }
          expect(await database.db.query(fingerprintStatement)).toEqual(before);
          const rows = await database.db.query<{ id: bigint; balance: bigint }>(balancesStatement);
          const balances = new Map(rows.map((row) => [row.id, row.balance]));
          for (const [index, wallet] of wallets.entries()) {
            expect(balances.get(liveAccount(wallet.id, 'wallet'))).toBe(model.balances.get(index) ?? 0n);
          }
        },
      ),
      { seed, numRuns: 60 },
    );
    const report = await checkLedger(database.db);
    expect(report.results.filter((result) => result.rows.length > 0)).toEqual([]);
    expect(report.entries > 0n).toBe(true);
  }, 120_000);
});

const fingerprint = ({ from, to, amount }: Command): string => {
  const hex = Buffer.from(JSON.stringify([from, to, `${amount}`]))
    .toString('hex')
    .padEnd(64, '0');
  const digest = [...hex].reduce((hash, digit) => (hash * 31n + BigInt(`0x${digit}`)) % 2n ** 127n, 7n);
  const text = digest.toString(16).padStart(32, '0');
  return `${text.slice(0, 8)}-${text.slice(8, 12)}-${text.slice(12, 16)}-${text.slice(16, 20)}-${text.slice(20)}`;
};

function answerOf(outcome: Outcome): string {
  if (outcome.kind === 'duplicate') return answerOf(outcome.first);
  return outcome.kind === 'declined' ? outcome.code : outcome.kind;
}
