import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { Transport, TransportRequest, TransportResponse } from '#pkg/client';
import {
  type ContractAnswer,
  type ContractRequest,
  FaultyTransport,
  type TestServer,
  startTestServer,
} from '#pkg/testing';
import { createHttpTransport, loadClientConfig, withoutUser } from '#pkg/transport';

/** Names that belong to one connection, and what a changed body no longer has. */
const HOP_BY_HOP = new Set(['connection', 'content-length', 'date', 'host', 'keep-alive', 'transfer-encoding']);

/**
 * An HTTP proxy in front of an API server that answers in its place or garbles what it says. Whoever comes without a
 * token is taken for the user of the kubeconfig.
 */
export class AnsweringProxy {
  readonly faults: FaultyTransport;
  readonly #server: TestServer;

  static async start(kubeconfig: string): Promise<AnsweringProxy> {
    const config = await loadClientConfig({ kubeconfig });
    const faults = new FaultyTransport(
      new Upstream(createHttpTransport(config), createHttpTransport(withoutUser(config))),
    );
    return new AnsweringProxy(faults, await startTestServer((request) => pass(request, faults), { protocol: 'h2' }));
  }

  private constructor(faults: FaultyTransport, server: TestServer) {
    this.faults = faults;
    this.#server = server;
  }

  get port(): number {
    return this.#server.port;
  }

  /** Writes a kubeconfig file that trusts the proxy and has no user, and answers its path. */
  async kubeconfig(folder: string): Promise<string> {
    const path = join(folder, 'proxy.kubeconfig');
    const authority = Buffer.from(this.#server.authority.certificate).toString('base64');
    const config = {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'proxy', cluster: { server: this.#server.url, 'certificate-authority-data': authority } }],
      users: [{ name: 'nobody', user: {} }],
      contexts: [{ name: 'proxy', context: { cluster: 'proxy', user: 'nobody' } }],
      'current-context': 'proxy',
    };
    await writeFile(path, JSON.stringify(config), { mode: 0o600 });
    return path;
  }

  async close(): Promise<void> {
    await this.#server.close();
    await this.faults.close();
  }
}

/** Two ways to the API server: with a certificate it would not look at a token. */
class Upstream implements Transport {
  readonly #own: Transport;
  readonly #bare: Transport;

  constructor(own: Transport, bare: Transport) {
    this.#own = own;
    this.#bare = bare;
  }

  roundTrip(request: TransportRequest): Promise<TransportResponse> {
    return ('authorization' in request.headers ? this.#bare : this.#own).roundTrip(request);
  }

  async close(): Promise<void> {
    await Promise.all([this.#own.close(), this.#bare.close()]);
  }
}

async function pass({ method, path, headers, body, signal }: ContractRequest, to: Transport): Promise<ContractAnswer> {
  try {
    const response = await to.roundTrip({
      method: method as TransportRequest['method'],
      path,
      headers: passed(headers),
      ...(body.length > 0 ? { body } : {}),
      lane: method === 'GET' ? 'read' : 'write',
      signal,
    });
    return { status: response.status, headers: passed(response.headers), body: untilItBreaks(response.body) };
  } catch (error) {
    return { status: 502, headers: { 'content-type': 'text/plain' }, body: String(error) };
  }
}

async function* untilItBreaks(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield* body;
  } catch {
    // For the client it is one more answer that ends too early.
  }
}

function passed(headers: Readonly<Record<string, string | string[] | undefined>>): Record<string, string> {
  const own = Object.entries(headers).filter(
    ([name, value]) => value !== undefined && !name.startsWith(':') && !HOP_BY_HOP.has(name),
  );
  return Object.fromEntries(own.map(([name, value]) => [name, String(value)]));
}
