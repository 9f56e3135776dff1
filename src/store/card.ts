import { statement, type Row, type Tx } from './db.ts';

/** A provider's record of one of our users. */
export interface CustomerRow {
  readonly userSid: string;
  readonly provider: string;
  readonly providerAccount: string;
  readonly customerRef: string;
  /** The saved card that is charged when its owner is away; null: none was chosen. */
  readonly defaultCardRef: string | null;
}

interface CustomerRecord extends Row {
  user_sid: string;
  provider: string;
  provider_account: string;
  customer_ref: string;
  default_card_ref: string | null;
}

const fromRow = (row: CustomerRecord): CustomerRow => ({
  userSid: row.user_sid,
  provider: row.provider,
  providerAccount: row.provider_account,
  customerRef: row.customer_ref,
  defaultCardRef: row.default_card_ref,
});

/** Whose record, where. */
export type CustomerKey = Pick<CustomerRow, 'userSid' | 'provider' | 'providerAccount'>;
const valuesOf = (key: CustomerKey): readonly string[] => [key.userSid, key.provider, key.providerAccount];

const insertStatement = statement(
  'card.insert_customer',
  `insert into provider_customer (user_sid, provider, provider_account, customer_ref, created_at) values ($1, $2, $3, $4, $5)
   on conflict on constraint provider_customer__pk do nothing`,
);

/** The first one stays: whoever comes second has made a record at the provider that nobody uses. */
export async function insertCustomer(
  tx: Tx,
  customer: CustomerKey & { readonly customerRef: string; readonly createdAt: Date },
): Promise<void> {
  await tx.query(insertStatement, [...valuesOf(customer), customer.customerRef, customer.createdAt]);
}

const SELECT = `select user_sid, provider, provider_account, customer_ref, default_card_ref from provider_customer
  where user_sid = $1 and provider = $2 and provider_account = $3`;
const readStatement = statement('card.read_customer', SELECT);
const lockStatement = statement('card.lock_customer', `${SELECT} for no key update`);

export async function readCustomer(tx: Tx, key: CustomerKey): Promise<CustomerRow | null> {
  const [row] = await tx.query<CustomerRecord>(readStatement, valuesOf(key));
  return row ? fromRow(row) : null;
}

export async function lockCustomer(tx: Tx, key: CustomerKey): Promise<CustomerRow | null> {
  const [row] = await tx.query<CustomerRecord>(lockStatement, valuesOf(key));
  return row ? fromRow(row) : null;
}

const setDefaultStatement = statement(
  'card.set_default',
  `update provider_customer set default_card_ref = $4 where user_sid = $1 and provider = $2 and provider_account = $3`,
);

export async function setDefaultCard(tx: Tx, key: CustomerKey, cardRef: string | null): Promise<void> {
  await tx.query(setDefaultStatement, [...valuesOf(key), cardRef]);
}
