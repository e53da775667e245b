import { type Clock, describeError } from '#pkg/base';
import { type Client, createClient } from '#pkg/client';
import type { Logger } from '#pkg/log';
import type { Metrics } from '#pkg/metrics';
import { ConfigError, createHttpTransport, loadClientConfig } from '#pkg/transport';

import { ManagerError } from '../errors.ts';

/** High enough that reviews are never what holds up our own serving (`DelegatingAuthenticationOptions.getClient`). */
const QPS = 200;
const BURST = 400;

export interface DelegatedClientOptions {
  /** `--authentication-kubeconfig` or `--authorization-kubeconfig`, with its value. */
  readonly flag: string;
  readonly kubeconfig: string;
  readonly userAgent: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Metrics;
}

/** A client with a connection of its own. */
export interface DelegatedClient {
  readonly client: Client;
  close(): Promise<void>;
}

/**
 * The client that reviews for us: from the kubeconfig, else the Pod's own, else none (`RemoteKubeConfigFileOptional`).
 * Throws `BadFile` for a kubeconfig that is no good.
 */
export async function delegatedClient(options: DelegatedClientOptions): Promise<DelegatedClient | undefined> {
  const { flag, kubeconfig, clock, log, metrics } = options;
  try {
    const config = await loadClientConfig({ clock, log, ...(kubeconfig === '' ? {} : { kubeconfig }) });
    const transport = createHttpTransport({ ...config, clock, log });
    const client = createClient({
      transport,
      userAgent: options.userAgent,
      qps: QPS,
      burst: BURST,
      clock,
      log,
      metrics,
    });
    return { client, close: () => transport.close() };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    if (kubeconfig !== '')
      throw new ManagerError('BadFile', `--${flag}: ${describeError(error)}`, { flag, kubeconfig }, { cause: error });
    if (error.code !== 'missing') log.warning('The in-cluster configuration cannot be used', { flag, err: error });
    return undefined;
  }
}
