import type { ReactElement } from 'react';
import { Link } from 'wouter';

/** The number of a wallet, leading to its page. */
export function WalletLink({ sid }: { readonly sid: string }): ReactElement {
  return (
    <Link
      href={`/operator/wallets/${sid}`}
      className="font-mono text-xs break-all text-accent underline-offset-2 hover:underline"
    >
      {sid}
    </Link>
  );
}
