import { API_PATH } from './server.ts';
import type { ClickPesaSandbox } from './sandbox.ts';

/**
 * A `fetch` that leads into the simulator instead of the network, for simulations that decide about every delay
 * themselves. Knows the API only: no checkout page, no control interface, no faults of the connection.
 */
export function sandboxFetch(sandbox: ClickPesaSandbox): typeof fetch {
  return async (input, init) => {
    const request = new Request(input, init);
    const url = new URL(request.url);
    const { status, body } = sandbox.api.handle({
      method: request.method,
      path: url.pathname.slice(API_PATH.length),
      query: url.searchParams,
      headers: Object.fromEntries(request.headers),
      body: await request.text(),
    });
    return new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/json' } });
  };
}
