import type { HttpBindings } from '@hono/node-server';
import type { Context, Hono } from 'hono';
import { callerAddress } from '../domain/identity/caller-address.ts';
import type { House } from '../operations/house.ts';
import type { Db } from '../store/db.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { FailureLimit } from './failure-limit.ts';

export interface AdminSecret {
  /** What audit rows call its holder: `admin:<id>`. */
  readonly id: string;
  readonly secret: string;
}

export interface HttpOptions {
  /** All are valid at once, so that one can be rotated. Empty: nobody signs in by secret. */
  readonly adminSecrets: readonly AdminSecret[];
  /** Rejects when the database does not answer. Must not wait for the connections that requests use. */
  readonly ping: () => Promise<void>;
  /** Connections that requests do not use, for webhooks: a provider must be answered while every other connection is busy. By default the house's. */
  readonly reserved?: Db;
  /** True once the stop has begun: not ready any more, connections are not kept. */
  readonly isStopping?: () => boolean;
  /** Postings that wait for a commit. */
  readonly queueDepth?: () => number;
  /** Who may read /metrics; by default callers on this machine and operators. */
  readonly metrics?: 'loopback' | 'operator' | 'off' | 'anyone';
  /** Where the built pages are; by default `dist` beside `src`. */
  readonly pagesFolder?: string;
  readonly version?: string;
}

/** What every route is built from. */
export interface Site {
  readonly house: House;
  readonly options: HttpOptions;
  readonly metrics: Metrics;
  /** Wrong admin secrets, by address. */
  readonly adminFailures: FailureLimit;
  /** And all of them together. */
  readonly adminFailuresOfAll: FailureLimit;
  /** Those that no audit row tells of yet. */
  readonly untoldFailures: { count: number };
  /** By address and by public half of the key: a machine whose key was revoked does not bar its neighbours behind one address. */
  readonly oneKeyFailures: FailureLimit;
  /** By address: whoever tries many keys, of nodes or of users. */
  readonly keyFailures: FailureLimit;
  /** By address: webhooks whose signature is bad. */
  readonly webhookFailures: FailureLimit;
  /** By address: codes asked for, each of which is a message to somebody's node. */
  readonly challengeCalls: FailureLimit;
  /** By address: wrong codes, and tries at challenges of others. */
  readonly challengeFailures: FailureLimit;
}

export interface AppEnv {
  // Absent when a test calls the app without a socket.
  Bindings: Partial<HttpBindings>;
  // clockSkew: the seconds by which a node's clock is ahead of ours, where it said what time it has.
  Variables: { requestId: string; operation: string; actor: string; clockSkew: string | null };
}
export type App = Hono<AppEnv>;
export type AppContext = Context<AppEnv>;

/** Where a request comes from. Forwarded headers are believed of our own proxies only: anyone can send them. */
export const addressOf = (site: Site, c: AppContext): string =>
  callerAddress(peerOf(c), c.req.header('x-forwarded-for') ?? null, site.house.settings.trustedProxies);

/** The address at the other end of the connection. */
export const peerOf = (c: AppContext): string => c.env?.incoming?.socket.remoteAddress ?? 'local';
