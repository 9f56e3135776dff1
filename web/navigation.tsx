import type { FocusEvent, KeyboardEvent, MouseEvent, ReactElement } from 'react';
import { useEffect, useId, useRef, useState } from 'react';
import { Link, useLocation } from 'wouter';
import { useSession } from './session.ts';
import { cx } from './ui/class-names.ts';
import { Icon } from './ui/icon.tsx';

type Pages = readonly (readonly [path: string, title: string])[];
type Groups = readonly (readonly [title: string, pages: Pages])[];

/** The first of a group is where its name leads; the others are in the second row. */
const USER_GROUPS: Groups = [
  ['Wallet', [['/wallet', 'Wallet']]],
  ['Plan', [['/plan', 'Plan']]],
  [
    'VMs',
    [
      ['/vms', 'VMs'],
      ['/ssh-keys', 'SSH keys'],
    ],
  ],
  ['Usage', [['/usage', 'Usage']]],
  ['Events', [['/events', 'Events']]],
  ['Account', [['/account', 'Account']]],
];

/** So many have room beside the sign-out on a small screen; the others are behind "More". */
const USER_GROUPS_SMALL = 3;

const OPERATOR_GROUPS: Groups = [
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
    'Credit',
    [
      ['/operator/grants', 'Given credit'],
      ['/operator/codes', 'Codes'],
      ['/operator/bonus', 'Bonus'],
      ['/operator/liability', 'Liability'],
    ],
  ],
  [
    'Renting',
    [
      ['/operator/plans', 'Plans'],
      ['/operator/subscriptions', 'Subscriptions'],
      ['/operator/allocations', 'VMs'],
      ['/operator/pool', 'Pool'],
      ['/operator/outages', 'Outages'],
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
  [
    'Events',
    [
      ['/operator/events', 'Endpoints'],
      ['/operator/mail', 'Mail'],
      ['/operator/receipts', 'Receipts'],
    ],
  ],
];

/** Who came with the admin secret has none. */
const ACCOUNT_GROUP = ['Account', [['/account', 'Account']]] as const satisfies Groups[number];

const isAt = (location: string, path: string): boolean =>
  path === '/operator' ? location === path || location.startsWith('/operator/wallets') : location.startsWith(path);

const groupAt = (groups: Groups, location: string): Groups[number] | undefined =>
  groups.find(([, pages]) => pages.some(([path]) => isAt(location, path)));

const startsOf = (groups: Groups): Pages => groups.map(([title, pages]) => [pages[0]?.[0] ?? '/', title]);

/** Where users go: a row of groups, of which a small screen has the first ones and the rest behind a button. */
export function UserNavigation(): ReactElement {
  const [location] = useLocation();
  const here = groupAt(USER_GROUPS, location);
  const small = USER_GROUPS.slice(0, USER_GROUPS_SMALL);
  const rest = USER_GROUPS.slice(USER_GROUPS_SMALL);
  const start = here?.[1][0]?.[0];
  return (
    <>
      <nav aria-label="Pages" className="-mx-2 flex max-md:hidden">
        <Links pages={startsOf(USER_GROUPS)} here={start} />
      </nav>
      <nav aria-label="Pages" className="-mx-2 flex md:hidden">
        <Links pages={startsOf(small)} here={start} />
        <Disclosure title="More" isMarked={rest.some((group) => group === here)}>
          <div className="flex flex-col gap-0.5">
            <Links pages={startsOf(rest)} here={start} />
          </div>
        </Disclosure>
      </nav>
      <SecondRow group={here} />
    </>
  );
}

/** Where operators go. A wide screen has the groups in one row and the pages of the present one below, a smaller one has all of them in a list. */
export function OperatorNavigation(): ReactElement {
  const [location] = useLocation();
  const { user } = useSession();
  const groups = user === null ? OPERATOR_GROUPS : [...OPERATOR_GROUPS, ACCOUNT_GROUP];
  const here = groupAt(groups, location);
  return (
    <>
      <nav aria-label="Operator" className="-mx-2 flex max-lg:hidden">
        <Links pages={startsOf(groups)} here={here?.[1][0]?.[0]} />
      </nav>
      <nav aria-label="Operator" className="-mx-2 flex lg:hidden">
        <Disclosure title="Menu">
          <div className="-mb-4 columns-2 gap-x-4 sm:columns-3">
            {groups.map(([title, pages]) => (
              <Group key={title} title={title} pages={pages} />
            ))}
          </div>
        </Disclosure>
      </nav>
      <SecondRow group={here} isWideOnly />
    </>
  );
}

const Group = ({ title, pages }: { readonly title: string; readonly pages: Pages }): ReactElement => (
  <div className="mb-4 break-inside-avoid">
    <h2 className="px-2 pb-1 text-xs font-medium text-soft">{title}</h2>
    <div className="flex flex-col gap-0.5">
      <Links pages={pages} />
    </div>
  </div>
);

interface SecondRowProps {
  readonly group: Groups[number] | undefined;
  readonly isWideOnly?: boolean;
}

function SecondRow({ group, isWideOnly = false }: SecondRowProps): ReactElement | null {
  if (group === undefined || group[1].length < 2) return null;
  const [title, pages] = group;
  return (
    <nav
      aria-label={title}
      className={cx('order-last -mx-2 flex w-full flex-wrap gap-0.5', isWideOnly && 'max-lg:hidden')}
    >
      <Links pages={pages} />
    </nav>
  );
}

interface LinksProps {
  readonly pages: Pages;
  /** The path that is marked as where one is, though its page may be another of the same group; left out: the one of the address. */
  readonly here?: string | undefined;
}

function Links({ pages, here }: LinksProps): ReactElement {
  const [location] = useLocation();
  return (
    <>
      {pages.map(([path, title]) => {
        const isPage = isAt(location, path);
        const isHere = here === undefined ? isPage : path === here;
        return (
          <Link
            key={path}
            href={path}
            aria-current={isHere ? (isPage ? 'page' : 'true') : undefined}
            className={cx(
              'rounded-lg px-2 py-1.5 text-sm font-medium whitespace-nowrap -outline-offset-2',
              isHere ? 'bg-wash text-accent' : 'text-soft hover:bg-sunken hover:text-ink',
            )}
          >
            {title}
          </Link>
        );
      })}
    </>
  );
}

interface DisclosureProps {
  readonly title: string;
  /** Whether one of what it holds is where one is. */
  readonly isMarked?: boolean;
  readonly children: ReactElement;
}

/**
 * A button that shows further links below the bar. Links, not a menu of the operating system's kind: Tab goes through them as through any
 * others. Escape closes it and gives the focus back; leaving it, and following a link, closes it too.
 */
function Disclosure({ title, isMarked = false, children }: DisclosureProps): ReactElement {
  const [location] = useLocation();
  const [openAt, setOpenAt] = useState<string | null>(null);
  const isOpen = openAt === location;
  const frame = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const id = useId();
  useEffect(() => {
    if (!isOpen) return undefined;
    const outside = (event: PointerEvent): void => {
      if (event.target instanceof Node && !frame.current?.contains(event.target)) setOpenAt(null);
    };
    document.addEventListener('pointerdown', outside);
    return () => document.removeEventListener('pointerdown', outside);
  }, [isOpen]);
  const leave = (event: FocusEvent): void => {
    // Without a next one the window has lost the focus, or the press was beside everything: the listener above sees that.
    if (event.relatedTarget instanceof Node && !frame.current?.contains(event.relatedTarget)) setOpenAt(null);
  };
  const follow = (event: MouseEvent): void => {
    if (event.target instanceof Element && event.target.closest('a')) setOpenAt(null);
  };
  const escape = (event: KeyboardEvent): void => {
    if (event.key !== 'Escape' || !isOpen) return;
    setOpenAt(null);
    button.current?.focus();
  };
  return (
    // oxlint-disable-next-line jsx-a11y/no-static-element-interactions, jsx-a11y/click-events-have-key-events -- it only hears what the button and the links inside hear
    <div ref={frame} onBlur={leave} onKeyDown={escape} onClick={follow}>
      <button
        ref={button}
        type="button"
        aria-expanded={isOpen}
        aria-controls={id}
        className={cx(
          'inline-flex items-center gap-1 rounded-lg px-2 py-1.5 text-sm font-medium whitespace-nowrap -outline-offset-2',
          isMarked || isOpen ? 'bg-wash text-accent' : 'text-soft hover:bg-sunken hover:text-ink',
        )}
        onClick={() => setOpenAt(isOpen ? null : location)}
      >
        {title}
        <Icon name={isOpen ? 'up' : 'down'} />
      </button>
      <div
        id={id}
        hidden={!isOpen}
        className="absolute inset-x-0 top-full z-40 border-b border-line bg-surface px-4 py-4 shadow-lg sm:px-6"
      >
        <div className="mx-auto max-w-5xl">{children}</div>
      </div>
    </div>
  );
}
