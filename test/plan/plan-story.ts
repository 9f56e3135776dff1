import { execute } from '../../src/operations/execute.ts';
import { planBuy } from '../../src/operations/plan/buy.ts';
import type { House, HouseSettings } from '../../src/operations/house.ts';
import type { Actor, Operation } from '../../src/operations/operation.ts';
import { formatDecimal } from '../../src/domain/money.ts';
import type { Db } from '../../src/store/db.ts';
import { checkLedger } from '../../src/store/ledger-check.ts';
import { readOpenSubscription, readSubscription, type SubscriptionRow } from '../../src/store/subscription.ts';
import { readWalletBySid, type WalletRow } from '../../src/store/wallet.ts';
import { testDatabase, type TestDatabase } from '../support/database.ts';
import { testHouse } from '../support/house.ts';
import { fund, openWallets } from '../support/ledger.ts';
import { testPorts, type TestPorts } from '../support/ports.ts';

export const OPERATOR = { kind: 'operator', id: 'admin:test', role: 'admin', userSid: null } as const;
export const DOLLAR = 1_000_000n;
export const DAY_MS = 86_400_000;

export const ownerOf = ({ userSid }: Pick<WalletRow, 'userSid'>): Actor => ({
  kind: 'user',
  id: `user:${userSid}`,
  userSid,
});

export interface Answer {
  readonly status: number;
  readonly json: Record<string, unknown>;
}

/** A house with plans, and what tests do with them. */
export interface PlanStory {
  readonly database: TestDatabase;
  readonly ports: TestPorts;
  readonly house: House;
  /** One more process on the same database. */
  another(options?: {
    readonly db?: Db;
    readonly ports?: TestPorts;
    readonly settings?: Partial<HouseSettings>;
  }): House;
  call(operation: Operation, input: object, actor?: Actor, key?: string): Promise<Answer>;
  wallet(dollars: bigint): Promise<WalletRow>;
  fund(wallet: WalletRow, dollars: bigint): Promise<void>;
  balance(wallet: WalletRow): Promise<string>;
  /** Buys and answers the subscription. */
  buy(wallet: WalletRow, plan?: string, more?: object): Promise<SubscriptionRow>;
  /** The subscription as it stands. */
  again(row: Pick<SubscriptionRow, 'sid'>): Promise<SubscriptionRow>;
  /** Moves the clock to an instant. */
  at(instant: Date): Promise<void>;
  sound(): Promise<void>;
  close(): Promise<void>;
}

export async function planStory(seed: number): Promise<PlanStory> {
  const database = await testDatabase();
  const ports = testPorts({ seed });
  const house = testHouse({ db: database.db, ports });
  let calls = 0;
  const story: PlanStory = {
    database,
    ports,
    house,
    another: (options = {}) =>
      testHouse({ db: options.db ?? database.db, ports: options.ports ?? ports, settings: options.settings ?? {} }),
    async call(operation, input, actor = OPERATOR, key) {
      calls += 1;
      const idempotencyKey = operation.idempotency === 'none' ? null : (key ?? `plan-${calls}`);
      const requestId = ports.ids.requestId();
      const reply = await execute(house, operation, { actor, input, idempotencyKey, requestId });
      return { status: reply.status, json: JSON.parse(reply.body) as Record<string, unknown> };
    },
    async wallet(dollars) {
      const [opened] = await openWallets(database.db, ports, 1);
      if (!opened) throw new Error('no wallet');
      if (dollars > 0n) await fund(database.db, ports, opened, dollars * DOLLAR);
      return opened;
    },
    fund: (wallet, dollars) => fund(database.db, ports, wallet, dollars * DOLLAR),
    async balance({ sid }) {
      const row = await readWalletBySid(database.db, sid);
      return row ? formatDecimal(row.balance) : 'gone';
    },
    async buy(wallet, plan = 'vm-5', more = {}) {
      const bought = await story.call(planBuy, { sid: wallet.sid, plan, ...more });
      if (bought.status !== 201) throw new Error(JSON.stringify(bought.json));
      const row = await readOpenSubscription(database.db, wallet.id);
      if (!row) throw new Error('a plan was bought');
      return row;
    },
    async again({ sid }) {
      const row = await readSubscription(database.db, sid);
      if (!row) throw new Error('a subscription stays');
      return row;
    },
    async at(instant) {
      await ports.clock.advance(instant.getTime() - ports.clock.now().getTime());
    },
    async sound() {
      const report = await checkLedger(database.db);
      const broken = report.results.filter(({ rows }) => rows.length > 0);
      if (broken.length > 0)
        throw new Error(
          JSON.stringify(broken, (_, value: unknown) => (typeof value === 'bigint' ? value.toString() : value)),
        );
    },
    async close() {
      await house.lanes.close();
      await database.close();
    },
  };
  return story;
}
