import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { extname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { App, AppContext, Site } from './context.ts';
import { CONTENT_POLICIES } from './headers.ts';

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.ico': 'image/x-icon',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.map': 'application/json',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
  '.webmanifest': 'application/manifest+json',
  '.woff2': 'font/woff2',
};

/** The paths of the one-page application. Anything else that is not a file answers 404; a person who mistyped gets a page that says so. */
export const PAGE_PATHS: readonly string[] = [
  '/',
  '/sign-in/failed',
  '/wallet',
  '/plan',
  '/vms',
  '/ssh-keys',
  '/usage',
  '/events',
  '/events/:sid',
  '/account',
  '/organisations/:sid',
  '/invitations/:token',
  '/payments/:sid',
  '/operator',
  '/operator/wallets/:sid',
  '/operator/payment-events',
  '/operator/refunds',
  '/operator/disputes',
  '/operator/disputes/:sid',
  '/operator/reconciliation',
  '/operator/webhook-events',
  '/operator/nodes',
  '/operator/nodes/:sid',
  '/operator/plans',
  '/operator/subscriptions',
  '/operator/codes',
  '/operator/codes/:sid',
  '/operator/bonus',
  '/operator/liability',
  '/operator/pool',
  '/operator/allocations',
  '/operator/grants',
  '/operator/outages',
  '/operator/outages/:sid',
  '/operator/prices',
  '/operator/ladders',
  '/operator/unbilled',
  '/operator/receipts',
  '/operator/mail',
  '/operator/events',
  '/operator/events/:sid',
];

const NOT_BUILT = 'The pages are not built. Run "npm run build" once, then reload.\n';

/**
 * Serves the built pages. Their files are listed once, at the start, and only these are ever opened: a path in a request chooses
 * from the list and never reaches the disk.
 */
export function addPageRoutes(app: App, site: Site): void {
  const folder = folderOf(site);
  for (const file of filesUnder(folder)) {
    if (file === 'index.html') continue;
    app.get(`/${file}`, (c) => fileResponse(c, join(folder, file), cacheControlOf(file)));
  }
  for (const path of PAGE_PATHS) app.get(path, (c) => page(c, join(folder, 'index.html')));
}

const folderOf = (site: Site): string =>
  site.options.pagesFolder ?? fileURLToPath(new URL('../../dist', import.meta.url));

function page(c: AppContext, index: string): Response | Promise<Response> {
  if (!existsSync(index)) return c.text(NOT_BUILT, 404);
  return fileResponse(c, index, 'no-store');
}

/** The pages, which say that there is no such page, with 404; null when it is a program that asks, or nothing is built. */
export function notFoundPage(c: AppContext, site: Site): Response | null {
  const index = join(folderOf(site), 'index.html');
  const isPerson = c.req.method === 'GET' && (c.req.header('accept') ?? '').includes('text/html');
  if (!isPerson || !existsSync(index)) return null;
  const { headers, body } = fileResponse(c, index, 'no-store');
  return new Response(body, { status: 404, headers });
}

export function fileResponse(c: AppContext, path: string, cacheControl: string): Response {
  c.set('operation', 'pages');
  const type = CONTENT_TYPES[extname(path)] ?? 'application/octet-stream';
  const headers: Record<string, string> = { 'content-type': type, 'cache-control': cacheControl };
  if (type.startsWith('text/html')) headers['content-security-policy'] = CONTENT_POLICIES.pages;
  return new Response(readFileSync(path), { headers });
}

/** The names of built assets carry a hash of their content. */
const cacheControlOf = (file: string): string =>
  file.startsWith('assets/') ? 'public, max-age=31536000, immutable' : 'public, max-age=300';

function filesUnder(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'));
}
