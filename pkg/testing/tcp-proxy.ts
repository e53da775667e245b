import { type AddressInfo, type Server, type Socket, connect, createServer } from 'node:net';

/** `fin` closes in good order, as a server that exits does; `rst` breaks off, as a machine that vanishes and returns does. */
export type CutKind = 'fin' | 'rst';

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
}

/**
 * A TCP proxy on the loopback that breaks connections as networks do: refuses, swallows, stalls, delays, cuts. Faults
 * apply to what happens after they are set; `heal` ends them for connections to come and lets stalled bytes flow.
 *
 *     const proxy = await TcpProxy.start(server.port);
 *     proxy.cutAfter(1000, 'rst');
 */
export class TcpProxy {
  readonly #target: number;
  readonly #pairs = new Set<Pair>();
  #server: Server | undefined;
  #port = 0;
  #accepted = 0;
  #cut: { readonly bytes: number; readonly kind: CutKind } | undefined;
  #blackHole = false;
  #stalled = false;
  #latency = 0;

  static async start(target: number): Promise<TcpProxy> {
    const proxy = new TcpProxy(target);
    await proxy.accept();
    return proxy;
  }

  private constructor(target: number) {
    this.#target = target;
  }

  get port(): number {
    return this.#port;
  }

  /** Connections open now. */
  get active(): number {
    return this.#pairs.size;
  }

  /** Connections that the client has not closed; how long the server keeps its end is the server's affair. */
  get held(): number {
    return [...this.#pairs].filter(({ client }) => !client.destroyed && !client.readableEnded).length;
  }

  /** Connections accepted since the start. */
  get accepted(): number {
    return this.#accepted;
  }

  /** New connections are refused; open ones are cut. */
  async refuse(kind: CutKind = 'rst'): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    this.cutAll(kind);
    if (server !== undefined) await new Promise<void>((resolve) => server.close(() => resolve()));
  }

  /** Listens again, on the same port as before. */
  async accept(): Promise<void> {
    if (this.#server !== undefined) return;
    const server = createServer({ allowHalfOpen: true }, (client) => this.#onConnection(client));
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(this.#port, '127.0.0.1', resolve));
    this.#server = server;
    this.#port = (server.address() as AddressInfo).port;
  }

  /** Each connection from now on ends when the server has sent so many bytes over it. */
  cutAfter(bytes: number, kind: CutKind): void {
    this.#cut = { bytes, kind };
  }

  /** Connections from now on are accepted and never answered. */
  blackHole(): void {
    this.#blackHole = true;
  }

  /** Bytes stay where they are, in both directions, on all connections; nothing is closed. */
  stall(): void {
    this.#stalled = true;
    for (const { client, server } of this.#pairs) {
      client.pause();
      server.pause();
    }
  }

  /** Each chunk takes so many milliseconds more. */
  delay(milliseconds: number): void {
    this.#latency = milliseconds;
  }

  heal(): void {
    this.#cut = undefined;
    this.#blackHole = false;
    this.#latency = 0;
    this.#stalled = false;
    for (const { client, server } of this.#pairs) {
      client.resume();
      server.resume();
    }
  }

  cutAll(kind: CutKind): void {
    for (const pair of this.#pairs) cut(pair, kind);
  }

  async close(): Promise<void> {
    await this.refuse();
  }

  #onConnection(client: Socket): void {
    this.#accepted++;
    const server = connect({ port: this.#target, host: '127.0.0.1', allowHalfOpen: true });
    const pair: Pair = { client, server };
    this.#pairs.add(pair);
    client.setNoDelay(true);
    server.setNoDelay(true);
    const forget = (): void => {
      if (client.destroyed && server.destroyed) this.#pairs.delete(pair);
    };
    for (const [own, other] of [
      [client, server],
      [server, client],
    ] as const) {
      own.on('error', () => other.destroy());
      own.on('close', () => {
        if (!this.#stalled) other.end();
        if (own.errored || other.writableEnded) setImmediate(() => other.destroy());
        forget();
      });
    }
    if (this.#blackHole) {
      // Swallowed, so that the end of the connection is noticed behind what came before it.
      client.resume().on('end', () => client.destroy());
      return;
    }
    this.#forward(client, server, pair, undefined);
    this.#forward(server, client, pair, this.#cut);
    if (this.#stalled) this.stall();
  }

  #forward(
    from: Socket,
    to: Socket,
    pair: Pair,
    limit: { readonly bytes: number; readonly kind: CutKind } | undefined,
  ): void {
    let left = limit?.bytes ?? Number.POSITIVE_INFINITY;
    const pass = (chunk: Buffer): void => {
      if (to.destroyed || left <= 0) return;
      const part = chunk.subarray(0, Math.min(left, chunk.length));
      left -= part.length;
      if (!to.write(part) && !from.destroyed) {
        from.pause();
        to.once('drain', () => {
          if (!this.#stalled) from.resume();
        });
      }
      if (left <= 0 && limit !== undefined) to.write('', () => cut(pair, limit.kind));
    };
    from.on('data', (chunk: Buffer) => {
      if (this.#latency === 0) pass(chunk);
      else setTimeout(() => pass(chunk), this.#latency);
    });
    from.on('end', () => {
      if (this.#latency === 0) to.end();
      else setTimeout(() => to.end(), this.#latency);
    });
  }
}

function cut({ client, server }: Pair, kind: CutKind): void {
  if (kind === 'rst') client.resetAndDestroy();
  else client.destroySoon();
  server.destroy();
}
