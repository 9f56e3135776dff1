import type { ReactElement } from 'react';
import type { UsageNode } from '../../surface.ts';
import { Badge } from '../../ui/badge.tsx';
import { isPast } from '../../ui/time.ts';

/** Whether the key before the last rotation is still good. */
export const hasOldKey = ({ old_key_until: until }: UsageNode): boolean => until !== null && !isPast(until);

export function NodeBadge({ node }: { readonly node: UsageNode }): ReactElement {
  if (node.revoked_at !== null) return <Badge tone="bad" text="Revoked" />;
  return hasOldKey(node) ? <Badge tone="warn" text="Two keys" /> : <Badge tone="good" text="Active" />;
}
