import { assert } from '../../domain/assert.ts';
import { fingerprintOf } from '../../domain/idem.ts';
import {
  FRACTIONS_PER_MICRO,
  liveAccount,
  type AccountId,
  type Outcome,
  type PostingRecord,
} from '../../domain/ledger/posting.ts';
import { micros } from '../../domain/money.ts';
import { isRefusal, refuse, type InputError, type Refusal } from '../../domain/refusal.ts';
import type { Tx } from '../../store/db.ts';
import { listLadders } from '../../store/ladder.ts';
import { applyPostings, lockAhead } from '../../store/ledger.ts';
import type { NodeRow } from '../../store/node.ts';
import { listPricesFor } from '../../store/price.ts';
import { closeUnbilled, readUnbilled, supersedeUnbilled, type UnbilledRow } from '../../store/unbilled.ts';
import type { ChargedWallet } from '../../store/usage.ts';
import { findUsageEntries, readUsageLines } from '../../store/usage-line.ts';
import type { House } from '../house.ts';
import { budgetOf, overChargeMax, usageIdem, walletFor } from './charge-records.ts';
import type { UsageAbout } from './usage-about.ts';
import { accountsOf, differenceOf, movementOf } from './correct-lines.ts';
import { priceWith, rungOf, type Priced } from './price-again.ts';
import { returnOfLines } from './return-of-lines.ts';
import type { Rules } from './rules.ts';
import { tokenCostOf } from './token-cost.ts';
import { toUsageLine, type UsageLine } from './usage-line.ts';
import type { UsageInput } from './usage-record.ts';

/** A record that names the earlier one it corrects. */
export type TrueUpInput = UsageInput & { readonly corrects: string };

export const isTrueUp = (input: UsageInput): input is TrueUpInput => input.corrects !== undefined;

interface Reported {
  readonly node: NodeRow;
  readonly input: TrueUpInput;
  readonly wallet: ChargedWallet;
  readonly rules: Rules;
  readonly now: Date;
}

/**
 * Corrects an earlier record: posts the difference between the real figure and what stands, in a transaction of its own.
 *
 * What stands is read with the wallet locked, so two that correct one record come one after the other and the later one counts from what
 * the earlier left. What was not billed is replaced: then the whole is posted, and the first is never billed.
 * Safe to: run again, concurrently: its identity is the node and its own key, as of any record.
 */
export async function trueUp(
  house: House,
  { node, input, rules, now }: Omit<Reported, 'wallet'>,
): Promise<Outcome | Refusal> {
  const wallet = walletFor(input, { node, rules, now, occurredAt: new Date(input.occurred_at) });
  if (isRefusal(wallet)) return wallet;
  const reported = { node, input, wallet, rules, now };
  return await house.db.transaction('usage.true_up', async (tx) => {
    const account = liveAccount(wallet.wallet, 'wallet');
    await lockAhead(tx, [account], { budgets: [budgetOf(node, now)] });
    const idem = usageIdem(node.sid, input.idempotency_key);
    if (await isKnown(tx, idem)) return await post(house, tx, repetitionOf(reported, account));
    const first = await firstOf(tx, usageIdem(node.sid, input.corrects));
    if (isRefusal(first)) return first;
    // Read after it: it may have a price, or a ladder, that is newer than those of the report.
    const categories = [input.applies_to];
    const newest = {
      ...rules,
      prices: await listPricesFor(tx, categories),
      ladders: await listLadders(tx, categories),
    };
    return first.kind === 'line'
      ? await correctLine(house, tx, { ...reported, rules: newest }, first.line)
      : await replaceUnbilled(house, tx, { ...reported, rules: newest }, first.row);
  });
}

async function isKnown(tx: Tx, idem: string): Promise<boolean> {
  return (await findUsageEntries(tx, [idem])).length > 0 || (await readUnbilled(tx, [idem])).length > 0;
}

async function post(house: House, tx: Tx, record: PostingRecord): Promise<Outcome> {
  const stamp = { batch: house.ports.ids.batchId(), recordedAt: house.ports.clock.now() };
  const [outcome] = await applyPostings(tx, [record], stamp);
  assert(outcome !== undefined, 'a record has an outcome');
  return outcome;
}

/** Never written: the key is known, and the ledger answers with what it came to, or that it was another record's. */
function repetitionOf({ node, input, now }: Reported, account: AccountId): PostingRecord {
  const nobody = -1n;
  return {
    idem: usageIdem(node.sid, input.idempotency_key),
    fingerprint: fingerprintOf(input),
    kind: 'usage',
    legs: [
      { account, amount: micros(0n) },
      { account: nobody, amount: micros(0n) },
    ],
    fraction: { parts: 0n, payer: account, payee: nobody },
    mayOverdraw: false,
    passesFreeze: true,
    occurredAt: now,
    about: null,
  };
}

type First =
  | { readonly kind: 'line'; readonly line: UsageLine }
  | { readonly kind: 'unbilled'; readonly row: UnbilledRow };

/** The line that a key's record has come to, also by way of records that correct it; or the record where it is unbilled. */
async function firstOf(tx: Tx, named: string): Promise<First | Refusal> {
  let idem = named;
  for (;;) {
    const [entry] = await findUsageEntries(tx, [idem]);
    if (entry) {
      const about = JSON.parse(entry.about) as UsageAbout;
      return await lineAt(tx, entry.account, BigInt(about.corrects ?? about.voids ?? entry.seq));
    }
    const [row] = await readUnbilled(tx, [idem]);
    if (!row)
      return refuse('not_found', 'This node has sent no record with the key in `corrects`. Send that record first.');
    if (row.state === 'written_off')
      return refuse('state_conflict', 'The record was written off: nothing more is charged for it.');
    if (row.byIdem !== null) {
      idem = row.byIdem;
      continue;
    }
    const { corrects } = JSON.parse(row.about) as UsageAbout;
    if (corrects === undefined) return { kind: 'unbilled', row };
    return await lineAt(tx, liveAccount(row.wallet, 'wallet'), BigInt(corrects));
  }
}

async function lineAt(tx: Tx, account: AccountId, seq: bigint): Promise<First> {
  const [row] = await readUsageLines(tx, [{ account, seq }]);
  assert(row !== undefined, 'what corrects a line names a charge');
  return { kind: 'line', line: toUsageLine(row) };
}

async function correctLine(house: House, tx: Tx, reported: Reported, line: UsageLine): Promise<Outcome | Refusal> {
  const { node, input, wallet, now } = reported;
  if (line.now === null)
    return refuse('state_conflict', 'The record was taken back. Report the usage as a new record, without `corrects`.');
  const isOther = line.account !== liveAccount(wallet.wallet, 'wallet');
  const target = targetOf(reported, { before: line.now, occurredAt: line.occurredAt, isOtherWallet: isOther });
  if (isRefusal(target)) return target;
  const accounts = await accountsOf(tx, [line.about]);
  const description = `Corrected: ${input.description ?? line.about.description ?? line.about.resource}`;
  const facts = { key: input.idempotency_key, description, why: 'true_up' };
  const outcome = await post(house, tx, {
    ...chargedTo(house, reported),
    ...differenceOf(line, line.now, target.about, accounts, facts),
  });
  const [made] = outcome.kind === 'applied' ? outcome.entries : [];
  if (made) await returnOfLines(tx, house, [{ line, idem: usageIdem(node.sid, input.idempotency_key), made }]);
  if (outcome.kind === 'applied' || outcome.kind === 'declined') {
    const byIdem = usageIdem(node.sid, input.idempotency_key);
    await supersedeUnbilled(tx, [{ wallet: wallet.wallet, seq: line.seq, byIdem }], {
      at: now,
      actor: `node:${node.sid}`,
    });
  }
  return outcome;
}

async function replaceUnbilled(house: House, tx: Tx, reported: Reported, row: UnbilledRow): Promise<Outcome | Refusal> {
  const { node, input, wallet, now } = reported;
  const before = JSON.parse(row.about) as UsageAbout;
  const target = targetOf(reported, {
    before,
    occurredAt: row.occurredAt,
    isOtherWallet: row.wallet !== wallet.wallet,
  });
  if (isRefusal(target)) return target;
  const accounts = await accountsOf(tx, [target.about]);
  const outcome = await post(house, tx, {
    ...chargedTo(house, reported),
    kind: 'usage',
    ...movementOf(liveAccount(wallet.wallet, 'wallet'), target.about, target.charge, accounts),
    passesFreeze: true,
    occurredAt: row.occurredAt,
    about: JSON.stringify({ ...target.about, supersedes: before.key }),
  });
  if (outcome.kind === 'applied' || outcome.kind === 'declined') {
    const byIdem = usageIdem(node.sid, input.idempotency_key);
    const actor = `node:${node.sid}`;
    const closing = { at: now, actor, reason: null };
    await closeUnbilled(tx, [{ idem: row.idem, outcome: 'superseded', byIdem }], closing);
  }
  return outcome;
}

const chargedTo = (house: House, { node, input, now }: Reported) => ({
  idem: usageIdem(node.sid, input.idempotency_key),
  fingerprint: fingerprintOf(input),
  mayOverdraw: false,
  owedMax: micros(house.settings.usageOwedMax),
  fromGiven: true as const,
  budget: budgetOf(node, now),
});

interface FirstRecord {
  readonly before: UsageAbout;
  readonly occurredAt: Date;
  readonly isOtherWallet: boolean;
}

/** What the record comes to: at the price, and on the rung, that the first one stands with. */
function targetOf(
  { node, input, wallet, rules }: Reported,
  { before, occurredAt, isOtherWallet }: FirstRecord,
): Priced | Refusal {
  const price = rules.prices.find(({ sid }) => sid === before.price);
  const differs = (field: string): InputError => ({
    pointer: `#/${field}`,
    detail: 'must be as in the record it corrects',
  });
  const errors = [
    ...(isOtherWallet ? [differs('user_sid')] : []),
    ...(input.applies_to === before.category ? [] : [differs('applies_to')]),
    ...(input.resource_kind === before.resource ? [] : [differs('resource_kind')]),
    ...((input.unit ?? price?.unit) === before.unit ? [] : [differs('unit')]),
    ...(input.provider === before.provider ? [] : [differs('provider')]),
  ];
  if (errors.length > 0) return refuse('invalid_request', 'The record is not valid.', { errors });
  assert(price !== undefined, 'the price of a record of this category is among its prices');
  const tokenCost = tokenCostOf({ ...input, occurred_at: occurredAt.toISOString() }, price, rules.modelPrices);
  if (isRefusal(tokenCost)) return tokenCost;
  const priced = priceWith(input, {
    nodeSid: node.sid,
    wallet,
    price,
    rung: rungOf(rules.ladders, before),
    tokenCost,
  });
  if (isRefusal(priced)) return priced;
  return priced.charge.parts / FRACTIONS_PER_MICRO > node.recordMax ? overChargeMax(node.recordMax) : priced;
}
