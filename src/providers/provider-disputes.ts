/** Answers to disputes, where the provider takes them from us and not only on its own page. */
export interface ProviderDisputes {
  /**
   * Gives our answer to the customer's bank, or finds that the provider has it: `answerSid` is its key for ever. Nothing is told of what
   * becomes of the dispute; that is read with its payment.
   * Throws ProviderFailure: `refused` with outcome `none` is a definite no, all else must be asked again.
   */
  answer(answer: NewDisputeAnswer): Promise<void>;
}

export interface NewDisputeAnswer {
  readonly answerSid: string;
  readonly disputeRef: string;
  readonly paymentRef: string;
  /** What the bank shall see; null: the loss is accepted, and that cannot be taken back. */
  readonly evidence: HandedIn | null;
}

/** Texts for a person at a bank. A provider may take less of each; then the end is cut off, visibly. */
export interface HandedIn {
  /** The operator's own words. */
  readonly statement: string;
  readonly customerName: string;
  readonly product: string;
  /** What was used, and when the customer signed in. */
  readonly activity: string;
  /** The payment, the customer and what was paid before. */
  readonly record: string;
}
