import type { ReactElement } from 'react';
import { useState } from 'react';
import { Banner } from '../../ui/banner.tsx';
import { Button } from '../../ui/button.tsx';
import { Step } from '../../ui/step.tsx';

interface KeyShownProps {
  readonly name: string;
  readonly nodeKey: string;
  readonly onClose: () => void;
}

/** The only time that a key can be read. Nothing closes it by accident. */
export function KeyShown({ name, nodeKey, onClose }: KeyShownProps): ReactElement {
  const [said, setSaid] = useState('');
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(nodeKey);
      setSaid('Copied.');
    } catch {
      setSaid('The browser refused to copy. Select the key and copy it by hand.');
    }
  };
  return (
    <Step label="The new key">
      <Banner tone="warn">
        This is the only time that the key of {name} is shown. We keep no copy of it: if it is lost, rotate it.
      </Banner>
      <p className="rounded-xl bg-sunken px-4 py-3 font-mono text-sm break-all select-all" data-testid="node-key">
        {nodeKey}
      </p>
      <p className="text-sm text-soft">
        The node sends it with every report as <code className="font-mono">Authorization: Bearer …</code>
      </p>
      <p aria-live="polite" className="min-h-5 text-sm text-good">
        {said}
      </p>
      <div className="flex flex-wrap justify-end gap-3">
        <Button look="quiet" onPress={() => void copy()}>
          Copy the key
        </Button>
        <Button onPress={onClose}>I have stored the key</Button>
      </div>
    </Step>
  );
}
