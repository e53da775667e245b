import { ownValue, setOwnValue } from '#pkg/base';

/** What a Node process holds, after a full garbage collection. */
export interface Holdings {
  /** Bytes. */
  readonly heapUsed: number;
  readonly external: number;
  readonly rss: number;
  /** What keeps the process alive, by kind: `TCPSocketWrap`, `Timeout`... (`process.getActiveResourcesInfo`). */
  readonly resources: Readonly<Record<string, number>>;
}

/**
 * A look into a Node process started with `--inspect`, whatever it runs:
 *
 *     const child = new Child('daemon', process.execPath, ['--inspect=127.0.0.1:0', main]);
 *     const inspector = await Inspector.attach(await inspectorUrl(child));
 */
export class Inspector {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>();
  #last = 0;

  static async attach(url: string): Promise<Inspector> {
    const socket = new WebSocket(url);
    await new Promise((resolve, reject) => {
      socket.addEventListener('open', resolve, { once: true });
      socket.addEventListener('error', () => reject(new Error(`cannot reach ${url}`)), { once: true });
    });
    return new Inspector(socket);
  }

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener('message', ({ data }) => {
      const { id, result, error } = JSON.parse(String(data)) as {
        id?: number;
        result?: unknown;
        error?: { message: string };
      };
      const waiting = this.#waiting.get(id ?? 0);
      this.#waiting.delete(id ?? 0);
      if (error) waiting?.reject(new Error(error.message));
      else waiting?.resolve(result);
    });
    socket.addEventListener('close', () => {
      for (const waiting of this.#waiting.values()) waiting.reject(new Error('the inspected process has ended'));
    });
  }

  async holdings(): Promise<Holdings> {
    // What is weakly held goes with the second.
    for (let i = 0; i < 2; i++) await this.#call('HeapProfiler.collectGarbage', {});
    const expression = 'JSON.stringify({ ...process.memoryUsage(), names: process.getActiveResourcesInfo() })';
    const { result } = (await this.#call('Runtime.evaluate', { expression, returnByValue: true })) as {
      result: { value: string };
    };
    const { names, ...memory } = JSON.parse(result.value) as Holdings & { names: string[] };
    const resources: Record<string, number> = {};
    for (const name of names) setOwnValue(resources, name, (ownValue(resources, name) ?? 0) + 1);
    return { ...memory, resources };
  }

  close(): void {
    this.#socket.close();
  }

  #call(method: string, params: object): Promise<unknown> {
    const id = ++this.#last;
    const waiting = Promise.withResolvers<unknown>();
    this.#waiting.set(id, waiting);
    this.#socket.send(JSON.stringify({ id, method, params }));
    return waiting.promise;
  }
}
