const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
export const escape = (text: string): string => text.replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? '');

export interface SandboxPage {
  readonly title: string;
  /** Whose page this is in the real world. */
  readonly standsInFor: string;
  /** Allows the one style sheet and nothing else. */
  readonly nonce: string;
  readonly body: string;
  /** Further elements of the head. */
  readonly head?: string;
  /** What the window is called after its title. */
  readonly kind?: string;
}

/** A page that people are sent to by a simulator. Works without script. */
export const layout = ({
  title,
  standsInFor,
  nonce,
  body,
  head = '',
  kind = 'sandbox checkout',
}: SandboxPage): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${escape(title)} · ${kind}</title>
${head}<style nonce="${nonce}">${STYLE}</style>
</head>
<body>
<header><strong>Sandbox</strong> — no real money. This page stands in for ${standsInFor}.</header>
<main>${body}
</main>
</body>
</html>
`;

const STYLE = `
:root { color-scheme: light dark; --ground: #f4f5f7; --card: #fff; --ink: #1b1f24; --soft: #57606a; --line: #d0d7de;
  --accent: #4338ca; --on-accent: #fff; --note: #fff3cd; --on-note: #5c4300; --alert: #ffe3e3; --on-alert: #8a1111; }
@media (prefers-color-scheme: dark) { :root { --ground: #0e1116; --card: #171b22; --ink: #e6e9ee; --soft: #9aa4b1;
  --line: #303843; --accent: #a5b4fc; --on-accent: #12142b; --note: #3a2f0b; --on-note: #ffe08a; --alert: #461a1a; --on-alert: #ffb4b4; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; }
header { padding: .75rem 1rem; background: var(--note); color: var(--on-note); text-align: center; }
main { max-width: 26rem; margin: 2.5rem auto; padding: 2rem; background: var(--card); border: 1px solid var(--line); border-radius: .75rem; }
@media (max-width: 30rem) { main { margin: 0; border: 0; border-radius: 0; padding: 1.5rem 1rem; } }
.product { margin: 0; color: var(--soft); overflow-wrap: anywhere; }
h1 { margin: 0 0 1.5rem; font-size: 1.75rem; font-variant-numeric: tabular-nums; }
pre { margin: 0 0 1rem; white-space: pre-wrap; overflow-wrap: anywhere; }
section { padding: 1rem 0; border-top: 1px solid var(--line); }
dl { display: grid; grid-template-columns: 1fr auto; margin: 0 0 1.5rem; }
dd { margin: 0; font-variant-numeric: tabular-nums; }
.alert { padding: .75rem 1rem; border-radius: .5rem; background: var(--alert); color: var(--on-alert); }
fieldset { margin: 1.5rem 0 0; padding: 0; border: 0; display: grid; gap: .5rem; }
legend { padding: 0; margin-bottom: .5rem; color: var(--soft); }
label { display: block; margin: 0 0 1rem; color: var(--soft); }
select { display: block; width: 100%; min-height: 2.75rem; margin: .25rem 0 1rem; padding: .5rem; border: 1px solid var(--line);
  border-radius: .5rem; background: var(--card); color: inherit; font: inherit; }
input { display: block; width: 100%; min-height: 2.75rem; margin-top: .25rem; padding: .5rem .75rem; border: 1px solid var(--line);
  border-radius: .5rem; background: transparent; color: inherit; font: inherit; }
button, a.pay { display: block; width: 100%; min-height: 2.75rem; padding: .5rem 1rem; border: 1px solid var(--line);
  border-radius: .5rem; background: transparent; color: inherit; font: inherit; text-align: center; text-decoration: none; cursor: pointer; }
.pay, a.pay { background: var(--accent); border-color: var(--accent); color: var(--on-accent); font-weight: 600; }
.plain { border-color: transparent; color: var(--soft); text-decoration: underline; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
`;
