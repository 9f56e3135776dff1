/**
 * Our payment's sid as a Stripe object carries it; null when it carries none, or two that differ.
 * A session has it twice (`client_reference_id` and metadata); a PaymentIntent and its charge in metadata only.
 * One account can serve several programs, so a lone `client_reference_id` proves nothing.
 */
export function ownPaymentSid(object: Readonly<Record<string, unknown>>): string | null {
  const fromMetadata = metadataText(object['metadata'], 'payment_sid');
  if (object['object'] !== 'checkout.session') return fromMetadata;
  return object['client_reference_id'] === fromMetadata ? fromMetadata : null;
}

export function metadataText(metadata: unknown, key: string): string | null {
  if (typeof metadata !== 'object' || metadata === null) return null;
  const value: unknown = Object.getOwnPropertyDescriptor(metadata, key)?.value;
  return typeof value === 'string' && value !== '' ? value : null;
}
