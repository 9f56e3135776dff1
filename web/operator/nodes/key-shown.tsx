import type { ReactElement } from 'react';
import { SecretShown } from '../../ui/secret-shown.tsx';

interface KeyShownProps {
  readonly name: string;
  readonly nodeKey: string;
  readonly onClose: () => void;
}

/** The only time that a node's key can be read. */
export const KeyShown = ({ name, nodeKey, onClose }: KeyShownProps): ReactElement => (
  <SecretShown
    what="key"
    secret={nodeKey}
    testId="node-key"
    warning={`This is the only time that the key of ${name} is shown. We keep no copy of it: if it is lost, rotate it.`}
    onClose={onClose}
  >
    The node sends it with every report as <code className="font-mono">Authorization: Bearer …</code>
  </SecretShown>
);
