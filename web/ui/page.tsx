import type { ReactElement, ReactNode } from 'react';
import { useEffect, useRef } from 'react';
import { Link } from 'wouter';
import { Icon } from './icon.tsx';

let isFirstPage = true;

/**
 * The title of a page: also the window's, and where focus goes after a change of page, so that a screen reader hears
 * where it is. The first page of a visit leaves the focus to the browser.
 */
export function PageTitle({
  title,
  isHidden = false,
}: {
  readonly title: string;
  readonly isHidden?: boolean;
}): ReactElement {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} · hero-onboarding`;
  }, [title]);
  useEffect(() => {
    if (!isFirstPage) heading.current?.focus({ preventScroll: true });
    isFirstPage = false;
  }, []);
  return (
    <h1 ref={heading} tabIndex={-1} className={isHidden ? 'sr-only' : 'text-2xl font-semibold tracking-tight'}>
      {title}
    </h1>
  );
}

export function BackLink({ to, children }: { readonly to: string; readonly children: ReactNode }): ReactElement {
  return (
    <Link
      href={to}
      className="-ml-1 inline-flex items-center gap-1 rounded-md py-1 pr-2 text-sm text-soft hover:text-ink"
    >
      <Icon name="back" />
      {children}
    </Link>
  );
}

export function Card({
  title,
  aside,
  children,
}: {
  readonly title: string;
  readonly aside?: ReactNode;
  readonly children: ReactNode;
}): ReactElement {
  return (
    <section className="card overflow-hidden" aria-label={title}>
      <div className="flex min-h-14 flex-wrap items-center justify-between gap-x-4 border-b border-line px-5 py-2 sm:px-6">
        <h2 className="font-semibold">{title}</h2>
        {aside}
      </div>
      {children}
    </section>
  );
}

export function Loading({ what }: { readonly what: string }): ReactElement {
  return <output className="block px-6 py-12 text-center text-sm text-soft">Loading {what}…</output>;
}
