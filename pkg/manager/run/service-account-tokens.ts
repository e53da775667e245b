import { isAlreadyExists, isNotFound } from '#pkg/api';
import { Backoff, type Clock, type Random, describeError, sleep } from '#pkg/base';
import type { Client, Transport, TransportRequest, TransportResponse } from '#pkg/client';
import type { Logger } from '#pkg/log';

const NAMESPACE = 'kube-system';
/** What is asked for; the server may give another lifetime, seconds. */
const LIFETIME = 3600;
/** A token is replaced when this part of its life is left. */
const LEEWAY = 0.2;
/** A lifetime that looks shorter is a sign of clocks that differ, ms. */
const SHORTEST_LIFETIME = 10 * 60 * 1000;
const TRIES = 4;

export interface TokenSourceOptions {
  /** Creates service accounts and their tokens with our own credentials. */
  readonly client: Client;
  readonly serviceAccount: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/**
 * Bearer tokens of a service account in kube-system, asked for when first needed and again before they expire
 * (`k8s.io/controller-manager/pkg/clientbuilder`, the dynamic one). The account is created where it is missing.
 */
export class TokenSource {
  readonly #options: TokenSourceOptions;
  #token: { readonly text: string; readonly until: number } | undefined;
  #request: Promise<string> | undefined;

  constructor(options: TokenSourceOptions) {
    this.#options = options;
  }

  /** Rejects when the API server gave none after several tries. */
  token(): Promise<string> {
    const token = this.#token;
    if (token && this.#options.clock.monotonic() < token.until) return Promise.resolve(token.text);
    this.#request ??= this.#ask().finally(() => {
      this.#request = undefined;
    });
    return this.#request;
  }

  /** The server did not accept it. */
  forget(text: string): void {
    if (this.#token?.text === text) this.#token = undefined;
  }

  async #ask(): Promise<string> {
    const { clock, random, log, serviceAccount } = this.#options;
    const backoff = new Backoff({ initial: 500, max: 8000, factor: 2, jitter: 0.1 }, random);
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#requestToken();
      } catch (error) {
        const message = `cannot get a token for the service account ${NAMESPACE}/${serviceAccount}`;
        if (attempt === TRIES) throw new Error(`${message}: ${describeError(error)}`, { cause: error });
        log.warning('Cannot get a service account token, will retry', { serviceAccount, err: error });
        await sleep(clock, backoff.next());
      }
    }
  }

  async #requestToken(): Promise<string> {
    const { client, clock, serviceAccount } = this.#options;
    const path = `/api/v1/namespaces/${NAMESPACE}/serviceaccounts/${serviceAccount}/token`;
    const body = {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: { expirationSeconds: LIFETIME },
    };
    const ask = (): Promise<TokenAnswer> => client.request<TokenAnswer>({ method: 'POST', path, body });
    const { status } = await ask().catch(async (error: unknown) => {
      if (!isNotFound(error)) throw error;
      await this.#createAccount();
      return ask();
    });
    const lifetime = Math.max(Date.parse(status.expirationTimestamp) - clock.now() || 0, SHORTEST_LIFETIME);
    this.#token = { text: status.token, until: clock.monotonic() + lifetime * (1 - LEEWAY) };
    return status.token;
  }

  async #createAccount(): Promise<void> {
    const { client, serviceAccount } = this.#options;
    const body = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { namespace: NAMESPACE, name: serviceAccount } };
    try {
      await client.request({ method: 'POST', path: `/api/v1/namespaces/${NAMESPACE}/serviceaccounts`, body });
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
    }
  }
}

interface TokenAnswer {
  readonly status: { readonly token: string; readonly expirationTimestamp: string };
}

/**
 * Sends every request of `inner` with a token of the source; a refused one is replaced and the request sent once more.
 * `fence` is asked again when the token is there, since waiting for it may have taken the lease's time.
 */
export function withTokens(inner: Transport, source: TokenSource, fence: () => void): Transport {
  async function send(
    request: TransportRequest,
  ): Promise<{ readonly response: TransportResponse; readonly token: string }> {
    const token = await source.token();
    if (request.method !== 'GET') fence();
    const response = await inner.roundTrip({
      ...request,
      headers: { ...request.headers, authorization: `Bearer ${token}` },
    });
    return { response, token };
  }
  return {
    ...(inner.host === undefined ? {} : { host: inner.host }),
    async roundTrip(request) {
      const { response, token } = await send(request);
      if (response.status !== 401) return response;
      source.forget(token);
      // Leaving the loop at once lets go of the refused answer.
      for await (const _ of response.body) break;
      return (await send(request)).response;
    },
    close: () => inner.close(),
  };
}
