import { z } from 'zod';
import { assert } from '../../domain/assert.ts';
import { reserveLegs } from '../../domain/hold/decide.ts';
import { sourcesOf } from '../../domain/hold/given.ts';
import { formatDecimal, micros, parseDecimal, type Micros } from '../../domain/money.ts';
import { refuse, type Refusal } from '../../domain/refusal.ts';
import type { Tx } from '../../store/db.ts';
import { insertHold, lockHold, type HoldRow } from '../../store/hold.ts';
import { applyPostings } from '../../store/ledger.ts';
import { lockDueHolds, lockLessee, openLeases } from '../../store/lease.ts';
import type { NodeRow } from '../../store/node.ts';
import { findWallets } from '../../store/usage.ts';
import { declined } from '../billing/debit.ts';
import { returnHold } from '../hold/return-hold.ts';
import type { House } from '../house.ts';
import { operation } from '../operation.ts';
import { amountField, sidField } from '../schema.ts';
import { leaseSchema, toLease } from './lease.ts';
import { leaseToken } from './token.ts';

/** A node has some users, not millions of leases: what a stolen key could fill a table with ends here. */
const OPEN_LEASES_MAX = 1_000n;
const SECONDS_DEFAULT = 3_600;
/** Of one wallet at once; the job returns the rest. */
const DUE_HOLDS_MAX = 100;

export const leaseGrant = operation({
  name: 'lease.grant',
  summary: 'Set money of a user aside for a node, and sign that it may be used',
  description:
    'So that a node can go on working for this user while it cannot reach us, up to the amount and until the expiry. Usage is then ' +
    'reported with `lease`. What is left open together by the leases of a node is at most its `hour_max`.',
  http: { method: 'post', path: '/v1/leases', status: 201 },
  access: 'node',
  idempotency: 'required',
  input: z.strictObject({
    user_sid: sidField.describe('For whom the node works.'),
    amount: amountField.describe('At most HERO_ONBOARDING_LEASE_MAX.'),
    seconds: z
      .int()
      .min(1)
      .default(SECONDS_DEFAULT)
      .describe('How long it is good; at most HERO_ONBOARDING_LEASE_SECONDS_MAX.'),
  }),
  output: z.object({
    lease: leaseSchema,
    token: z
      .string()
      .describe('A JSON Web Token signed with Ed25519 (EdDSA); verify it with the keys of /.well-known/jwks.json.'),
  }),
  refusals: ['not_found', 'forbidden', 'insufficient_balance', 'wallet_frozen', 'amount_out_of_range', 'rate_limited'],
  async run(call, input) {
    const { actor, house } = call;
    assert(actor.kind === 'node', 'only nodes are let in');
    const { node } = actor;
    const amount = parseDecimal(input.amount);
    const outOfRange = refusalOfBounds(house, amount, input.seconds);
    if (amount === null || outOfRange) return outOfRange ?? tooMuch(house);
    return call.commit(async (tx) => {
      const now = house.ports.clock.now();
      if (node.userSids?.includes(input.user_sid) === false)
        return refuse('forbidden', 'This node may not report for this user.');
      if (!(await lockLessee(tx, node.id))) return refuse('forbidden', 'This node is revoked.');
      const [wallet] = await findWallets(tx, [input.user_sid]);
      if (!wallet) return refuse('not_found', 'There is no user with this sid.');
      const full = await refusalOfNode(tx, node, amount, now);
      if (full) return full;
      await returnDue(house, tx, wallet.wallet, now);
      const lease = newLease(house, { node, wallet, amount, now, seconds: input.seconds });
      const record = {
        idem: call.idem,
        fingerprint: call.fingerprint,
        kind: 'hold_reserve',
        legs: reserveLegs(lease.wallet, amount),
        mayOverdraw: false,
        fromGiven: true,
        passesFreeze: false,
        occurredAt: now,
        about: JSON.stringify({ description: lease.description, hold_sid: lease.sid, node: node.sid }),
      } as const;
      const [outcome] = await applyPostings(tx, [record], { batch: house.ports.ids.batchId(), recordedAt: now });
      if (outcome?.kind === 'declined') return declined(outcome.code, amount);
      assert(outcome?.kind === 'applied', 'the key is new in this transaction and the wallet is open');
      await insertHold(tx, { ...lease, given: sourcesOf(outcome.draws) });
      return { lease: toLease(lease), token: leaseToken(house.settings, lease) };
    });
  },
});

function refusalOfBounds(house: House, amount: Micros | null, seconds: number): Refusal | null {
  const { leaseMax, leaseSecondsMax } = house.settings;
  if (amount === null || amount === 0n || amount > leaseMax) return tooMuch(house);
  if (seconds <= leaseSecondsMax) return null;
  const detail = `must be at most ${leaseSecondsMax}`;
  return refuse('invalid_request', 'A lease is short: ask for another one before it ends.', {
    errors: [{ pointer: '#/seconds', detail }],
  });
}

const tooMuch = ({ settings }: House): Refusal =>
  refuse(
    'amount_out_of_range',
    `A lease is more than nothing, and at most ${formatDecimal(micros(settings.leaseMax))}.`,
    {
      details: { amount_min: '0.000001', amount_max: formatDecimal(micros(settings.leaseMax)) },
    },
  );

/** Whether the node has so much open already. A refusal of the moment: room comes when a lease is used, given back or over. */
async function refusalOfNode(tx: Tx, node: NodeRow, amount: Micros, now: Date): Promise<Refusal | null> {
  const open = await openLeases(tx, node.id, now);
  if (open.sum + amount <= node.hourMax && open.count < OPEN_LEASES_MAX) return null;
  const endsAt = open.firstEndsAt ?? now;
  return refuse('rate_limited', 'The open leases of this node come to what it may have at once. Settle some of them.', {
    details: { open: formatDecimal(open.sum), hour_max: formatDecimal(node.hourMax), open_leases: Number(open.count) },
    retryAfterSeconds: Math.max(1, Math.ceil((endsAt.getTime() - now.getTime()) / 1_000)),
  });
}

/** Money of holds whose time is over is the wallet's again, whether or not the job has been there. */
async function returnDue({ ports }: House, tx: Tx, wallet: bigint, now: Date): Promise<void> {
  for (const sid of await lockDueHolds(tx, wallet, now, DUE_HOLDS_MAX)) {
    const hold = await lockHold(tx, sid);
    assert(hold?.state === 'open', 'a locked hold stays as it was found');
    await returnHold(tx, ports, hold, 'expired');
  }
}

interface NewLease {
  readonly node: NodeRow;
  readonly wallet: { readonly wallet: bigint; readonly walletSid: string; readonly userSid: string };
  readonly amount: Micros;
  readonly now: Date;
  readonly seconds: number;
}

const newLease = ({ ports }: House, { node, wallet, amount, now, seconds }: NewLease): HoldRow => ({
  sid: ports.ids.sid(),
  ...wallet,
  kind: 'lease',
  node: node.id,
  byUserSid: null,
  given: [],
  nodeSid: node.sid,
  amount,
  drawn: micros(0n),
  draws: 0n,
  captured: micros(0n),
  state: 'open',
  description: `Lease of node ${node.name}`,
  createdAt: now,
  expiresAt: new Date(now.getTime() + seconds * 1_000),
  closedAt: null,
});
