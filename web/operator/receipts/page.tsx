import type { ReactElement } from 'react';
import { ReceiptList } from '../../receipt/list.tsx';
import { PageTitle } from '../../ui/page.tsx';

export function OperatorReceiptsPage(): ReactElement {
  return (
    <div className="space-y-6">
      <PageTitle title="Receipts" />
      <p className="text-soft">
        One for each movement of money at a provider, numbered without a gap. What was issued is never changed.
      </p>
      <section aria-label="Receipts" className="card overflow-hidden">
        <ReceiptList />
      </section>
    </div>
  );
}
