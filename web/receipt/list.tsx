import { useMutation } from '@tanstack/react-query';
import type { ReactElement } from 'react';
import { Link } from 'wouter';
import type { Problem } from '../api.ts';
import { get, seg } from '../api.ts';
import type { Receipt, ReceiptFile } from '../surface.ts';
import { ProblemBanner } from '../ui/banner.tsx';
import { Button } from '../ui/button.tsx';
import { EmptyState } from '../ui/empty-state.tsx';
import { List } from '../ui/list.tsx';
import { Money } from '../ui/money.tsx';
import type { Column } from '../ui/table.tsx';
import { saveAnswered } from '../ui/save-file.ts';
import { Time } from '../ui/time.tsx';

const KINDS: Readonly<Record<Receipt['kind'], string>> = {
  top_up: 'Top-up',
  refund: 'Refund',
  refund_returned: 'Refund that came back',
  reversal: 'Taken back by the provider',
  dispute_lost: 'Returned after a dispute',
};

/** Receipts and credit notes, those of one payment or wallet, or all that may be seen. */
export function ReceiptList({
  paymentSid,
  walletSid,
}: {
  readonly paymentSid?: string;
  readonly walletSid?: string;
}): ReactElement {
  return (
    <List<Receipt>
      what="receipts"
      path="/v1/receipts"
      query={{ payment_sid: paymentSid, wallet_sid: walletSid }}
      columns={paymentSid === undefined ? COLUMNS : COLUMNS.filter(({ title }) => title !== 'Payment')}
      keyOf={(receipt) => receipt.sid}
      empty={<EmptyState title="No receipts yet">Each payment that arrives has one.</EmptyState>}
    />
  );
}

export function PaymentReceipts({ paymentSid }: { readonly paymentSid: string }): ReactElement {
  return (
    <section aria-labelledby="receipts" className="card overflow-hidden">
      <h2 id="receipts" className="px-5 pt-5 text-lg font-semibold sm:px-6">
        Receipts
      </h2>
      <ReceiptList paymentSid={paymentSid} />
    </section>
  );
}

const COLUMNS: readonly Column<Receipt>[] = [
  {
    title: 'Receipt',
    cell: (receipt) => (
      <>
        <span className="font-medium">{receipt.number ?? 'Not numbered yet'}</span>
        <p className="text-xs text-soft">
          {receipt.series === 'receipt' ? '' : 'Credit note · '}
          {KINDS[receipt.kind]} · <Time at={receipt.moved_at} />
        </p>
      </>
    ),
  },
  {
    title: 'Payment',
    isExtra: true,
    cell: (receipt) => (
      <Link
        href={`/payments/${seg(receipt.payment_sid)}`}
        className="font-mono text-xs break-all text-accent underline-offset-2 hover:underline"
      >
        {receipt.payment_sid}
      </Link>
    ),
  },
  { title: 'Amount', isAmount: true, cell: (receipt) => <Money amount={receipt.amount} isChange /> },
  { title: 'File', isAmount: true, cell: (receipt) => <Download receipt={receipt} /> },
];

/** Fetched like everything else and handed to the browser as a file: no address that could be shared by mistake. */
function Download({ receipt }: { readonly receipt: Receipt }): ReactElement {
  const download = useMutation<ReceiptFile, Problem>({
    mutationFn: () => get<ReceiptFile>(`/v1/receipts/${seg(receipt.sid)}/file`),
    onSuccess: (file) => saveAnswered(file),
  });
  return (
    <>
      <Button
        look="quiet"
        size="small"
        isBusy={download.isPending}
        label={`Download ${receipt.number ?? 'the receipt'} as PDF`}
        onPress={() => download.mutate()}
      >
        PDF
      </Button>
      <ProblemBanner problem={download.error} />
    </>
  );
}
