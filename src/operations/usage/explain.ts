import { z } from 'zod';
import { assert } from '../../domain/assert.ts';
import { FRACTIONS_PER_MICRO, liveAccount } from '../../domain/ledger/posting.ts';
import { formatDecimal } from '../../domain/money.ts';
import { isRefusal, refuse } from '../../domain/refusal.ts';
import { chargeOf, WITHOUT_DISCOUNT } from '../../domain/usage/charge.ts';
import { formatScaled, parseScaled, PRICE_DECIMALS, QUANTITY_DECIMALS } from '../../domain/usage/decimal.ts';
import { countsVolume } from '../../domain/usage/price.ts';
import { multiplierAt } from '../../domain/discount/ladder.ts';
import type { Tx } from '../../store/db.ts';
import { readGrantUses } from '../../store/grant-use.ts';
import { listLadders } from '../../store/ladder.ts';
import { readNodeNames } from '../../store/node.ts';
import { readPrice } from '../../store/price.ts';
import { findLine, readUsageEntry, type UsageEntryRow } from '../../store/usage.ts';
import { listLineCorrections, type LineCorrectionRow } from '../../store/usage-line.ts';
import { operation } from '../operation.ts';
import { priceSchema, toPrice } from '../price/price.ts';
import { instant, sidField, signedAmount } from '../schema.ts';
import { visibleWallet } from '../visible.ts';
import type { UsageAbout } from './usage-about.ts';
import { dollarsOf, type Step } from './explain-steps.ts';
import { explainTokens } from './explain-tokens.ts';
import { explainVolume } from './explain-volume.ts';
import { withdrawalIdem } from './correct-lines.ts';

const DAY_MS = 86_400_000;

const stepSchema = z.object({
  what: z.string().describe('A sentence.'),
  amount: z.string().nullable().describe('US dollars after this step, to 24 decimals where it has so many.'),
});

const correctionSchema = z.object({
  entry: z.int().describe('The number of its line.'),
  why: z
    .enum(['void', 'true_up', 'reprice', 'rerate'])
    .describe('Taken back, a later figure of the node, another price, another rung of the ladder.'),
  reason: z.string().nullable(),
  charge: signedAmount.describe('The difference: what the wallet paid with it, or got back.'),
  record: z.record(z.string(), z.unknown()).nullable().describe('How the line stands from there on; null: taken back.'),
  recorded_at: instant,
});

export const usageExplain = operation({
  name: 'usage.explain',
  summary: 'Show how the charge of one usage record came about, and prove it',
  description:
    'The charge is computed once more from the record, the price rows and the ladder’s version; `is_proved` says whether that gives what ' +
    'was charged.',
  http: { method: 'get', path: '/v1/billings/{sid}/statement/{seq}/explanation', status: 200 },
  access: 'user',
  idempotency: 'none',
  input: z.strictObject({ sid: sidField, seq: z.int().min(1).describe('The number of the line in the statement.') }),
  output: z.object({
    charge: signedAmount.describe('What the wallet paid with this record.'),
    occurred_at: instant,
    record: z.record(z.string(), z.unknown()).describe('What the node reported, as it was kept.'),
    price: priceSchema,
    steps: z.array(stepSchema),
    is_proved: z.boolean(),
    node_name: z.string().nullable().describe('What the node that reported it is called.'),
    taken_back_by: z.int().nullable().describe('The line that takes this one back; null while it stands.'),
    corrections: z.array(correctionSchema),
    stands: signedAmount.describe('The charge and its corrections.'),
    given: z
      .array(z.object({ grant_sid: sidField, reason: z.string(), amount: signedAmount }))
      .describe('What of that was paid with given credit; the rest is paid.'),
  }),
  refusals: ['not_found'],
  async run({ house, actor }, input) {
    const { db } = house;
    const wallet = await visibleWallet(db, actor, input.sid);
    if (isRefusal(wallet)) return wallet;
    const entry = await readUsageEntry(db, liveAccount(wallet.id, 'wallet'), BigInt(input.seq));
    if (!entry) return refuse('not_found', 'This line of the statement is not a usage record.');
    const about = JSON.parse(entry.about ?? '{}') as UsageAbout;
    if (about.voids !== undefined)
      return refuse('not_found', `This line takes back line ${about.voids}. Ask for that one.`);
    if (about.corrects !== undefined)
      return refuse('not_found', `This line corrects line ${about.corrects}. Ask for that one.`);
    const price = about.price === undefined ? null : await readPrice(db, about.price);
    if (!price) return refuse('not_found', 'This line was not made from a price.');
    const { steps, isProved } = await proofOf(db, { entry, about, price });
    const names = await readNodeNames(db, [about.node]);
    const takenBackBy = await findLine(db, withdrawalIdem(entry.idem));
    const corrections = await listLineCorrections(db, { account: liveAccount(wallet.id, 'wallet'), seq: entry.seq });
    const given = await readGrantUses(db, [entry.idem, ...corrections.map(({ idem }) => idem)]);
    const stands = corrections.reduce((sum, { amount }) => sum - amount, -entry.amount);
    return {
      charge: formatDecimal(-entry.amount),
      occurred_at: entry.occurredAt.toISOString(),
      record: { ...about },
      price: toPrice(price),
      steps: [...steps],
      is_proved: isProved,
      node_name: names.get(about.node) ?? null,
      taken_back_by: takenBackBy === null ? null : Number(takenBackBy),
      corrections: corrections.map(toCorrection),
      stands: formatDecimal(stands),
      given: given.map(({ sid, reason, amount }) => ({ grant_sid: sid, reason, amount: formatDecimal(amount) })),
    };
  },
});

function toCorrection(row: LineCorrectionRow): z.input<typeof correctionSchema> {
  const { voids, why, reason, now } = JSON.parse(row.about) as UsageAbout;
  return {
    entry: Number(row.seq),
    // A void of the first release says only what it takes back.
    why: voids === undefined ? (why ?? 'true_up') : 'void',
    reason: reason ?? null,
    charge: formatDecimal(-row.amount),
    record: now === undefined ? null : { ...now },
    recorded_at: row.recordedAt.toISOString(),
  };
}

interface Facts {
  readonly entry: UsageEntryRow;
  readonly about: UsageAbout;
  readonly price: NonNullable<Awaited<ReturnType<typeof readPrice>>>;
}

interface Proof {
  readonly steps: readonly Step[];
  readonly isProved: boolean;
}

async function proofOf(tx: Tx, facts: Facts): Promise<Proof> {
  const { about, price, entry } = facts;
  if (!countsVolume(price)) return await proofOfCharge(tx, facts);
  const made =
    about.volume === undefined ? null : explainVolume({ ...about, volume: about.volume }, price, entry.occurredAt);
  return made === null ? { steps: [], isProved: false } : proved(facts, made);
}

async function proofOfCharge(tx: Tx, facts: Facts): Promise<Proof> {
  const { entry, about, price } = facts;
  const ladder = await ladderOf(tx, about);
  const since = about.ladder === undefined ? entry.occurredAt : new Date(about.ladder.since);
  const multiplier = ladder
    ? multiplierAt(ladder, { startedAt: since, lastAt: entry.occurredAt }, entry.occurredAt)
    : WITHOUT_DISCOUNT.multiplier;
  const measured = {
    quantity: parseScaled(about.quantity, QUANTITY_DECIMALS) ?? 0n,
    unit: about.unit,
    cost: about.cost === undefined ? null : parseScaled(about.cost, PRICE_DECIMALS),
  };
  const charge = chargeOf(measured, price, { multiplier, isFloorAtCost: ladder?.isFloorAtCost ?? false });
  if (typeof charge === 'string') return { steps: [], isProved: false };
  const tokens = await explainTokens(tx, about);
  const steps = [
    ...tokens.steps,
    { what: listSentence(about, price), amount: dollarsOf(charge.listParts) },
    ...(ladder && about.ladder
      ? [
          {
            what:
              `Continuous use since ${about.ladder.since}, ${daysBetween(since, entry.occurredAt)} days before: times ` +
              `${formatScaled(multiplier, 4)} by version ${ladder.version} of the ladder` +
              (charge.isAtFloor ? ', but not less than what the provider charged' : ''),
            amount: dollarsOf(charge.parts),
          },
        ]
      : []),
  ];
  const isRungProved = about.ladder === undefined || about.ladder.multiplier === formatScaled(multiplier, 4);
  const { steps: all, isProved } = proved(facts, { steps, parts: charge.parts });
  return { steps: all, isProved: isProved && isRungProved && tokens.isProved };
}

/** The last step, from the exact charge to what the wallet paid, and whether both are what was kept. */
function proved({ entry, about }: Facts, made: { readonly steps: readonly Step[]; readonly parts: bigint }): Proof {
  const moved = -entry.amount;
  const whole = made.parts / FRACTIONS_PER_MICRO;
  const rounded = {
    what:
      moved > whole
        ? 'Rounded down to a micro-dollar, and one micro-dollar more that the fractions of earlier records had come to'
        : 'Rounded down to a micro-dollar; the rest is carried to the next record',
    amount: formatDecimal(moved),
  };
  const isProved = made.parts.toString() === about.parts && (moved === whole || moved === whole + 1n);
  return { steps: [...made.steps, rounded], isProved };
}

async function ladderOf(tx: Tx, { category, ladder }: UsageAbout) {
  if (ladder === undefined) return null;
  const found = (await listLadders(tx, [category])).find(({ version }) => version === ladder.version);
  assert(found !== undefined, 'versions of a ladder are never removed');
  return found;
}

function listSentence(about: UsageAbout, price: Facts['price']): string {
  const margin = `${formatScaled(price.margin, 2)} %`;
  if (price.kind === 'cost_plus') return `The provider’s cost of $${about.cost} and a margin of ${margin}`;
  const perUnit = `$${formatScaled(price.amount, PRICE_DECIMALS)} per ${price.unit}`;
  const markup = price.margin === 0n ? '' : ` and a margin of ${margin}`;
  return `${about.quantity} ${about.unit} at ${perUnit}${markup}`;
}

const daysBetween = (from: Date, to: Date): number => Math.floor((to.getTime() - from.getTime()) / DAY_MS);
