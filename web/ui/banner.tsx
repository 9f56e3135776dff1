import type { ReactElement, ReactNode } from 'react';
import { cx } from './class-names.ts';
import type { Problem } from '../api.ts';

const TONES = {
  good: 'bg-good-wash text-good',
  bad: 'bg-bad-wash text-bad',
  warn: 'bg-warn-wash text-warn',
  calm: 'bg-wash text-ink',
} as const;

export type Tone = keyof typeof TONES;

export function Banner({
  tone = 'calm',
  children,
}: {
  readonly tone?: Tone;
  readonly children: ReactNode;
}): ReactElement {
  return <div className={cx('rounded-xl px-4 py-3 text-sm', TONES[tone])}>{children}</div>;
}

/** An error as a sentence, with the number support can look it up by. Announced at once. */
export function ProblemBanner({
  problem,
  retry,
}: {
  readonly problem: Problem | null;
  readonly retry?: () => void;
}): ReactElement {
  return (
    <div role="alert">
      {problem && (
        <Banner tone="bad">
          <p>{problem.message}</p>
          {problem.requestId !== null && <p className="mt-1 text-xs">Reference: {problem.requestId}</p>}
          {retry && (
            <button type="button" className="mt-2 font-medium underline underline-offset-2" onClick={retry}>
              Try again
            </button>
          )}
        </Banner>
      )}
    </div>
  );
}
