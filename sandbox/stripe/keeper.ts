import type { Keeper as SharedKeeper } from '../keeper.ts';
import type { Payout } from './balance.ts';
import type { Customer, PaymentMethod } from './cards.ts';
import type { RememberedKey } from './idempotency.ts';
import type { Charge, Intent, SandboxEvent, Session } from './records.ts';
import type { Dispute } from './disputes.ts';
import type { Refund } from './refunds.ts';

/** What one move changed: whole records, as they are after it. */
export interface Change {
  readonly sessions?: readonly Session[];
  readonly intents?: readonly Intent[];
  readonly charges?: readonly Charge[];
  readonly customers?: readonly Customer[];
  readonly methods?: readonly PaymentMethod[];
  readonly refunds?: readonly Refund[];
  readonly disputes?: readonly Dispute[];
  readonly payouts?: readonly Payout[];
  readonly events?: readonly SandboxEvent[];
  readonly keys?: readonly RememberedKey[];
}

/** Where the simulator's memory outlives its process. */
export type Keeper = SharedKeeper<Change>;
