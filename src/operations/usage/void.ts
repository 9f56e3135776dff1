import { z } from 'zod';
import { assert } from '../../domain/assert.ts';
import { deriveIdem, fingerprintOf } from '../../domain/idem.ts';
import { FRACTIONS_PER_MICRO, liveAccount, type EntryFacts } from '../../domain/ledger/posting.ts';
import { formatDecimal, micros } from '../../domain/money.ts';
import { refuse } from '../../domain/refusal.ts';
import { postingOf, reverseOf } from '../../domain/usage/charge.ts';
import { parseScaled, PRICE_DECIMALS } from '../../domain/usage/decimal.ts';
import { writeAudit } from '../../store/audit.ts';
import type { Tx } from '../../store/db.ts';
import { applyPostings } from '../../store/ledger.ts';
import { readUsageEntry, type UsageEntryRow } from '../../store/usage.ts';
import { readWalletBySid, type WalletRow } from '../../store/wallet.ts';
import type { Call } from '../operation.ts';
import { operation } from '../operation.ts';
import { sidField, signedAmount, textField } from '../schema.ts';
import type { UsageAbout } from './charge-records.ts';
import { systemAccounts } from './rules.ts';

export const usageVoid = operation({
  name: 'usage.void',
  summary: 'Take a usage charge back, exactly and once',
  description:
    'Posts the opposite of the line, its fraction of a micro-dollar included; the line itself stays. A second time answers as the first. ' +
    'What replaces it is reported as a new record.',
  http: { method: 'post', path: '/v1/billings/{sid}/statement/{seq}/void', status: 200 },
  access: 'operator',
  // The line is the identity: it can be taken back once.
  idempotency: 'none',
  input: z.strictObject({ sid: sidField, seq: z.int().min(1), reason: textField(255) }),
  output: z.object({
    returned: signedAmount.describe('What the wallet got back.'),
    entry: z.int().describe('The number of the new line.'),
    credit_balance: signedAmount.describe('What the wallet held after it.'),
  }),
  refusals: ['not_found', 'state_conflict'],
  async run(call, input) {
    return call.house.db.transaction('usage.void', async (tx) => {
      const wallet = await readWalletBySid(tx, input.sid);
      if (!wallet) return refuse('not_found', 'There is no wallet with this sid.');
      const entry = await readUsageEntry(tx, liveAccount(wallet.id, 'wallet'), BigInt(input.seq));
      if (!entry) return refuse('not_found', 'This line of the statement is not a usage record.');
      const about = JSON.parse(entry.about ?? '{}') as UsageAbout;
      if (about.voids !== undefined)
        return refuse('state_conflict', 'This line takes another one back. Report the usage again instead.');
      const made = await postOpposite(call, tx, { wallet, entry, about, reason: input.reason });
      return {
        returned: formatDecimal(made.amount),
        entry: Number(made.seq),
        credit_balance: formatDecimal(made.balanceAfter),
      };
    });
  },
});

interface Line {
  readonly wallet: WalletRow;
  readonly entry: UsageEntryRow;
  readonly about: UsageAbout;
  readonly reason: string;
}

async function postOpposite(call: Call, tx: Tx, { wallet, entry, about, reason }: Line): Promise<EntryFacts> {
  const { ports } = call.house;
  const now = ports.clock.now();
  const hasCost = about.cost !== undefined;
  const codes = {
    revenue: hasCost ? `revenue:${about.category}_margin` : `revenue:${about.category}`,
    payable: hasCost ? `payable:${about.category}:${about.provider}` : null,
  };
  const accounts = await systemAccounts(tx, [codes.revenue, ...(codes.payable === null ? [] : [codes.payable])], 'USD');
  const accountOf = (code: string): bigint => {
    const id = accounts.get(code);
    assert(id !== undefined, 'the account of a charge is there');
    return id;
  };
  const cost = micros(hasCost ? costOf(about.cost ?? '') : 0n);
  const charge = reverseOf({ parts: BigInt(about.parts), cost });
  const record = {
    idem: deriveIdem('usage.void', entry.idem),
    fingerprint: fingerprintOf([entry.idem]),
    kind: 'usage',
    ...postingOf(charge, {
      wallet: liveAccount(wallet.id, 'wallet'),
      revenue: accountOf(codes.revenue),
      payable: codes.payable === null ? null : accountOf(codes.payable),
    }),
    mayOverdraw: true,
    passesFreeze: true,
    occurredAt: entry.occurredAt,
    about: JSON.stringify({
      ...about,
      voids: Number(entry.seq),
      quantity: negated(about.quantity),
      parts: charge.parts.toString(),
      description: `Taken back: ${about.description ?? about.resource}`,
      reason,
      actor: call.actor.id,
    }),
  } as const;
  const [outcome] = await applyPostings(tx, [record], { batch: ports.ids.batchId(), recordedAt: now });
  const applied = outcome?.kind === 'duplicate' ? outcome.first : outcome;
  assert(applied?.kind === 'applied', 'what takes a charge back may overdraw and passes a freeze');
  const [made] = applied.entries;
  assert(made !== undefined, 'an applied posting has an entry');
  if (outcome?.kind === 'applied') {
    await writeAudit(tx, {
      sid: ports.ids.sid(),
      at: now,
      actor: call.actor.id,
      action: 'usage.void',
      subject: wallet.sid,
      outcome: 'done',
      reason,
      before: { entry: Number(entry.seq), charge: formatDecimal(-entry.amount) },
      after: { entry: Number(made.seq), returned: formatDecimal(made.amount) },
      requestId: call.requestId,
    });
  }
  return made;
}

/** Whole micro-dollars, rounded down, as when it was charged. */
const costOf = (text: string): bigint => {
  const picos = parseScaled(text, PRICE_DECIMALS);
  assert(picos !== null, 'a kept cost was read before');
  return (picos * (FRACTIONS_PER_MICRO / 1_000_000n)) / FRACTIONS_PER_MICRO;
};

const negated = (quantity: string): string => (/[1-9]/.test(quantity) ? `-${quantity}` : quantity);
