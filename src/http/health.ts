import { refuse } from '../domain/refusal.ts';
import { apartText } from '../operations/clock/compare.ts';
import { identify } from './credentials.ts';
import { peerOf, type App, type AppContext, type Site } from './context.ts';
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
    // No reason to take it out of service: where it is the database's clock that is wrong, all servers would leave at once.
    const { clocks } = site.house;
    const warnings = clocks.areApart ? [`${apartText(clocks.aheadMs)}.`] : [];
    return c.json({ status: 'ready', ...(warnings.length > 0 && { warnings }) });
  });
  app.get('/metrics', async (c) => {
    c.set('operation', 'metrics');
    if (!(await mayReadMetrics(site, c))) throw new Refused(refuse('not_found', 'There is nothing here.'));
    const { text, contentType } = await site.metrics.expose();
    return c.body(text, 200, { 'content-type': contentType });
  });
}

const notReady = (message: string): Refused => new Refused(refuse('unavailable', message, { retryAfterSeconds: 1 }));

/** To everybody else the page does not exist: how much goes on here is nobody's business. */
async function mayReadMetrics(site: Site, c: AppContext): Promise<boolean> {
  const who = site.options.metrics ?? 'loopback';
  if (who === 'anyone') return true;
  if (who === 'off') return false;
  if (who === 'loopback' && isDirectFromThisMachine(c)) return true;
  return (await identify(site, c)).kind === 'operator';
}

/** A proxy on this machine speaks for callers elsewhere, and says so in these headers. */
function isDirectFromThisMachine(c: AppContext): boolean {
  const isForwarded = ['forwarded', 'x-forwarded-for', 'x-real-ip', 'via'].some(
    (name) => c.req.header(name) !== undefined,
  );
  return !isForwarded && /^(local$|::1$|(::ffff:)?127\.)/.test(peerOf(c));
}
