import { layout } from '../page.ts';

export interface PageAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly html: string;
}

/** A page that works without script; `nonce` allows its one style sheet and nothing else. */
export function page(
  title: string,
  body: string,
  { nonce, status = 200, leadsTo = [] }: { nonce: string; status?: number; leadsTo?: readonly (string | null)[] },
): PageAnswer {
  // Chromium applies form-action to the redirect after the form too, so the merchant's origins belong in it.
  const origins = new Set(leadsTo.flatMap((url) => (url === null ? [] : [new URL(url).origin])));
  const formAction = ["'self'", ...origins].join(' ');
  return {
    status,
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      'content-security-policy': `default-src 'none'; style-src 'nonce-${nonce}'; form-action ${formAction}; frame-ancestors 'none'; base-uri 'none'`,
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
    },
    html: layout({
      title,
      standsInFor: 'BTCPay Server',
      nonce,
      body,
      head: `<style nonce="${nonce}">${FACTS}</style>`,
    }),
  };
}

export const missingPage = (nonce: string): PageAnswer =>
  page('Not here', '<h1>There is no such page</h1><p>The link is wrong, or the sandbox has forgotten it.</p>', {
    nonce,
    status: 404,
  });

/** Addresses are long and have no spaces. */
const FACTS =
  'dl { grid-template-columns: auto 1fr; gap: .25rem 1rem; } dt { color: var(--soft); white-space: nowrap; } dd { text-align: right; overflow-wrap: anywhere; }';
