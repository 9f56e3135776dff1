import { z } from 'zod';
import { formatDecimal, micros } from '../../domain/money.ts';
import { isRefusal } from '../../domain/refusal.ts';
import { chargedSince } from '../../store/usage-day.ts';
import { operation } from '../operation.ts';
import { instant, sidField, signedAmount } from '../schema.ts';
import { visibleWallet } from '../visible.ts';

const HOUR_MS = 3_600_000;
/** A day smooths over the hours of the night; who uses more than this many records a day is looked at by the last of them. */
const WINDOW_HOURS = 24n;
const ENTRIES_MAX = 20_000;
/** Past ten years nobody plans. */
const RUNWAY_HOURS_MAX = 87_600n;

export const usageRunway = operation({
  name: 'usage.runway',
  summary: 'Say how long a wallet lasts at its present rate',
  http: { method: 'get', path: '/v1/billings/{sid}/runway', status: 200 },
  access: 'user',
  idempotency: 'none',
  input: z.strictObject({ sid: sidField }),
  output: z.object({
    credit_balance: signedAmount,
    available: signedAmount.describe('What the wallet can spend, given credit included; the hours are of this.'),
    per_hour: signedAmount.describe('What usage has cost an hour, over the last 24 hours, rounded up.'),
    hours: z.int().nullable().describe('Whole hours until the wallet is empty at this rate; null without usage.'),
    empty_at: instant.nullable(),
    text: z.string().describe('The same for people: "9 d 4 h at the present rate".'),
  }),
  refusals: ['not_found'],
  async run({ house, actor }, input) {
    const { db, ports } = house;
    const wallet = await visibleWallet(db, actor, input.sid);
    if (isRefusal(wallet)) return wallet;
    const now = ports.clock.now();
    const since = new Date(now.getTime() - Number(WINDOW_HOURS) * HOUR_MS);
    const { charge } = await chargedSince(db, { wallet: wallet.id, since, entriesMax: ENTRIES_MAX });
    const available = micros(wallet.balance + wallet.given);
    const balance = available > 0n ? available : 0n;
    const hours = charge === 0n ? null : (balance * WINDOW_HOURS) / charge;
    const isFar = hours !== null && hours > RUNWAY_HOURS_MAX;
    return {
      credit_balance: formatDecimal(wallet.balance),
      available: formatDecimal(available),
      per_hour: formatDecimal((charge + WINDOW_HOURS - 1n) / WINDOW_HOURS),
      hours: hours === null || isFar ? null : Number(hours),
      empty_at: hours === null || isFar ? null : new Date(now.getTime() + Number(hours) * HOUR_MS).toISOString(),
      text: textOf(hours, isFar),
    };
  },
});

function textOf(hours: bigint | null, isFar: boolean): string {
  if (hours === null) return 'no usage in the last 24 hours';
  if (isFar) return 'more than ten years at the present rate';
  if (hours === 0n) return 'less than an hour at the present rate';
  const [days, rest] = [hours / 24n, hours % 24n];
  return `${days > 0n ? `${days} d ` : ''}${rest} h at the present rate`;
}
