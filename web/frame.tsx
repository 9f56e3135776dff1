import type { ReactElement, ReactNode } from 'react';
import { useState } from 'react';
import { Link } from 'wouter';
import { useChosenWallet } from './chosen-wallet.tsx';
import { ApartBanner } from './clock/apart-banner.tsx';
import { SandboxBanner } from './clock/banner.tsx';
import { OperatorNavigation, UserNavigation } from './navigation.tsx';
import { useSession, useSignOut } from './session.ts';
import { Icon } from './ui/icon.tsx';
import { useToast } from './ui/toast.tsx';
import { ViewBanner } from './view-banner.tsx';

/** What is around every page: skip link, sandbox banner, who is signed in, and where one can go. */
export function Frame({ children }: { readonly children: ReactNode }): ReactElement {
  const session = useSession();
  return (
    <div className="flex min-h-dvh flex-col">
      <a
        href="#main"
        className="sr-only z-50 rounded-lg bg-accent px-4 py-2 text-on-accent focus:not-sr-only focus:fixed focus:top-3 focus:left-3"
      >
        Skip to the content
      </a>
      <header>
        {session.mode === 'sandbox' && <SandboxBanner />}
        <ApartBanner />
        <ViewBanner />
        <div className="relative border-b border-line bg-surface">
          <div className="mx-auto flex min-h-16 max-w-5xl flex-wrap items-center gap-x-3 gap-y-1 px-4 py-2 sm:gap-x-6 sm:px-6">
            <Link href="/" className="flex shrink-0 items-center gap-2.5 rounded-lg font-semibold tracking-tight">
              <img src="/favicon.svg" alt="" width="28" height="28" />
              <span className="max-sm:sr-only">hero-onboarding</span>
            </Link>
            {session.role === 'operator' && <OperatorNavigation />}
            {session.role === 'user' && <UserNavigation />}
            {session.wallets.length > 1 && <WalletSwitcher />}
            {session.role !== 'anonymous' && <Account />}
          </div>
        </div>
      </header>
      <main id="main" tabIndex={-1} className="mx-auto w-full max-w-5xl grow px-4 py-8 outline-none sm:px-6 sm:py-10">
        {children}
      </main>
      <footer className="mx-auto w-full max-w-5xl px-4 pb-8 text-sm text-soft sm:px-6">
        <a href="/docs" className="underline underline-offset-2 hover:text-ink">
          API documents
        </a>
      </footer>
    </div>
  );
}

/** The browser's own list, which every keyboard and screen reader knows. Only where there is something to choose. */
function WalletSwitcher(): ReactElement {
  const { wallets } = useSession();
  const { wallet, choose } = useChosenWallet();
  return (
    <label className="flex min-w-0 items-center gap-2 text-sm">
      <span className="sr-only">Wallet that the pages are about</span>
      <select
        name="wallet"
        value={wallet.wallet_sid}
        className="max-w-44 min-w-0 truncate rounded-lg border border-edge bg-surface px-2 py-1.5 font-medium"
        onChange={(event) => choose(event.target.value)}
      >
        {wallets.map((one) => (
          <option key={one.wallet_sid} value={one.wallet_sid}>
            {one.kind === 'person' ? 'My wallet' : one.name}
          </option>
        ))}
      </select>
    </label>
  );
}

function Account(): ReactElement {
  const { role, user } = useSession();
  const signOut = useSignOut();
  const say = useToast();
  const [isLeaving, setLeaving] = useState(false);
  const leave = async (): Promise<void> => {
    if (isLeaving) return;
    setLeaving(true);
    try {
      await signOut();
    } catch {
      say('Signing out failed. Try again.');
      setLeaving(false);
    }
  };
  return (
    <div className="flex min-w-0 flex-1 items-center justify-end gap-3 text-sm max-sm:min-w-fit">
      <span className="max-w-56 min-w-0 truncate text-soft max-sm:sr-only">
        {role === 'operator' ? 'Operator' : (user?.display_name ?? 'You')}
      </span>
      <button
        type="button"
        className="inline-flex min-h-9 items-center gap-1.5 rounded-lg px-2 font-medium whitespace-nowrap hover:bg-sunken"
        onClick={() => void leave()}
      >
        <Icon name="out" />
        <span className="max-sm:sr-only">Sign out</span>
      </button>
    </div>
  );
}
