import { refuse } from '../domain/refusal.ts';
import type { App, Site } from './context.ts';
import { Refused } from './refused.ts';

/** For whoever restarts or routes: alive means the loop turns, ready means a request would be answered. */
export function addHealthRoutes(app: App, site: Site): void {
  app.get('/health/live', (c) => {
    c.set('operation', 'health.live');
    return c.json({ status: 'live' });
  });
  app.get('/health/ready', async (c) => {
    c.set('operation', 'health.ready');
    if (site.options.isStopping?.() === true) throw notReady('The service is stopping.');
    try {
      await site.options.ping();
    } catch (error) {
      site.house.ports.log.warn({ request_id: c.get('requestId'), error }, 'not ready: the database does not answer');
      throw notReady('The database does not answer.');
    }
    return c.json({ status: 'ready' });
  });
  app.get('/metrics', async (c) => {
    c.set('operation', 'metrics');
    const { text, contentType } = await site.metrics.expose();
    return c.body(text, 200, { 'content-type': contentType });
  });
}

const notReady = (message: string): Refused => new Refused(refuse('unavailable', message, { retryAfterSeconds: 1 }));
