import type { Network } from '../domain/event/address.ts';
import type { ListedOperator } from '../domain/identity/role.ts';
import type { RoleClaim } from '../domain/identity/claimed-role.ts';
import type { Issuer } from '../domain/receipt/receipt.ts';
import type { MovableClock } from '../ports/movable-clock.ts';
import type { Clocks } from './clock/clocks.ts';
import type { Mailer, Ports } from '../ports/ports.ts';
import type { Messenger } from '../providers/messenger.ts';
import type { IdentityProvider, IdentityProviderName } from '../providers/identity-provider.ts';
import type { PaymentProvider } from '../providers/provider.ts';
import type { ProvisionerName } from '../domain/allocation/provisioner-name.ts';
import type { Provisioner } from '../providers/provisioner.ts';
import type { UsageRepository } from '../providers/usage-repository.ts';
import type { Db, Tx } from '../store/db.ts';
import type { Outcome, PostingRecord } from '../domain/ledger/posting.ts';
import type { Refusal } from '../domain/refusal.ts';
import type { Tick } from './tick.ts';

/** Everything an operation or a job may use. Built once by the composition root, or by a test. */
export interface House {
  readonly ports: Ports;
  readonly db: Db;
  /** The lanes: single postings handed in here are committed in groups. */
  readonly lanes: PostingLanes;
  readonly jobs: Jobs;
  /** By name; a provider that is not configured is not there. */
  readonly providers: ReadonlyMap<string, PaymentProvider>;
  /** Who gives VMs, by name: the pool always, another one where it is configured. */
  readonly provisioners: ReadonlyMap<ProvisionerName, Provisioner>;
  /** Who people sign in through, by name; who is not configured is not there. */
  readonly identityProviders: ReadonlyMap<IdentityProviderName, IdentityProvider>;
  /** Where nodes that cannot reach us leave their usage, and where this installation pushes its own; null: not configured. */
  readonly usageRepository: UsageRepository | null;
  /** Null: there is no mail server; mail is written and shown to operators. */
  readonly mailer: Mailer | null;
  /** Our own node of the overlay network, through which people show that they control theirs; null: not configured. */
  readonly messenger: Messenger | null;
  /** The clock of `ports`, where an operator may move it; null: this is no sandbox, and nobody moves time. */
  readonly movableClock: MovableClock | null;
  /** Whether the clock of this process and the database's agree. */
  readonly clocks: Clocks;
  /** What it does by the clock. */
  readonly ticks: readonly Tick[];
  readonly settings: HouseSettings;
}

export interface PostingLanes {
  /** Resolves after the commit. A refusal 'rate_limited' means the queue is full and nothing was taken in. */
  post(record: PostingRecord): Promise<Outcome | Refusal>;
  /** As `post`, for records that are answered together: in their order, after the last of them is committed. */
  postAll(records: readonly PostingRecord[]): Promise<readonly (Outcome | Refusal)[]>;
  /** Records that wait for a commit or are in one. */
  readonly depth: number;
  /** Whether so many more records may wait; always true where none do. */
  hasRoomFor(records: number): boolean;
  /** Stops taking records in, finishes what was taken in. */
  close(): Promise<void>;
}

export type JobName =
  | 'webhook.apply'
  | 'payment.check'
  | 'correction.run'
  | 'refund.send'
  | 'outage.settle'
  | 'auto-recharge.run'
  | 'standing.watch';

export interface Jobs {
  /** Adds a job in the caller's transaction: gone if it rolls back, seen by workers only after the commit. */
  enqueue(
    tx: Tx,
    name: JobName,
    payload: { readonly sid: string },
    options?: { readonly delayMs?: number },
  ): Promise<void>;
}

/** The settings operations read: a slice of the configuration, in domain units. */
export interface HouseSettings {
  readonly mode: 'sandbox' | 'test' | 'production';
  readonly publicUrl: string;
  readonly topUpMin: bigint;
  readonly topUpMax: bigint;
  readonly topUpPresets: readonly bigint[];
  /** Top-ups a user may have open at once. */
  readonly openPaymentsMax: number;
  readonly holdMax: bigint;
  /** Whether users may ask their own money back, and for how many days after they paid. */
  readonly isRefundSelfService: boolean;
  readonly refundWindowDays: number;
  /** What an operator's refund of money that the user has spent does: it is refused, or the wallet owes it. */
  readonly refundSpent: 'deny' | 'allow_negative';
  /** Refunds above it wait for a second operator; null: none does. */
  readonly refundApprovalAbove: bigint | null;
  /** How far below its floor delivered usage may take a wallet. */
  readonly usageOwedMax: bigint;
  readonly lowBalance: bigint;
  /** Who is asked for new VMs. */
  readonly provisioner: ProvisionerName;
  /** Lead times of the warnings that a wallet will be empty, the longest first. */
  readonly warningHours: readonly number[];
  /** From the notice that something is due until the wallet is suspended. */
  readonly graceHours: number;
  /** From the suspension until the VMs are released. */
  readonly suspendedDays: number;
  /** How long a suspended wallet's VMs run once more to fetch what is on them. */
  readonly rescueHours: number;
  /** Whether a period of a plan that is over before it could be paid is charged, or left out. */
  readonly planMissedPeriods: 'charge' | 'skip';
  /** What a dispute stops: the whole wallet, or only the disputed amount. */
  readonly disputeFreeze: 'wallet' | 'amount';
  /** The most that one lease may set aside, and for how long. */
  readonly leaseMax: bigint;
  readonly leaseSecondsMax: number;
  /** How long a session lasts, and how long when nobody uses it. */
  readonly sessionHours: number;
  readonly sessionIdleMinutes: number;
  /** Whether somebody can come in with an admin secret, so that a mistake with roles can be put right. */
  readonly hasAdminSecret: boolean;
  /** What an operator with the role finance may move in a day; null: no limit. */
  readonly financeDailyLimit: bigint | null;
  /** Proxies of ours: what they say of where a request comes from is believed. */
  readonly trustedProxies: readonly Network[];
  /** Whom the configuration makes operators. */
  readonly operators: readonly ListedOperator[];
  /** Whom a provider's claims make one; null: nobody. */
  readonly roleClaims: Readonly<Record<IdentityProviderName, RoleClaim | null>>;
  /** Seal secrets that are used again: the present one first, then the one before. Empty: none is kept. */
  readonly encryptionKeys: readonly string[];
  /** Who issues receipts. */
  readonly issuer: Issuer;
  /** Networks that events may be sent to although they are not public. */
  readonly endpointNetworks: readonly Network[];
  /** Signs pagination cursors and the tokens of leases; shared by all processes on one database. */
  readonly sessionKey: string;
}
