import { type Clock, describeError } from '#pkg/base';
import type { Transport } from '#pkg/client';
import type { Logger } from '#pkg/log';
import type { Metrics } from '#pkg/metrics';
import { ConfigError, createHttpTransport, loadClientConfig, withoutUser } from '#pkg/transport';

import { ManagerError } from '../errors.ts';
import type { Options } from '../options/options.ts';

/** Ways to the API server. */
export interface Connection {
  /** With the credentials of the kubeconfig or the Pod. */
  readonly own: Transport;
  /** With none: for requests that bring a token of their own. Made when first asked for. */
  anonymous(): Transport;
  close(): Promise<void>;
}

export interface ConnectOptions {
  readonly options: Options;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Metrics;
}

/** Prepares the way that `--kubeconfig` and `--master` describe; nothing is sent yet. Throws a ConfigError or `BadFile`. */
export async function connect({ options, clock, log, metrics }: ConnectOptions): Promise<Connection> {
  const { kubeconfig, master } = options.flags;
  const config = await loadClientConfig({ kubeconfig, master, clock, log, metrics }).catch((error: unknown) => {
    if (!(error instanceof ConfigError) || kubeconfig === '') throw error;
    throw new ManagerError('BadFile', `--kubeconfig: ${describeError(error)}`, { kubeconfig }, { cause: error });
  });
  const own = createHttpTransport({ ...config, clock, log, metrics });
  let anonymous: Transport | undefined;
  return {
    own,
    anonymous: () => (anonymous ??= createHttpTransport({ ...withoutUser(config), clock, log, metrics })),
    async close() {
      await Promise.all([own.close(), anonymous?.close()]);
    },
  };
}
