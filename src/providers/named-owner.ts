/**
 * The payment and the user that a provider names for money of ours, in words for an operator. They are what leads to the payer when our
 * own books have nothing of the payment, as after a restore from before it.
 *
 * Shape: null when the provider names no payment of ours.
 */
export function namedOwner(paymentSid: string | null, userSid: string | null): string | null {
  if (paymentSid === null) return null;
  return userSid === null ? `payment ${paymentSid}` : `payment ${paymentSid} of user ${userSid}`;
}
