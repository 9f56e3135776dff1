/** The server cannot start, for a reason outside the code. The message is a sentence for whoever started it. */
export class StartRefused extends Error {
  override readonly name = 'StartRefused';
}

/** Nothing answers at the database's address, or not yet: waiting may help, where any other refusal needs a person. */
export class DatabaseAway extends StartRefused {}
