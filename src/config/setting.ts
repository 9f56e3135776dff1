import type { Kind } from './kinds.ts';

/** One setting. The example file, the reference page, the start-up errors and `--print-config` all come from it. */
export interface Setting<T = unknown> {
  readonly env: string;
  readonly group: Group;
  readonly kind: Kind<T>;
  /** As it would stand in the environment; null: the setting has no value until somebody gives one. */
  readonly default: string | null;
  /** Never printed, logged or repeated in an error. */
  readonly isSecret: boolean;
  /** One line: what it does, and what its absence means. */
  readonly prose: string;
}

export const GROUPS = [
  'Server',
  'Database',
  'Operators and sessions',
  'Stripe',
  'ClickPesa',
  'BTCPay Server',
  'Forge',
  'Mycelium',
  'VMs',
  'OpenID Connect',
  'Wallets',
  'Events',
  'Receipts',
  'Mail',
  'Ledger',
] as const;
export type Group = (typeof GROUPS)[number];

type Declared<T> = Omit<Setting<T>, 'isSecret'> & { readonly isSecret?: true };

/** A setting that always has a value. */
export function given<T>(declared: Declared<T> & { default: string }): Setting<T> & { default: string } {
  return { isSecret: false, ...declared };
}

/** A setting that may be absent. */
export function optional<T>(declared: Omit<Declared<T>, 'default'>): Setting<T> & { default: null } {
  return { isSecret: false, default: null, ...declared };
}
