import type { Dispute } from '../../surface.ts';
import { nowMs } from '../../ui/time.ts';
import type { Tone } from '../../ui/banner.tsx';

/** What an operator is told of each state: a word, its colour, and a sentence. */
export const STATE_TEXT: Readonly<
  Record<Dispute['state'], { readonly word: string; readonly tone: Tone; readonly sentence: string }>
> = {
  open: {
    word: 'Open',
    tone: 'bad',
    sentence: 'The provider withholds the money. It is set aside in the wallet until the bank decides.',
  },
  inquiry: {
    word: 'Inquiry',
    tone: 'warn',
    sentence: 'The bank asks. No money has moved; an answer in time can prevent a dispute.',
  },
  won: { word: 'Won', tone: 'good', sentence: 'The money is ours: what was set aside is back in the wallet.' },
  lost: { word: 'Lost', tone: 'calm', sentence: 'The money is gone. It was taken from the wallet for good.' },
};

/** How much time is left, from a day before the end on in hours; null where nothing is waited for. */
export function timeLeft(dueBy: string | null, now = nowMs()): string | null {
  if (dueBy === null) return null;
  const hours = Math.floor((new Date(dueBy).getTime() - now) / 3_600_000);
  if (hours < 0) return 'over';
  if (hours < 48) return hours === 1 ? '1 hour left' : `${hours} hours left`;
  return `${Math.floor(hours / 24)} days left`;
}
