import { Hono } from 'hono';
import { refuse } from '../domain/refusal.ts';
import { openRpcDocument } from '../jsonrpc/openrpc.ts';
import { failureReply } from '../operations/reply.ts';
import type { House } from '../operations/house.ts';
import { OPERATIONS } from '../operations/registry.ts';
import { countOverdue } from '../store/gap-policy.ts';
import { openMetrics } from '../telemetry/metrics.ts';
import { addChallengeRoutes } from './challenge.ts';
import { CLOCK_SKEW_HEADER } from './clock-skew.ts';
import type { App, AppContext, AppEnv, HttpOptions, Site } from './context.ts';
import { addDocsRoutes } from './docs.ts';
import { addExportRoutes } from './export.ts';
import { FailureLimit } from './failure-limit.ts';
import { addHealthRoutes } from './health.ts';
import { setSecurityHeaders } from './headers.ts';
import { openApiDocument } from './openapi.ts';
import { addPageRoutes, notFoundPage } from './pages.ts';
import { addProviderSignInRoutes } from './provider-sign-in.ts';
import { problemResponse, Refused, replyResponse } from './refused.ts';
import { addRestRoutes } from './rest.ts';
import { addRpcRoute } from './rpc.ts';
import { addSignInRoutes } from './sign-in.ts';
import { addWebhookRoute } from './webhooks.ts';

/** Wrong admin secrets from one address in a minute. */
const ADMIN_FAILURES_MAX = 10;
/** And from all addresses together. */
const ADMIN_FAILURES_OF_ALL_MAX = 100;
/** Requests with one key that is not good, from one address in a minute; and with any such keys. */
const ONE_KEY_FAILURES_MAX = 10;
const KEY_FAILURES_MAX = 100;
/** Webhooks with a bad signature from one address in a minute; a provider whose secret was rotated without us sends fewer. */
const WEBHOOK_FAILURES_MAX = 100;
/** Codes asked for from one address in a minute, and wrong ones tried: many people may be behind one. A node and a challenge have narrower limits. */
const CHALLENGE_CALLS_MAX = 30;
const CHALLENGE_FAILURES_MAX = 30;

/** Everything the house answers over HTTP. Has no state outside `house` but counters. */
export function buildHttp(house: House, options: HttpOptions): App {
  const site: Site = {
    house,
    options,
    metrics: openMetrics({
      queueDepth: options.queueDepth ?? (() => 0),
      missingRecords: () => countOverdue(house.db, house.ports.clock.now()),
    }),
    adminFailures: new FailureLimit(house.ports.clock, ADMIN_FAILURES_MAX),
    adminFailuresOfAll: new FailureLimit(house.ports.clock, ADMIN_FAILURES_OF_ALL_MAX),
    untoldFailures: { count: 0 },
    oneKeyFailures: new FailureLimit(house.ports.clock, ONE_KEY_FAILURES_MAX),
    keyFailures: new FailureLimit(house.ports.clock, KEY_FAILURES_MAX),
    webhookFailures: new FailureLimit(house.ports.clock, WEBHOOK_FAILURES_MAX),
    challengeCalls: new FailureLimit(house.ports.clock, CHALLENGE_CALLS_MAX),
    challengeFailures: new FailureLimit(house.ports.clock, CHALLENGE_FAILURES_MAX),
  };
  const version = options.version ?? '0.0.0';
  const documents = {
    openApi: JSON.stringify(openApiDocument(OPERATIONS, version)),
    openRpc: JSON.stringify(openRpcDocument(OPERATIONS, version)),
  };
  const app: App = new Hono<AppEnv>();
  app.use(observe(site));
  addHealthRoutes(app, site);
  addRestRoutes(app, site, OPERATIONS);
  addExportRoutes(app, site);
  addRpcRoute(app, site, documents.openRpc);
  addWebhookRoute(app, site);
  addSignInRoutes(app, site);
  addChallengeRoutes(app, site);
  addProviderSignInRoutes(app, site);
  addDocsRoutes(app, site, documents);
  addPageRoutes(app, site);
  refuseOtherMethods(app);
  app.notFound(
    (c) => notFoundPage(c, site) ?? problemResponse(refuse('not_found', 'There is nothing here.'), c.get('requestId')),
  );
  app.onError((error, c) => {
    const requestId = c.get('requestId');
    if (error instanceof Refused) return problemResponse(error.refusal, requestId, error.headers);
    return replyResponse(failureReply(house, c.get('operation'), requestId, error));
  });
  return app;
}

/** Around every request: its id, the headers that are always there, its duration, one log line. */
function observe(site: Site) {
  const { clock, ids, log } = site.house.ports;
  return async (c: AppContext, next: () => Promise<void>): Promise<void> => {
    const startedMs = clock.monotonicMs();
    const requestId = ids.requestId();
    c.set('requestId', requestId);
    c.set('operation', 'none');
    c.set('actor', 'anonymous');
    c.set('clockSkew', null);
    await next();
    c.res.headers.set('x-request-id', requestId);
    const clockSkew = c.get('clockSkew');
    if (clockSkew !== null) c.res.headers.set(CLOCK_SKEW_HEADER, clockSkew);
    setSecurityHeaders(c.res.headers, site.house.settings);
    if (site.options.isStopping?.() === true) c.res.headers.set('connection', 'close');
    const operation = c.get('operation');
    const { status } = c.res;
    const durationMs = clock.monotonicMs() - startedMs;
    site.metrics.observeRequest({ operation, status, seconds: durationMs / 1_000 });
    const facts = {
      request_id: requestId,
      method: c.req.method,
      operation,
      status,
      actor: c.get('actor'),
      duration_ms: Math.round(durationMs),
    };
    if (QUIET.has(operation)) log.debug(facts, 'request');
    else log.info(facts, 'request');
  };
}

/** Asked every few seconds by machines, or many at once by a browser. */
const QUIET = new Set(['health.live', 'health.ready', 'metrics', 'pages', 'docs']);

/** A path that is there under another method answers 405 and says which; 404 would send people looking for a typing mistake. */
function refuseOtherMethods(app: App): void {
  const methods = new Map<string, Set<string>>();
  for (const { path, method } of app.routes) {
    if (method === 'ALL' || path.endsWith('*')) continue;
    const allowed = methods.get(path) ?? new Set();
    methods.set(path, allowed.add(method));
    if (method === 'GET') allowed.add('HEAD');
  }
  for (const [path, allowed] of methods) {
    const allow = [...allowed].sort().join(', ');
    app.all(path, (c) =>
      problemResponse(refuse('method_not_allowed', `This path takes ${allow}.`), c.get('requestId'), { allow }),
    );
  }
}
