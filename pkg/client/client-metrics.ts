import type { Metrics } from '#pkg/metrics';

const SECONDS = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60];
const BYTES = [64, 256, 512, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216];

type Observe = (value: number) => void;

interface VerbMetrics {
  readonly duration: Observe;
  readonly rateLimiter: Observe;
  readonly requestSize: Observe;
  readonly responseSize: Observe;
}

/** The `rest_client_*` families (component-base/metrics/prometheus/restclient); label lookups are done once a verb. */
export interface ClientMetrics {
  forVerb(verb: string): VerbMetrics;
  /** `code` is the HTTP status, or `<error>`. Every attempt counts; from the second on also as a retry. */
  attempt(verb: string, code: string, isRetry: boolean): void;
}

const nothing: Observe = () => {};
const NO_VERB: VerbMetrics = { duration: nothing, rateLimiter: nothing, requestSize: nothing, responseSize: nothing };
export const noMetrics: ClientMetrics = { forVerb: () => NO_VERB, attempt: () => {} };

export function clientMetrics(metrics: Metrics, host: string): ClientMetrics {
  const histogram = (name: string, help: string, buckets: readonly number[]) =>
    metrics.histogram({ name: `rest_client_${name}`, help, stability: 'ALPHA', labels: ['verb', 'host'], buckets });
  const duration = histogram('request_duration_seconds', 'Request latency, by verb and host.', SECONDS);
  const rateLimiter = histogram(
    'rate_limiter_duration_seconds',
    'Client-side rate limiter latency, by verb and host.',
    SECONDS,
  );
  const requestSize = histogram('request_size_bytes', 'Request size, by verb and host.', BYTES);
  const responseSize = histogram('response_size_bytes', 'Response size, by verb and host.', BYTES);
  const requests = metrics.counter({
    name: 'rest_client_requests_total',
    help: 'HTTP requests, by status code, method, and host.',
    stability: 'ALPHA',
    labels: ['code', 'method', 'host'],
  });
  const retries = metrics.counter({
    name: 'rest_client_request_retries_total',
    help: 'Request retries, by status code, verb, and host.',
    stability: 'ALPHA',
    labels: ['code', 'verb', 'host'],
  });

  const verbs = new Map<string, VerbMetrics>();
  const attempts = new Map<string, () => void>();
  return {
    forVerb(verb) {
      let found = verbs.get(verb);
      if (found === undefined) {
        const labels = { verb, host };
        found = {
          duration: bind(duration.labels(labels)),
          rateLimiter: bind(rateLimiter.labels(labels)),
          requestSize: bind(requestSize.labels(labels)),
          responseSize: bind(responseSize.labels(labels)),
        };
        verbs.set(verb, found);
      }
      return found;
    },
    attempt(verb, code, isRetry) {
      const key = `${verb} ${code}`;
      let count = attempts.get(key);
      if (count === undefined) {
        const child = requests.labels({ code, method: verb, host });
        count = () => child.inc();
        attempts.set(key, count);
      }
      count();
      if (isRetry) retries.inc({ code, verb, host });
    },
  };
}

function bind(child: { observe(value: number): void }): Observe {
  return (value) => child.observe(value);
}
