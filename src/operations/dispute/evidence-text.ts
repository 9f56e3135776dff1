import type { HandedIn } from '../../providers/provider-disputes.ts';
import type { Evidence } from './evidence.ts';

/** The evidence as a text that a person at a bank reads: what was bought, who bought it, and that it was used. Plain ASCII layout. */
export function evidenceText(evidence: Evidence): string {
  const { payment, customer, used, receipts, signIns } = sectionsOf(evidence);
  const head = [
    'EVIDENCE FOR A DISPUTED PAYMENT',
    `Made ${evidence.made_at}. All times are UTC, all amounts US dollars.`,
  ];
  return join([head, disputed(evidence), payment, customer, used, receipts, signIns]);
}

const PRODUCT = 'prepaid credit for computing services, available at once';

/** The same in the parts that a form of a provider asks for. */
export function evidenceParts(evidence: Evidence): Omit<HandedIn, 'statement'> {
  const { payment, customer, used, receipts, signIns } = sectionsOf(evidence);
  const record = join([disputed(evidence), payment, customer, receipts]);
  const customerName = oneLine(evidence.customer.display_name);
  return { customerName, product: PRODUCT, activity: join([used, signIns]), record };
}

const join = (parts: readonly (readonly string[])[]): string =>
  parts
    .map((part) => part.join('\n'))
    .join('\n\n')
    .concat('\n');

const disputed = ({ dispute }: Evidence): string[] =>
  section('The dispute', [
    fact('Reference', dispute.dispute_ref),
    fact('Payment disputed', dispute.payment_ref),
    fact('Amount', dispute.amount),
    fact('Reason given', dispute.reason ?? 'none'),
  ]);

function sectionsOf({ payment, customer, receipts, usage, sign_ins: signIns }: Evidence) {
  return {
    payment: section('The payment', [
      fact('Our reference', payment.sid),
      fact('Ordered', `${payment.amount} at ${payment.created_at}`),
      fact('Received', `${payment.credited ?? '0.00'}${reachedAt(payment.steps)}`),
      fact('What for', PRODUCT),
    ]),
    customer: section('The customer', [
      fact('Account', customer.sid),
      fact('Name', customer.display_name),
      fact('Signs in as', customer.forge_id ?? customer.mycelium_address ?? 'not known'),
      fact('Customer since', customer.created_at),
    ]),
    used: section(
      `What was used since the payment: ${usage.charges} charges, ${usage.total} in all`,
      rows(
        usage.lines,
        usage.charges,
        (line) => `${line.occurred_at}  ${line.amount}  ${line.description ?? line.kind}`,
      ),
    ),
    receipts: section(
      'What the customer has paid, and what went back',
      rows(receipts, receipts.length, (one) => `${one.created_at}  ${one.amount}  ${one.kind}  ${one.external_ref}`),
    ),
    signIns: section(
      'When the customer signed in',
      rows(signIns, signIns.length, (one) => `${one.at}  ${one.address ?? 'address not kept'}`),
    ),
  };
}

const section = (title: string, lines: readonly string[]): string[] => [title, '-'.repeat(title.length), ...lines];

const fact = (name: string, value: string): string => `${`${name}:`.padEnd(18)} ${oneLine(value)}`;

function rows<T>(shown: readonly T[], count: number, toText: (row: T) => string): string[] {
  if (shown.length === 0) return ['None.'];
  const more = count - shown.length;
  return [...shown.map((row) => oneLine(toText(row))), ...(more > 0 ? [`… and ${more} older ones.`] : [])];
}

/** What others have written must not be able to look like a line of ours. */
const oneLine = (text: string): string => text.replaceAll(/\s+/g, (space) => (/[\r\n]/.test(space) ? ' ' : space));

const reachedAt = (steps: Evidence['payment']['steps']): string => {
  const at = steps.find(({ name }) => name === 'credited')?.at;
  return at ? ` at ${at}` : '';
};
