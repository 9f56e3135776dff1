import type { ReactElement, ReactNode } from 'react';
import { createContext, useContext, useState } from 'react';
import { useSession } from './session.ts';
import type { MemberRole, SessionWallet } from './surface.ts';

const STORED = 'wallet';
const NONE: SessionWallet = { wallet_sid: '', owner_sid: '', name: '', kind: 'person', role: 'owner' };

interface Chosen {
  readonly wallet: SessionWallet;
  readonly choose: (walletSid: string) => void;
}

const ChosenContext = createContext<Chosen>({ wallet: NONE, choose: () => undefined });

/** Which of the wallets that one reaches the pages are about; remembered by the browser, and one's own to begin with. */
export function ChosenWallet({ children }: { readonly children: ReactNode }): ReactElement {
  const { wallets } = useSession();
  const [sid, setSid] = useState(readStored);
  const wallet = wallets.find(({ wallet_sid: one }) => one === sid) ?? wallets[0] ?? NONE;
  const choose = (chosen: string): void => {
    store(chosen);
    setSid(chosen);
  };
  return <ChosenContext value={{ wallet, choose }}>{children}</ChosenContext>;
}

export const useChosenWallet = (): Chosen => useContext(ChosenContext);

/** What one may do with a wallet, named by its own sid or by its owner's: of what one does not reach, look. An operator may what the server lets them. */
export function useRoleOf(sid: string | null): MemberRole {
  const { role, wallets } = useSession();
  if (role === 'operator') return 'owner';
  return wallets.find((one) => one.owner_sid === sid || one.wallet_sid === sid)?.role ?? 'viewer';
}

// A browser may refuse to remember: then the choice lasts as long as the page.
function readStored(): string | null {
  try {
    return window.localStorage.getItem(STORED);
  } catch {
    return null;
  }
}

function store(sid: string): void {
  try {
    window.localStorage.setItem(STORED, sid);
  } catch {
    // As above.
  }
}
