import type { LeaderElectionRecord, LockCallOptions, ResourceLock } from '#pkg/leaderelection';

/** A record in memory with compare-and-swap, for any number of candidates. */
export class MemoryLockStore {
  record: LeaderElectionRecord | undefined;
  /** Every successful write, with who wrote. */
  readonly writes: { readonly by: string; readonly record: LeaderElectionRecord }[] = [];
  readonly requests: { readonly by: string; readonly verb: 'get' | 'create' | 'update' }[] = [];
  readonly events: string[] = [];
  /** Awaited before each request is served; what it rejects with is the answer. */
  intercept: (by: string, verb: 'get' | 'create' | 'update') => Promise<void> | void = () => {};
  #version = 0;
  readonly #watchers = new Set<() => void>();

  /** `polling`: a lock that cannot watch. */
  lock(identity: string, options: { readonly polling?: boolean } = {}): ResourceLock {
    let known: number | undefined;
    const request = async (verb: 'get' | 'create' | 'update', { signal }: LockCallOptions): Promise<void> => {
      this.requests.push({ by: identity, verb });
      await this.intercept(identity, verb);
      signal.throwIfAborted();
    };
    const lock: ResourceLock = {
      identity,
      describe: () => 'kube-system/test',
      get: async (call) => {
        await request('get', call);
        if (this.record !== undefined) known = this.#version;
        return this.record;
      },
      create: async (record, call) => {
        await request('create', call);
        if (this.record !== undefined) throw new Error('already exists');
        known = this.write(record, identity);
      },
      update: async (record, call) => {
        if (known === undefined) throw new Error('update without get or create');
        await request('update', call);
        if (this.record === undefined) throw new Error('not found');
        if (known !== this.#version) throw new Error('conflict');
        known = this.write(record, identity);
      },
      recordEvent: (message) => void this.events.push(`${identity} ${message}`),
    };
    return options.polling ? lock : { ...lock, watch: (signal) => this.#watch(signal) };
  }

  /** Writes as if somebody else had. */
  write(record: LeaderElectionRecord | undefined, by = 'somebody'): number {
    this.record = record;
    if (record !== undefined) this.writes.push({ by, record });
    this.#version++;
    for (const notify of this.#watchers) notify();
    return this.#version;
  }

  async *#watch(signal: AbortSignal): AsyncGenerator<LeaderElectionRecord | undefined> {
    let notify = (): void => {};
    const wake = (): void => notify();
    this.#watchers.add(wake);
    signal.addEventListener('abort', wake, { once: true });
    try {
      let seen = -1;
      while (!signal.aborted) {
        if (seen === this.#version) await new Promise<void>((resolve) => (notify = resolve));
        else {
          seen = this.#version;
          yield this.record;
        }
      }
    } finally {
      this.#watchers.delete(wake);
      signal.removeEventListener('abort', wake);
    }
  }
}
