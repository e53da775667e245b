import type { Clock, Random } from '#pkg/base';
import type { RootLogger } from '#pkg/log';
import type { Metrics } from '#pkg/metrics';

import type { Options } from '../options/options.ts';
import { Authenticator } from '../serving/authentication.ts';
import { Authorizer } from '../serving/authorization.ts';
import type { DebugPages } from '../serving/debug-pages.ts';
import type { HealthMetrics } from '../serving/health-metrics.ts';
import type { HealthChecks } from '../serving/health.ts';
import { guarded, routes } from '../serving/routes.ts';
import { type SecureServer, startSecureServer } from '../serving/tls-server.ts';
import { Trust } from '../serving/trust.ts';
import { type DelegatedClient, delegatedClient } from './delegated-client.ts';
import { userAgent } from './user-agent.ts';

export interface ServeOptions {
  readonly options: Options;
  readonly metrics: Metrics;
  readonly health: HealthChecks;
  readonly healthMetrics: HealthMetrics;
  readonly debugPages: DebugPages;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: RootLogger;
  /** Wall time of the process' start, ms. */
  readonly startTime: number;
}

/** Serves what `--secure-port` asks for until closed; nothing where it is 0. */
export async function serve(parts: ServeOptions): Promise<SecureServer | undefined> {
  const { options, clock, random, log, metrics } = parts;
  const { flags } = options;
  if (flags['secure-port'] === 0) return undefined;
  const review = (
    flag: 'authentication-kubeconfig' | 'authorization-kubeconfig',
  ): Promise<DelegatedClient | undefined> =>
    delegatedClient({
      flag,
      kubeconfig: flags[flag],
      userAgent: userAgent(options.reportedVersion, flag),
      clock,
      log,
      metrics,
    });
  const authentication = await review('authentication-kubeconfig');
  const authorization = await review('authorization-kubeconfig');
  if (!authorization)
    log.warning('No authorization-kubeconfig provided, so requests beyond the always allowed paths are forbidden');
  if (!authentication) log.warning('No authentication-kubeconfig provided, so bearer tokens are not looked at');
  const trust = await Trust.load({ flags, client: authentication?.client, clock, random, log });
  const authenticator = new Authenticator({
    reviewer: authentication?.client,
    trust: trust.settings,
    cacheTtl: flags['authentication-token-webhook-cache-ttl'],
    clock,
    log,
  });
  const authorizer = new Authorizer({
    reviewer: authorization?.client,
    alwaysAllowPaths: flags['authorization-always-allow-paths'],
    allowedTtl: flags['authorization-webhook-cache-authorized-ttl'],
    deniedTtl: flags['authorization-webhook-cache-unauthorized-ttl'],
    clock,
  });
  const server = await startSecureServer({
    flags,
    handler: guarded(routes(parts), { authenticator, authorizer, log }),
    authorities: { current: trust.authorities, onChange: trust.onChange },
    clock,
    log,
  });
  const stop = new AbortController();
  const looking = trust.run(stop.signal);
  return {
    port: server.port,
    async close() {
      stop.abort();
      trust.close();
      await server.close();
      await looking;
      await Promise.all([authentication?.close(), authorization?.close()]);
    },
  };
}
