import { escape, layout } from '../page.ts';
import type { Message } from './network.ts';
import { shortened, type PlayNode } from './node.ts';

export interface PageAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly html: string;
}

/** Every node there is, for whoever needs an address to claim. */
export function nodesPage(nodes: readonly PlayNode[], nonce: string, problem: string | null): PageAnswer {
  const rows = nodes.map(
    (node) => `
<section>
<h2><a href="/inbox/${escape(node.name)}">${escape(node.name)}</a></h2>
<p class="product" data-testid="address-${escape(node.name)}">${shortened(node.address)}</p>
</section>`,
  );
  const alert = problem === null ? '' : `<p class="alert" role="alert">${escape(problem)}</p>`;
  const body = `
<h1>Play nodes</h1>
<p>Each has an address in the overlay network and an inbox that stands in for the daemon on its owner’s machine.</p>
${rows.join('')}
${alert}
<form method="post" aria-label="Add a node">
  <label>Another node’s name<input name="name" pattern="[a-z0-9\\-]{1,20}" maxlength="20" autocomplete="off" required></label>
  <button>Add the node</button>
</form>`;
  return page('Play nodes', body, { nonce, head: '' });
}

/** What a node got, newest first, and a way to answer it. */
export function inboxPage(node: PlayNode, messages: readonly Message[], facts: InboxFacts): PageAnswer {
  const none = '<p data-testid="empty">Nothing has come yet. This page looks again by itself.</p>';
  const body = `
<h1>Inbox of ${escape(node.name)}</h1>
<p class="product" data-testid="address">${shortened(node.address)}</p>
${facts.isReplied ? '<p role="status" data-testid="replied"><strong>The reply is on its way.</strong></p>' : ''}
${messages.length === 0 ? none : messages.slice(0, SHOWN_MAX).map(messageOf).join('')}
<p><a href="/inbox/${escape(node.name)}" data-testid="again">Look again</a> · <a href="/inbox">All nodes</a></p>`;
  // Not beside a form: what was typed would be gone.
  const head = messages.length === 0 ? '<meta http-equiv="refresh" content="1">\n' : '';
  return page(`Inbox of ${node.name}`, body, { nonce: facts.nonce, head });
}

export interface InboxFacts {
  readonly nonce: string;
  readonly isReplied: boolean;
}

export const missingPage = (nonce: string): PageAnswer => ({
  ...page('No such node', '<h1>There is no such node</h1><p><a href="/inbox">All nodes</a></p>', { nonce, head: '' }),
  status: 404,
});

const SHOWN_MAX = 20;

/** What a person would copy out of the message. */
const CODE = /\b[0-9A-Z]{4}(-[0-9A-Z]{4})+\b/;

function messageOf(message: Message, index: number): string {
  const text = message.payload.toString('utf8');
  const [code = ''] = CODE.exec(text) ?? [];
  return `
<section data-testid="message" data-id="${message.id}">
<p class="product">From ${shortened(message.srcIp)}${message.topic.length === 0 ? '' : `, topic ${escape(message.topic.toString('utf8'))}`}</p>
<pre data-testid="text">${escape(text)}</pre>
<form method="post" aria-label="Reply to message ${index + 1}">
  <input type="hidden" name="id" value="${message.id}"><input type="hidden" name="to" value="${message.srcIp}">
  <label>Reply<input name="text" data-testid="reply-text" value="${escape(code)}" autocomplete="off" required></label>
  <button data-testid="reply">Send the reply</button>
</form>
</section>`;
}

function page(
  title: string,
  body: string,
  { nonce, head }: { readonly nonce: string; readonly head: string },
): PageAnswer {
  return {
    status: 200,
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      'content-security-policy': `default-src 'none'; style-src 'nonce-${nonce}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'`,
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
    },
    html: layout({
      title,
      standsInFor: 'the Mycelium daemon on somebody’s machine',
      kind: 'sandbox overlay',
      nonce,
      body,
      head,
    }),
  };
}
