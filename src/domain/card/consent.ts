/**
 * What a person agrees to. The version is stored with the agreement, so that a changed text is a new agreement: change the date with
 * the text.
 */
export const CARD_CONSENT =
  'The payment provider keeps your card and this service keeps a reference to it, no number. It is charged only when you ask for it, ' +
  'or by auto-recharge if you switch that on. You can remove it here at any time.';

export const RECHARGE_CONSENT_VERSION = '2026-11-28';
export const RECHARGE_CONSENT =
  'I allow my saved card to be charged without asking me each time when my balance falls below the threshold, by as much as fills it to ' +
  'the target, and in each calendar month (UTC) by no more than the monthly cap. I can switch this off at any time; a charge that is ' +
  'under way may still complete.';
