import type { Keeper as SharedKeeper } from '../keeper.ts';
import type { Customer, PaymentMethod } from './cards.ts';
import type { RememberedKey } from './idempotency.ts';
import type { Charge, Intent, SandboxEvent, Session } from './state.ts';

/** What one move changed: whole records, as they are after it. */
export interface Change {
  readonly sessions?: readonly Session[];
  readonly intents?: readonly Intent[];
  readonly charges?: readonly Charge[];
  readonly customers?: readonly Customer[];
  readonly methods?: readonly PaymentMethod[];
  readonly events?: readonly SandboxEvent[];
  readonly keys?: readonly RememberedKey[];
}

/** Where the simulator's memory outlives its process. */
export type Keeper = SharedKeeper<Change>;
