import type { ReactElement, ReactNode } from 'react';

export function EmptyState({
  title,
  children,
}: {
  readonly title: string;
  readonly children?: ReactNode;
}): ReactElement {
  return (
    <div className="px-6 py-12 text-center">
      <p className="font-medium">{title}</p>
      {children !== undefined && <p className="mx-auto mt-1 max-w-sm text-sm text-soft">{children}</p>}
    </div>
  );
}
