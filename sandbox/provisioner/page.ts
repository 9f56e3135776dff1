import { escape, layout } from '../page.ts';
import type { Vm } from './vms.ts';

/** Every VM that the back end has, and what the service has asked for it. */
export function vmsPage(
  vms: readonly Vm[],
  nonce: string,
): { readonly headers: Record<string, string>; readonly html: string } {
  const none = '<p data-testid="empty">There is no VM yet. One appears here when the service asks for it.</p>';
  const body = `
<h1>VMs</h1>
<p>What the service has been given. None of them is real, and nothing answers at their addresses.</p>
${vms.length === 0 ? none : vms.toReversed().slice(0, SHOWN_MAX).map(vmOf).join('')}
<p><a href="/" data-testid="again">Look again</a></p>`;
  return {
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      'content-security-policy': `default-src 'none'; style-src 'nonce-${nonce}'; frame-ancestors 'none'; base-uri 'none'`,
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
    },
    html: layout({ title: 'VMs', standsInFor: 'the back end that runs VMs', kind: 'sandbox provisioner', nonce, body }),
  };
}

const SHOWN_MAX = 100;

const vmOf = ({ allocationSid, externalRef, wanted, host, address, state, problem }: Vm): string => `
<section data-testid="vm" data-sid="${allocationSid ?? ''}">
<h2>${escape(wanted?.name ?? 'Without a name')}</h2>
<dl><dt>State</dt><dd>${state}</dd><dt>Size</dt><dd>${escape(wanted?.size ?? '–')}</dd>
<dt>Here it is</dt><dd>${escape(externalRef)}</dd><dt>Runs on</dt><dd>${escape(host)}</dd><dt>Address</dt><dd>${escape(address)}</dd></dl>
<p class="product">${allocationSid === null ? 'Nobody asked for it.' : `Allocation ${escape(allocationSid)}`}</p>
${problem === null ? '' : `<p class="alert">${escape(problem)}</p>`}
</section>`;
