import {
  ApiError,
  type KubeList,
  type KubeObject,
  type ObjectKey,
  type Status,
  type WatchEvent,
  keyOf,
} from '#pkg/api';
import type { ListOptions, ResourceClient, WatchOptions } from '#pkg/client';

/** A request as a {@link ScriptedCollection} saw it. `stream` is a watch that asks for the initial events. */
export interface ScriptedRequest<T extends KubeObject = KubeObject> {
  readonly verb: 'list' | 'stream' | 'watch';
  readonly options: ListOptions & WatchOptions;
  /** Set once answered with a list. */
  items?: readonly T[];
}

type Verb = ScriptedRequest['verb'];

interface Change<T extends KubeObject> {
  readonly version: number;
  readonly event: WatchEvent<T>;
}

/**
 * One collection of an API server, in memory, that answers lists, streamed lists and watches as a kube-apiserver does,
 * and misbehaves on request. It never looks at a clock: what happens, the test makes happen.
 *
 *     const pods = new ScriptedCollection<Pod>();
 *     pods.put(pod('web-1'));
 *     pods.failNext('watch', new Error('ECONNRESET'));
 */
export class ScriptedCollection<T extends KubeObject = KubeObject> implements Pick<
  ResourceClient<T>,
  'list' | 'watch'
> {
  readonly requests: ScriptedRequest<T>[] = [];
  /** False: streamed lists are refused, as by a server without KEP-3157. */
  canStream = true;
  /** Requests are taken and never answered. */
  silent = false;
  /** What a watch is sent first when it is resumed may be changed by this: repeated, reordered. */
  disturb: (events: readonly WatchEvent<T>[]) => readonly WatchEvent<T>[] = (events) => events;
  readonly #objects = new Map<ObjectKey, T>();
  #history: Change<T>[] = [];
  #version: number;
  /** Watches from before this version are refused with 410. */
  #oldest: number;
  #compactions = 0;
  #uids = 0;
  readonly #streams = new Set<EventStream<T>>();
  /** Still to come; emptied to end a storm. */
  readonly failures: { verb: Verb; error: unknown }[] = [];

  constructor(version = 100) {
    this.#version = version;
    this.#oldest = version;
  }

  get resourceVersion(): string {
    return String(this.#version);
  }

  /** Watches open now. */
  get open(): number {
    return this.#streams.size;
  }

  objects(): T[] {
    return [...this.#objects.values()];
  }

  count(...verbs: Verb[]): number {
    return this.requests.filter((request) => verbs.includes(request.verb)).length;
  }

  /** Creates or updates; the version is the next one, the UID kept while the object lives. Returns what is stored. */
  put(object: T): T {
    const key = keyOf(object);
    const old = this.#objects.get(key);
    const uid = old?.metadata.uid ?? `uid-${++this.#uids}`;
    const stored = { ...object, metadata: { ...object.metadata, uid, resourceVersion: String(++this.#version) } };
    this.#objects.set(key, stored);
    this.#emit({ type: old === undefined ? 'ADDED' : 'MODIFIED', object: stored });
    return stored;
  }

  remove(key: ObjectKey): void {
    const old = this.#objects.get(key);
    if (old === undefined) return;
    this.#objects.delete(key);
    const last = { ...old, metadata: { ...old.metadata, resourceVersion: String(++this.#version) } };
    this.#emit({ type: 'DELETED', object: last });
  }

  /** Something else in the cluster changed: the version moves and open watches get a bookmark. */
  bookmark(): void {
    this.#version++;
    for (const stream of this.#streams) stream.push(this.#bookmark());
  }

  /** Forgets all history and all list snapshots: what resumes from before now is answered with 410. */
  compact(): void {
    this.#history = [];
    this.#oldest = this.#version;
    this.#compactions++;
  }

  /** Goes back to `version` with other content, as a server restored from a backup. */
  restore(version: number, objects: readonly T[]): void {
    this.dropWatches(new Error('connection reset'));
    this.#objects.clear();
    for (const object of objects) this.#objects.set(keyOf(object), object);
    this.#version = version;
    this.compact();
  }

  /** The next `times` requests of this kind fail. */
  failNext(verb: Verb, error: unknown, times = 1): void {
    for (let i = 0; i < times; i++) this.failures.push({ verb, error });
  }

  /** Ends all open watches: in good order, or with an error. */
  dropWatches(error?: unknown): void {
    for (const stream of this.#streams) stream.end(error);
    this.#streams.clear();
  }

  /** Sends an event to all open watches as it is, whatever it is. */
  send(event: WatchEvent<T>): void {
    for (const stream of this.#streams) stream.push(event);
  }

  async list(options: ListOptions = {}): Promise<KubeList<T>> {
    const request: ScriptedRequest<T> = { verb: 'list', options };
    this.requests.push(request);
    this.#failIfAsked('list');
    if (this.silent) await aborted(options.signal);
    const { snapshot, from, version } = this.#page(options.continue);
    const end = options.limit ? from + options.limit : snapshot.length;
    const items = snapshot.slice(from, end);
    request.items = items;
    const token = end < snapshot.length ? { continue: `${version}/${this.#compactions}/${end}` } : {};
    return { metadata: { resourceVersion: String(version), ...token }, items };
  }

  watch(options: WatchOptions = {}): AsyncIterable<WatchEvent<T>> {
    const verb = options.sendInitialEvents ? 'stream' : 'watch';
    this.requests.push({ verb, options });
    return { [Symbol.asyncIterator]: () => this.#events(verb, options) };
  }

  async *#events(verb: Verb, options: WatchOptions): AsyncGenerator<WatchEvent<T>> {
    this.#failIfAsked(verb);
    if (this.silent) await aborted(options.signal);
    const stream = new EventStream<T>(options.signal);
    for (const event of verb === 'stream' ? this.#initial(options) : this.#missed(options)) stream.push(event);
    this.#streams.add(stream);
    try {
      yield* stream.events();
    } finally {
      this.#streams.delete(stream);
    }
  }

  #initial(options: WatchOptions): WatchEvent<T>[] {
    if (!this.canStream)
      throw refusal(
        422,
        'Invalid',
        'sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled',
      );
    this.#refuseFuture(options);
    const added = this.objects().map((object): WatchEvent<T> => ({ type: 'ADDED', object }));
    return [...added, this.#bookmark({ 'k8s.io/initial-events-end': 'true' })];
  }

  #missed(options: WatchOptions): readonly WatchEvent<T>[] {
    const from = Number(options.resourceVersion ?? 0);
    this.#refuseFuture(options);
    if (from < this.#oldest) throw refusal(410, 'Expired', `too old resource version: ${from} (${this.#oldest})`);
    return this.disturb(this.#history.filter((change) => change.version > from).map((change) => change.event));
  }

  #refuseFuture(options: WatchOptions): void {
    if (Number(options.resourceVersion ?? 0) <= this.#version) return;
    throw refusal(504, 'Timeout', 'Too large resource version', { causes: [{ reason: 'ResourceVersionTooLarge' }] });
  }

  /** A continued list goes on in the snapshot it began with; keeping only the present one is enough for tests. */
  readonly #snapshots = new Map<string, readonly T[]>();

  #page(token: string | undefined): { snapshot: readonly T[]; from: number; version: number } {
    if (token === undefined) {
      const snapshot = this.objects();
      this.#snapshots.set(`${this.#version}/${this.#compactions}`, snapshot);
      return { snapshot, from: 0, version: this.#version };
    }
    const [version, compactions, from] = token.split('/').map(Number);
    const snapshot = this.#snapshots.get(`${version}/${compactions}`);
    if (snapshot === undefined || compactions !== this.#compactions) {
      throw refusal(410, 'Expired', 'The provided continue parameter is too old');
    }
    return { snapshot, from: from!, version: version! };
  }

  #emit(event: WatchEvent<T>): void {
    this.#history.push({ version: this.#version, event });
    for (const stream of this.#streams) stream.push(event);
  }

  #bookmark(annotations?: Record<string, string>): WatchEvent<T> {
    const metadata = { name: '', uid: '', creationTimestamp: '', resourceVersion: this.resourceVersion };
    return { type: 'BOOKMARK', object: { metadata: annotations ? { ...metadata, annotations } : metadata } };
  }

  #failIfAsked(verb: Verb): void {
    const at = this.failures.findIndex((failure) => failure.verb === verb);
    if (at >= 0) throw this.failures.splice(at, 1)[0]!.error;
  }
}

/** An API server's refusal, as a client reports it. */
export function refusal(code: number, reason: string, message = reason, details?: Status['details']): ApiError {
  return new ApiError(
    { kind: 'Status', status: 'Failure', code, reason, message, ...(details ? { details } : {}) },
    code,
  );
}

/** Rejects with the signal's reason when it aborts, and never resolves. */
function aborted(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_, reject) => {
    if (signal?.aborted) reject(signal.reason);
    else signal?.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

class EventStream<T extends KubeObject> {
  readonly #signal: AbortSignal | undefined;
  readonly #queue: WatchEvent<T>[] = [];
  #ended: { error?: unknown } | undefined;
  #wake: () => void = () => {};

  constructor(signal: AbortSignal | undefined) {
    this.#signal = signal;
  }

  push(event: WatchEvent<T>): void {
    this.#queue.push(event);
    this.#wake();
  }

  end(error?: unknown): void {
    this.#ended ??= { error };
    this.#wake();
  }

  async *events(): AsyncGenerator<WatchEvent<T>> {
    const onAbort = (): void => this.end(this.#signal?.reason);
    if (this.#signal?.aborted) onAbort();
    this.#signal?.addEventListener('abort', onAbort);
    try {
      for (;;) {
        let next = 0;
        while (next < this.#queue.length && !this.#signal?.aborted) yield this.#queue[next++]!;
        this.#queue.splice(0, next);
        if (this.#ended?.error !== undefined) throw this.#ended.error;
        if (this.#ended !== undefined) return;
        await new Promise<void>((resolve) => (this.#wake = resolve));
      }
    } finally {
      this.#signal?.removeEventListener('abort', onAbort);
    }
  }
}
