import { collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

export interface Metrics {
  /** One answered request. `operation` is a registry name or a route's, never a path with ids. */
  observeRequest(request: { readonly operation: string; readonly status: number; readonly seconds: number }): void;
  /** The text that Prometheus reads, with its content type. */
  expose(): Promise<{ readonly text: string; readonly contentType: string }>;
}

/** From a cached health check to a payment provider's deadline. */
const SECONDS_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** A registry of its own for each house, so that two in one process (tests) do not add up. */
export function openMetrics(facts: {
  readonly queueDepth: () => number;
  /** Records that have not come, by category. */
  readonly missingRecords: () => Promise<readonly { readonly category: string; readonly missing: bigint }[]>;
}): Metrics {
  const registry = new Registry();
  // Process facts and event loop lag.
  collectDefaultMetrics({ register: registry });
  const requests = new Histogram({
    name: 'hero_onboarding_request_seconds',
    help: 'Time to answer, by operation and status',
    labelNames: ['operation', 'status'] as const,
    buckets: SECONDS_BUCKETS,
    registers: [registry],
  });
  registry.registerMetric(
    new Gauge({
      name: 'hero_onboarding_ledger_queue_records',
      help: 'Postings that wait for a commit',
      registers: [],
      collect() {
        this.set(facts.queueDepth());
      },
    }),
  );
  registry.registerMetric(
    new Gauge({
      name: 'hero_onboarding_usage_records_missing',
      help: 'Numbers of records that have not come for longer than the grace of their category, where gaps are reported',
      labelNames: ['category'] as const,
      registers: [],
      async collect() {
        this.reset();
        // Without the database the other figures are worth the more.
        const rows = await facts.missingRecords().catch(() => []);
        for (const { category, missing } of rows) this.set({ category }, Number(missing));
      },
    }),
  );
  return {
    observeRequest: ({ operation, status, seconds }) =>
      requests.observe({ operation, status: String(status) }, seconds),
    expose: async () => ({ text: await registry.metrics(), contentType: registry.contentType }),
  };
}
