/** What an invoice of ours carries. `orderId` is what BTCPay Server searches by; the user's sid says that it is ours. */
export const ownMetadata = (own: {
  readonly paymentSid: string;
  readonly userSid: string;
  readonly description: string;
}) => ({
  orderId: own.paymentSid,
  itemDesc: own.description,
  hero_onboarding_user: own.userSid,
});

/** Our payment's sid; null when there is none. One store can serve several programs, and each may fill `orderId`. */
export function ownPaymentSid(metadata: unknown): string | null {
  return ownUserSid(metadata) === null ? null : sidAt(metadata, 'orderId');
}

export const ownUserSid = (metadata: unknown): string | null => sidAt(metadata, 'hero_onboarding_user');

function sidAt(metadata: unknown, key: string): string | null {
  if (typeof metadata !== 'object' || metadata === null) return null;
  const value: unknown = Object.getOwnPropertyDescriptor(metadata, key)?.value;
  return typeof value === 'string' && /^[0-9A-Z]{12,40}$/.test(value) ? value : null;
}
