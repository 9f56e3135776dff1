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
export function openMetrics(facts: { readonly queueDepth: () => number }): Metrics {
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
  return {
    observeRequest: ({ operation, status, seconds }) =>
      requests.observe({ operation, status: String(status) }, seconds),
    expose: async () => ({ text: await registry.metrics(), contentType: registry.contentType }),
  };
}
