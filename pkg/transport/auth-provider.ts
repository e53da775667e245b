import type { Clock } from '#pkg/base';
import { TransportError } from '#pkg/client';

import type { Credentials, Headers } from './credentials.ts';

/** The providers keep tokens until they expire; asking them this often, ms, is cheap. */
const ASK_AGAIN = 10_000;

/**
 * The legacy `auth-provider` of a kubeconfig user (OIDC and the clouds' own), by client-node. It is loaded only here:
 * it takes a second to start.
 */
export function authProviderCredentials(kubeconfig: string, context: string, clock: Clock): Credentials {
  let headers: Headers | undefined;
  let askedAt = Number.NEGATIVE_INFINITY;
  let loading: Promise<(options: { headers?: Record<string, unknown> }) => Promise<void>> | undefined;

  async function provider(): Promise<(options: { headers?: Record<string, unknown> }) => Promise<void>> {
    const { KubeConfig } = await import('@kubernetes/client-node');
    const config = new KubeConfig();
    config.loadFromString(kubeconfig);
    config.setCurrentContext(context);
    return (options) => config.applyToHTTPSOptions(options);
  }

  async function ask(): Promise<Headers> {
    const options: { headers?: Record<string, unknown> } = {};
    try {
      const apply = await (loading ??= provider());
      await apply(options);
    } catch (cause) {
      const text = cause instanceof Error ? cause.message : String(cause);
      throw new TransportError(
        'credentials',
        `the auth-provider of the kubeconfig gives no credentials: ${text}`,
        {},
        { cause },
      );
    }
    const { Authorization: authorization } = options.headers ?? {};
    askedAt = clock.monotonic();
    if (headers?.authorization !== authorization || headers === undefined) {
      headers = typeof authorization === 'string' ? { authorization } : {};
    }
    return headers;
  }

  return {
    headers: () => (headers !== undefined && clock.monotonic() - askedAt < ASK_AGAIN ? headers : ask()),
    refused: async (used) => (await ask()).authorization !== used.authorization,
  };
}
