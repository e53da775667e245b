import {
  ApiError,
  type EndpointSlice,
  type KubeObject,
  type NamespacedName,
  type NewObject,
  type ObjectKey,
  type ObjectMeta,
  type ResourceType,
  type Status,
  type StatusReason,
  groupResource,
  keyOf,
  makeKey,
  splitKey,
} from '#pkg/api';
import {
  type Clock,
  type Random,
  deepFreeze,
  formatTime,
  randomNameSuffix,
  seededRandom,
  semanticEqual,
  sleep,
} from '#pkg/base';
import type { Client, DeleteOptions, ListOptions, ResourceClient, WatchOptions } from '#pkg/client';

import { patchObject } from './fake-patch.ts';

/** A request to a {@link FakeCluster}, when it is about to be carried out. */
export interface ClusterRequest {
  readonly verb: 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete';
  readonly type: ResourceType;
  readonly subresource?: string;
  /** Ends in `/` for a creation without name. */
  readonly key: ObjectKey;
  readonly body?: unknown;
}

/** `refuse`: answered with an error, nothing done. `lose`: done, and answered with an error. */
export type Fault = 'refuse' | 'lose' | ApiError | undefined;

export interface ClusterChange {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly resource: ResourceType;
  readonly object: KubeObject;
  readonly resourceVersion: string;
}

export interface FakeClusterOptions {
  readonly clock: Clock;
  readonly random?: Random;
  /** How long a request takes before it is carried out, ms; drawn anew for each. */
  readonly latency?: () => number;
  /** What a test creates is changed by this before it is stored. */
  readonly decorate?: <T extends KubeObject>(object: T) => T;
}

/**
 * The API server's object semantics in a few lines of memory: names and UIDs, one resource version over all, conflicts,
 * generations, status apart, finalizers, graceful deletion of Pods that have a node, watches. For tests that want
 * thousands of small worlds; what it does not know (defaulting, validation, access) the embedded server does.
 *
 * Objects are given and kept in full and frozen. What a test does itself is immediate and synchronous; what goes through
 * `client()` takes `latency`, is recorded, and may be made to fail by `fault`.
 */
export class FakeCluster {
  /** Requests through a client other than list and watch, in the order they were carried out. */
  readonly writes: ClusterRequest[] = [];
  readonly reads: ClusterRequest[] = [];
  /** Asked about each request; may throw to fail a test. */
  fault: (request: ClusterRequest) => Fault = () => undefined;
  readonly #objects = new Map<string, Map<ObjectKey, KubeObject>>();
  readonly #listeners = new Set<(change: ClusterChange) => void>();
  readonly #cuts = new Set<(error: unknown) => void>();
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #latency: () => number;
  readonly #decorate: <T extends KubeObject>(object: T) => T;
  #revision = 100;
  #uids = 0;

  constructor({
    clock,
    random = seededRandom(1),
    latency = () => 0,
    decorate = (object) => object,
  }: FakeClusterOptions) {
    this.#decorate = decorate;
    this.#clock = clock;
    this.#random = random;
    this.#latency = latency;
  }

  get resourceVersion(): string {
    return String(this.#revision);
  }

  /** Is told of every change as it happens. Returns what ends it. */
  onChange(listener: (change: ClusterChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  get<T extends KubeObject>(type: ResourceType<T>, key: ObjectKey): T | undefined {
    return this.#collection(type).get(key) as T | undefined;
  }

  list<T extends KubeObject>(type: ResourceType<T>, namespace?: string): T[] {
    const all = [...this.#collection(type).values()] as T[];
    return namespace === undefined ? all : all.filter((object) => object.metadata.namespace === namespace);
  }

  create<T extends KubeObject>(type: ResourceType<T>, object: NewObject<T>): T {
    return this.#create(type, this.#decorate(object as unknown as T));
  }

  #create<T extends KubeObject>(type: ResourceType<T>, object: NewObject<T>): T {
    const { generateName = '', name = generateName + randomNameSuffix(this.#random) } = object.metadata;
    const namespace = type.namespaced ? (object.metadata.namespace ?? 'default') : undefined;
    if (this.get(type, makeKey(namespace, name)))
      throw refusal('AlreadyExists', 409, `${groupResource(type)} "${name}" already exists`);
    const metadata: Partial<ObjectMeta> = {
      ...object.metadata,
      name,
      ...(namespace === undefined ? {} : { namespace }),
      uid: `${type.resource}-${++this.#uids}`,
      creationTimestamp: object.metadata.creationTimestamp ?? formatTime(this.#clock.now()),
      generation: 1,
    };
    return this.#store(type, 'ADDED', { ...object, metadata } as unknown as T);
  }

  /** Replaces an object; one with an older resource version is refused. The status changes only by `updateStatus`. */
  update<T extends KubeObject>(type: ResourceType<T>, object: T): T {
    return this.#replace(type, object, (live) => ({ ...object, ...('status' in live ? { status: live.status } : {}) }));
  }

  /** Replaces the status; annotations come along, as the API server has it. */
  updateStatus<T extends KubeObject>(type: ResourceType<T>, object: T): T {
    const { annotations } = object.metadata;
    return this.#replace(type, object, (live) => ({
      ...live,
      metadata: { ...live.metadata, ...(annotations ? { annotations } : {}) },
      ...('status' in object ? { status: object.status } : {}),
    }));
  }

  /** Changes an object, status and all, whatever its version. */
  change<T extends KubeObject>(type: ResourceType<T>, key: ObjectKey, change: (object: T) => T): T {
    const live = this.#require(type, key);
    return this.#change(type, live, change(live));
  }

  patch<T extends KubeObject>(
    type: ResourceType<T>,
    key: ObjectKey,
    kind: 'merge' | 'strategic',
    body: unknown,
    subresource?: string,
  ): T {
    const live = this.#require(type, key);
    const patched = patchObject(live, kind, body);
    if (patched.metadata.uid !== live.metadata.uid) throw refusal('Invalid', 422, 'metadata.uid: field is immutable');
    if (patched.metadata.resourceVersion !== live.metadata.resourceVersion) throw conflict(type, key);
    if (controllers(patched) > 1)
      throw refusal('Invalid', 422, 'metadata.ownerReferences: only one reference can have controller set to true');
    const status = 'status' in live ? { status: live.status } : {};
    return this.#change(type, live, subresource === 'status' ? patched : { ...patched, ...status });
  }

  /** Deletes, or begins to: objects with finalizers and Pods on a node stay until {@link finish} or the last finalizer. */
  delete(
    type: ResourceType,
    key: ObjectKey,
    options: Pick<DeleteOptions, 'gracePeriodSeconds' | 'preconditions' | 'propagationPolicy'> = {},
  ): void {
    const stored = this.#require(type, key);
    const live = withPolicy(stored, options.propagationPolicy);
    const { uid = live.metadata.uid, resourceVersion = live.metadata.resourceVersion } = options.preconditions ?? {};
    if (uid !== live.metadata.uid || resourceVersion !== live.metadata.resourceVersion) throw conflict(type, key);
    const graceful = type.kind === 'Pod' && isAssigned(live) && options.gracePeriodSeconds !== 0;
    if (!graceful && !live.metadata.finalizers?.length) return this.#remove(type, live);
    const deletionGracePeriodSeconds = graceful ? 30 : 0;
    // The grace of a deletion under way can be cut short, but not given back.
    if ((live.metadata.deletionGracePeriodSeconds ?? 31) <= deletionGracePeriodSeconds) {
      this.#change(type, stored, live);
      return;
    }
    const deletionTimestamp = formatTime(this.#clock.now() + deletionGracePeriodSeconds * 1000);
    this.#change(type, stored, {
      ...live,
      metadata: { ...live.metadata, deletionTimestamp, deletionGracePeriodSeconds },
    });
  }

  /** Removes an object for good, as the kubelet does with a Pod that has ended. */
  finish(type: ResourceType, key: ObjectKey): void {
    const live = this.get(type, key);
    if (live) this.#remove(type, live);
  }

  /** Breaks every watch under way, as a restart of the server or of the network does. */
  cutWatches(error: unknown = refusal('InternalError', 500, 'the watch was cut')): void {
    for (const cut of this.#cuts) cut(error);
  }

  client(): Client {
    return {
      resource: <T extends KubeObject>(type: ResourceType<T>) => this.#resourceClient(type),
      request: () => Promise.reject(refusal('NotFound', 404, 'the fake cluster serves resources only')),
    };
  }

  #resourceClient<T extends KubeObject>(type: ResourceType<T>): ResourceClient<T> {
    const key = ({ namespace, name }: NamespacedName): ObjectKey => makeKey(namespace, name);
    return {
      get: (name, options) =>
        this.#serve({ verb: 'get', type, key: key(name) }, options?.signal, () => this.#require(type, key(name))),
      list: (options) =>
        this.#serve({ verb: 'list', type, key: '' }, options?.signal, () => this.#listOf(type, options)),
      watch: (options) => this.#watch(type, options),
      create: (object, options) => {
        const name = makeKey(object.metadata.namespace, object.metadata.name ?? '');
        return this.#serve({ verb: 'create', type, key: name, body: object }, options?.signal, () =>
          this.#create(type, object),
        );
      },
      update: (object, options) =>
        this.#serve({ verb: 'update', type, key: keyOf(object), body: object }, options?.signal, () =>
          this.update(type, object),
        ),
      updateStatus: (object, options) => {
        const request: ClusterRequest = {
          verb: 'update',
          type,
          subresource: 'status',
          key: keyOf(object),
          body: object,
        };
        return this.#serve(request, options?.signal, () => this.updateStatus(type, object));
      },
      patch: (name, kind, body, options) => {
        if (kind !== 'merge' && kind !== 'strategic') throw new RangeError(`the fake cluster knows no ${kind} patches`);
        const { subresource } = options ?? {};
        const request: ClusterRequest = {
          verb: 'patch',
          type,
          key: key(name),
          body,
          ...(subresource ? { subresource } : {}),
        };
        return this.#serve(request, options?.signal, () => this.patch(type, key(name), kind, body, subresource));
      },
      delete: (name, options) =>
        this.#serve({ verb: 'delete', type, key: key(name) }, options?.signal, () =>
          this.delete(type, key(name), options),
        ),
    };
  }

  async #serve<R>(request: ClusterRequest, signal: AbortSignal | undefined, action: () => R): Promise<R> {
    signal?.throwIfAborted();
    const latency = this.#latency();
    if (latency > 0) await sleep(this.#clock, latency, signal);
    (request.verb === 'get' || request.verb === 'list' ? this.reads : this.writes).push(request);
    const fault = this.fault(request);
    if (fault instanceof ApiError) throw fault;
    if (fault === 'refuse') throw refusal('InternalError', 500, 'injected refusal');
    const result = action();
    if (fault === 'lose') throw refusal('Timeout', 504, 'injected loss of the answer');
    return result;
  }

  /** Copies, as everything that comes over a wire: whoever reads them may write to them before others see them. */
  #listOf<T extends KubeObject>(type: ResourceType<T>, options?: ListOptions) {
    return {
      metadata: { resourceVersion: this.resourceVersion },
      items: structuredClone(this.list(type, options?.namespace)),
    };
  }

  async *#watch<T extends KubeObject>(
    type: ResourceType<T>,
    options: WatchOptions = {},
  ): ReturnType<ResourceClient<T>['watch']> {
    if (options.sendInitialEvents) throw refusal('Invalid', 422, 'sendInitialEvents: Forbidden');
    if (options.resourceVersion !== undefined && options.resourceVersion !== this.resourceVersion) {
      throw refusal('Expired', 410, 'too old resource version');
    }
    const events: { type: ClusterChange['type']; object: KubeObject }[] = [];
    // Without a version a watch begins with what is there.
    if (options.resourceVersion === undefined) {
      events.push(...this.list(type, options.namespace).map((object) => ({ type: 'ADDED' as const, object })));
    }
    let wake = (): void => {};
    const end = this.onChange((change) => {
      if (groupResource(change.resource) !== groupResource(type)) return;
      events.push(change);
      wake();
    });
    const aborted = (): void => wake();
    let broken: { readonly error: unknown } | undefined;
    const cut = (error: unknown): void => {
      broken = { error };
      wake();
    };
    this.#cuts.add(cut);
    options.signal?.addEventListener('abort', aborted);
    try {
      while (!options.signal?.aborted) {
        if (broken) throw broken.error;
        for (let next = events.shift(); next; next = events.shift())
          yield { type: next.type, object: structuredClone(next.object) as T };
        // It may have been aborted, or have more, while the reader was busy.
        if (!options.signal?.aborted) await new Promise<void>((resolve) => (wake = resolve));
      }
      options.signal.throwIfAborted();
    } finally {
      end();
      this.#cuts.delete(cut);
      options.signal?.removeEventListener('abort', aborted);
    }
  }

  #collection(type: ResourceType): Map<ObjectKey, KubeObject> {
    const name = groupResource(type);
    let collection = this.#objects.get(name);
    if (!collection) this.#objects.set(name, (collection = new Map()));
    return collection;
  }

  #require<T extends KubeObject>(type: ResourceType<T>, key: ObjectKey): T {
    const live = this.get(type, key);
    if (!live)
      throw refusal('NotFound', 404, `${groupResource(type)} "${key}" not found`, {
        name: splitKey(key).name,
        kind: type.resource,
      });
    return live;
  }

  #replace<T extends KubeObject>(type: ResourceType<T>, object: T, next: (live: T) => T): T {
    const live = this.#require(type, keyOf(object));
    if (object.metadata.resourceVersion !== live.metadata.resourceVersion) throw conflict(type, keyOf(object));
    const replaced = next(live);
    const { uid, creationTimestamp, deletionTimestamp, generation } = live.metadata;
    return this.#change(type, live, {
      ...replaced,
      metadata: {
        ...replaced.metadata,
        uid,
        creationTimestamp,
        generation,
        ...(deletionTimestamp ? { deletionTimestamp } : {}),
      },
    });
  }

  /** Nothing changed: no new version and no event, as the API server has it. */
  #change<T extends KubeObject>(type: ResourceType<T>, live: T, next: T): T {
    if (semanticEqual(live, next)) return live;
    const { generation = 1, deletionTimestamp } = next.metadata;
    const changed =
      !semanticEqual(wishOf(live, type), wishOf(next, type)) ||
      (deletionTimestamp !== live.metadata.deletionTimestamp && type.kind !== 'Pod');
    const result = { ...next, metadata: { ...next.metadata, generation: changed ? generation + 1 : generation } };
    const waitsForKubelet =
      type.kind === 'Pod' && isAssigned(result) && result.metadata.deletionGracePeriodSeconds !== 0;
    if (deletionTimestamp !== undefined && !result.metadata.finalizers?.length && !waitsForKubelet) {
      this.#remove(type, result);
      return result;
    }
    return this.#store(type, 'MODIFIED', result);
  }

  #store<T extends KubeObject>(type: ResourceType<T>, event: 'ADDED' | 'MODIFIED', object: T): T {
    const resourceVersion = String(++this.#revision);
    const stored = deepFreeze({ ...object, metadata: { ...object.metadata, resourceVersion } });
    this.#collection(type).set(keyOf(stored), stored);
    this.#tell({ type: event, resource: type, object: stored, resourceVersion });
    return stored;
  }

  #remove(type: ResourceType, live: KubeObject): void {
    const resourceVersion = String(++this.#revision);
    this.#collection(type).delete(keyOf(live));
    const object = deepFreeze({ ...live, metadata: { ...live.metadata, resourceVersion } });
    this.#tell({ type: 'DELETED', resource: type, object, resourceVersion });
  }

  #tell(change: ClusterChange): void {
    for (const listener of this.#listeners) listener(change);
  }
}

/** With the finalizer by which the garbage collector knows what to do with its dependents. */
function withPolicy<T extends KubeObject>(object: T, policy: DeleteOptions['propagationPolicy']): T {
  if (policy === undefined) return object;
  const others = (object.metadata.finalizers ?? []).filter(
    (finalizer) => finalizer !== 'orphan' && finalizer !== 'foregroundDeletion',
  );
  const finalizers = [
    ...others,
    ...(policy === 'Orphan' ? ['orphan'] : policy === 'Foreground' ? ['foregroundDeletion'] : []),
  ];
  const { finalizers: _, ...metadata } = object.metadata;
  return { ...object, metadata: { ...metadata, ...(finalizers.length > 0 ? { finalizers } : {}) } };
}

/** What an object asks for: when that changes, its generation does. */
function wishOf(object: KubeObject, type: ResourceType): unknown {
  if (type.kind !== 'EndpointSlice') return (object as { readonly spec?: unknown }).spec;
  const { endpoints, ports } = object as EndpointSlice;
  return { endpoints, ports, labels: object.metadata.labels };
}

function isAssigned(object: KubeObject): boolean {
  return Boolean((object as { readonly spec?: { readonly nodeName?: string } }).spec?.nodeName);
}

function controllers(object: KubeObject): number {
  return (object.metadata.ownerReferences ?? []).filter((owner) => owner.controller).length;
}

function refusal(reason: StatusReason, code: number, message: string, details?: Status['details']): ApiError {
  return new ApiError({
    kind: 'Status',
    status: 'Failure',
    reason,
    code,
    message,
    ...(details ? { details } : {}),
  } satisfies Status);
}

function conflict(type: ResourceType, key: ObjectKey): ApiError {
  return refusal(
    'Conflict',
    409,
    `Operation cannot be fulfilled on ${groupResource(type)} "${key}": the object has been modified`,
  );
}
