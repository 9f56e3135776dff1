import type { ReactElement, ReactNode } from 'react';
import { useState } from 'react';
import { Banner } from './banner.tsx';
import { Button } from './button.tsx';
import { Step } from './step.tsx';

interface SecretShownProps {
  /** What it is, in a sentence: "secret", "key". */
  readonly what: string;
  readonly secret: string;
  readonly testId: string;
  /** That it cannot be shown again, and what to do if it is lost. */
  readonly warning: string;
  /** What it is sent with, or verified by. */
  readonly children: ReactNode;
  readonly onClose: () => void;
}

/** The only time that a secret can be read. Nothing closes it by accident. */
export function SecretShown({ what, secret, testId, warning, children, onClose }: SecretShownProps): ReactElement {
  const [said, setSaid] = useState('');
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(secret);
      setSaid('Copied.');
    } catch {
      setSaid(`The browser refused to copy. Select the ${what} and copy it by hand.`);
    }
  };
  return (
    <Step label={`The ${what}`}>
      <Banner tone="warn">{warning}</Banner>
      <p className="rounded-xl bg-sunken px-4 py-3 font-mono text-sm break-all select-all" data-testid={testId}>
        {secret}
      </p>
      <p className="text-sm text-soft">{children}</p>
      <p aria-live="polite" className="min-h-5 text-sm text-good">
        {said}
      </p>
      <div className="flex flex-wrap justify-end gap-3">
        <Button look="quiet" onPress={() => void copy()}>
          Copy the {what}
        </Button>
        <Button onPress={onClose}>I have stored the {what}</Button>
      </div>
    </Step>
  );
}
