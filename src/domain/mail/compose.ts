import type { EventFacts, EventType } from '../event/types.ts';
import { fill, WORDS, type Language, type Words } from '../language/language.ts';

/** What users are written about. The rest is told to programs only. */
export const MAILED_TYPES = [
  'payment.credited',
  'payment.reversed',
  'wallet.low_balance',
  'wallet.empty',
  'wallet.runway',
  'wallet.grace',
  'wallet.suspended',
  'wallet.restored',
  'wallet.released',
  'refund.succeeded',
  'refund.failed',
  'dispute.opened',
  'dispute.won',
  'dispute.lost',
  'auto_recharge.failed',
  'auto_recharge.action_required',
  'auto_recharge.disabled',
  'endpoint.disabled',
  'plan.bought',
  'plan.renewed',
  'plan.renews_soon',
  'plan.changed',
  'plan.past_due',
  'plan.ended',
  'key.created',
  'key.rotated',
] as const satisfies readonly EventType[];
export type MailedType = (typeof MAILED_TYPES)[number];

export const isMailed = (type: EventType): type is MailedType => MAILED_TYPES.some((mailed) => mailed === type);

/** What waits for the end of its reader's quiet hours: there is time. The rest was asked for a moment ago, or cannot be helped later. */
const WAITING_TYPES: ReadonlySet<EventType> = new Set<EventType>([
  'wallet.low_balance',
  'wallet.empty',
  'wallet.runway',
  'wallet.grace',
  'wallet.restored',
]);

export const mayWait = (type: EventType): boolean => WAITING_TYPES.has(type);

export interface Letter {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

export interface LetterAbout {
  readonly type: MailedType;
  readonly language: Language;
  /** The user's name, as they gave it. */
  readonly name: string;
  readonly facts: EventFacts;
  /** Where what it is about can be looked at. */
  readonly link: string;
  /** Whether it is about play money, in a sandbox or a test: then it says so first. */
  readonly isPlayMoney: boolean;
}

type Key = keyof Words;

/** By type: the subject and the sentences. A sentence about something that the event does not know is left out. */
const LETTERS: Readonly<Record<MailedType, readonly [subject: Key, ...sentences: Key[]]>> = {
  'payment.credited': ['mail_credited', 'mail_credited_amount', 'mail_receipt'],
  'payment.reversed': ['mail_reversed', 'mail_reversed_why', 'mail_amount'],
  'wallet.low_balance': ['mail_low', 'mail_low_balance', 'mail_top_up'],
  'wallet.empty': ['mail_empty', 'mail_empty_why', 'mail_top_up'],
  'wallet.runway': ['mail_runway', 'mail_runway_hours', 'mail_runway_on', 'mail_low_balance', 'mail_top_up'],
  'wallet.grace': ['mail_grace', 'mail_grace_why', 'mail_grace_on', 'mail_due', 'mail_low_balance'],
  'wallet.suspended': [
    'mail_suspended',
    'mail_suspended_why',
    'mail_suspended_until',
    'mail_due',
    'mail_suspended_rescue',
  ],
  'wallet.restored': ['mail_restored', 'mail_restored_count', 'mail_restored_not'],
  'wallet.released': ['mail_released', 'mail_released_why', 'mail_released_next'],
  'refund.succeeded': ['mail_refunded', 'mail_refunded_why', 'mail_amount', 'mail_credit_note'],
  'refund.failed': ['mail_refund_failed', 'mail_refund_failed_why', 'mail_amount'],
  'dispute.opened': ['mail_disputed', 'mail_disputed_why', 'mail_amount'],
  'dispute.won': ['mail_dispute_won', 'mail_dispute_won_why', 'mail_amount'],
  'dispute.lost': ['mail_dispute_lost', 'mail_dispute_lost_why', 'mail_amount'],
  'auto_recharge.failed': ['mail_recharge_failed', 'mail_recharge_failed_why', 'mail_amount', 'mail_card'],
  'auto_recharge.action_required': ['mail_recharge_action', 'mail_recharge_action_why', 'mail_amount'],
  'auto_recharge.disabled': ['mail_recharge_off', 'mail_recharge_off_why', 'mail_card'],
  'endpoint.disabled': ['mail_endpoint', 'mail_endpoint_why', 'mail_endpoint_again'],
  'plan.bought': ['mail_plan_bought', 'mail_plan_price', 'mail_plan_until'],
  'plan.renewed': ['mail_plan_renewed', 'mail_plan_price', 'mail_plan_until'],
  'plan.renews_soon': ['mail_plan_soon', 'mail_plan_soon_when', 'mail_plan_soon_missing'],
  'plan.changed': ['mail_plan_changed', 'mail_plan_price'],
  'plan.past_due': ['mail_plan_due', 'mail_plan_due_missing', 'mail_plan_due_then'],
  'plan.ended': ['mail_plan_ended', 'mail_plan_ended_vms'],
  'key.created': ['mail_key_created', 'mail_key_created_why', 'mail_key_not_you'],
  'key.rotated': ['mail_key_rotated', 'mail_key_rotated_why', 'mail_key_not_you'],
};

/** A letter in plain text and in simple HTML that say the same. Names and facts are text, whatever is in them. */
export function composeLetter({ type, language, name, facts, link, isPlayMoney }: LetterAbout): Letter {
  const words = WORDS[language];
  const [subject, ...keys] = LETTERS[type];
  const values = Object.fromEntries(
    Object.entries(facts).flatMap(([key, value]) => (value === null ? [] : [[key, oneLine(String(value))]])),
  );
  const sentences = keys.map((key) => words[key]).filter((sentence) => isKnown(sentence, values));
  const paragraphs = [
    ...(isPlayMoney ? [words.mail_play] : []),
    fill(words.mail_hello, { name: oneLine(name) }),
    ...sentences.map((one) => fill(one, values)),
  ];
  const ending = words.mail_ending;
  return {
    subject: isPlayMoney ? fill(words.mail_play_subject, { subject: words[subject] }) : words[subject],
    text: [...paragraphs, link, ending].join('\n\n'),
    html: htmlOf(language, paragraphs, { link, ending }),
  };
}

/** Whether everything that a sentence speaks of is there. */
const isKnown = (sentence: string, values: Readonly<Record<string, string>>): boolean =>
  [...sentence.matchAll(/\{([a-z_]+)\}/g)].every(([, key = '']) => Object.hasOwn(values, key));

export const oneLine = (text: string): string => text.replaceAll(/\s+/g, ' ').trim();

/** The same in simple HTML. */
export function htmlOf(
  language: Language,
  paragraphs: readonly string[],
  { link, ending }: { readonly link: string; readonly ending: string },
): string {
  const written = paragraphs.map((text) => `<p>${escapeHtml(text)}</p>`).join('\n');
  const address = escapeHtml(link);
  return [
    `<!doctype html><html lang="${language}"><head><meta charset="utf-8"><title></title></head>`,
    '<body style="font-family:sans-serif;font-size:16px;line-height:1.5;max-width:36em;margin:auto;padding:16px">',
    written,
    `<p><a href="${address}">${address}</a></p>`,
    `<p style="color:#555555">${escapeHtml(ending)}</p>`,
    '</body></html>',
  ].join('\n');
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

const escapeHtml = (text: string): string => text.replaceAll(/[&<>"']/g, (one) => ESCAPES[one] ?? one);
