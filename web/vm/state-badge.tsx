import type { ReactElement } from 'react';
import type { Allocation } from '../surface.ts';
import { Badge } from '../ui/badge.tsx';
import { stateOf } from './words.ts';

export function VmBadge({ vm }: { readonly vm: Pick<Allocation, 'state' | 'wanted'> }): ReactElement {
  const [tone, text] = stateOf(vm);
  return <Badge tone={tone} text={text} />;
}
