import { type Clock, sleep } from '#pkg/base';
import type { Logger } from '#pkg/log';

import { CallScope } from './call-scope.ts';
import type { ClientMetrics } from './client-metrics.ts';
import { TransportError, isTransportError } from './errors.ts';
import { asBuffer } from './json-bytes.ts';
import type { RateLimiter } from './rate-limiter.ts';
import { type ErrorSubject, errorFromAnswer, retryAfterSeconds } from './status-errors.ts';
import type { Lane, Transport, TransportRequest, TransportResponse } from './transport.ts';
import type { WarningLog } from './warnings.ts';

/** What the verbs hand over: one request, whole. */
export interface Call {
  readonly method: TransportRequest['method'];
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly lane: Lane;
  readonly subject: ErrorSubject;
  readonly signal?: AbortSignal | undefined;
  readonly timeout?: number | undefined;
}

export interface Answer {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export interface CallerParts {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: ClientMetrics;
  readonly warnings: WarningLog;
  /** Lease renewal has a bucket of its own. */
  readonly limiterFor: (lane: Lane) => RateLimiter;
  /** Throws to keep a mutating request from being sent. */
  readonly fence: (() => void) | undefined;
  readonly timeout: number;
}

const MAX_RETRIES = 10;
/** A read whose connection broke goes again after this, ms (`retryAfterResponse` of client-go). */
const RESET_DELAY = 1000;
/** Waits longer than this are worth a line (`longThrottleLatency` of client-go), ms. */
const LONG_THROTTLE = 50;
/** An API server ends its own work after 60 s; an answer later than this never comes. */
export const DEFAULT_TIMEOUT = 70_000;

/**
 * Sends calls: rate limit, fence, deadline, retries by Retry-After, metrics, warnings, errors; as `rest.Request` of
 * client-go does.
 */
export class Caller {
  readonly #parts: CallerParts;

  constructor(parts: CallerParts) {
    this.#parts = parts;
  }

  /** One request and its whole answer. The deadline starts when the rate limiter has let it through. */
  async exchange(call: Call): Promise<Answer> {
    const { clock, metrics } = this.#parts;
    const verb = metrics.forVerb(call.method);
    const start = clock.monotonic();
    try {
      await this.#throttle(call);
      const scope = new CallScope(clock, call.signal, call.timeout ?? this.#parts.timeout, describeCall(call));
      try {
        const answer = await this.#attempts({ ...call, signal: scope.signal, timeout: undefined }, readWhole);
        verb.responseSize(answer.body.length);
        return answer;
      } catch (error) {
        // Whatever was under way when the call was ended, the reason of the end is what the caller must see.
        if (scope.signal.aborted) throw scope.signal.reason;
        throw error;
      } finally {
        scope.close();
      }
    } finally {
      verb.duration((clock.monotonic() - start) / 1000);
    }
  }

  /** A request whose answer streams. Not rate limited at first, as in client-go: a watch replaces many reads. */
  stream(call: Call): Promise<TransportResponse> {
    return this.#attempts(call, (response) => response);
  }

  async #attempts<R>(call: Call, read: (response: TransportResponse) => R | Promise<R>): Promise<R> {
    for (let attempt = 0; ; attempt++) {
      const outcome = await this.#attempt(call, read, attempt);
      if ('value' in outcome) return outcome.value;
      if (outcome.retryAfter === undefined || attempt >= MAX_RETRIES) throw outcome.error;
      const fields = { request: describeCall(call), attempt: attempt + 1, delay: outcome.retryAfter };
      this.#parts.log.v(4)?.info('The server is to be asked again', fields);
      await sleep(this.#parts.clock, outcome.retryAfter, call.signal);
      await this.#throttle(call);
    }
  }

  async #attempt<R>(
    call: Call,
    read: (response: TransportResponse) => R | Promise<R>,
    attempt: number,
  ): Promise<{ value: R } | { error: unknown; retryAfter: number | undefined }> {
    const { metrics, transport, warnings, fence } = this.#parts;
    call.signal?.throwIfAborted();
    const beforeSend = call.method !== 'GET' && call.lane !== 'lease' ? fence : undefined;
    // Asked again right before it is sent; but why dial for what is refused already?
    beforeSend?.();
    metrics.forVerb(call.method).requestSize(call.body === undefined ? 0 : Buffer.byteLength(call.body));
    const trace = this.#parts.log.v(6);
    const start = trace ? this.#parts.clock.monotonic() : 0;
    const seen = (code: string): void => {
      metrics.attempt(call.method, code, attempt > 0);
      const milliseconds = trace && Math.round(this.#parts.clock.monotonic() - start);
      trace?.info('Response', { verb: call.method, url: call.path, status: code, milliseconds });
    };
    let response: TransportResponse;
    try {
      response = await transport.roundTrip(beforeSend ? { ...requestOf(call), beforeSend } : requestOf(call));
      seen(String(response.status));
    } catch (error) {
      seen('<error>');
      return { error, retryAfter: isRetryable(call, error) ? RESET_DELAY : undefined };
    }
    try {
      warnings.note(response.headers.warning);
      if (response.status >= 200 && response.status < 300) return { value: await read(response) };
      const { body } = await readWhole(response);
      const error = errorFromAnswer(response.status, response.headers, body, call.subject);
      return { error, retryAfter: waitAsked(response) };
    } catch (error) {
      return { error, retryAfter: isRetryable(call, error) ? RESET_DELAY : undefined };
    }
  }

  async #throttle(call: Call): Promise<void> {
    const { limiterFor, metrics, log } = this.#parts;
    const waiting = limiterFor(call.lane).wait(call.signal);
    const waited = typeof waiting === 'number' ? waiting : await waiting;
    metrics.forVerb(call.method).rateLimiter(waited / 1000);
    if (waited > LONG_THROTTLE) {
      log.v(3)?.info('Waited for the client-side rate limit', {
        request: describeCall(call),
        milliseconds: Math.round(waited),
      });
    }
  }
}

function requestOf(call: Call): TransportRequest {
  return {
    method: call.method,
    path: call.path,
    headers: call.headers,
    lane: call.lane,
    ...(call.body === undefined ? {} : { body: call.body }),
    ...(call.signal === undefined ? {} : { signal: call.signal }),
    // Until a stream opens; a whole exchange is bounded by its signal.
    ...(call.timeout === undefined ? {} : { timeout: call.timeout }),
  };
}

/** Any 5xx and 429 may ask to come back; without `Retry-After` there is no second attempt, and so no tight loop. */
function waitAsked(response: TransportResponse): number | undefined {
  if (response.status !== 429 && response.status < 500) return undefined;
  const seconds = retryAfterSeconds(response.headers);
  return seconds === undefined ? undefined : seconds * 1000;
}

/** Only reads: nobody knows whether a write whose connection broke was carried out. */
function isRetryable(call: Call, error: unknown): boolean {
  return call.method === 'GET' && isTransportError(error, 'reset');
}

function describeCall(call: Call): string {
  return `${call.method} ${call.path}`;
}

async function readWhole(response: TransportResponse): Promise<Answer> {
  const chunks: Buffer[] = [];
  for await (const chunk of response.body) chunks.push(asBuffer(chunk));
  return { headers: response.headers, body: chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks) };
}

/** A body that should be JSON, parsed. */
export function parseAnswer(
  answer: Answer,
  call: Pick<Call, 'method' | 'path'>,
  parse: (body: Buffer) => unknown,
): unknown {
  try {
    return parse(answer.body);
  } catch (cause) {
    const target = `${call.method} ${call.path}`;
    throw new TransportError('garbled', `${target}: the answer is not JSON`, { target }, { cause });
  }
}
