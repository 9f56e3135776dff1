import type { ReactElement } from 'react';
import type { PaymentState } from '../surface.ts';
import { Badge } from '../ui/badge.tsx';
import { STATE_TEXT } from './state.ts';

export const PaymentBadge = ({ state }: { readonly state: PaymentState }): ReactElement => (
  <Badge tone={STATE_TEXT[state].tone} text={STATE_TEXT[state].word} />
);
