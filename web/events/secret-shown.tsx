import type { ReactElement } from 'react';
import { SecretShown as Shown } from '../ui/secret-shown.tsx';

/** The only time that an endpoint's secret can be read. */
export const SecretShown = (props: { readonly secret: string; readonly onClose: () => void }): ReactElement => (
  <Shown
    {...props}
    what="secret"
    testId="endpoint-secret"
    warning="This is the only time that the secret is shown. If it is lost, make a new one."
  >
    Verify each delivery with it, by any library of Standard Webhooks, over the raw bytes of the body.
  </Shown>
);
