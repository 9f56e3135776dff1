import { z } from 'zod';
import { assert } from '../../domain/assert.ts';
import { GRANT_KINDS, GRANT_MAX, promoAccount, type GrantKind } from '../../domain/grant/grant.ts';
import { liveAccount, type PostingRecord } from '../../domain/ledger/posting.ts';
import { formatDecimal, micros, parseDecimal, type Micros } from '../../domain/money.ts';
import { isRefusal, refuse, type Refusal } from '../../domain/refusal.ts';
import type { Tx } from '../../store/db.ts';
import { insertGrant, listOpenGrants, readGrant, readGrantByIdem, type GrantRow } from '../../store/grant.ts';
import { applyPostings, ensureSystemAccount, lockAhead } from '../../store/ledger.ts';
import { markGivenSlots, takePlace } from '../../store/posting-grants.ts';
import type { WalletRow } from '../../store/wallet.ts';
import { recordAudit, type Author } from '../audit/record.ts';
import { emit } from '../event/emit.ts';
import type { House } from '../house.ts';
import { operation, type Call } from '../operation.ts';
import { countMoved } from '../operator/daily-limit.ts';
import { rehearse } from '../rehearse.ts';
import { amountField, instant, sidField, textField } from '../schema.ts';
import { wakeStanding } from '../standing/wake.ts';
import { visibleWallet } from '../visible.ts';
import { endGrant } from './end.ts';
import { grantSchema, toGrant } from './grant.ts';

const PRIORITY_DEFAULT = 100;
const PRIORITY_MAX = 1_000;

const input = z.strictObject({
  wallet_sid: sidField,
  amount: amountField,
  kind: z.enum(GRANT_KINDS).default('goodwill'),
  priority: z
    .int()
    .min(0)
    .max(PRIORITY_MAX)
    .default(PRIORITY_DEFAULT)
    .describe('Of grants that end at the same time the one with the lower number is used first.'),
  expires_at: instant.optional().describe('From then on what is left of it cannot be used. Left out: it has no end.'),
  reason: textField(255).describe('What it is for. The user reads it.'),
  dry_run: z.boolean().optional().describe('Only say what would happen.'),
});

export const grantGive = operation({
  name: 'grant.give',
  summary: 'Give a wallet credit that nobody has paid for',
  description:
    'Given credit is used before what was paid: what ends first, then by priority, then what is older. It is never paid out and never counts as ' +
    'paid. A wallet has at most 13 grants at a time that are not used up. With dry_run nothing is written.',
  http: { method: 'post', path: '/v1/grants', status: 201 },
  access: 'operator',
  right: 'money',
  idempotency: 'required',
  input,
  output: grantSchema,
  refusals: ['not_found', 'state_conflict', 'amount_out_of_range'],
  async run(call, asked) {
    const amount = parseDecimal(asked.amount);
    if (amount === null || amount === 0n || amount > GRANT_MAX) return outOfRange();
    const give = (tx: Tx) => giveByOperator(tx, call, { ...asked, micros: amount });
    return await (asked.dry_run ? rehearse(call.house.db, 'grant.give_preview', give) : call.commit(give));
  },
});

async function giveByOperator(tx: Tx, call: Call, asked: z.output<typeof input> & { readonly micros: Micros }) {
  const { house, idem, fingerprint } = call;
  const wallet = await visibleWallet(tx, call.actor, asked.wallet_sid);
  if (isRefusal(wallet)) return wallet;
  const given = await giveCredit(tx, house, {
    wallet,
    amount: asked.micros,
    kind: asked.kind,
    priority: asked.priority,
    expiresAt: asked.expires_at === undefined ? null : new Date(asked.expires_at),
    reason: asked.reason,
    idem,
    fingerprint,
    author: call,
  });
  if (isRefusal(given)) return given;
  await wakeStanding(tx, house, { wallet: wallet.id, walletSid: wallet.sid });
  const after = { grant_sid: given.sid, kind: given.kind, amount: formatDecimal(given.amount) };
  await recordAudit(tx, call, { action: 'grant.give', subject: wallet.sid, reason: asked.reason, after });
  await countMoved(tx, call, given.amount);
  return toGrant(given);
}

export interface Gift {
  readonly wallet: Pick<WalletRow, 'id'>;
  readonly amount: Micros;
  readonly kind: GrantKind;
  readonly priority: number;
  readonly expiresAt: Date | null;
  readonly reason: string;
  /** Identity of the posting: the same gift is given once. */
  readonly idem: string;
  readonly fingerprint: string;
  /** Who gives it: a call, or the house by itself. */
  readonly author: Pick<Author, 'actor'>;
}

/**
 * Gives a wallet credit, in the caller's transaction; whoever calls it writes the audit row.
 *
 * Locks the wallet's row. Refuses `state_conflict` when the wallet has as many open grants as it may, `invalid_request` when the end is not
 * ahead. Safe to: repeat with the same idem, which finds the first grant.
 */
export async function giveCredit(tx: Tx, house: Pick<House, 'ports'>, gift: Gift): Promise<GrantRow | Refusal> {
  const { ports } = house;
  const now = ports.clock.now();
  const wallet = gift.wallet.id;
  await lockAhead(tx, [liveAccount(wallet, 'wallet')]);
  const first = await readGrantByIdem(tx, gift.idem);
  if (first) return first;
  if (gift.expiresAt !== null && gift.expiresAt.getTime() <= now.getTime()) return isOver();
  const place = await placeFor(tx, house, wallet);
  if (isRefusal(place)) return place;
  const sid = ports.ids.sid();
  const { amount, kind, priority, expiresAt, reason, idem } = gift;
  const fromSeq = place.seq + 1n;
  await insertGrant(tx, {
    sid,
    wallet,
    account: place.account,
    fromSeq,
    kind,
    amount,
    priority,
    expiresAt,
    reason,
    idem,
    createdAt: now,
    createdBy: gift.author.actor.id,
  });
  await markGivenSlots(tx, wallet);
  const promo = await ensureSystemAccount(tx, promoAccount(kind), 'USD');
  const record: PostingRecord = {
    idem,
    fingerprint: gift.fingerprint,
    kind: 'grant',
    legs: [
      { account: place.account, amount },
      { account: promo, amount: micros(-amount) },
    ],
    mayOverdraw: false,
    passesFreeze: true,
    occurredAt: now,
    about: JSON.stringify({ description: reason, grant_sid: sid, actor: gift.author.actor.id }),
  };
  const [outcome] = await applyPostings(tx, [record], { batch: ports.ids.batchId(), recordedAt: now });
  assert(outcome?.kind === 'applied', 'a gift has a key of its own and goes to an empty account');
  const given = await readGrant(tx, sid);
  assert(given !== null, 'the grant was written');
  const facts = {
    grant_sid: sid,
    kind,
    amount: formatDecimal(amount),
    expires_at: expiresAt?.toISOString() ?? null,
    reason,
  };
  await emit(tx, house, { type: 'grant.given', of: given, facts });
  return given;
}

/** A free place; grants that are used up make room first. */
async function placeFor(tx: Tx, house: Pick<House, 'ports'>, wallet: bigint) {
  const free = await takePlace(tx, wallet);
  if (free) return free;
  for (const grant of await listOpenGrants(tx, wallet)) await endGrant(tx, house, grant);
  return (await takePlace(tx, wallet)) ?? tooMany();
}

const tooMany = (): Refusal =>
  refuse('state_conflict', 'The wallet has 13 grants that are not used up. Give more when one of them is.', {
    details: { grants_max: 13 },
  });

const isOver = (): Refusal =>
  refuse('invalid_request', 'The end of a grant lies ahead.', {
    errors: [{ pointer: '#/expires_at', detail: 'must be after now' }],
  });

const outOfRange = (): Refusal =>
  refuse('amount_out_of_range', 'The amount of a grant is out of range.', {
    details: { amount_min: '0.000001', amount_max: formatDecimal(GRANT_MAX) },
  });
