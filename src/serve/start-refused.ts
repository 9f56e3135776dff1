/** The server cannot start, for a reason outside the code. The message is a sentence for whoever started it. */
export class StartRefused extends Error {
  override readonly name = 'StartRefused';
}
