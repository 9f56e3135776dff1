import type { ReactElement } from 'react';
import { useState } from 'react';
import { Banner } from '../ui/banner.tsx';
import { Button } from '../ui/button.tsx';
import { Step } from '../ui/step.tsx';

/** The only time that a secret can be read. Nothing closes it by accident. */
export function SecretShown({
  secret,
  onClose,
}: {
  readonly secret: string;
  readonly onClose: () => void;
}): ReactElement {
  const [said, setSaid] = useState('');
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(secret);
      setSaid('Copied.');
    } catch {
      setSaid('The browser refused to copy. Select the secret and copy it by hand.');
    }
  };
  return (
    <Step label="The secret">
      <Banner tone="warn">This is the only time that the secret is shown. If it is lost, make a new one.</Banner>
      <p
        className="rounded-xl bg-sunken px-4 py-3 font-mono text-sm break-all select-all"
        data-testid="endpoint-secret"
      >
        {secret}
      </p>
      <p className="text-sm text-soft">
        Verify each delivery with it, by any library of Standard Webhooks, over the raw bytes of the body.
      </p>
      <p aria-live="polite" className="min-h-5 text-sm text-good">
        {said}
      </p>
      <div className="flex flex-wrap justify-end gap-3">
        <Button look="quiet" onPress={() => void copy()}>
          Copy the secret
        </Button>
        <Button onPress={onClose}>I have stored the secret</Button>
      </div>
    </Step>
  );
}
