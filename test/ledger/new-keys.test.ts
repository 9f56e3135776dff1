import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { assert } from '../../src/domain/assert.ts';
import type { Outcome, PostingRecord } from '../../src/domain/ledger/posting.ts';
import type { Refusal } from '../../src/domain/refusal.ts';
import { checkLedger } from '../../src/store/ledger-check.ts';
import { applyPostings, ensureSystemAccount } from '../../src/store/ledger.ts';
import { openPostingLanes, type PostingQueue } from '../../src/store/posting-lanes.ts';
import type { WalletRow } from '../../src/store/wallet.ts';
import { testDatabase, type TestDatabase } from '../support/database.ts';
import { fund, openWallets, posting } from '../support/ledger.ts';
import { testPorts } from '../support/ports.ts';

const ports = testPorts({ seed: 11 });

describe('keys that are taken for new', () => {
  let database: TestDatabase;
  let contra: bigint;
  let rich: WalletRow;
  let poor: WalletRow;

  beforeAll(async () => {
    database = await testDatabase();
    const [first, second] = await openWallets(database.db, ports, 2);
    assert(first !== undefined && second !== undefined, 'two wallets were opened');
    [rich, poor] = [first, second];
    contra = await database.db.transaction('test.contra', (tx) => ensureSystemAccount(tx, 'revenue:test', 'USD'));
    await fund(database.db, ports, rich, 1_000_000n);
  });
  afterAll(async () => {
    expect((await checkLedger(database.db)).isSound).toBe(true);
    await database.close();
  });

  /** Lanes that have seen nothing yet, so that they take every key for new. */
  const lanes = (): PostingQueue =>
    openPostingLanes(database.db, ports, { lanes: 1, batchRecordsMax: 100, queueMax: 1_000 });
  const debit = (wallet: WalletRow, key: string, amount = 1n): PostingRecord =>
    posting({ wallet, amount: -amount, key, contra });

  /** What a caller tells of an answer; the rest of an applied one is for the writing of the batch. */
  const facts = (answer: Outcome | Refusal): unknown =>
    answer.kind === 'applied'
      ? answer.entries.map(({ account, seq, amount, balanceAfter }) => ({ account, seq, amount, balanceAfter }))
      : answer;
  const firstOf = (answer: Outcome | Refusal | undefined): unknown =>
    answer?.kind === 'duplicate' ? facts(answer.first) : answer;

  it('an applied key answers as the first time, beside new keys of the same batch', async () => {
    const first = await lanes().post(debit(rich, 'applied'));
    const queue = lanes();
    const answers = await Promise.all(['new 1', 'applied', 'new 2'].map((key) => queue.post(debit(rich, key))));
    expect(answers.map((answer) => answer.kind)).toEqual(['applied', 'duplicate', 'applied']);
    expect(firstOf(answers[1])).toEqual(facts(first));
  });

  it('an applied key with another amount is refused', async () => {
    await lanes().post(debit(rich, 'reused'));
    expect(await lanes().post(debit(rich, 'reused', 2n))).toEqual({ kind: 'key_reused' });
  });

  it('a declined key stays declined after a top-up', async () => {
    const declined = await lanes().post(debit(poor, 'declined'));
    expect(declined).toMatchObject({ kind: 'declined', code: 'insufficient_balance' });
    await fund(database.db, ports, poor, 10n);
    expect(await lanes().post(debit(poor, 'declined'))).toEqual({ kind: 'duplicate', first: declined });
  });

  it('a repetition that the balance would not bear today answers as the first time', async () => {
    await fund(database.db, ports, poor, 5n);
    const first = await lanes().post(debit(poor, 'last', 5n));
    await lanes().post(debit(poor, 'rest', 10n));
    expect(firstOf(await lanes().post(debit(poor, 'last', 5n)))).toEqual(facts(first));
  });

  it('a caller that takes a known key for new, and would write it, is run again and not answered wrongly', async () => {
    const record = debit(poor, 'declined');
    await fund(database.db, ports, poor, 10n);
    const checks: string[] = [];
    const answer = await database.db.transaction('test.take_for_new', (tx) => {
      const check = checks.length === 0 ? 'take_for_new' : 'look_up';
      checks.push(check);
      return applyPostings(tx, [record], { batch: ports.ids.batchId(), recordedAt: ports.clock.now() }, check);
    });
    expect(checks).toEqual(['take_for_new', 'look_up']);
    expect(answer).toMatchObject([{ kind: 'duplicate', first: { kind: 'declined' } }]);
  });
});
