import type { ReactElement } from 'react';
import { EmptyState } from './ui/empty-state.tsx';
import { PageTitle } from './ui/page.tsx';

export function NotFoundPage(): ReactElement {
  return (
    <>
      <PageTitle title="Not found" isHidden />
      <div className="card">
        <EmptyState title="There is no such page">
          Check the address, or{' '}
          <a href="/" className="text-accent underline underline-offset-2">
            go to the start
          </a>
          .
        </EmptyState>
      </div>
    </>
  );
}
