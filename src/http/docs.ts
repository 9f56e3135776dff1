import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { REFUSALS } from '../domain/refusal.ts';
import type { App, AppContext, Site } from './context.ts';
import { CONTENT_POLICIES } from './headers.ts';
import { fileResponse } from './pages.ts';

/** The files of Swagger UI that the page needs. Nothing comes from another host: the page works without a network. */
const ASSETS = ['swagger-ui.css', 'swagger-ui-bundle.js', 'favicon-32x32.png'];

const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>hero-onboarding: API</title>
<link rel="icon" type="image/png" href="/docs/assets/favicon-32x32.png">
<link rel="stylesheet" href="/docs/assets/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<script src="/docs/assets/swagger-ui-bundle.js"></script>
<script src="/docs/assets/initializer.js"></script>
</body>
</html>
`;

/** In a file of its own: the content policy allows no script in the page. */
const INITIALIZER = `window.ui = SwaggerUIBundle({
  url: '/openapi.json',
  dom_id: '#swagger-ui',
  deepLinking: true,
  validatorUrl: null,
  presets: [SwaggerUIBundle.presets.apis],
});
`;

/** The API documents, a page to read and try them, and the page that every error's \`type\` points to. */
export function addDocsRoutes(
  app: App,
  _site: Site,
  documents: { readonly openApi: string; readonly openRpc: string },
): void {
  const json = { 'content-type': 'application/json', 'cache-control': 'no-cache' };
  app.get('/openapi.json', (c) => named(c).body(documents.openApi, 200, json));
  app.get('/openrpc.json', (c) => named(c).body(documents.openRpc, 200, json));
  app.get('/docs', (c) => html(c, PAGE));
  app.get('/docs/errors', (c) => html(c, ERROR_PAGE));
  app.get('/docs/assets/initializer.js', (c) =>
    named(c).body(INITIALIZER, 200, { 'content-type': 'text/javascript; charset=utf-8', 'cache-control': 'no-cache' }),
  );
  const folder = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
  for (const asset of ASSETS) {
    app.get(`/docs/assets/${asset}`, (c) => fileResponse(c, join(folder, asset), 'public, max-age=3600'));
  }
}

function named(c: AppContext): AppContext {
  c.set('operation', 'docs');
  return c;
}

const html = (c: AppContext, text: string): Response =>
  named(c).body(text, 200, {
    'content-type': 'text/html; charset=utf-8',
    'cache-control': 'no-cache',
    'content-security-policy': CONTENT_POLICIES.apiDocs,
  });

const ERROR_PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>hero-onboarding: errors</title>
</head>
<body>
<h1>Errors</h1>
<p>Every error over HTTP is <code>application/problem+json</code> (RFC 9457). Programs read <code>code</code>; <code>request_id</code> names the
request in the log; <code>errors</code> says what is wrong with the input, place by place.</p>
<table>
<thead><tr><th scope="col">code</th><th scope="col">HTTP</th><th scope="col">JSON-RPC</th><th scope="col">meaning</th></tr></thead>
<tbody>
${Object.entries(REFUSALS)
  .map(
    ([code, { status, rpc, title }]) =>
      `<tr id="${code}"><td><code>${code}</code></td><td>${status}</td><td>${rpc}</td><td>${title}</td></tr>`,
  )
  .join('\n')}
</tbody>
</table>
<h2 id="idempotency-key">Idempotency-Key</h2>
<p>Every call that moves money needs this header (in JSON-RPC also the param <code>idempotency_key</code>): 1 to 255 visible ASCII characters, bare or
quoted. Choose a new random key for each intent and send the same key with each retry. The money moves once; a retry gets the first answer byte for
byte, with <code>Idempotency-Hit: true</code>. The same key with another content is refused with <code>idempotency_key_reused</code>. Keys are kept
for ever, for each operation and each caller apart.</p>
<p><a href="/docs">API reference</a></p>
</body>
</html>
`;
