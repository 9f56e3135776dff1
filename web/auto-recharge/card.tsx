import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import type { ReactElement } from 'react';
import { useState } from 'react';
import { Link } from 'wouter';
import type { Problem } from '../api.ts';
import { get, post } from '../api.ts';
import { useChosenWallet } from '../chosen-wallet.tsx';
import { useCards } from '../card/saved-cards.tsx';
import type { AutoRecharge } from '../surface.ts';
import { Badge } from '../ui/badge.tsx';
import { ProblemBanner } from '../ui/banner.tsx';
import { Button } from '../ui/button.tsx';
import { Money } from '../ui/money.tsx';
import { Card, Loading } from '../ui/page.tsx';
import { Time } from '../ui/time.tsx';
import { useToast } from '../ui/toast.tsx';
import { Confirm } from './confirm.tsx';
import { SettingsDialog } from './settings-dialog.tsx';
import { REASON_TEXT } from './words.ts';

/** Of the chosen wallet. */
export const useRechargeKey = () => ['auto-recharge', useChosenWallet().wallet.wallet_sid] as const;

/** Whether the wallet fills itself, and what became of it. */
export function AutoRechargeCard(): ReactElement {
  const queryKey = useRechargeKey();
  const recharge = useQuery<AutoRecharge, Problem>({
    queryKey,
    queryFn: ({ signal }) => get<AutoRecharge>('/v1/auto-recharge', { query: { wallet_sid: queryKey[1] }, signal }),
    // A charge takes moments, and whoever has just switched it on watches.
    refetchInterval: 5_000,
  });
  return (
    <Card title="Auto-recharge" aside={recharge.data && <StateBadge recharge={recharge.data} />}>
      {recharge.isPending && <Loading what="auto-recharge" />}
      {!recharge.data && recharge.error && (
        <div className="p-4">
          <ProblemBanner problem={recharge.error} retry={() => void recharge.refetch()} />
        </div>
      )}
      {recharge.data && <Standing recharge={recharge.data} />}
    </Card>
  );
}

function StateBadge({ recharge }: { readonly recharge: AutoRecharge }): ReactElement {
  if (recharge.state === 'action_required') return <Badge tone="bad" text="Needs you" />;
  if (recharge.state === 'off') return <Badge tone="calm" text="Off" />;
  return recharge.reason === null ? <Badge tone="good" text="On" /> : <Badge tone="warn" text="Waiting" />;
}

function Standing({ recharge }: { readonly recharge: AutoRecharge }): ReactElement {
  const [isEditing, setEditing] = useState(false);
  const cards = useCards();
  const hasCard = (cards.data?.items.length ?? 0) > 0;
  const isOff = recharge.state === 'off';
  return (
    <div className="space-y-4 p-5 text-sm sm:p-6">
      {recharge.settings === null ? (
        <p className="text-soft">
          Have a saved card charged when your balance runs low, so that nothing stops. You set the limits.
        </p>
      ) : (
        <Settings settings={recharge.settings} charged={recharge.charged_this_month} isOff={isOff} />
      )}
      {recharge.reason !== null && <Reason recharge={recharge} />}
      {recharge.state === 'action_required' && recharge.last_payment && <Confirm payment={recharge.last_payment} />}
      {!hasCard && isOff && cards.data && <p className="text-soft">Save a card first; it is in the next box.</p>}
      <div className="flex flex-wrap gap-3">
        {(hasCard || !isOff) && (
          <Button look={isOff ? 'primary' : 'quiet'} onPress={() => setEditing(true)}>
            {isOff ? 'Switch on…' : 'Change…'}
          </Button>
        )}
        {!isOff && <SwitchOff />}
      </div>
      {isEditing && cards.data && (
        <SettingsDialog recharge={recharge} cards={cards.data.items} onClose={() => setEditing(false)} />
      )}
    </div>
  );
}

interface SettingsProps {
  readonly settings: NonNullable<AutoRecharge['settings']>;
  readonly charged: string;
  readonly isOff: boolean;
}

function Settings({ settings, charged, isOff }: SettingsProps): ReactElement {
  return (
    <>
      <p>
        {isOff ? 'When it is on, the card is charged' : 'The card is charged'} when the balance falls below{' '}
        <Money amount={settings.threshold} />, up to <Money amount={settings.target} />.
      </p>
      <p className="text-soft">
        <Money amount={charged} /> of at most <Money amount={settings.monthly_cap} /> charged this month.
      </p>
    </>
  );
}

const IS_ABOUT_CHARGE: ReadonlySet<string> = new Set(['declined', 'not_possible', 'authentication']);

/** Why it waits or is off, from when it goes on, and which payment it is about. */
function Reason({ recharge }: { readonly recharge: AutoRecharge }): ReactElement {
  const { reason, not_before: notBefore, last_payment: last, state } = recharge;
  return (
    <output className="block rounded-xl bg-warn-wash px-4 py-3 text-warn">
      <p>{reason !== null && REASON_TEXT[reason]}</p>
      {notBefore !== null && (
        <p>
          It is tried again <Time at={notBefore} />.
        </p>
      )}
      {state === 'off' && (reason === 'declined' || reason === 'not_possible') && (
        <p>It was switched off after {recharge.declines} tries. Check the card, then switch it on again.</p>
      )}
      {last?.state === 'failed' && reason !== null && IS_ABOUT_CHARGE.has(reason) && (
        <Link href={`/payments/${last.sid}`} className="font-medium underline underline-offset-2">
          The charge that failed
        </Link>
      )}
    </output>
  );
}

function SwitchOff(): ReactElement {
  const key = useRechargeKey();
  const queries = useQueryClient();
  const say = useToast();
  const off = useMutation<AutoRecharge, Problem>({
    mutationFn: () => post<AutoRecharge>('/v1/auto-recharge/disable', { wallet_sid: key[1] }),
    onSuccess: (answer) => {
      queries.setQueryData(key, answer);
      say('Auto-recharge is off.');
    },
  });
  return (
    <>
      <Button look="quiet" isBusy={off.isPending} onPress={() => off.mutate()}>
        Switch off
      </Button>
      <ProblemBanner problem={off.error} />
    </>
  );
}
