import { assert } from '../../domain/assert.ts';
import { deriveIdem, fingerprintOf } from '../../domain/idem.ts';
import { liveAccount, wholeOf, type PostingRecord } from '../../domain/ledger/posting.ts';
import { formatDecimal, micros } from '../../domain/money.ts';
import { refuse, type Refusal } from '../../domain/refusal.ts';
import type { Tx } from '../../store/db.ts';
import { usableOf } from '../../store/grant.ts';
import { applyPostings, lockAhead } from '../../store/ledger.ts';
import { readPrice } from '../../store/price.ts';
import { closeUnbilled, oldestUnbilled, readUnbilled, walletsToBill, type UnbilledRow } from '../../store/unbilled.ts';
import { readUsageLines } from '../../store/usage-line.ts';
import { ownAuthor, recordAudit, type Author } from '../audit/record.ts';
import type { House } from '../house.ts';
import type { UsageAbout } from './usage-about.ts';
import { accountsOf, codesOf, costOf, differenceOf, movementOf, partsOf, quantityOf } from './correct-lines.ts';
import { countedPostingOf, volumeBy } from './count-volume.ts';
import { toUsageLine } from './usage-line.ts';

/** Billed in one commit. */
const STEP_RECORDS = 200;

export interface BilledStep {
  readonly records: number;
  /** What the wallet paid. */
  readonly amount: bigint;
  /** Whether another step may bill more. */
  readonly hasMore: boolean;
}

/**
 * Bills unbilled usage of one wallet as far as its funds go, oldest first, in the caller's transaction; or one item of it.
 *
 * What was declined stays declined under its own key: the posting has an identity made of it, so it is billed once.
 * Never below the wallet's floor, and not while it is frozen. Safe to: run again, concurrently.
 */
export async function billWallet(
  house: House,
  tx: Tx,
  asked: { readonly wallet: bigint; readonly walletSid: string; readonly item: string | null },
  author: Author,
): Promise<BilledStep | Refusal> {
  const account = liveAccount(asked.wallet, 'wallet');
  const locked = (await lockAhead(tx, [account])).get(account);
  assert(locked !== undefined, 'a wallet has an account');
  if (locked.isFrozen) return refuse('wallet_frozen', 'The wallet is frozen. Unbilled usage waits until it is not.');
  const open =
    asked.item === null
      ? await oldestUnbilled(tx, asked.wallet, STEP_RECORDS)
      : (await readUnbilled(tx, [asked.item])).filter(({ state }) => state === 'open');
  const accounts = await accountsOf(
    tx,
    open.map(({ about }) => JSON.parse(about) as UsageAbout),
  );
  let funds = locked.balance - locked.creditFloor + (await usableOf(tx, asked.wallet, house.ports.clock.now()));
  const records: PostingRecord[] = [];
  for (const row of open) {
    const record = await billOf(tx, row, accounts);
    funds -= record.volume === undefined ? mostOf(record) : wholeOf(partsOf(JSON.parse(row.about) as UsageAbout)) + 1n;
    if (funds < 0n) break;
    records.push(record);
  }
  if (asked.item !== null && open.length > 0 && records.length === 0)
    return refuse('insufficient_balance', 'The wallet does not hold what this would cost.');
  const now = house.ports.clock.now();
  const outcomes = await applyPostings(tx, records, { batch: house.ports.ids.batchId(), recordedAt: now });
  let amount = 0n;
  for (const outcome of outcomes) {
    assert(outcome.kind === 'applied', 'an open item is billed once, and the wallet holds enough');
    for (const entry of outcome.entries) amount -= entry.amount;
  }
  const billed = open.slice(0, records.length);
  await closeUnbilled(
    tx,
    billed.map(({ idem }) => ({ idem, outcome: 'billed', byIdem: billIdem(idem) })),
    { at: now, actor: author.actor.id, reason: null },
  );
  if (billed.length > 0) {
    const after = { records: billed.length, charged: formatDecimal(amount) };
    await recordAudit(tx, author, { action: 'usage.bill-unbilled', subject: asked.walletSid, after });
  }
  return { records: billed.length, amount, hasMore: records.length === STEP_RECORDS };
}

const billIdem = (idem: string): string => deriveIdem('usage.bill', idem);

/** What a record may take at most: the fractions that its wallet carries may come to one micro-dollar more. */
function mostOf({ legs, fraction }: PostingRecord): bigint {
  const taken = -(legs[0]?.amount ?? 0n);
  return fraction === undefined || fraction.parts === 0n ? taken : taken + 1n;
}

/** As it was declined, of its own day. A correction is counted from what stands of its line today. */
async function billOf(tx: Tx, row: UnbilledRow, accounts: ReadonlyMap<string, bigint>): Promise<PostingRecord> {
  const account = liveAccount(row.wallet, 'wallet');
  const about = JSON.parse(row.about) as UsageAbout;
  const identity = {
    idem: billIdem(row.idem),
    fingerprint: fingerprintOf([row.idem]),
    mayOverdraw: false,
    fromGiven: true as const,
  };
  if (about.volume !== undefined) return await countedBillOf(tx, row, about, accounts);
  if (about.corrects === undefined) {
    return {
      ...identity,
      kind: 'usage',
      ...movementOf(account, about, { parts: partsOf(about), cost: micros(costOf(about)) }, accounts),
      passesFreeze: false,
      occurredAt: row.occurredAt,
      about: JSON.stringify({ ...about, bills: row.idem }),
    };
  }
  const [corrected] = await readUsageLines(tx, [{ account, seq: BigInt(about.corrects) }]);
  assert(
    corrected !== undefined && about.now !== undefined,
    'an unbilled correction names a line, and what it comes to',
  );
  const line = toUsageLine(corrected);
  assert(line.now !== null, 'a void closes the unbilled corrections of its line');
  const { key, description = about.resource } = about;
  const facts = { key, description, why: 'true_up', bills: row.idem };
  return { ...identity, ...differenceOf(line, line.now, about.now, accounts, facts) };
}

/** Its volume is counted now. What that costs is decided under the counter's lock, and may be a little more than the funds looked for. */
async function countedBillOf(
  tx: Tx,
  row: UnbilledRow,
  about: UsageAbout,
  accounts: ReadonlyMap<string, bigint>,
): Promise<PostingRecord> {
  const price = about.price === undefined ? null : await readPrice(tx, about.price);
  const revenue = accounts.get(codesOf(about).revenue);
  assert(price !== null && revenue !== undefined, 'a counted record has its price and account');
  const counted = { wallet: row.wallet, occurredAt: row.occurredAt, quantity: quantityOf(about), chargeMax: null };
  return {
    idem: billIdem(row.idem),
    fingerprint: fingerprintOf([row.idem]),
    kind: 'usage',
    ...countedPostingOf(volumeBy(price, counted), { wallet: liveAccount(row.wallet, 'wallet'), revenue }),
    mayOverdraw: true,
    fromGiven: true,
    passesFreeze: false,
    occurredAt: row.occurredAt,
    about: JSON.stringify({ ...about, bills: row.idem }),
  };
}

const WALLETS_PER_STEP = 100;

/** Bills whatever wallets can pay by now. Safe to: run in several processes at once, and again after a crash. */
export async function billAll(house: House): Promise<{ readonly wallets: number; readonly records: number }> {
  const { db, ports } = house;
  let [wallets, records] = [0, 0];
  let after = 0n;
  for (;;) {
    const page = await walletsToBill(db, after, WALLETS_PER_STEP);
    for (const { wallet, walletSid } of page) {
      const billed = await billInSteps(house, { wallet, walletSid, item: null }, ownAuthor(house, 'usage.bill'));
      if ('kind' in billed) continue;
      wallets += billed.records > 0 ? 1 : 0;
      records += billed.records;
    }
    after = page.at(-1)?.wallet ?? after;
    if (page.length < WALLETS_PER_STEP) break;
  }
  if (records > 0) ports.log.info({ wallets, records }, 'unbilled usage was billed');
  return { wallets, records };
}

/** In as many commits as it takes. A refusal: before anything was billed. */
export async function billInSteps(
  house: House,
  asked: { readonly wallet: bigint; readonly walletSid: string; readonly item: string | null },
  author: Author,
): Promise<Omit<BilledStep, 'hasMore'> | Refusal> {
  let [records, amount] = [0, 0n];
  for (;;) {
    const step = await house.db.transaction('usage.bill', (tx) => billWallet(house, tx, asked, author));
    if ('kind' in step) return records === 0 ? step : { records, amount };
    records += step.records;
    amount += step.amount;
    if (!step.hasMore) return { records, amount };
  }
}
