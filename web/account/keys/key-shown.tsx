import type { ReactElement } from 'react';
import type { KeyWithSecret } from '../../surface.ts';
import { SecretShown } from '../../ui/secret-shown.tsx';

/** The only time that a key can be read. */
export const KeyShown = (props: { readonly made: KeyWithSecret; readonly onClose: () => void }): ReactElement => (
  <SecretShown
    what="key"
    secret={props.made.key}
    testId="user-key"
    warning="This is the only time that the key is shown. We keep no copy of it: if it is lost, rotate it."
    onClose={props.onClose}
  >
    The program sends it with every request as <code className="font-mono">Authorization: Bearer …</code>, never in an
    address. Whoever has it can do what it is for.
  </SecretShown>
);
