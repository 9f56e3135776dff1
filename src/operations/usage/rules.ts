import { assert } from '../../domain/assert.ts';
import type { Ladder } from '../../domain/discount/ladder.ts';
import type { Price } from '../../domain/usage/price.ts';
import type { ModelPrice } from '../../domain/usage/model-price.ts';
import type { Tx } from '../../store/db.ts';
import { listLadders } from '../../store/ladder.ts';
import { ensureSystemAccount } from '../../store/ledger.ts';
import { listModelPricesFor } from '../../store/model-price.ts';
import { listPricesFor } from '../../store/price.ts';
import { SharedStatement } from '../../store/shared-statement.ts';
import {
  findSystemAccounts,
  findWallets,
  readChargedWallets,
  type ChargedWallet,
  type WalletIdentity,
} from '../../store/usage.ts';
import type { House } from '../house.ts';
import { RulePages } from './rule-book.ts';

/** Everything that charging some records needs to know, read once for all of them. */
export interface Rules {
  readonly prices: readonly Price[];
  /** Of the models whose tokens are to be priced. */
  readonly modelPrices: readonly ModelPrice[];
  readonly ladders: readonly Ladder[];
  /** By the user's sid; of users that other reports asked for as well. */
  readonly wallets: ReadonlyMap<string, ChargedWallet>;
}

/** What is read for all reports that come at the same moment. */
interface Reads {
  readonly wallets: SharedStatement<string, ChargedWallet>;
  /** The newest edition of the rule book that a look at wallets has seen. */
  edition: bigint;
  readonly prices: RulePages<Price>;
  readonly ladders: RulePages<Ladder>;
  readonly modelPrices: RulePages<ModelPrice>;
  /** The ids of system accounts by code: an account that was opened keeps its id for ever. */
  readonly accounts: Map<string, bigint>;
}

const readsOf = new WeakMap<House, Reads>();

function readsIn(house: House): Reads {
  const known = readsOf.get(house);
  if (known) return known;
  const { db, ports } = house;
  const shared = <V>(read: (keys: readonly string[]) => Promise<ReadonlyMap<string, V>>): SharedStatement<string, V> =>
    new SharedStatement(ports.clock, read);
  const identities = new Map<string, WalletIdentity>();
  const reads: Reads = {
    wallets: shared(async (userSids) => {
      const { wallets, edition } = await readChargedWallets(db, await identitiesOf(db, identities, userSids));
      if (edition > reads.edition) reads.edition = edition;
      return new Map(wallets.map((wallet) => [wallet.userSid, wallet]));
    }),
    edition: 0n,
    prices: new RulePages(
      shared(async (categories) => Map.groupBy(await listPricesFor(db, categories), ({ category }) => category)),
    ),
    ladders: new RulePages(
      shared(async (categories) => Map.groupBy(await listLadders(db, categories), ({ category }) => category)),
    ),
    modelPrices: new RulePages(
      shared(async (models) => Map.groupBy(await listModelPricesFor(db, models), ({ model }) => model)),
    ),
    accounts: new Map(),
  };
  readsOf.set(house, reads);
  return reads;
}

/** Wallets whose identity is remembered: some 20 MB. */
const IDENTITIES_MAX = 100_000;

/** The wallets of those users that there are. Who was looked up before is remembered: what a wallet is, it is for ever. */
async function identitiesOf(
  tx: Tx,
  known: Map<string, WalletIdentity>,
  userSids: readonly string[],
): Promise<WalletIdentity[]> {
  const missing = userSids.filter((userSid) => !known.has(userSid));
  if (missing.length === 0) return userSids.flatMap((userSid) => known.get(userSid) ?? []);
  const found = new Map((await findWallets(tx, missing)).map((wallet) => [wallet.userSid, wallet]));
  const wallets = userSids.flatMap((userSid) => known.get(userSid) ?? found.get(userSid) ?? []);
  // By the text that the database sent: the one that was asked by may be a part of a whole report, and would keep it.
  for (const [userSid, wallet] of found) known.set(userSid, wallet);
  for (const userSid of known.keys()) {
    if (known.size <= IDENTITIES_MAX) break;
    known.delete(userSid);
  }
  return wallets;
}

/** As they are now, or were committed while we asked. Not for decisions that need a lock: those are the ledger's. */
export async function readRules(
  house: House,
  about: {
    readonly userSids: readonly string[];
    readonly categories: readonly string[];
    /** Models whose tokens the table prices; mostly none, and then it is not asked. */
    readonly models: readonly string[];
  },
): Promise<Rules> {
  const reads = readsIn(house);
  const wallets = await reads.wallets.ask(about.userSids);
  // Behind the wallets: with them came the edition of the rules.
  const { edition } = reads;
  const [prices, ladders, modelPrices] = await Promise.all([
    reads.prices.find(about.categories, edition),
    reads.ladders.find(about.categories, edition),
    reads.modelPrices.find(about.models, edition),
  ]);
  return { prices, modelPrices, ladders, wallets };
}

/** As {@link systemAccounts}, outside of any transaction: what is known by then is committed, and need not be read again. */
export async function knownAccounts(
  house: House,
  codes: readonly string[],
  currency: string,
): Promise<ReadonlyMap<string, bigint>> {
  const { accounts } = readsIn(house);
  const missing = codes.filter((code) => !accounts.has(`${currency} ${code}`));
  if (missing.length > 0) {
    const found = await systemAccounts(house.db, missing, currency);
    for (const [code, id] of found) accounts.set(`${currency} ${code}`, id);
  }
  return new Map(
    codes.map((code) => {
      const id = accounts.get(`${currency} ${code}`);
      assert(id !== undefined, 'an account that was missing was opened');
      return [code, id];
    }),
  );
}

/** The ids of system accounts by code, opened where they are new. */
export async function systemAccounts(tx: Tx, codes: readonly string[], currency: string): Promise<Map<string, bigint>> {
  const found = await findSystemAccounts(tx, codes, currency);
  for (const code of codes) {
    if (!found.has(code)) found.set(code, await ensureSystemAccount(tx, code, currency));
  }
  return found;
}
