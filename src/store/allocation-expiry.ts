import { statement, type Tx } from './db.ts';

const moveStatement = statement(
  'allocation_expiry.move',
  `update allocation set expires_at = moved.ends_at from unnest($1::int8[], $2::timestamptz[]) as moved (subscription, ends_at)
   where allocation.subscription = moved.subscription and allocation.state in ('requested', 'active', 'suspended')`,
);

/** Lets the VMs of subscriptions live until the end of the period that was just paid. In the transaction that pays it. */
export async function moveExpiry(
  tx: Tx,
  renewed: readonly { readonly subscription: bigint; readonly endsAt: Date }[],
): Promise<void> {
  if (renewed.length === 0) return;
  await tx.query(moveStatement, [
    renewed.map(({ subscription }) => subscription),
    renewed.map(({ endsAt }) => endsAt.toISOString()),
  ]);
}
