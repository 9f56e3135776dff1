import type { ReactElement } from 'react';
import type { Billing } from '../surface.ts';
import { cx } from '../ui/class-names.ts';
import { Icon } from '../ui/icon.tsx';
import { formatMoney, fromCents, isFinerThanCents, isZero } from '../ui/money.ts';
import { Balance, Money } from '../ui/money.tsx';
import { useToast } from '../ui/toast.tsx';

export function BalanceCard({ wallet }: { readonly wallet: Billing }): ReactElement {
  return (
    <section aria-label="Balance" className="rounded-2xl bg-hero p-6 text-on-hero sm:p-8">
      <div className="flex flex-wrap items-center justify-between gap-2">
        <h2 className="text-sm font-medium text-hero-soft">Balance</h2>
        {wallet.is_frozen && (
          <span className="rounded-full bg-bad-wash px-2.5 py-0.5 text-xs font-medium text-bad">Frozen</span>
        )}
      </div>
      <p className={cx('mt-1 font-semibold tracking-tight', sizeOf(wallet.available))} data-testid="balance">
        <Balance amount={wallet.available} currency={wallet.currency} />
      </p>
      {isFinerThanCents(wallet.available) && (
        <p className="amount mt-1 text-sm text-hero-soft">
          exactly {formatMoney(wallet.available, { currency: wallet.currency })}
        </p>
      )}
      <dl className="mt-6 flex flex-wrap gap-x-8 gap-y-3 text-sm">
        {!isZero(wallet.given) && (
          <>
            <Fact name="Of it given" amount={wallet.given} />
            <Fact name="Of it paid" amount={wallet.credit_balance} />
          </>
        )}
        <Fact name="Reserved" amount={wallet.reserved} />
        {!isZero(wallet.frozen) && <Fact name="In dispute" amount={wallet.frozen} />}
        <Fact name="Paid in so far" amount={fromCents(wallet.lifetime_paid_cents)} />
      </dl>
      <div className="mt-6 border-t border-on-hero/15 pt-4 text-sm">
        <p className="text-hero-soft">Wallet number</p>
        <WalletNumber sid={wallet.sid} />
      </div>
    </section>
  );
}

/** A fortune fits a phone too: from $100,000.00 on it is written smaller. */
const sizeOf = (balance: string): string =>
  (balance.split('.')[0] ?? '').length > 5 ? 'text-3xl sm:text-5xl' : 'text-5xl sm:text-6xl';

function Fact({ name, amount }: { readonly name: string; readonly amount: string }): ReactElement {
  return (
    <div>
      <dt className="text-hero-soft">{name}</dt>
      <dd className="font-medium">
        <Money amount={amount} />
      </dd>
    </div>
  );
}

function WalletNumber({ sid }: { readonly sid: string }): ReactElement {
  const say = useToast();
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(sid);
      say('Wallet number copied.');
    } catch {
      say(`Copying was refused by the browser. The wallet number is ${sid}.`);
    }
  };
  return (
    <button
      type="button"
      aria-label={`Copy wallet number ${sid}`}
      className="-mx-1.5 inline-flex max-w-[calc(100%+0.75rem)] items-center gap-2 rounded-md px-1.5 py-0.5 text-left font-mono text-sm outline-on-hero! hover:bg-on-hero/10"
      onClick={() => void copy()}
    >
      <span className="min-w-0 break-all">{sid}</span>
      <Icon name="copy" />
    </button>
  );
}
