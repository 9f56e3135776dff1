import { Tabs } from 'radix-ui';
import type { ReactElement } from 'react';

/** The row of tabs on top of a card. Arrow keys move between them. */
export function TabList({
  label,
  tabs,
}: {
  readonly label: string;
  readonly tabs: readonly (readonly [string, string])[];
}): ReactElement {
  return (
    <Tabs.List aria-label={label} className="flex overflow-x-auto sm:gap-1 border-b border-line px-3 sm:px-4">
      {tabs.map(([value, title]) => (
        <Tabs.Trigger
          key={value}
          value={value}
          className="-mb-px border-b-2 border-transparent px-2.5 py-3.5 text-sm font-medium whitespace-nowrap text-soft -outline-offset-4 hover:text-ink data-[state=active]:border-accent data-[state=active]:text-ink"
        >
          {title}
        </Tabs.Trigger>
      ))}
    </Tabs.List>
  );
}
