import { composeLetter } from '../../domain/mail/compose.ts';
import { nextMailTryAt } from '../../domain/mail/schedule.ts';
import type { EventFacts } from '../../domain/event/types.ts';
import { MailNotSent } from '../../ports/ports.ts';
import { claimDueMails, markMail, readMail, writeMail, type MailRow } from '../../store/mail.ts';
import type { House } from '../house.ts';

/** One after another: a mail server is not to be pressed, and nobody waits for this. */
const MAILS_MAX = 20;
const LEASE_MS = 10 * 60_000;

/**
 * Writes and sends the mail that is due. Without a mail server it is written and kept.
 *
 * Shape: how many were tried.
 * Safe to: run in several processes at once, and again after a crash. A mail that the server took and we did not write down is sent once
 * more, under the same Message-ID.
 */
export async function sendDueMails(house: House, signal?: AbortSignal): Promise<number> {
  const now = house.ports.clock.now();
  const claim = { now, leaseEndsAt: new Date(now.getTime() + LEASE_MS), limit: MAILS_MAX };
  const sids = await house.db.transaction('mail.claim_due', (tx) => claimDueMails(tx, claim));
  for (const sid of sids) if (signal?.aborted !== true) await sendOne(house, sid);
  return sids.length;
}

async function sendOne(house: House, sid: string): Promise<void> {
  const mail = await readMail(house.db, sid);
  if (mail?.state !== 'pending') return;
  const { subject, text, html } = lettersOf(house, mail);
  await house.db.transaction('mail.write', (tx) => writeMail(tx, sid, { subject, text, html }));
  const tries = mail.tries + 1;
  const outcome = await handOver(house, { to: mail.recipient, subject, text, html, id: sid });
  const now = house.ports.clock.now();
  const dueAt = outcome.state === 'pending' ? nextMailTryAt(now, tries) : null;
  const state = outcome.state === 'pending' && dueAt === null ? 'failed' : outcome.state;
  const mark = { sid, state, reason: outcome.reason, tries, dueAt, endedAt: dueAt === null ? now : null };
  await house.db.transaction('mail.mark', (tx) => markMail(tx, mark));
  if (state !== 'failed') return;
  house.ports.log.warn({ mail_sid: sid, user_sid: mail.userSid, tries, reason: mark.reason }, 'a mail was given up');
}

/** What it says already, where it was tried before. */
function lettersOf(house: House, mail: MailRow): { subject: string; text: string; html: string } {
  const { subject, text, html } = mail;
  if (subject !== null && text !== null && html !== null) return { subject, text, html };
  // Our own text, written by `eventBody`.
  const { data: facts } = JSON.parse(mail.eventBody) as { data: EventFacts };
  const { eventType: type, language, displayName: name } = mail;
  const { publicUrl, mode } = house.settings;
  const page = type.startsWith('key.') ? 'account' : 'wallet';
  const isPlayMoney = mode !== 'production';
  return composeLetter({ type, language, name, facts, link: `${publicUrl}/${page}`, isPlayMoney });
}

interface Outcome {
  readonly state: 'sent' | 'kept' | 'pending' | 'failed';
  readonly reason: string | null;
}

async function handOver(
  { mailer, ports }: House,
  mail: Parameters<NonNullable<House['mailer']>['send']>[0],
): Promise<Outcome> {
  if (mailer === null) return { state: 'kept', reason: null };
  try {
    await ports.crash.reach('mail:before:send');
    await mailer.send(mail);
    await ports.crash.reach('mail:after:send');
    return { state: 'sent', reason: null };
  } catch (error) {
    if (!(error instanceof MailNotSent)) throw error;
    return { state: error.isFinal ? 'failed' : 'pending', reason: error.message };
  }
}
