import type { HouseSettings } from '../operations/house.ts';

/** On every answer, whatever it is. */
const ALWAYS: Readonly<Record<string, string>> = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy':
    'accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), microphone=(), payment=(), usb=()',
  'x-frame-options': 'DENY',
};

/** Nothing inline, nothing from elsewhere. Documents and JSON get no more than that. */
const CSP_NOTHING = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

const CSP_PAGES = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "manifest-src 'self'",
  "form-action 'self' https://checkout.stripe.com",
  "frame-ancestors 'none'",
  "base-uri 'none'",
  "object-src 'none'",
].join('; ');

export const CONTENT_POLICIES = {
  nothing: CSP_NOTHING,
  pages: `${CSP_PAGES}; require-trusted-types-for 'script'`,
  // Swagger UI assigns innerHTML (cleaned by its own DOMPurify), which trusted types would stop.
  apiDocs: CSP_PAGES,
} as const;

export function setSecurityHeaders(headers: Headers, settings: Pick<HouseSettings, 'publicUrl'>): void {
  for (const [name, value] of Object.entries(ALWAYS)) headers.set(name, value);
  if (!headers.has('content-security-policy')) headers.set('content-security-policy', CONTENT_POLICIES.nothing);
  if (!headers.has('cache-control')) headers.set('cache-control', 'no-store');
  if (settings.publicUrl.startsWith('https:')) {
    headers.set('strict-transport-security', 'max-age=31536000; includeSubDomains');
  }
}
