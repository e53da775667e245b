import { describeError } from '#pkg/base';
import type { Logger } from '#pkg/log';

import { type HttpAnswer, type HttpRequest, notFound, text } from './http.ts';
import type { HealthMetrics } from './health-metrics.ts';

export interface HealthCheck {
  readonly name: string;
  /** Throws, or rejects, with the reason when something is wrong. */
  check(): void | Promise<void>;
}

/** `/healthz`, `/livez` and `/readyz` ask the same; only the metric tells them apart. */
export const HEALTH_PATHS = ['healthz', 'livez', 'readyz'] as const;
type HealthPath = (typeof HEALTH_PATHS)[number];

/** Where there is nothing else to ask. */
const PING: HealthCheck = { name: 'ping', check: () => {} };

/**
 * Health checks that can be added while they are being asked for, in the generic API server's text form
 * (`apiserver/pkg/server/healthz`): `ok`, or one line a check when asked to be verbose or when one fails. The reason of a
 * failure stands in the log alone, since anyone may ask.
 */
export class HealthChecks {
  readonly #checks: HealthCheck[] = [];
  readonly #metrics: HealthMetrics;
  readonly #log: Logger;

  constructor(options: { readonly metrics: HealthMetrics; readonly log: Logger }) {
    this.#metrics = options.metrics;
    this.#log = options.log;
  }

  add(...checks: readonly HealthCheck[]): void {
    this.#checks.push(...checks);
  }

  /** Answers `/healthz` and all below it. */
  async answer(path: HealthPath, request: HttpRequest): Promise<HttpAnswer> {
    const below = request.path.slice(path.length + 2);
    const checks = this.#checks.length > 0 ? this.#checks : [PING];
    if (below === '') return this.#all(path, request, checks);
    const wanted = checks.find(({ name }) => name === below);
    return wanted ? this.#one(wanted) : notFound;
  }

  async #all(path: HealthPath, request: HttpRequest, checks: readonly HealthCheck[]): Promise<HttpAnswer> {
    const excluded = new Set(request.query.getAll('exclude'));
    const results = await Promise.all(
      checks.map((check) => (excluded.has(check.name) ? Promise.resolve('excluded' as const) : this.#run(path, check))),
    );
    const lines = checks.map(({ name }, index) => lineFor(name, results[index]));
    const unknown = [...excluded].filter((name) => !checks.some((check) => check.name === name)).toSorted();
    if (unknown.length > 0) {
      lines.push(
        `warn: some health checks cannot be excluded: no matches for ${unknown.map((name) => JSON.stringify(name)).join(',')}`,
      );
    }
    const failed = checks.filter((_check, index) => results[index] instanceof Failure);
    if (failed.length > 0) {
      const reasons = checks.flatMap(({ name }, index) =>
        results[index] instanceof Failure ? [`${name}: ${results[index].reason}`] : [],
      );
      this.#log
        .v(2)
        ?.info('Health check failed', { path: `/${path}`, checks: failed.map(({ name }) => name), reasons });
      return text(500, `${lines.join('\n')}\n${path} check failed\n`);
    }
    return text(200, request.query.has('verbose') ? `${lines.join('\n')}\n${path} check passed\n` : 'ok');
  }

  async #run(path: HealthPath, check: HealthCheck): Promise<'ok' | Failure> {
    try {
      await check.check();
      this.#metrics.observe(check.name, path, true);
      return 'ok';
    } catch (error) {
      this.#metrics.observe(check.name, path, false);
      return new Failure(describeError(error));
    }
  }

  async #one(check: HealthCheck): Promise<HttpAnswer> {
    try {
      await check.check();
      return text(200, 'ok');
    } catch (error) {
      return text(500, `internal server error: ${describeError(error)}\n`);
    }
  }
}

class Failure {
  readonly reason: string;

  constructor(reason: string) {
    this.reason = reason;
  }
}

function lineFor(name: string, result: 'ok' | 'excluded' | Failure | undefined): string {
  if (result instanceof Failure) return `[-]${name} failed: reason withheld`;
  return result === 'excluded' ? `[+]${name} excluded: ok` : `[+]${name} ok`;
}
