/**
 * A posting's key was taken for new, and the database has seen it before. Everything of the transaction is rolled back and
 * it runs again; the second time the key is looked up.
 */
export class KeyIsKnown extends Error {
  override readonly name = 'KeyIsKnown';
}
