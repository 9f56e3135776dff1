import type { PrintedReceipt } from '../domain/receipt/compose.ts';

/**
 * What answers from outside our database comes through here, so that a simulator can drive it.
 * Only `src/ports/system.ts` may touch the real clock, timers, random source, network and process.
 */
export interface Clock {
  now(): Date;
  /** Milliseconds that never go back; for durations and leases, not for dates. */
  monotonicMs(): number;
  /** Resolves after the time or at once when the signal aborts; never rejects. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Resolves when everything that is ready to run now has run: for gathering what arrives at once. Takes no time. */
  turn(): Promise<void>;
}

export interface Random {
  bytes(count: number): Uint8Array;
}

export interface Ids {
  /** A ULID: 26 characters, Crockford base 32, sorts by time. */
  sid(): string;
  /** A sid that its first 18 characters tell (`domain/reference-sid.ts`): for what a provider with short references must name. */
  referenceSid(): string;
  /** A number that fits int8 and names one posting batch. Unique until the year 2109; it has no order that may be relied upon. */
  batchId(): bigint;
  /** `req_` and a ULID. */
  requestId(): string;
}

export interface HttpClient {
  /** The global `fetch`'s contract. Deadlines are the caller's, by `init.signal`. */
  fetch(input: string | URL | Request, init?: RequestInit): Promise<Response>;
}

/** Draws documents. */
export interface Printer {
  /** A PDF file; the same document gives the same bytes as long as the library is the same. */
  print(document: PrintedReceipt): Promise<Uint8Array>;
}

/** Hands mail to a mail server. */
export interface Mailer {
  /** Throws {@link MailNotSent}. Resolves when the server has taken it. */
  send(mail: OutgoingMail): Promise<void>;
}

export interface OutgoingMail {
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  /** The same for each try, so that a mail that was sent twice can be told from two. */
  readonly id: string;
}

export class MailNotSent extends Error {
  override readonly name = 'MailNotSent';
  /** The server said that it will never take it. */
  readonly isFinal: boolean;
  constructor(isFinal: boolean, message: string, options?: ErrorOptions) {
    super(message, options);
    this.isFinal = isFinal;
  }
}

/** Sends what others asked to be told, to addresses that they gave. */
export interface WebhookSender {
  /**
   * One POST over a connection of its own. Redirects are answers, not followed.
   * Throws {@link WebhookNotSent} when there was no answer.
   */
  post(request: WebhookRequest): Promise<WebhookAnswer>;
}

export interface WebhookRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Asked of the very address that will be connected to, after the name was looked up; there is no second look-up. */
  readonly mayReach: (address: string) => boolean;
  /** The deadline of the whole exchange. */
  readonly signal: AbortSignal;
  /** The answer is read no further. */
  readonly answerBytesMax: number;
}

export interface WebhookAnswer {
  readonly status: number;
  readonly retryAfter: string | null;
  /** The first bytes of its body. */
  readonly start: Uint8Array;
}

/** No answer came. `reason` is a stable word for the log of the endpoint's owner. */
export class WebhookNotSent extends Error {
  override readonly name = 'WebhookNotSent';
  readonly reason: 'address_refused' | 'name_unknown' | 'timeout' | 'tls' | 'connection';
  constructor(reason: WebhookNotSent['reason'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}

/**
 * A place where a process may die. The real one does nothing; tests throw from it, or kill the process.
 * The store reaches one before and after each statement and commit, providers around each call.
 */
export interface CrashPoints {
  reach(label: string): void | Promise<void>;
}

export interface Log {
  debug(facts: LogFacts, message: string): void;
  info(facts: LogFacts, message: string): void;
  warn(facts: LogFacts, message: string): void;
  error(facts: LogFacts, message: string): void;
}
export type LogFacts = Readonly<Record<string, unknown>>;

export interface Ports {
  readonly clock: Clock;
  readonly random: Random;
  readonly ids: Ids;
  readonly http: HttpClient;
  readonly webhooks: WebhookSender;
  readonly printer: Printer;
  readonly crash: CrashPoints;
  readonly log: Log;
}
