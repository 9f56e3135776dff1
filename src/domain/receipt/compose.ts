import { fill, WORDS } from '../language/language.ts';
import type { ReceiptFacts } from './receipt.ts';

/** A document as a printer draws it: texts in their places, nothing left to decide. */
export interface PrintedReceipt {
  readonly language: string;
  readonly title: string;
  readonly number: string;
  /** Over everything else, where the document proves nothing; null: it is what it says. */
  readonly mark: { readonly text: string; readonly why: string } | null;
  readonly createdAt: Date;
  readonly parties: readonly { readonly heading: string; readonly lines: readonly string[] }[];
  readonly facts: readonly (readonly [label: string, text: string])[];
  readonly rows: readonly (readonly [text: string, amount: string])[];
  readonly sums: readonly (readonly [label: string, amount: string])[];
  readonly total: readonly [label: string, amount: string];
}

/** What a receipt or credit note says, in the language it was issued in. */
export function composeReceipt(facts: ReceiptFacts): PrintedReceipt {
  const words = WORDS[facts.language];
  const { seller, buyer, tax, currency, corrects } = facts;
  const money = (amount: string): string => `${amount} ${currency}`;
  const sellerLines = [seller.name, ...seller.address];
  if (seller.tax_number !== null) sellerLines.push(`${words.tax_number}: ${seller.tax_number}`);
  return {
    language: facts.language,
    title: words[facts.series],
    number: facts.number,
    mark: facts.is_play_money === true ? { text: words[`play_${facts.series}`], why: words.play_why } : null,
    createdAt: new Date(facts.issued_at),
    parties: [
      { heading: words.seller, lines: sellerLines },
      { heading: words.buyer, lines: [buyer.name, `${words.user}: ${buyer.user_sid}`] },
    ],
    facts: [
      [words.number, facts.number],
      [words.issued, day(facts.issued_at)],
      [facts.series === 'receipt' ? words.moved : words.went_back, day(facts.moved_at)],
      [words.method, PROVIDER_NAMES[facts.provider] ?? facts.provider],
      [words.reference, facts.external_ref],
      [words.payment, facts.payment_sid],
      ...(corrects === null ? [] : [[words.corrects, corrects] as const]),
    ],
    rows: [[words[facts.kind], money(facts.amount)]],
    sums:
      tax === null
        ? []
        : [
            [words.net, money(tax.net)],
            [fill(words.tax_included, { name: tax.name, percent: tax.percent }), money(tax.amount)],
          ],
    total: [words.total, money(facts.amount)],
  };
}

/** As the providers write themselves, in every language. */
const PROVIDER_NAMES: Readonly<Record<string, string>> = {
  stripe: 'Stripe',
  clickpesa: 'ClickPesa',
  btcpay: 'BTCPay Server',
};

/** The same in every country: year, month, day, in UTC. */
const day = (instant: string): string => instant.slice(0, 10);
