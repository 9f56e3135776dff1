import type { ReactElement } from 'react';
import type { Tone } from './banner.tsx';
import { cx } from './class-names.ts';

const TONES: Readonly<Record<Tone, string>> = {
  good: 'bg-good-wash text-good',
  bad: 'bg-bad-wash text-bad',
  warn: 'bg-warn-wash text-warn',
  calm: 'bg-sunken text-soft',
};

/** One word on where something stands. The word carries the meaning, the colour only helps. */
export function Badge({ tone, text }: { readonly tone: Tone; readonly text: string }): ReactElement {
  return (
    <span className={cx('inline-block rounded-full whitespace-nowrap px-2.5 py-0.5 text-xs font-medium', TONES[tone])}>
      {text}
    </span>
  );
}
