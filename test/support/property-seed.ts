/** The seed of a property test: from PROPERTY_SEED to replay a failure, else from the day, printed so that it can be replayed. */
export function propertySeed(name: string): number {
  const given = process.env['PROPERTY_SEED'];
  const seed = given === undefined ? Math.floor(Date.now() / 86_400_000) : Number(given);
  console.info(`${name}: PROPERTY_SEED=${seed}`);
  return seed;
}
