import { answerApi } from './api.ts';
import type { MyceliumSandbox } from './network.ts';
import { daemonOf } from './server.ts';

/**
 * A `fetch` that leads into the simulator instead of the network, for simulations that decide about every delay
 * themselves. Knows the daemons only: no inbox page, no control interface, no faults of the connection.
 */
export function sandboxFetch(sandbox: MyceliumSandbox): typeof fetch {
  return async (input, init) => {
    const request = new Request(input, init);
    const url = new URL(request.url);
    const { node, path } = daemonOf(sandbox, url.pathname);
    if (node === null || !path.startsWith('/api/v1/')) return new Response(null, { status: 404 });
    const { status, text, type } = await answerApi(sandbox, node, {
      method: request.method,
      path: path.slice('/api/v1'.length),
      query: url.searchParams,
      body: await request.text(),
    });
    return new Response(text, { status, headers: { 'content-type': type } });
  };
}
