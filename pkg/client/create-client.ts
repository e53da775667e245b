import type { KubeObject, ResourceType } from '#pkg/api';
import { type Clock, systemClock, parseJson } from '#pkg/base';
import { type Logger, silentLogger } from '#pkg/log';
import type { Metrics } from '#pkg/metrics';

import { Caller, DEFAULT_TIMEOUT, parseAnswer } from './caller.ts';
import { clientMetrics, noMetrics } from './client-metrics.ts';
import type { CallOptions, Client, RawRequest, ResourceClient } from './client.ts';
import { rateLimiterFor } from './rate-limiter.ts';
import { resourceClient } from './resource-client.ts';
import type { Transport } from './transport.ts';
import { WarningLog } from './warnings.ts';

export interface ClientOptions {
  readonly transport: Transport;
  /** `kube-controller-manager/v1.36.2 (linux/amd64) kubernetes/abcdef0`. */
  readonly userAgent: string;
  /** Requests a second in the long run; 5 where missing or 0, unlimited below 0. */
  readonly qps?: number;
  /** Requests at once after a rest; 10 where missing or 0. */
  readonly burst?: number;
  readonly clock?: Clock;
  readonly log?: Logger;
  /** Whether warnings of the API server are logged, each once: yes where missing. */
  readonly logWarnings?: boolean;
  readonly metrics?: Metrics;
  /** Default deadline of a call, ms, without the wait for the rate limit. 70 s where missing, none at 0. */
  readonly timeout?: number;
  /**
   * Called right before every mutating request goes to the transport, after every wait; throws to refuse it. Lease
   * requests are exempt, since they are how the right to write is renewed.
   */
  readonly fence?: () => void;
}

/** A client for all resources of one API server. It holds no connections: those are the transport's. */
export function createClient(options: ClientOptions): Client {
  const { transport, clock = systemClock, log = silentLogger, qps, burst } = options;
  const shared = rateLimiterFor(qps, burst, clock);
  const lease = rateLimiterFor(qps, burst, clock);
  const caller = new Caller({
    transport,
    clock,
    log,
    metrics: options.metrics ? clientMetrics(options.metrics, transport.host ?? 'none') : noMetrics,
    warnings: new WarningLog(options.logWarnings === false ? silentLogger : log),
    limiterFor: (lane) => (lane === 'lease' ? lease : shared),
    fence: options.fence,
    timeout: options.timeout ?? DEFAULT_TIMEOUT,
  });
  const { userAgent } = options;
  return {
    resource: <T extends KubeObject>(type: ResourceType<T>): ResourceClient<T> =>
      resourceClient(type, { caller, clock, userAgent, timeout: options.timeout ?? DEFAULT_TIMEOUT }),
    request: <R>(request: RawRequest, callOptions?: CallOptions) =>
      rawRequest<R>(caller, userAgent, request, callOptions),
  };
}

async function rawRequest<R>(
  caller: Caller,
  userAgent: string,
  request: RawRequest,
  options: CallOptions = {},
): Promise<R> {
  const hasBody = request.body !== undefined;
  const answer = await caller.exchange({
    method: request.method,
    path: request.path,
    headers: {
      accept: request.accept ?? 'application/json, */*',
      'user-agent': userAgent,
      ...(hasBody ? { 'content-type': request.contentType ?? 'application/json' } : {}),
    },
    ...(hasBody ? { body: JSON.stringify(request.body) } : {}),
    lane: options.lane ?? (request.method === 'GET' ? 'read' : 'write'),
    subject: { verb: request.method },
    signal: options.signal,
    timeout: options.timeout,
  });
  const text = answer.body.toString('utf8');
  // Health checks and the like answer in plain text.
  if (!(answer.headers['content-type'] ?? '').includes('json')) return text as R;
  return parseAnswer(answer, request, () => parseJson(text)) as R;
}
