import { answerApi } from './api.ts';
import type { ProvisionerSandbox } from './vms.ts';

/**
 * A `fetch` that leads into the simulator instead of the network, for simulations that decide about every delay
 * themselves. Knows the API only: no page, no control interface, no faults of the connection.
 */
export function sandboxFetch(sandbox: ProvisionerSandbox): typeof fetch {
  return async (input, init) => {
    const request = new Request(input, init);
    const url = new URL(request.url);
    const { status, body } = answerApi(sandbox, {
      method: request.method,
      path: url.pathname,
      query: url.searchParams,
      authorization: request.headers.get('authorization') ?? undefined,
      body: await request.text(),
    });
    return new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/json' } });
  };
}
