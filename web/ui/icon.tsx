import type { ReactElement } from 'react';

const PATHS = {
  check: 'M3.5 8.5l3 3 6-7',
  copy: 'M5.5 5.5v-2a1 1 0 011-1h6a1 1 0 011 1v6a1 1 0 01-1 1h-2M3.5 5.5h6a1 1 0 011 1v6a1 1 0 01-1 1h-6a1 1 0 01-1-1v-6a1 1 0 011-1z',
  back: 'M9.5 3.5L5 8l4.5 4.5',
  next: 'M6.5 3.5L11 8l-4.5 4.5',
  down: 'M3.5 6l4.5 4.5L12.5 6',
  up: 'M3.5 10L8 5.5l4.5 4.5',
  refresh: 'M13 8a5 5 0 11-1.5-3.6M13 2.5v3h-3',
  close: 'M4 4l8 8M12 4l-8 8',
  out: 'M9.5 2.5h3a1 1 0 011 1v9a1 1 0 01-1 1h-3M7 11l3-3-3-3M10 8H2.5',
  search: 'M7 12A5 5 0 107 2a5 5 0 000 10zM10.7 10.7L14 14',
  leave: 'M6.5 3.5h-3v9h9v-3M9 3h4v4M13 3L7.5 8.5',
  warn: 'M8 2.5l6 10.5H2L8 2.5zM8 7v2.5M8 11.2v.1',
} as const;

/** A decorative line drawing; the words beside it carry the meaning. */
export function Icon({
  name,
  className,
}: {
  readonly name: keyof typeof PATHS;
  readonly className?: string;
}): ReactElement {
  return (
    <svg
      viewBox="0 0 16 16"
      width="16"
      height="16"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.6"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
      className={className ?? 'shrink-0'}
    >
      <path d={PATHS[name]} />
    </svg>
  );
}
