/**
 * The same work in the way it is usually written: an HTTP service with one transaction for each record. Started by `usage.ts` with a
 * database's address.
 *
 * It validates, prices, discounts, carries fractions and explains by the product's own pure functions, in the product's own tables. What
 * differs is how it reads and writes: what one record needs, by plain prepared statements, on one of ten connections. It has neither
 * security headers, nor request ids, logs, metrics or answers that are checked against a schema; the budget's row, which the records of
 * a node share, is taken last, so that it is held for the commit only.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import process from 'node:process';
import { Pool, types, type PoolClient } from 'pg';
import type { Ladder } from '../src/domain/discount/ladder.ts';
import { budgetKey, decideBatch, type LockedAccount } from '../src/domain/ledger/decide.ts';
import { liveAccount } from '../src/domain/ledger/posting.ts';
import { formatDecimal, micros } from '../src/domain/money.ts';
import type { ChargedWallet } from '../src/store/usage.ts';
import { isRefusal } from '../src/domain/refusal.ts';
import type { Price } from '../src/domain/usage/price.ts';
import { budgetOf, Pricing, toPosting } from '../src/operations/usage/charge-records.ts';
import { readRecord } from '../src/operations/usage/price-report.ts';
import type { UsageInput } from '../src/operations/usage/usage-record.ts';
import type { NodeRow } from '../src/store/node.ts';

const POOL_MAX = 10;
const OWED_MAX = 100_000_000n;
const LOW_BALANCE = 5_000_000n;
const INT8 = 20;
types.setTypeParser(INT8, BigInt);

const pool = new Pool({ connectionString: process.argv[2], max: POOL_MAX });

/** Accounts that were opened stay as they are: a service would keep their numbers. */
const ACCOUNTS = new Map([
  ['revenue:llm_margin', -101n],
  ['payable:llm:openrouter', -102n],
]);
await pool.query(
  `insert into system_account (id, code, currency) values (-101, 'revenue:llm_margin', 'USD'), (-102, 'payable:llm:openrouter', 'USD')
   on conflict do nothing`,
);

const SQL = {
  node: `select id, sid, secret_hash, user_sids, record_max, hour_max from node where key_id = $1 and revoked_at is null`,
  wallet: `select wallet.id, wallet.sid, account.balance, account.seq, account.credit_floor, account.is_frozen, account.carry
     from wallet join account on account.id = wallet.id * 16 where wallet.user_sid = $1 for no key update of account`,
  entry: `select seq, amount, balance_after from entry where idem = $1`,
  price: `select sid, resource_kind, kind, unit, amount, margin, active_from from price
     where category = $1 and (resource_kind is null or resource_kind = $2) and active_from <= $3
     order by resource_kind nulls last, active_from desc limit 1`,
  ladder: `select version, rungs, grace_days, floor_at_cost, active_from from ladder
     where category = $1 and active_from <= $2 order by version desc limit 1`,
  streak: `select started_at, last_at from usage_streak where wallet = $1 and category = $2`,
  insert: `insert into entry (account, seq, contra, amount, balance_after, batch, idem, fingerprint, occurred_at, recorded_at, kind, about)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 8, $11)`,
  legs: `insert into batch_leg (batch, account, amount, recorded_at) values ($1, $2, $3, $6), ($1, $4, $5, $6)`,
  move: `update account set balance = $2, seq = $3, carry = $4 where id = $1`,
  widen: `insert into usage_streak (wallet, category, started_at, last_at) values ($1, $2, $3, $4)
     on conflict (wallet, category) do update set started_at = excluded.started_at, last_at = excluded.last_at`,
  spend: `insert into posting_budget as budget (owner, window_start, spent) values ($1, $2, $3)
     on conflict (owner, window_start) do update set spent = budget.spent + excluded.spent where budget.spent + excluded.spent <= $4
     returning spent`,
} as const;

type Row = Readonly<Record<string, unknown>>;

const run = async (client: PoolClient, name: keyof typeof SQL, values: readonly unknown[]): Promise<Row[]> =>
  (await client.query<Row>({ name, text: SQL[name], values: [...values] })).rows;

async function record(key: string, input: UsageInput): Promise<string> {
  const client = await pool.connect();
  try {
    await client.query('begin');
    const text = await recordIn(client, key, input);
    await client.query('commit');
    client.release();
    return text;
  } catch (error) {
    await client.query('rollback');
    client.release();
    throw error;
  }
}

async function recordIn(client: PoolClient, key: string, input: UsageInput): Promise<string> {
  const now = new Date();
  const occurredAt = new Date(input.occurred_at);
  const category = input.applies_to;
  const node = await nodeOf(client, key);
  const [wallet] = await run(client, 'wallet', [input.user_sid]);
  if (wallet === undefined) throw new Error('not found');
  const [price] = await run(client, 'price', [category, input.resource_kind, occurredAt]);
  const [ladder] = await run(client, 'ladder', [category, occurredAt]);
  const [streak] = await run(client, 'streak', [wallet['id'], category]);
  const pricing = new Pricing(
    node,
    {
      prices: price === undefined ? [] : [toPrice(price, category)],
      ladders: ladder === undefined ? [] : [toLadder(ladder, category)],
      modelPrices: [],
      wallets: new Map([
        [
          input.user_sid,
          toWallet(wallet, input.user_sid, streak === undefined ? [] : [{ category, ...toStreak(streak) }]),
        ],
      ]),
    },
    now,
  );
  const charged = pricing.charge(input);
  if (isRefusal(charged)) throw new Error(charged.message);
  const budget = budgetOf(node, now);
  const posting = toPosting(charged, { node, accounts: ACCOUNTS, owedMax: OWED_MAX, budget });
  const [known] = await run(client, 'entry', [posting.idem]);
  if (known !== undefined) return answerOf(input, known);
  const account = toAccount(wallet);
  const state = { accounts: new Map([[account.id, account]]), prior: new Map(), recordedAt: now };
  const decision = decideBatch({ ...state, spent: new Map([[budgetKey(budget), 0n]]) }, [posting]);
  const [entry] = decision.entries;
  const [moved] = decision.moved;
  if (entry === undefined || moved === undefined) throw new Error(decision.outcomes[0]?.kind);
  const batch = BigInt(now.getTime()) * 1_000_000n + BigInt(Math.floor(Math.random() * 1_000_000));
  const facts = [entry.account, entry.seq, entry.contra, entry.amount, entry.balanceAfter, batch];
  await run(client, 'insert', [...facts, posting.idem, posting.fingerprint, occurredAt, now, posting.about]);
  await run(client, 'legs', [batch, ...[...decision.systemLegs].flat(), now]);
  await run(client, 'move', [moved.id, moved.balance, moved.seq, moved.carry]);
  for (const { startedAt, lastAt } of pricing.widened)
    await run(client, 'widen', [wallet['id'], category, startedAt, lastAt]);
  const spent = await run(client, 'spend', [node.id, budget.windowStart, -entry.amount, budget.limit]);
  if (spent.length === 0) throw new Error('over the budget of the hour');
  return answerOf(input, { seq: entry.seq, amount: entry.amount, balance_after: entry.balanceAfter });
}

async function nodeOf(client: PoolClient, key: string): Promise<NodeRow> {
  const [, keyId, secret = ''] = key.split('_');
  const [node] = await run(client, 'node', [keyId]);
  const hash = createHash('sha256').update(secret).digest();
  if (node === undefined || !timingSafeEqual(hash, node['secret_hash'] as Buffer)) throw new Error('unauthenticated');
  return {
    id: node['id'] as bigint,
    sid: String(node['sid']),
    userSids: node['user_sids'] as string[] | null,
    recordMax: micros(node['record_max'] as bigint),
    hourMax: micros(node['hour_max'] as bigint),
    name: '',
    keyId: keyId ?? '',
    oldKeyUntil: null,
    keyUsedAt: null,
    oldKeyUsedAt: null,
    createdAt: new Date(0),
    outages: [],
    revokedAt: null,
  };
}

const toStreak = (row: Row) => ({ startedAt: row['started_at'] as Date, lastAt: row['last_at'] as Date });

const toWallet = (row: Row, userSid: string, streaks: ChargedWallet['streaks']): ChargedWallet => ({
  userSid,
  wallet: row['id'] as bigint,
  walletSid: String(row['sid']),
  currency: 'USD',
  isFrozen: row['is_frozen'] === true,
  streaks,
});

const toAccount = (row: Row): LockedAccount => ({
  id: liveAccount(row['id'] as bigint, 'wallet'),
  balance: row['balance'] as bigint,
  seq: row['seq'] as bigint,
  creditFloor: row['credit_floor'] as bigint,
  isFrozen: row['is_frozen'] === true,
  carry: row['carry'] as bigint,
});

const toPrice = (row: Row, category: string): Price => ({
  sid: String(row['sid']),
  category,
  resourceKind: row['resource_kind'] as string | null,
  kind: row['kind'] as Price['kind'],
  unit: String(row['unit']),
  amount: row['amount'] as bigint,
  tiers: [],
  packageSize: null,
  margin: BigInt(Number(row['margin'])),
  activeFrom: row['active_from'] as Date,
});

const toLadder = (row: Row, category: string): Ladder => ({
  category,
  version: Number(row['version']),
  rungs: (row['rungs'] as { readonly after_days: number; readonly multiplier: number }[]).map((rung) => ({
    afterDays: rung.after_days,
    multiplier: BigInt(rung.multiplier),
  })),
  graceDays: Number(row['grace_days']),
  isFloorAtCost: row['floor_at_cost'] === true,
  activeFrom: row['active_from'] as Date,
});

function answerOf({ idempotency_key }: UsageInput, entry: Row): string {
  const [amount, balance] = [entry['amount'] as bigint, entry['balance_after'] as bigint];
  return JSON.stringify({
    idempotency_key,
    outcome: 'applied',
    charge: formatDecimal(-amount),
    balance: formatDecimal(balance),
    entry: Number(entry['seq']),
    wallet_state: balance <= 0n ? 'empty' : balance < LOW_BALANCE ? 'low' : 'ok',
    code: null,
    message: null,
  });
}

async function answer(call: IncomingMessage, text: string): Promise<string> {
  const input = readRecord(JSON.parse(text));
  if (isRefusal(input)) throw new Error(input.message);
  return await record((call.headers.authorization ?? '').slice('Bearer '.length), input);
}

const server = createServer((call, reply) => {
  let text = '';
  call.setEncoding('utf8');
  call.on('data', (chunk: string) => (text += chunk));
  call.on('end', () => {
    const send = (status: number, body: string): void => {
      const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
      reply.writeHead(status, headers).end(body);
    };
    answer(call, text).then(
      (body) => send(200, body),
      (error: unknown) => send(500, String(error)),
    );
  });
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  process.send?.({ port: typeof address === 'object' && address !== null ? address.port : 0 });
});
process.once('SIGTERM', () => process.exit(0));
