import { MICROS_PER_USD } from '../../src/domain/money.ts';
import { billingAdjust } from '../../src/operations/billing/adjust.ts';
import { billingDebit } from '../../src/operations/billing/debit.ts';
import { execute, type Reply } from '../../src/operations/execute.ts';
import type { House, HouseSettings } from '../../src/operations/house.ts';
import type { Actor, Operation } from '../../src/operations/operation.ts';
import { paymentCreate } from '../../src/operations/payment/create.ts';
import type { Payment } from '../../src/operations/payment/payment.ts';
import { receiveWebhook } from '../../src/operations/webhook-event/receive.ts';
import { sweepWebhooks } from '../../src/operations/webhook-event/sweep.ts';
import { systemClock as REAL_CLOCK } from '../../src/ports/system.ts';
import { readPayment, type PaymentRow } from '../../src/store/payment.ts';
import { listInbox, type InboxRow } from '../../src/store/inbox.ts';
import { checkLedger } from '../../src/store/ledger-check.ts';
import { listPaymentEvents, type PaymentEventRow } from '../../src/store/payment-event.ts';
import { readWalletBySid, type WalletRow } from '../../src/store/wallet.ts';
import { testDatabase, type TestDatabase } from './database.ts';
import { testHouse } from './house.ts';
import { openWallets } from './ledger.ts';
import { PaperBank, type PaperWebhook } from './paper-bank.ts';
import { testPorts, type TestPorts } from './ports.ts';

export const OPERATOR: Actor = { kind: 'operator', id: 'admin:adm_1', role: 'admin', userSid: null };

export interface Process {
  readonly house: House;
  readonly ports: TestPorts;
}

/** One wallet, one bank, one database, and as many processes of the house as a test wants. */
export class PaymentStory {
  readonly database: TestDatabase;
  readonly bank: PaperBank;
  readonly ports: TestPorts;
  readonly house: House;
  readonly wallet: WalletRow;
  readonly actor: Actor;
  #seed = 100;

  constructor(database: TestDatabase, bank: PaperBank, process: Process, wallet: WalletRow) {
    this.database = database;
    this.bank = bank;
    this.house = process.house;
    this.ports = process.ports;
    this.wallet = wallet;
    this.actor = userActor(wallet);
  }

  /** One more process on the same database and bank, with its own pool, ids and crash points. */
  anotherProcess(options: { readonly now?: Date; readonly poolMax?: number } = {}): Process {
    const ports = testPorts({ seed: (this.#seed += 1), now: options.now ?? this.ports.clock.now() });
    return processOn(this.database, this.bank, ports, { poolMax: options.poolMax ?? 5 });
  }

  /** The database as it stands now, which goes its own way from here; the bank is the same. */
  async dump(): Promise<TestDatabase> {
    return await testDatabase({ copyOf: this.database });
  }

  /** The house on a database that was dumped, some time later. */
  restoredOn(database: TestDatabase): PaymentStory {
    const ports = testPorts({ seed: (this.#seed += 1), now: this.ports.clock.now() });
    return new PaymentStory(database, this.bank, processOn(database, this.bank, ports, {}), this.wallet);
  }

  /** Asks for a top-up as the user does. */
  topUp(amount: string, key: string, house: House = this.house): Promise<Reply> {
    const input = { provider: this.bank.name, amount };
    return this.run(paymentCreate, input, { key, house });
  }

  /** A top-up that is expected to be opened. */
  async opened(amount = '25.00', key = `key-${this.ports.ids.sid()}`): Promise<Payment> {
    const reply = await this.topUp(amount, key);
    if (reply.status !== 201) throw new Error(`the top-up was not opened: ${reply.status} ${reply.body}`);
    return JSON.parse(reply.body) as Payment;
  }

  /** A top-up that the customer has paid at the bank, and we have not heard of it. */
  async paid(amount = '25.00'): Promise<Payment> {
    const payment = await this.opened(amount);
    this.bank.pay(payment.sid);
    return payment;
  }

  run(
    operation: Operation,
    input: unknown,
    how: { readonly key?: string; readonly house?: House; readonly actor?: Actor } = {},
  ): Promise<Reply> {
    const house = how.house ?? this.house;
    return execute(house, operation, {
      actor: how.actor ?? this.actor,
      input,
      idempotencyKey: how.key ?? null,
      requestId: house.ports.ids.requestId(),
    });
  }

  /** Takes an amount out of the wallet, as usage would. */
  spendReply(amount: string, house: House = this.house): Promise<Reply> {
    const input = { sid: this.wallet.sid, amount, description: 'used' };
    return this.run(billingDebit, input, { key: `spend-${this.ports.ids.sid()}`, house, actor: OPERATOR });
  }

  /** A debit that is expected to pass. */
  async spend(amount: string): Promise<void> {
    const reply = await this.spendReply(amount);
    if (reply.status !== 200) throw new Error(`nothing was spent: ${reply.status} ${reply.body}`);
  }

  /** Gives credit that nobody has paid for. */
  async grant(amount: string): Promise<void> {
    const balance = (await this.cents()) + BigInt(amount.replace('.', ''));
    const input = { sid: this.wallet.sid, balance_cents: Number(balance), reason: 'a gift' };
    const reply = await this.run(billingAdjust, input, { actor: OPERATOR });
    if (reply.status !== 200) throw new Error(`nothing was given: ${reply.status} ${reply.body}`);
  }

  deliver(webhook: PaperWebhook, house: House = this.house) {
    return receiveWebhook(house, this.bank.name, webhook);
  }

  /** Does what the queue would: applies every webhook that is due. */
  async drain(house: House = this.house): Promise<void> {
    while ((await sweepWebhooks(house, 0)) > 0);
  }

  async payment(sid: string): Promise<PaymentRow> {
    const row = await readPayment(this.database.owner, sid);
    if (!row) throw new Error('no such payment');
    return row;
  }

  /** The wallet's balance in dollars and cents, as cents. */
  async cents(): Promise<bigint> {
    const wallet = await readWalletBySid(this.database.owner, this.wallet.sid);
    return (wallet?.balance ?? 0n) / (MICROS_PER_USD / 100n);
  }

  /** What became of all webhooks, oldest first. */
  async inbox(): Promise<InboxRow[]> {
    return (await listInbox(this.database.owner, { before: null, state: null, limit: 1_000 })).toReversed();
  }

  events(): Promise<PaymentEventRow[]> {
    return listPaymentEvents(this.database.owner, { wallets: null, before: null, limit: 1_000 });
  }

  /** The promises of the ledger that are broken; none when it is sound. */
  async brokenPromises(): Promise<string[]> {
    const report = await checkLedger(this.database.owner);
    return report.results.filter((result) => result.rows.length > 0).map((result) => result.promise);
  }

  /** Recomputes the ledger, then closes; throws when a promise of the ledger is broken. */
  async close(options: { readonly isBroken?: boolean } = {}): Promise<void> {
    const broken = options.isBroken === true ? [] : await this.brokenPromises();
    await this.house.lanes.close();
    await this.database.close();
    if (broken.length > 0) throw new Error(`the ledger is not sound: ${broken.join('; ')}`);
  }
}

export const userActor = (wallet: WalletRow): Actor => ({
  kind: 'user',
  id: `user:${wallet.userSid}`,
  userSid: wallet.userSid,
});

export async function paymentStory(
  options: { readonly bank?: PaperBank; readonly settings?: Partial<HouseSettings> } = {},
): Promise<PaymentStory> {
  const ports = testPorts();
  const database = await testDatabase();
  const bank = options.bank ?? new PaperBank();
  const process = processOn(database, bank, ports, { settings: options.settings ?? {} });
  const [wallet] = await openWallets(database.owner, ports, 1);
  if (!wallet) throw new Error('a wallet was opened');
  return new PaymentStory(database, bank, process, wallet);
}

function processOn(
  database: TestDatabase,
  bank: PaperBank,
  ports: TestPorts,
  options: { readonly poolMax?: number; readonly settings?: Partial<HouseSettings> },
): Process {
  // Retries of the database sleep by the real clock; everything else by the test's.
  const db = database.open({ ports: { ...ports, clock: REAL_CLOCK }, poolMax: options.poolMax ?? 10 });
  const house = testHouse({ db, ports, providers: [bank.asProvider(ports)], settings: options.settings ?? {} });
  return { house, ports };
}
