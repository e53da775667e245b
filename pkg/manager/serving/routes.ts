import { gzip } from 'node:zlib';
import { promisify } from 'node:util';

import { type Clock, describeError } from '#pkg/base';
import { type RootLogger, quote } from '#pkg/log';
import type { Metrics } from '#pkg/metrics';

import type { Options } from '../options/options.ts';
import { parseUnsigned } from '../options/go-text.ts';
import type { Authenticator } from './authentication.ts';
import type { Authorizer } from './authorization.ts';
import { DEBUG_PREFIX, type DebugPages } from './debug-pages.ts';
import type { HealthMetrics } from './health-metrics.ts';
import { HEALTH_PATHS, type HealthChecks } from './health.ts';
import { type HttpAnswer, type HttpHandler, type HttpRequest, header, notFound, status, text } from './http.ts';
import { configz, flagz, statusz } from './pages.ts';
import { profiling } from './profiling.ts';

export interface RouteOptions {
  readonly options: Options;
  readonly metrics: Metrics;
  readonly health: HealthChecks;
  readonly healthMetrics: HealthMetrics;
  readonly debugPages: DebugPages;
  readonly clock: Clock;
  readonly log: Pick<RootLogger, 'setVerbosity'>;
  /** Wall time of the process' start, ms. */
  readonly startTime: number;
}

const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8; escaping=underscores';
const compressed = promisify(gzip);

/** What is served, without a look at who asks: exact paths, and prefixes that end in a slash. */
export function routes(route: RouteOptions): HttpHandler {
  const { options, health, healthMetrics, log } = route;
  const byPath = new Map<string, HttpHandler>();
  for (const path of HEALTH_PATHS)
    byPath
      .set(`/${path}`, (request) => health.answer(path, request))
      .set(`/${path}/`, (request) => health.answer(path, request));
  byPath.set('/configz', () => configz(options));
  byPath.set('/metrics', async (request) => exposition(request, await route.metrics.expose(), route.startTime));
  byPath.set('/metrics/slis', async (request) => {
    if (request.method === 'DELETE') healthMetrics.reset();
    return exposition(request, await healthMetrics.expose(), route.startTime);
  });
  if (options.gates.enabled('ComponentFlagz')) byPath.set('/flagz', () => flagz(options));
  if (options.gates.enabled('ComponentStatusz')) {
    byPath.set('/statusz', () =>
      statusz({ options, startTime: route.startTime, clock: route.clock, paths: listedPaths(byPath) }),
    );
  }
  byPath.set(DEBUG_PREFIX, (request) => route.debugPages.answer(request));
  if (options.flags.profiling) {
    byPath.set('/debug/pprof', profiling).set('/debug/pprof/', profiling);
    byPath.set('/debug/flags/v', (request) => setVerbosity(request, log));
  }
  return (request) => (byPath.get(request.path) ?? byPath.get(prefixOf(request.path, byPath)))?.(request) ?? notFound;
}

/** Nobody needs to be told of what is for those who know it. */
function listedPaths(byPath: ReadonlyMap<string, unknown>): string[] {
  return [...byPath.keys()]
    .filter((path) => !path.endsWith('/') && !path.startsWith('/debug') && path !== '/statusz')
    .toSorted();
}

function prefixOf(path: string, byPath: ReadonlyMap<string, unknown>): string {
  const prefixes = [...byPath.keys()].filter((prefix) => prefix.endsWith('/') && path.startsWith(prefix));
  return prefixes.toSorted((a, b) => b.length - a.length)[0] ?? '';
}

async function exposition(request: HttpRequest, body: string, startTime: number): Promise<HttpAnswer> {
  const headers = { 'content-type': METRICS_TYPE, 'process-start-time-unix': String(Math.floor(startTime / 1000)) };
  if (!/\bgzip\b/.test(header(request, 'accept-encoding') ?? '')) return { status: 200, headers, body };
  return { status: 200, headers: { ...headers, 'content-encoding': 'gzip' }, body: await compressed(body) };
}

async function setVerbosity(request: HttpRequest, log: Pick<RootLogger, 'setVerbosity'>): Promise<HttpAnswer> {
  if (request.method !== 'PUT') return text(406, 'unsupported http method\n');
  try {
    const level = parseUnsigned((await request.body()).trim());
    log.setVerbosity(level);
    return text(200, `successfully set log verbosity to ${level}\n`);
  } catch (error) {
    return text(400, `${describeError(error)}\n`);
  }
}

export interface GuardOptions {
  readonly authenticator: Authenticator;
  readonly authorizer: Authorizer;
  readonly log: { readonly error: (message: string, error: unknown) => void };
}

/** Lets through to `inner` who is known and allowed, and answers everyone else as the generic API server does. */
export function guarded(inner: HttpHandler, { authenticator, authorizer, log }: GuardOptions): HttpHandler {
  return async (request) => {
    const user = await authenticator.authenticate(request);
    if (!user) return status(request, 401, 'Unauthorized', 'Unauthorized');
    const access = { user, verb: request.method.toLowerCase(), path: request.path };
    try {
      const { allowed, reason } = await authorizer.authorize(access);
      if (allowed) return await inner(request);
      const subject = sanitized(`User ${quote(user.name)} cannot ${access.verb} path ${quote(access.path)}`);
      const message = `forbidden: ${subject}${reason === '' ? '' : `: ${reason}`}`;
      const answer = status(request, 403, 'Forbidden', message, {});
      return { ...answer, headers: { ...answer.headers, 'x-content-type-options': 'nosniff' } };
    } catch (error) {
      log.error('Cannot authorize a request', error);
      return text(
        500,
        `Internal Server Error: ${JSON.stringify(sanitized(request.path))}: ${sanitized(describeError(error))}\n`,
      );
    }
  };
}

/** Nothing in an error may look like HTML. */
function sanitized(message: string): string {
  return message.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
