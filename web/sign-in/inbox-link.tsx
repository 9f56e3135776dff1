import type { ReactElement } from 'react';

/** To a simulator's page, where a newcomer reads what came to a play node. */
export function InboxLink({ url, text }: { readonly url: string; readonly text: string }): ReactElement {
  return (
    <p className="text-sm">
      <a
        className="font-medium text-accent underline underline-offset-2"
        href={url}
        target="_blank"
        rel="noopener noreferrer"
      >
        {text} (opens a new tab)
      </a>
    </p>
  );
}
