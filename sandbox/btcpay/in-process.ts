import type { BtcpaySandbox } from './sandbox.ts';

/**
 * A `fetch` that leads into the simulator instead of the network, for simulations that decide about every delay
 * themselves. Knows the API only: no pages, no control interface, no faults of the connection.
 */
export function sandboxFetch(sandbox: BtcpaySandbox): typeof fetch {
  return async (input, init) => {
    const request = new Request(input, init);
    const url = new URL(request.url);
    const { status, headers, body } = sandbox.api.handle({
      method: request.method,
      path: url.pathname,
      query: url.search.slice(1),
      headers: Object.fromEntries(request.headers),
      body: await request.text(),
    });
    return new Response(body === null ? null : JSON.stringify(body), { status, headers });
  };
}
