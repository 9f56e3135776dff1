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
    html: layout(title, nonce, body),
  };
}

export const missingPage = (nonce: string): PageAnswer =>
  page('Not here', '<h1>There is no such page</h1><p>The link is wrong, or the sandbox has forgotten it.</p>', {
    nonce,
    status: 404,
  });

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
export const escape = (text: string): string => text.replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? '');

const layout = (title: string, nonce: string, body: string): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${escape(title)} · sandbox checkout</title>
<style nonce="${nonce}">${STYLE}</style>
</head>
<body>
<header><strong>Sandbox</strong> — no real coins. This page stands in for BTCPay Server.</header>
<main>${body}
</main>
</body>
</html>
`;

const STYLE = `
:root { color-scheme: light dark; --ground: #f4f5f7; --card: #fff; --ink: #1b1f24; --soft: #57606a; --line: #d0d7de;
  --accent: #0f6b45; --on-accent: #fff; --note: #fff3cd; --on-note: #5c4300; }
@media (prefers-color-scheme: dark) { :root { --ground: #0e1116; --card: #171b22; --ink: #e6e9ee; --soft: #9aa4b1;
  --line: #303843; --accent: #7ee2b2; --on-accent: #06281a; --note: #3a2f0b; --on-note: #ffe08a; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; }
header { padding: .75rem 1rem; background: var(--note); color: var(--on-note); text-align: center; }
main { max-width: 28rem; margin: 2.5rem auto; padding: 2rem; background: var(--card); border: 1px solid var(--line); border-radius: .75rem; }
@media (max-width: 30rem) { main { margin: 0; border: 0; border-radius: 0; padding: 1.5rem 1rem; } }
.product { margin: 0; color: var(--soft); overflow-wrap: anywhere; }
h1 { margin: 0 0 1rem; font-size: 1.75rem; font-variant-numeric: tabular-nums; }
dl { display: grid; grid-template-columns: auto 1fr; gap: .25rem 1rem; margin: 0 0 1.5rem; }
dt { color: var(--soft); }
dd { margin: 0; text-align: right; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
fieldset { margin: 1.5rem 0 0; padding: 0; border: 0; display: grid; gap: .5rem; }
legend { padding: 0; margin-bottom: .5rem; color: var(--soft); }
label { display: block; margin-bottom: .25rem; color: var(--soft); }
input { width: 100%; min-height: 2.75rem; margin-bottom: 1rem; padding: .5rem .75rem; border: 1px solid var(--line); border-radius: .5rem; background: transparent; color: inherit; font: inherit; }
button, a.pay { display: block; width: 100%; min-height: 2.75rem; padding: .5rem 1rem; border: 1px solid var(--line);
  border-radius: .5rem; background: transparent; color: inherit; font: inherit; text-align: center; text-decoration: none; cursor: pointer; }
.pay, a.pay { background: var(--accent); border-color: var(--accent); color: var(--on-accent); font-weight: 600; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
`;
