/**
 * What lies in the grants of the wallet whose own account is named so in the statement. Wallets without grants cost a comparison.
 *
 * A grant that is over counts until the tick takes back what is left of it, some seconds later; the engine looks at its end.
 */
export const givenOf = (main: string): string =>
  `case when ${main}.given_slots = 0 then 0 else coalesce((
     select sum(given.balance) from account as given where given.id > ${main}.id + 2 and given.id < ${main}.id + 16), 0) end`;
