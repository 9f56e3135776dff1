import { eventBody, type EventFacts, type EventType } from '../../domain/event/types.ts';
import { isMailed, mayWait } from '../../domain/mail/compose.ts';
import { afterQuietHours } from '../../domain/standing/quiet-hours.ts';
import type { Tx } from '../../store/db.ts';
import { insertDeliveries } from '../../store/delivery.ts';
import { findAllListeners, findListeners } from '../../store/endpoint.ts';
import { insertEvent, insertEvents, nextSequence, nextSequences, type EventRow } from '../../store/event.ts';
import { insertMail, insertMails } from '../../store/mail.ts';
import { readQuietHours } from '../../store/notice-setting.ts';
import type { House } from '../house.ts';

/** Whose event it is, as the rows of payments, holds and refunds carry it. */
export interface EventOwner {
  readonly wallet: bigint;
  readonly walletSid: string;
  readonly userSid: string;
}

export interface NewEvent {
  readonly type: EventType;
  /** Null: the house's own; only operators are told. */
  readonly of: EventOwner | null;
  /** Facts for a program: amounts as decimal text, sids, states. Never a secret. `wallet_sid`, `user_sid` and `sequence` come by themselves. */
  readonly facts: EventFacts;
  /** False: no mail, because another event of the moment says more. */
  readonly isMailed?: boolean;
  /** True: the mail does not wait for the end of its reader's quiet hours, although others of its type do. */
  readonly isUrgent?: boolean;
}

/**
 * Tells others of what happened: one line, in the transaction in which it happens.
 *
 *     await emit(tx, house, { type: 'refund.succeeded', of: payment, facts: { refund_sid: sid, amount: formatDecimal(amount) } });
 *
 * Writes a row of the outbox, one for each endpoint that is to be told, and a mail where users are written about such a thing. Gone if the transaction rolls back.
 * Call it where the change is made and only when there is one: what is settled twice must not be told twice.
 * Shape: the event's sid, which is also the `webhook-id` of every delivery.
 */
export async function emit(tx: Tx, house: Pick<House, 'ports'>, event: NewEvent): Promise<string> {
  return await emitTo(tx, house, event, await findListeners(tx, event.of?.userSid ?? null, event.type));
}

/** The same for endpoints that are known; none: the event is only written down. */
export async function emitTo(
  tx: Tx,
  { ports }: Pick<House, 'ports'>,
  { type, of, facts, isMailed: mayBeMailed = true, isUrgent = false }: NewEvent,
  endpoints: readonly string[],
): Promise<string> {
  const sid = ports.ids.sid();
  const occurredAt = ports.clock.now();
  const sequence = of === null ? null : await nextSequence(tx, of.wallet);
  const about = of === null ? {} : { wallet_sid: of.walletSid, user_sid: of.userSid, sequence: Number(sequence) };
  await insertEvent(tx, {
    sid,
    type,
    wallet: of?.wallet ?? null,
    userSid: of?.userSid ?? null,
    sequence,
    body: eventBody({ type, occurredAt, about, facts }),
    occurredAt,
  });
  if (endpoints.length > 0) {
    const made = endpoints.map((endpoint) => ({ sid: ports.ids.sid(), endpoint }));
    await insertDeliveries(tx, sid, made, occurredAt);
  }
  if (of !== null && mayBeMailed && isMailed(type)) {
    const quiet = mayWait(type) && !isUrgent ? await readQuietHours(tx, of.userSid) : null;
    const dueAt = afterQuietHours(quiet, occurredAt);
    await insertMail(tx, { sid: ports.ids.sid(), event: sid, userSid: of.userSid, now: occurredAt, dueAt });
  }
  return sid;
}

/** An event of a wallet. */
export type WalletEvent = NewEvent & { readonly of: EventOwner };

/** The same for many events of wallets at once, in their order: as many statements for hundreds as for one. */
export async function emitAll(tx: Tx, { ports }: Pick<House, 'ports'>, events: readonly WalletEvent[]): Promise<void> {
  if (events.length === 0) return;
  const occurredAt = ports.clock.now();
  const next = new Map(
    await nextSequences(
      tx,
      events.map(({ of }) => of.wallet),
    ),
  );
  const listeners = await findAllListeners(
    tx,
    events.map(({ type, of }) => ({ type, userSid: of.userSid })),
  );
  const rows = events.map(({ type, of, facts }): EventRow => {
    const sequence = next.get(of.wallet) ?? 1n;
    next.set(of.wallet, sequence + 1n);
    const about = { wallet_sid: of.walletSid, user_sid: of.userSid, sequence: Number(sequence) };
    const body = eventBody({ type, occurredAt, about, facts });
    return { sid: ports.ids.sid(), type, wallet: of.wallet, userSid: of.userSid, sequence, body, occurredAt };
  });
  await insertEvents(tx, rows);
  for (const { sid, type, userSid } of rows) {
    const endpoints = listeners.get(`${userSid} ${type}`) ?? [];
    const made = endpoints.map((endpoint) => ({ sid: ports.ids.sid(), endpoint }));
    if (made.length > 0) await insertDeliveries(tx, sid, made, occurredAt);
  }
  const mailed = rows.flatMap(({ sid, type }, index) => {
    const event = events[index];
    return event !== undefined && event.isMailed !== false && isMailed(type)
      ? [{ sid: ports.ids.sid(), event: sid, userSid: event.of.userSid }]
      : [];
  });
  await insertMails(tx, mailed, occurredAt);
}
