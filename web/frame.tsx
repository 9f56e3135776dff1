import type { ReactElement, ReactNode } from 'react';
import { useState } from 'react';
import { Link, useLocation } from 'wouter';
import { useChosenWallet } from './chosen-wallet.tsx';
import { SandboxBanner } from './clock/banner.tsx';
import { useSession, useSignOut } from './session.ts';
import { cx } from './ui/class-names.ts';
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
        <ViewBanner />
        <div className="border-b border-line bg-surface">
          <div className="mx-auto flex min-h-16 max-w-5xl flex-wrap items-center gap-x-3 gap-y-1 px-4 py-2 sm:gap-x-6 sm:px-6">
            <Link href="/" className="flex shrink-0 items-center gap-2.5 rounded-lg font-semibold tracking-tight">
              <img src="/favicon.svg" alt="" width="28" height="28" />
              <span className="max-sm:sr-only">hero-onboarding</span>
            </Link>
            {session.role === 'operator' && <OperatorNavigation />}
            {session.role === 'user' && <Navigation label="Wallet" pages={USER_PAGES} />}
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

type Pages = readonly (readonly [path: string, title: string])[];

const USER_PAGES: Pages = [
  ['/wallet', 'Wallet'],
  ['/plan', 'Plan'],
  ['/usage', 'Usage'],
  ['/events', 'Events'],
  ['/account', 'Account'],
];

/** Too many for one row: the first row has the groups, the second one the pages of the group where one is. */
const OPERATOR_GROUPS: readonly (readonly [title: string, pages: Pages])[] = [
  ['Wallets', [['/operator', 'Wallets']]],
  [
    'Money',
    [
      ['/operator/payment-events', 'Payment events'],
      ['/operator/refunds', 'Refunds'],
      ['/operator/disputes', 'Disputes'],
      ['/operator/reconciliation', 'Reconciliation'],
      ['/operator/webhook-events', 'Webhook events'],
    ],
  ],
  [
    'Events',
    [
      ['/operator/events', 'Endpoints'],
      ['/operator/mail', 'Mail'],
      ['/operator/receipts', 'Receipts'],
    ],
  ],
  [
    'Plans',
    [
      ['/operator/plans', 'Plans'],
      ['/operator/subscriptions', 'Subscriptions'],
    ],
  ],
  [
    'Credit',
    [
      ['/operator/codes', 'Codes'],
      ['/operator/bonus', 'Bonus'],
      ['/operator/liability', 'Liability'],
    ],
  ],
  [
    'Usage',
    [
      ['/operator/nodes', 'Nodes'],
      ['/operator/prices', 'Prices'],
      ['/operator/ladders', 'Ladders'],
      ['/operator/unbilled', 'Unbilled'],
    ],
  ],
];

const isAt = (location: string, path: string): boolean =>
  path === '/operator' ? location === path || location.startsWith('/operator/wallets') : location.startsWith(path);

/** Who came with the admin secret has none. */
const ACCOUNT_GROUP = ['Account', [['/account', 'Account']]] as const satisfies (typeof OPERATOR_GROUPS)[number];

function OperatorNavigation(): ReactElement {
  const [location] = useLocation();
  const { user } = useSession();
  const groups = user === null ? OPERATOR_GROUPS : [...OPERATOR_GROUPS, ACCOUNT_GROUP];
  const [title, pages] = groups.find(([, pages]) => pages.some(([path]) => isAt(location, path))) ?? ['', []];
  return (
    <>
      <Navigation
        label="Operator"
        pages={groups.map(([name, pages]) => [pages[0]?.[0] ?? '/operator', name])}
        here={pages[0]?.[0]}
      />
      {pages.length > 1 && (
        <div className="order-last w-full">
          <Navigation label={title} pages={pages} />
        </div>
      )}
    </>
  );
}

interface NavigationProps {
  readonly label: string;
  readonly pages: Pages;
  /** The page that is marked; the one of the address when left out. */
  readonly here?: string | undefined;
}

function Navigation({ label, pages, here }: NavigationProps): ReactElement {
  const [location] = useLocation();
  const isHere = (path: string): boolean => (here === undefined ? isAt(location, path) : path === here);
  return (
    <nav aria-label={label} className="-mx-2 flex flex-wrap gap-0.5">
      {pages.map(([path, title]) => (
        <Link
          key={path}
          href={path}
          aria-current={isHere(path) ? (here === undefined ? 'page' : 'true') : undefined}
          className={cx(
            'rounded-lg px-2 py-1.5 text-sm font-medium whitespace-nowrap -outline-offset-2',
            isHere(path) ? 'bg-wash text-accent' : 'text-soft hover:bg-sunken hover:text-ink',
          )}
        >
          {title}
        </Link>
      ))}
    </nav>
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
