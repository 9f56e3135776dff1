import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import type { ReactElement } from 'react';
import { Link } from 'wouter';
import type { Problem } from '../api.ts';
import { post, seg } from '../api.ts';
import { useChosenWallet } from '../chosen-wallet.tsx';
import { useIntent } from '../intent.ts';
import type { Plan, PlanQuote, Subscription } from '../surface.ts';
import { Banner, ProblemBanner } from '../ui/banner.tsx';
import { Button } from '../ui/button.tsx';
import { cx } from '../ui/class-names.ts';
import { Dialog } from '../ui/dialog.tsx';
import { formatMoney } from '../ui/money.ts';
import { Money } from '../ui/money.tsx';
import { Loading } from '../ui/page.tsx';
import { Time } from '../ui/time.tsx';
import { useToast } from '../ui/toast.tsx';
import { DEEDS, lineText } from './words.ts';

interface QuoteDialogProps {
  readonly plan: Plan;
  readonly open: Subscription | null;
  readonly onClose: () => void;
}

/** What a plan would cost, line by line, and the button that takes exactly that. */
export function QuoteDialog({ plan, open, onClose }: QuoteDialogProps): ReactElement {
  const { wallet } = useChosenWallet();
  const asked = { sid: wallet.wallet_sid, plan: plan.code };
  const quote = useQuery<PlanQuote, Problem>({
    queryKey: ['/v1/plans/quote', asked],
    queryFn: () => post<PlanQuote>('/v1/plans/quote', asked),
    retry: false,
    // Of the moment: never an old one, and never another one while somebody reads it.
    gcTime: 0,
    refetchOnWindowFocus: false,
  });
  return (
    <Dialog title={open === null ? `Buy ${plan.name}` : `Change to ${plan.name}`} onClose={onClose}>
      {quote.isPending && <Loading what="what it costs" />}
      <ProblemBanner problem={quote.error} />
      {quote.data && (
        <Confirmation quote={quote.data} open={open} onAgain={() => void quote.refetch()} onClose={onClose} />
      )}
    </Dialog>
  );
}

interface ConfirmationProps {
  readonly quote: PlanQuote;
  readonly open: Subscription | null;
  readonly onAgain: () => void;
  readonly onClose: () => void;
}

function Confirmation({ quote, open, onAgain, onClose }: ConfirmationProps): ReactElement {
  const queries = useQueryClient();
  const intent = useIntent();
  const say = useToast();
  const take = useMutation<unknown, Problem>({
    mutationFn: () =>
      intent.run(quote.token, (idempotencyKey) =>
        quote.subscription_sid === null
          ? post('/plan/buy', { sid: quote.wallet_sid, plan: quote.plan, quote: quote.token }, { idempotencyKey })
          : post(
              `/v1/subscriptions/${seg(quote.subscription_sid)}/change`,
              { plan: quote.plan, quote: quote.token },
              { idempotencyKey },
            ),
      ),
    onSuccess: async () => {
      const isLater = quote.kind === 'change_at_period_end';
      say(isLater ? `${quote.plan_name} begins with the next period.` : `${quote.plan_name} is yours.`);
      onClose();
      await queries.invalidateQueries();
    },
  });
  const isLater = quote.kind === 'change_at_period_end';
  const isStale = take.error?.code === 'quote_changed';
  return (
    <div className="space-y-4">
      {isLater ? (
        <p>
          Nothing is paid now. When the present period ends, <Time at={quote.effective_at} />, the next one costs{' '}
          <Money amount={quote.renews_at_price} />.
        </p>
      ) : (
        <Lines quote={quote} />
      )}
      {!isLater && open === null && <Terms quote={quote} />}
      {!quote.suffices && quote.missing !== null && (
        <Banner tone="warn">
          The wallet lacks {formatMoney(quote.missing)} for this.{' '}
          <Link href="/wallet" className="font-medium underline underline-offset-2">
            Add money
          </Link>
        </Banner>
      )}
      <ProblemBanner problem={take.error} />
      <div className="flex flex-wrap justify-end gap-3">
        <Button look="quiet" onPress={onClose}>
          {quote.suffices ? 'Not now' : 'Close'}
        </Button>
        {isStale && <Button onPress={onAgain}>See the new price</Button>}
        {quote.suffices && !isStale && (
          <Button isBusy={take.isPending} onPress={() => take.mutate()}>
            {DEEDS[quote.kind]}
            {!isLater && ` ${formatMoney(quote.total)}`}
          </Button>
        )}
      </div>
    </div>
  );
}

const Terms = ({ quote }: { readonly quote: PlanQuote }): ReactElement => (
  <p className="text-sm text-soft">
    It begins now and is paid until {quote.period_ends_at !== null && <Time at={quote.period_ends_at} />}. Then it
    renews by itself for <Money amount={quote.renews_at_price} />, until you cancel it.
  </p>
);

function Lines({ quote }: { readonly quote: PlanQuote }): ReactElement {
  return (
    <dl className="space-y-2 rounded-xl bg-sunken px-4 py-3 text-sm" aria-live="polite">
      {quote.lines.map((line) => (
        <Row key={line.what} name={lineText(line)} amount={line.amount} />
      ))}
      <Row name="In all" amount={quote.total} isSum />
      <Row name="Balance after" amount={quote.credit_balance_after} />
    </dl>
  );
}

interface RowProps {
  readonly name: string;
  readonly amount: string;
  readonly isSum?: boolean;
}

const Row = ({ name, amount, isSum = false }: RowProps): ReactElement => (
  <div className={cx('flex justify-between gap-4', isSum && 'border-t border-line pt-2 font-medium')}>
    <dt>{name}</dt>
    <dd className="shrink-0">
      <Money amount={amount} />
    </dd>
  </div>
);
