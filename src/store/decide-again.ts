/**
 * A batch was decided by what is nearly always so, and the database says that this time it is not. Everything of the transaction is
 * rolled back and it runs again; the second time it looks first.
 */
export class DecideAgain extends Error {}

/** A posting's key was taken for new, and the database has seen it before. */
export class KeyIsKnown extends DecideAgain {
  override readonly name = 'KeyIsKnown';
}

/** A budget was taken to be wide enough, and with this batch it is not. */
export class BudgetIsShort extends DecideAgain {
  override readonly name = 'BudgetIsShort';
}
