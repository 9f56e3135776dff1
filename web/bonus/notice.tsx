import { useQuery } from '@tanstack/react-query';
import type { ReactElement } from 'react';
import type { Problem } from '../api.ts';
import { get } from '../api.ts';
import type { BonusRule, Page } from '../surface.ts';
import { Banner } from '../ui/banner.tsx';
import { formatMoney, isZero } from '../ui/money.ts';
import { givesNothing, presentRule, shareText } from './words.ts';

/** What a first top-up is given besides; nothing where no rule gives anything. */
export function BonusNotice(): ReactElement | null {
  const rules = useQuery<Page<BonusRule>, Problem>({
    queryKey: ['/v1/bonus-rules', 'newest'],
    queryFn: ({ signal }) => get<Page<BonusRule>>('/v1/bonus-rules', { query: { limit: 25 }, signal }),
  });
  const rule = presentRule(rules.data?.items ?? []);
  if (rule === null || givesNothing(rule)) return null;
  return (
    <Banner tone="good">
      Your first top-up{isZero(rule.top_up_min) ? '' : ` of ${formatMoney(rule.top_up_min)} or more`} is given a bonus:{' '}
      {shareText(rule)}
      {rule.credit_days === null ? '' : `, to be used within ${rule.credit_days} days`}.
    </Banner>
  );
}
